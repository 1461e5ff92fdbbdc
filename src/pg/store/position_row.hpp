// A row of positions as the core sees it, and back.
#pragma once

#include "core/decide.hpp"
#include "pg/values/datum.hpp"

namespace escrowgrid::pg {

// What a raw INSERT may leave out: every column as it stands in the tuple.
struct PositionRow {
  TextView id;
  TextView institution_id;
  TextView asset_id;
  TextView holder_reference;
  TextView currency;
  TextView amount;  // numeric as text
  TextView state;
  TextView external_reference;
  std::optional<core::Micros> created_at;
  std::optional<core::Micros> updated_at;
  TextView released_amount;
  TextView refunded_amount;
  std::optional<core::Micros> expires_at;
  std::optional<core::Micros> due_at;
  std::optional<std::int32_t> version;
  std::optional<core::Digest> head_hash;
};

[[nodiscard]] PositionRow read_position_row(HeapTuple tuple, TupleDesc desc);

// A stored row, whose NOT NULL and CHECK constraints hold; the currency's exponent comes from elsewhere.
[[nodiscard]] core::PositionSnapshot to_snapshot(const PositionRow& row, int currency_exponent);

// The tuple as a creation or transition has decided it.
[[nodiscard]] HeapTuple with_creation(HeapTuple tuple, TupleDesc desc, const core::PositionTerms& terms,
                                      const core::Decision& decision);
[[nodiscard]] HeapTuple with_transition(HeapTuple tuple, TupleDesc desc, const core::PositionTerms& terms,
                                        const core::Decision& decision);

// The tuple with updated_at and due_at as in `source`: both follow from transitions alone.
[[nodiscard]] HeapTuple with_times_of(HeapTuple tuple, HeapTuple source, TupleDesc desc);

// Whether the row says exactly what was decided.
[[nodiscard]] bool matches(const core::PositionSnapshot& row, const core::PositionTerms& terms,
                           const core::Decision& decision);

}  // namespace escrowgrid::pg
