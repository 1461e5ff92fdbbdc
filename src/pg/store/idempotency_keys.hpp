// What surrounds the main job: idempotency keys, history, expiry. Part of the store.
#pragma once

#include "pg/service/moves.hpp"

namespace escrowgrid::pg::store {

// False when the key is there already, committed or by this transaction.
[[nodiscard]] bool insert_claim(const IdempotencyKey& key, const core::Digest& fingerprint);
[[nodiscard]] core::Digest read_claim(const IdempotencyKey& key);
// The events that the claimed request led to, in the order of its results.
void complete_claim(const IdempotencyKey& key, std::span<const TextView> event_ids);

// Takes back a claim whose request was refused: refusals are never stored.
void release_claim(const IdempotencyKey& key);

// The position rows as of the events of a claim, in order; the composites belong to the session.
[[nodiscard]] std::span<const Datum> replay_claim(const IdempotencyKey& key);

// The number of keys that were older and are gone.
[[nodiscard]] std::int64_t purge_claims(core::Micros before);

// The institution of a position, to claim a key in.
[[nodiscard]] TextView find_position_institution(std::string_view id, const TextView& institution_id);

// Positions whose expiry has come, locked; those that someone else holds are passed over.
[[nodiscard]] std::span<const std::string_view> lock_due_positions(core::Micros now, const TextView& institution_id,
                                                                   std::int32_t max_count);

// State, amounts and version as of a time, from events alone, as the composite `desc`; absent before the creation.
[[nodiscard]] std::optional<Datum> read_position_at(std::string_view id, core::Micros at, TupleDesc desc);

}  // namespace escrowgrid::pg::store
