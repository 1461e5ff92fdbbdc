// Expiring positions whose time has come.
#pragma once

#include "pg/identity/caller.hpp"

namespace escrowgrid::pg {

// Expires at most `max_count` positions, the longest overdue first, and says how many. Positions that another session
// has locked are left out. If a position cannot be expired because of its own data (a refusal, a broken record, a
// user's trigger or constraint), it gets a WARNING and the sweep goes on with the others. 1000 of them end the sweep.
// Errors that are not about a position end it at once: see run_in_subtransaction().
[[nodiscard]] std::int32_t expire_due_positions(const Caller& caller, std::int32_t max_count);

}  // namespace escrowgrid::pg
