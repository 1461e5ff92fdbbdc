#include "pg/layout/tuple_row.hpp"

namespace escrowgrid::pg::layout {

int column_number(const char* table, const char* column, TupleDesc desc) {
  const int number = SPI_fnumber(desc, column);
  if (number <= 0) {
    elog(ERROR, "escrowgrid: table %s has no column \"%s\"", table, column);
  }
  return number;
}

namespace {

int number_in(TupleDesc desc, const Table& table, const Column& column) {
  return column_number(table.name.data(), column.name.data(), desc);
}

}  // namespace

void read_tuple(const Table& table, HeapTuple tuple, TupleDesc desc, std::span<Datum> values, std::span<bool> nulls) {
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    values[i] = heap_getattr(tuple, number_in(desc, table, table.columns[i]), desc, &nulls[i]);
  }
}

HeapTuple with_columns(const Table& table, HeapTuple tuple, TupleDesc desc, const RowValues& changes) {
  std::array<int, kMostColumns> numbers{};
  std::array<Datum, kMostColumns> values{};
  std::array<bool, kMostColumns> nulls{};
  std::size_t count = 0;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    if (changes.is_given(i)) {
      numbers[count] = number_in(desc, table, table.columns[i]);
      values[count] = changes.values[i];
      nulls[count] = changes.nulls[i];
      ++count;
    }
  }
  return heap_modify_tuple_by_cols(tuple, desc, static_cast<int>(count), numbers.data(), values.data(), nulls.data());
}

}  // namespace escrowgrid::pg::layout
