// Idempotency: a request that is repeated with its key is done once.
#pragma once

#include "core/fingerprint.hpp"
#include "core/refusal.hpp"
#include "pg/store/idempotency_keys.hpp"

namespace escrowgrid::pg {

enum class Claim : std::uint8_t {
  kMade,     // the key is new, and now belongs to this request
  kReplay,   // the request was done before
  kRefused,  // the key belongs to another request, or is no key
};

// Claims the key for the request. If another session holds it, this waits for the end of its transaction; if that
// transaction rolls back, the claim is made here.
[[nodiscard]] Claim claim(const store::IdempotencyKey& key, const core::Digest& fingerprint, core::Refusal& why);

}  // namespace escrowgrid::pg
