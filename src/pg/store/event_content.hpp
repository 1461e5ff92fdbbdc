// Reason and metadata of a stored event.
#pragma once

#include "core/hash_chain.hpp"
#include "pg/layout/row_view.hpp"

namespace escrowgrid::pg::store {

// The content as the core hashes it. Views point into the row.
[[nodiscard]] core::EventContent content_of(const layout::RowView<layout::kPositionEvents>& event);

}  // namespace escrowgrid::pg::store
