// Expiring positions whose time has come.
#pragma once

#include "pg/store/origin.hpp"

namespace escrowgrid::pg {

// Expires at most `max_count` positions, the longest overdue first, and says how many. Positions that another session
// has locked are left out. A position that cannot be expired is reported by a WARNING, and the others go on.
[[nodiscard]] std::int32_t expire_due_positions(const Caller& caller, std::int32_t max_count);

}  // namespace escrowgrid::pg
