// Rows that SQL functions return.
#pragma once

#include "pg/border/postgres.hpp"

namespace escrowgrid::pg {

// The row type that the function was declared to return; an internal error when that is no row.
[[nodiscard]] TupleDesc require_row_type(FunctionCallInfo fcinfo);

// A row as a composite datum. Absent columns are NULL.
using ResultColumns = std::span<const std::optional<Datum>>;
[[nodiscard]] Datum form_row(TupleDesc desc, ResultColumns columns);

// A copy of the datum, of variable length, that outlives SPI_finish().
[[nodiscard]] Datum keep_for_caller(Datum value);

// Add a row to the result set that InitMaterializedSRF() made.
void put_row(FunctionCallInfo fcinfo, ResultColumns columns);
void put_composite(FunctionCallInfo fcinfo, Datum composite);

}  // namespace escrowgrid::pg
