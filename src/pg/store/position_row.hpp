// Converts a row of positions to the core's types and back. Verification takes only the terms from here: it reads the
// other columns as they are found.
#pragma once

#include "core/decide.hpp"
#include "pg/layout/row_columns.hpp"
#include "pg/layout/row_view.hpp"

namespace escrowgrid::pg::store {

using PositionView = layout::RowView<layout::kPositions>;
using PositionColumns = layout::RowColumns<layout::kPositions>;

// The terms of a row, with its amount already read; the currency's exponent is not part of the row.
[[nodiscard]] core::PositionTerms to_terms(const PositionView& row, core::Amount amount);

// A stored row, whose NOT NULL and CHECK constraints hold. The currency's exponent and the last event's hash are not
// part of the row: complete_snapshot() adds them.
[[nodiscard]] core::PositionSnapshot to_snapshot(const PositionView& row);

// The columns that a transition changes.
void set_decided(PositionColumns& row, const core::PositionTerms& terms, const core::Decision& decision);

// All columns of a new position.
[[nodiscard]] PositionColumns new_position(const core::PositionTerms& terms, const core::Decision& decision);

}  // namespace escrowgrid::pg::store
