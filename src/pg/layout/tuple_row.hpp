// A row that a trigger was called with. Its columns are found by name, because users may have changed the table.
#pragma once

#include "pg/layout/row_columns.hpp"
#include "pg/layout/row_view.hpp"

namespace escrowgrid::pg::layout {

// The number of a table's column by name; an error (42703) if there is none.
[[nodiscard]] int column_number(const char* table, const char* column, TupleDesc desc);

// Whether values of the type can be read as values of the expected one: the type itself, domains over it, types such as
// varchar or citext for text, and narrower integers. A wider integer would be truncated.
[[nodiscard]] bool can_be_read_as(Oid found, Oid expected);

// Raises an error (42804) if a value of the attribute cannot be read as the column's type: users may have changed it.
void require_type(const Table& table, const Column& column, const FormData_pg_attribute& attribute);

// Takes the columns of the layout from the tuple, in the layout's order. Columns that an older installation lacks read
// as NULL.
void read_tuple(const Table& table, HeapTuple tuple, TupleDesc desc, std::span<Datum> values, std::span<bool> nulls);

// The tuple with the given columns changed. Columns that an older installation lacks are left out.
[[nodiscard]] HeapTuple with_columns(const Table& table, HeapTuple tuple, TupleDesc desc, const RowValues& changes);

template <const Table& kTable>
class TupleRow {
 public:
  TupleRow(HeapTuple tuple, TupleDesc desc) { read_tuple(kTable, tuple, desc, values_, nulls_); }
  [[nodiscard]] RowView<kTable> view() const { return {values_.data(), nulls_.data()}; }
  template <ColumnName kName>
  [[nodiscard]] auto find() const {
    return view().template find<kName>();
  }
  template <ColumnName kName>
  [[nodiscard]] auto get() const {
    return view().template get<kName>();
  }
  template <ColumnName kName>
  [[nodiscard]] bool is_null() const {
    return view().template is_null<kName>();
  }

 private:
  std::array<Datum, kTable.columns.size()> values_{};
  std::array<bool, kTable.columns.size()> nulls_{};
};

}  // namespace escrowgrid::pg::layout
