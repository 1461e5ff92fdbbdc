// Verification: every row read back and compared with what it should be. Part of the store; reads one
// snapshot, the caller's, in portions.
#pragma once

#include "pg/values/datum.hpp"

namespace escrowgrid::pg::store {

// Adds a row (position_id, seq, discrepancy, expected, found) to the result set for everything that is
// wrong; of one institution, or of all.
void verify(FunctionCallInfo fcinfo, const TextView& institution_id);

}  // namespace escrowgrid::pg::store
