// The layout of the tables as rows. The install script does not declare this function: the test that compares the
// layout with the catalog does.
#include "pg/layout/layout.hpp"

#include "pg/border/boundary.hpp"
#include "pg/layout/column_name.hpp"
#include "pg/values/datum.hpp"
#include "pg/values/result.hpp"

namespace escrowgrid::pg {

namespace {

// The column's place in the key, from 1; 0 when it is not part of it.
int place_in(const layout::Key& key, std::string_view column) {
  if (key.first == column) {
    return 1;
  }
  return key.second == column ? 2 : 0;
}

Datum list_layout(FunctionCallInfo fcinfo) {
  InitMaterializedSRF(fcinfo, 0);
  for (const layout::Table* table : layout::kTables) {
    int number = 0;
    for (const layout::Column& column : table->columns) {
      put_row(fcinfo, std::array<std::optional<Datum>, 8>{text_datum(table->name), Int32GetDatum(++number),
                                                          text_datum(column.name),
                                                          ObjectIdGetDatum(layout::oid_of(column.type)),
                                                          BoolGetDatum(column.nulls == layout::Nulls::kAllowed),
                                                          BoolGetDatum(column.change == layout::Change::kByTransition),
                                                          Int32GetDatum(place_in(table->primary, column.name)),
                                                          Int32GetDatum(place_in(table->secondary, column.name))});
    }
  }
  return 0;
}

}  // namespace

ESCROWGRID_FUNCTION(escrowgrid_layout, list_layout);

}  // namespace escrowgrid::pg
