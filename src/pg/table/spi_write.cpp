#include "pg/table/spi_write.hpp"

#include "pg/layout/sql_text.hpp"
#include "pg/layout/tuple_row.hpp"
#include "pg/table/own_write.hpp"
#include "pg/values/result.hpp"

namespace escrowgrid::pg {

namespace {

struct TableStatements {
  StatementForms insert;
  StatementForms insert_returning;
  Statement update;  // of tables that transitions update
};

template <std::size_t kIndex, bool kHasAll, bool kReturns>
constexpr const char* insert_form() {
  return layout::kText<[] {
    constexpr const layout::Table& kTable = *layout::kTables[kIndex];
    return layout::insert_text(kTable, kHasAll ? kTable.columns.size() : kTable.first_count(),
                               kReturns ? " RETURNING r" : "");
  }>.data();
}

template <std::size_t kIndex>
constexpr TableStatements make_table_statements() {
  TableStatements out;
  out.insert.all.sql = insert_form<kIndex, true, false>();
  out.insert.first.sql = insert_form<kIndex, false, false>();
  out.insert_returning.all.sql = insert_form<kIndex, true, true>();
  out.insert_returning.first.sql = insert_form<kIndex, false, true>();
  if constexpr (layout::is_updated_by_transitions(*layout::kTables[kIndex])) {
    out.update.sql = layout::kText<[] { return layout::update_text(*layout::kTables[kIndex]); }>.data();
  }
  return out;
}

template <std::size_t... kIndexes>
constexpr std::array<TableStatements, sizeof...(kIndexes)> make_statements(std::index_sequence<kIndexes...> /*all*/) {
  return {{make_table_statements<kIndexes>()...}};
}

// By layout::TableId.
constinit std::array<TableStatements, layout::kTables.size()> statements =
    make_statements(std::make_index_sequence<layout::kTables.size()>());

constexpr std::size_t kHeadHash = layout::kPlace<layout::kPositions, "head_hash">;

void begin_noted(const layout::Table& table, Datum id, const layout::RowValues& row) {
  const bool is_position = table.id == layout::TableId::kPositions;
  begin_own_write(OwnWrite::kRow, table, text_view(id), is_position ? bytes_view(row.values[kHeadHash]) : BytesView());
}

std::uint64_t execute_in(direct::WriteCall* call, Statement& statement, const Bindings& values) {
  if (call == nullptr) {
    return execute(statement, values, Sight::kFresh);
  }
  call->has_queue = true;
  return execute_and_queue(statement, values);
}

// Whether both values are stored the same. Numbers may be written differently (1 and 1.00), where users have given a
// column a type modifier.
bool is_same_value(const layout::Column& column, const FormData_pg_attribute& attribute, Datum a, Datum b) {
  return column.type == layout::Type::kNumeric ? DatumGetBool(DirectFunctionCall2(numeric_eq, a, b))
                                               : datum_image_eq(a, b, attribute.attbyval, attribute.attlen);
}

// Whether the composite has these values in the columns of the layout.
bool is_stored_as_given(const layout::Table& table, Datum composite, const layout::RowValues& expected) {
  HeapTupleHeader header = DatumGetHeapTupleHeader(composite);
  HeapTupleData tuple{};
  tuple.t_len = HeapTupleHeaderGetDatumLength(header);
  tuple.t_data = header;
  TupleDesc desc = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(header), HeapTupleHeaderGetTypMod(header));
  std::array<Datum, layout::kMostColumns> values{};
  std::array<bool, layout::kMostColumns> nulls{};
  layout::read_tuple(table, &tuple, desc, values, nulls);
  bool is_same = true;
  const std::size_t count = count_columns(table);
  for (std::size_t i = 0; is_same && i < count; ++i) {
    const int number = layout::column_number(table.name.data(), table.columns[i].name.data(), desc);
    is_same =
        nulls[i] == expected.nulls[i] &&
        (nulls[i] || is_same_value(table.columns[i], *TupleDescAttr(desc, number - 1), values[i], expected.values[i]));
  }
  ReleaseTupleDesc(desc);
  return is_same;
}

// The row that the last statement returned, if that was one row with the expected values. It is copied, so that memory
// does not grow with each statement.
std::optional<Datum> take_stored(Statement& statement, std::uint64_t count, const layout::Table& table,
                                 const layout::RowValues& expected) {
  if (count != 1) {
    invalidate_plan(statement);
    return std::nullopt;
  }
  SPITupleTable* result = SPI_tuptable;
  const Datum row = result_composite(0);
  const bool is_as_given = is_stored_as_given(table, row, expected);
  const std::optional<Datum> stored = is_as_given ? std::optional(datumCopy(row, false, -1)) : std::nullopt;
  SPI_freetuptable(result);
  return stored;
}

}  // namespace

void raise_suppressed(const layout::Table& table) {
  ereport(ERROR, (errcode(ERRCODE_TRIGGERED_ACTION_EXCEPTION),
                  errmsg("a row of table \"%s\" was suppressed by a trigger or a rule", table.name.data()),
                  errdetail("Every row that a function writes has to be stored."),
                  errhint("Remove the trigger or rule on escrowgrid.%s that suppresses the row.", table.name.data())));
  pg_unreachable();
}

void require_one_row(std::uint64_t count, const layout::Table& table) {
  if (count != 1) {
    raise_suppressed(table);
  }
}

void insert_record_by_spi(direct::WriteCall* call, const layout::Table& table, const layout::RowValues& row) {
  Bindings values;
  Statement& statement = bind_row(statements[table.index()].insert, table, row, values);
  begin_noted(table, row.values[0], row);
  const std::uint64_t count = execute_in(call, statement, values);
  end_own_write();
  if (count != 1) {
    invalidate_plan(statement);
    raise_suppressed(table);
  }
}

std::optional<Datum> insert_row_by_spi(direct::WriteCall& call, const layout::Table& table,
                                       const layout::RowValues& row) {
  Bindings values;
  Statement& statement = bind_row(statements[table.index()].insert_returning, table, row, values);
  begin_noted(table, row.values[0], row);
  const std::uint64_t count = execute_in(&call, statement, values);
  end_own_write();
  return take_stored(statement, count, table, row);
}

std::optional<Datum> update_row_by_spi(direct::WriteCall& call, const layout::Table& table, const StoredValues& before,
                                       const layout::RowValues& changes) {
  Bindings values;
  values.column(table.columns[0], before.values[0], before.nulls[0]);
  layout::RowValues expected = changes;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const bool is_changed = table.columns[i].change == layout::Change::kByTransition;
    if (is_changed != changes.is_given(i)) {
      elog(ERROR, "escrowgrid: an update of %s gives column \"%s\" or leaves it out against the layout",
           table.name.data(), table.columns[i].name.data());
    }
    if (is_changed) {
      values.column(table.columns[i], changes.values[i], changes.nulls[i]);
    } else {
      expected.values[i] = before.values[i];
      expected.nulls[i] = before.nulls[i];
    }
  }
  Statement& statement = statements[table.index()].update;
  begin_noted(table, before.values[0], changes);
  note_own_update(bytes_view(changes.values[kHeadHash]));
  const std::uint64_t count = execute_in(&call, statement, values);
  end_own_write();
  return take_stored(statement, count, table, expected);
}

Datum insert_outside_moves(const layout::Table& table, const layout::RowValues& row) {
  Bindings values;
  Statement& statement = bind_row(statements[table.index()].insert_returning, table, row, values);
  require_one_row(execute(statement, values, Sight::kFresh), table);
  return keep_for_caller(result_composite(0));
}

}  // namespace escrowgrid::pg
