// SQL through SPI. The text is constant, values are bound, and plans are kept for the life of the backend.
#pragma once

#include "pg/layout/row_columns.hpp"
#include "pg/layout/row_view.hpp"
#include "pg/layout/sql_text.hpp"

namespace escrowgrid::pg {

// Which rows a statement sees.
enum class Sight : std::uint8_t {
  kCaller,  // the snapshot of the calling query; for STABLE functions; the statement must not write
  kFresh,   // a new snapshot, as in a VOLATILE function; the transaction's own above READ COMMITTED
  kLatest,  // all that is committed now, at every isolation level; the statement must not write. The snapshot is
            // taken before SPI locks the tables, so lock them first: by begin_view()
};

struct Statement {
  const char* sql = nullptr;
  SPIPlanPtr plan = nullptr;  // prepared at first use, kept for the life of the backend
};

// Values for $1, $2, ... in order, each with its type.
class Bindings {
 public:
  static constexpr std::size_t kMost = layout::kMostColumns;

  Bindings& text(const TextView& value) { return value ? add(TEXTOID, text_datum(*value)) : add_null(TEXTOID); }
  Bindings& time(const std::optional<core::Micros>& value) {
    return value ? add(TIMESTAMPTZOID, TimestampTzGetDatum(to_timestamp(*value))) : add_null(TIMESTAMPTZOID);
  }
  Bindings& integer(const std::optional<std::int32_t>& value) {
    return value ? add(INT4OID, Int32GetDatum(*value)) : add_null(INT4OID);
  }
  Bindings& bytes(BytesView value) { return add(BYTEAOID, bytes_datum(value)); }
  Bindings& text_array(std::span<const TextView> values) { return add(TEXTARRAYOID, text_array_datum(values)); }
  Bindings& number(std::int64_t value) { return add(INT8OID, Int64GetDatum(value)); }
  Bindings& networks(Datum value) { return add(CIDRARRAYOID, value); }

  // A value of a column, as the layout types it.
  Bindings& column(const layout::Column& column, Datum value, bool is_null) {
    return put(layout::oid_of(column.type), value, is_null ? 'n' : ' ');
  }

 private:
  friend std::uint64_t execute(Statement& statement, const Bindings& bindings, Sight sight, long limit);
  friend std::uint64_t execute_and_queue(Statement& statement, const Bindings& bindings);
  friend class RowStream;

  Bindings& add(Oid type, Datum value) { return put(type, value, ' '); }
  Bindings& add_null(Oid type) { return put(type, 0, 'n'); }
  Bindings& put(Oid type, Datum value, char null) {
    if (count_ == kMost) {
      elog(ERROR, "escrowgrid: a statement has more than %zu parameters", kMost);
    }
    types_[count_] = type;
    values_[count_] = value;
    nulls_[count_] = null;
    ++count_;
    return *this;
  }

  std::array<Oid, kMost> types_{};
  std::array<Datum, kMost> values_{};
  std::array<char, kMost> nulls_{};
  std::size_t count_ = 0;
};

static_assert(std::is_trivially_destructible_v<Bindings>);

// How many of the layout's columns the table has: all of them, or only those of the first release in an installation
// that has not been upgraded.
[[nodiscard]] std::size_t count_columns(const layout::Table& table);

// The two forms of a statement on the columns of a table.
struct StatementForms {
  Statement all;
  Statement first;  // without the columns of later releases
  // The form for the table as it is.
  [[nodiscard]] Statement& for_table(const layout::Table& table) {
    return count_columns(table) == table.columns.size() ? all : first;
  }
};

// Binds the columns of the row that the table has, in order, and returns the form for these columns.
[[nodiscard]] Statement& bind_row(StatementForms& forms, const layout::Table& table, const layout::RowValues& row,
                                  Bindings& out);

// Both forms of a text that kMake makes for a number of columns.
template <const layout::Table& kTable, auto kMake>
inline constexpr StatementForms kForms = {
    .all = {layout::kText<[] { return kMake(kTable, kTable.columns.size()); }>.data()},
    .first = {layout::kText<[] { return kMake(kTable, kTable.first_count()); }>.data()}};

// Runs the statement inside an open SPI session and returns the number of rows; SPI_tuptable has them.
// `limit` 0 is none.
std::uint64_t execute(Statement& statement, const Bindings& bindings, Sight sight, long limit = 0);

// The same for a statement that writes, with a fresh snapshot; its AFTER triggers wait in the level of PostgreSQL's
// trigger queue that the caller has begun.
std::uint64_t execute_and_queue(Statement& statement, const Bindings& bindings);

// Marks the kept plan as invalid, so that its next use plans again. A rule DO INSTEAD NOTHING leaves a plan without any
// table, so PostgreSQL does not invalidate the plan when the rule is dropped. The plan cannot be freed, because a call
// further up the stack may be executing it.
void invalidate_plan(Statement& statement);

// Raises an error (42804) if a result of columns of the table, in the layout's order, has a type that cannot be read.
void require_types(const layout::Table& table, TupleDesc result);

// The rows of a statement. They are fetched in portions, so that memory does not grow with their number. Views into a
// row are valid until next() is called again.
class RowStream {
 public:
  RowStream(Statement& statement, const Bindings& bindings, Sight sight);
  // Whether there is one more row.
  [[nodiscard]] bool next();
  // Column `index` (from 1) of the row; absent for NULL. An error (42804) as with result_value().
  [[nodiscard]] std::optional<Datum> value(int index, Oid type) const;
  // The row of a statement that selects the columns of the table, in the layout's order.
  template <const layout::Table& kTable>
  [[nodiscard]] layout::RowView<kTable> row() const {
    require_columns(kTable);
    return {values_.data(), nulls_.data()};
  }
  // Memory that is reset when the next row is asked for.
  [[nodiscard]] MemoryContext memory() const { return memory_; }
  void close();

 private:
  static constexpr long kPortion = 1000;
  void require_columns(const layout::Table& table) const;

  Portal portal_ = nullptr;
  SPITupleTable* table_ = nullptr;
  std::uint64_t next_ = 0;
  MemoryContext memory_;
  mutable bool has_checked_types_ = false;
  std::array<Datum, layout::kMostColumns> values_{};
  std::array<bool, layout::kMostColumns> nulls_{};
};

static_assert(std::is_trivially_destructible_v<RowStream>);

// Column `index` (from 1) of row `row` (from 0) of the last result; absent for NULL. An error (42804) if it cannot be
// read as a value of `type`: users may have changed the type of the table's column.
[[nodiscard]] std::optional<Datum> result_value(std::uint64_t row, int index, Oid type);

// Row `row` of the last result of a statement that selects rows as composites.
[[nodiscard]] Datum result_composite(std::uint64_t row);

}  // namespace escrowgrid::pg
