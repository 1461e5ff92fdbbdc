// Writing rows by SPI. Every table can be written this way, and tables that no move writes are written in no other.
//
// Each write of a table that moves write is noted (own_write.hpp), so that the extension's triggers can tell it from
// raw DML. If a call is given, AFTER triggers wait for its end.
#pragma once

#include "pg/direct/write_row.hpp"
#include "pg/table/statement.hpp"

namespace escrowgrid::pg {

// Inserts an event, ledger or audit row. An error if a trigger or rule suppresses it.
void insert_record_by_spi(direct::WriteCall* call, const layout::Table& table, const layout::RowValues& row);

// Insert or update a row and return it as stored. They return nothing if a trigger or rule has changed or suppressed
// the row.
[[nodiscard]] std::optional<Datum> insert_row_by_spi(direct::WriteCall& call, const layout::Table& table,
                                                     const layout::RowValues& row);
struct StoredValues {
  const Datum* values;
  const bool* nulls;
};
// `before` is the row as it was found. `changes` gives exactly the columns that a transition changes.
[[nodiscard]] std::optional<Datum> update_row_by_spi(direct::WriteCall& call, const layout::Table& table,
                                                     const StoredValues& before, const layout::RowValues& changes);

// Inserts a row into a table that no move writes and returns it as stored. The returned row outlives the session. An
// error if a trigger or rule suppresses the row.
[[nodiscard]] Datum insert_outside_moves(const layout::Table& table, const layout::RowValues& row);

// The error for a row that a trigger or rule has suppressed.
[[noreturn]] void raise_suppressed(const layout::Table& table);
// Raises it if a statement that should have written one row of the table has not.
void require_one_row(std::uint64_t count, const layout::Table& table);

}  // namespace escrowgrid::pg
