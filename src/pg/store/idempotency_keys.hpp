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

// False if the key exists already, committed or in this transaction.
[[nodiscard]] bool insert_claim(const IdempotencyKey& key, const core::Digest& fingerprint);
[[nodiscard]] core::Digest read_claim(const IdempotencyKey& key);
// Stores the events that the request led to, in the order of its results.
void complete_claim(const IdempotencyKey& key, std::span<const TextView> event_ids);

// Deletes a claim whose request was refused. Refusals are never stored.
void release_claim(const IdempotencyKey& key);

// The position rows as they were after the request's events, in order. The composites live until the session is closed.
[[nodiscard]] std::span<const Datum> replay_claim(const IdempotencyKey& key);

// Deletes the keys that were first used before that time, and says how many.
[[nodiscard]] std::int64_t purge_claims(core::Micros before);

}  // namespace escrowgrid::pg::store
