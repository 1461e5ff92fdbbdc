// Creations and transitions from lock to records, for every function that makes them. They run inside an
// open session; a refusal comes back as a value, and then nothing was written but a claim that the caller's
// rollback takes away.
#pragma once

#include "core/fingerprint.hpp"
#include "pg/store/session.hpp"

namespace escrowgrid::pg {

struct Move {
  Datum row = 0;  // of positions, as stored
  std::string_view event_id;
};

[[nodiscard]] std::optional<Move> create(store::Origin& origin, const core::CreationInput& input, core::Refusal& why);

[[nodiscard]] std::optional<Move> move(const store::Origin& origin, std::string_view position_id,
                                       const core::TransitionRequest& request, core::Refusal& why);

// Content for an event of this caller, freshly salted.
[[nodiscard]] core::EventContent event_content(const Caller& caller, const TextView& reason, const TextView& metadata);

// --- idempotency -------------------------------------------------------------------------------

struct IdempotencyKey {
  std::string_view institution_id;
  std::string_view key;
};

enum class Claim : std::uint8_t { kMade, kReplay, kRefused };

// Claims the key for the request. A session that holds it is waited for; if it rolls back, the claim is ours.
[[nodiscard]] Claim claim(const IdempotencyKey& key, const core::Digest& fingerprint, core::Refusal& why);

}  // namespace escrowgrid::pg
