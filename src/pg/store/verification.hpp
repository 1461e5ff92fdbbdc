// Verification: reads every row back and compares it with what it should be. All of it reads the caller's snapshot, in
// portions.
#pragma once

#include "pg/values/datum.hpp"

namespace escrowgrid::pg::store {

// Adds a row (position_id, seq, discrepancy, expected, found) to the result set for each discrepancy, of one
// institution or of all.
void verify(FunctionCallInfo fcinfo, const TextView& institution_id);

}  // namespace escrowgrid::pg::store
