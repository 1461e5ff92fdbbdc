// Idempotency keys: which request a caller's key belongs to, and the events that the request led to.
#pragma once

#include "core/digest.hpp"
#include "core/hash_chain.hpp"
#include "pg/border/postgres.hpp"

namespace escrowgrid::pg::store {

struct IdempotencyKey {
  std::string_view institution_id;
  std::string_view key;
};

// False when the key is there already, committed or by this transaction.
[[nodiscard]] bool insert_claim(const IdempotencyKey& key, const core::Digest& fingerprint);
[[nodiscard]] core::Digest read_claim(const IdempotencyKey& key);
// The events that the claimed request led to, in the order of its results.
void complete_claim(const IdempotencyKey& key, std::span<const TextView> event_ids);

// Deletes a claim whose request was refused. Refusals are never stored.
void release_claim(const IdempotencyKey& key);

// The position rows as of the events of a claim, in order; the composites live until the session is closed.
[[nodiscard]] std::span<const Datum> replay_claim(const IdempotencyKey& key);

// Deletes the keys that were first used before that time, and says how many.
[[nodiscard]] std::int64_t purge_claims(core::Micros before);

}  // namespace escrowgrid::pg::store
