// The records that every creation and transition leaves: its event, its ledger row and its audit row.
#pragma once

#include "core/decide.hpp"
#include "pg/store/origin.hpp"

namespace escrowgrid::pg::store {

// Writes all three and returns the event's id.
std::string_view record_move(const Origin& origin, const core::PositionTerms& terms, const core::Decision& decision,
                             const core::EventContent& content);

}  // namespace escrowgrid::pg::store
