// What escrow_health() finds.
#pragma once

#include "pg/border/postgres.hpp"

namespace escrowgrid::pg::store {

// (ok, reasons) as the composite `desc`: every reason says what is wrong. The row outlives the session.
[[nodiscard]] Datum read_health(TupleDesc desc);

}  // namespace escrowgrid::pg::store
