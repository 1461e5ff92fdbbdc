// Expiring positions whose time has come.
#pragma once

#include "pg/identity/caller.hpp"

namespace escrowgrid::pg {

// Tries to expire at most `max_count` positions, the longest overdue first, and says how many have been expired.
// Positions that another session has locked are left out. A position that cannot be expired is reported by a WARNING,
// and the sweep goes on with the others.
[[nodiscard]] std::int32_t expire_due_positions(const Caller& caller, std::int32_t max_count);

}  // namespace escrowgrid::pg
