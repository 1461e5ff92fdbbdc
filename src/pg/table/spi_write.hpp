// Writing rows by SPI: the way that serves every table, and the only one for tables outside of moves.
//
// Each write is noted (own_write.hpp), so that the extension's triggers can tell it from raw DML. AFTER triggers wait
// for the end of the call, where there is one.
#pragma once

#include "pg/direct/write_row.hpp"
#include "pg/table/statement.hpp"

namespace escrowgrid::pg {

// Inserts an event, ledger or audit row; an error when a trigger or rule suppresses it. Without a call AFTER triggers
// fire at once.
void insert_record_by_spi(direct::WriteCall* call, const layout::Table& table, const layout::RowValues& row);

// Insert or update a row and return it as stored; nothing when a trigger or rule has changed or suppressed it.
[[nodiscard]] std::optional<Datum> insert_row_by_spi(direct::WriteCall& call, const layout::Table& table,
                                                     const layout::RowValues& row);
struct StoredValues {
  const Datum* values;
  const bool* nulls;
};
// `before` is the row as it was found; the columns that are given in `changes` are those that a transition changes.
[[nodiscard]] std::optional<Datum> update_row_by_spi(direct::WriteCall& call, const layout::Table& table,
                                                     const StoredValues& before, const layout::RowValues& changes);

}  // namespace escrowgrid::pg
