#include "pg/layout/tuple_row.hpp"

extern "C" {
#include "parser/parse_coerce.h"
}

namespace escrowgrid::pg::layout {

int column_number(const char* table, const char* column, TupleDesc desc) {
  const int number = SPI_fnumber(desc, column);
  if (number <= 0) {
    ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN), errmsg("table \"%s\" has no column \"%s\"", table, column),
                    errhint("escrowgrid needs this column. Rename it back, or add it again.")));
  }
  return number;
}

namespace {

bool is_integer(Oid type) {
  return type == INT2OID || type == INT4OID || type == INT8OID;
}

}  // namespace

bool can_be_read_as(Oid found, Oid expected) {
  if (found == expected || IsBinaryCoercible(found, expected)) {
    return true;
  }
  const Oid base = getBaseType(found);
  return (base == BPCHAROID && expected == TEXTOID) ||
         (is_integer(base) && is_integer(expected) && get_typlen(base) <= get_typlen(expected));
}

void require_type(const Table& table, const Column& column, const FormData_pg_attribute& attribute) {
  const Oid expected = oid_of(column.type);
  const Oid found = attribute.atttypid;
  if (!can_be_read_as(found, expected)) {
    ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
                    errmsg("column \"%s\" of table \"%s\" has type %s, but escrowgrid needs %s", column.name.data(),
                           table.name.data(), format_type_be(found), format_type_be(expected)),
                    errhint("Change the column back to its type.")));
  }
}

namespace {

// 0 for a column of a later release that the table does not have yet.
int number_in(TupleDesc desc, const Table& table, const Column& column) {
  if (column.since == Since::kLaterRelease && SPI_fnumber(desc, column.name.data()) <= 0) {
    return 0;
  }
  return column_number(table.name.data(), column.name.data(), desc);
}

}  // namespace

void read_tuple(const Table& table, HeapTuple tuple, TupleDesc desc, std::span<Datum> values, std::span<bool> nulls) {
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const int number = number_in(desc, table, table.columns[i]);
    nulls[i] = true;
    if (number != 0) {
      require_type(table, table.columns[i], *TupleDescAttr(desc, number - 1));
      values[i] = heap_getattr(tuple, number, desc, &nulls[i]);
    }
  }
}

HeapTuple with_columns(const Table& table, HeapTuple tuple, TupleDesc desc, const RowValues& changes) {
  std::array<int, kMostColumns> numbers{};
  std::array<Datum, kMostColumns> values{};
  std::array<bool, kMostColumns> nulls{};
  std::size_t count = 0;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const int number = changes.is_given(i) ? number_in(desc, table, table.columns[i]) : 0;
    if (number != 0) {
      numbers[count] = number;
      values[count] = changes.values[i];
      nulls[count] = changes.nulls[i];
      ++count;
    }
  }
  return heap_modify_tuple_by_cols(tuple, desc, static_cast<int>(count), numbers.data(), values.data(), nulls.data());
}

}  // namespace escrowgrid::pg::layout
