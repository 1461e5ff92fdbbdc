#include "pg/table/statement.hpp"

#include "pg/direct/read_row.hpp"
#include "pg/layout/tuple_row.hpp"

extern "C" {
#include "utils/plancache.h"
}

namespace escrowgrid::pg {

namespace {

void prepare(Statement& statement, std::array<Oid, Bindings::kMost> types, std::size_t count) {
  if (statement.plan != nullptr) {
    return;
  }
  SPIPlanPtr plan = SPI_prepare(statement.sql, static_cast<int>(count), types.data());
  if (plan == nullptr || SPI_keepplan(plan) != 0) {
    elog(ERROR, "escrowgrid: could not prepare a statement: %s", SPI_result_code_string(SPI_result));
  }
  statement.plan = plan;
}

void require_result_type(TupleDesc result, int index, Oid expected) {
  const FormData_pg_attribute* column = TupleDescAttr(result, index - 1);
  if (!layout::can_be_read_as(column->atttypid, expected)) {
    ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
                    errmsg("column \"%s\" of a query has type %s, but escrowgrid needs %s", NameStr(column->attname),
                           format_type_be(column->atttypid), format_type_be(expected)),
                    errhint("Change the table's column back to its type.")));
  }
}

}  // namespace

std::size_t count_columns(const layout::Table& table) {
  if (table.first_count() == table.columns.size()) {
    return table.columns.size();
  }
  const Oid relation = get_relname_relid(table.name.data(), get_namespace_oid(kSchema, false));
  const bool has_all = get_attnum(relation, table.columns.back().name.data()) != InvalidAttrNumber;
  return has_all ? table.columns.size() : table.first_count();
}

Statement& bind_row(StatementForms& forms, const layout::Table& table, const layout::RowValues& row, Bindings& out) {
  const std::size_t count = count_columns(table);
  for (std::size_t i = 0; i < count; ++i) {
    out.column(table.columns[i], row.values[i], row.nulls[i]);
  }
  return count == table.columns.size() ? forms.all : forms.first;
}

std::uint64_t execute(Statement& statement, const Bindings& bindings, Sight sight, long limit) {
  prepare(statement, bindings.types_, bindings.count_);
  std::array<Datum, Bindings::kMost> values = bindings.values_;
  const char* nulls = bindings.nulls_.data();
  const int code = sight == Sight::kLatest
                       ? SPI_execute_snapshot(statement.plan, values.data(), nulls, direct::latest_snapshot(),
                                              InvalidSnapshot, true, false, limit)
                       : SPI_execute_plan(statement.plan, values.data(), nulls, sight == Sight::kCaller, limit);
  if (code < 0) {
    elog(ERROR, "escrowgrid: could not execute a statement: %s", SPI_result_code_string(code));
  }
  return SPI_processed;
}

void invalidate_plan(Statement& statement) {
  ListCell* cell = nullptr;
  foreach (cell, SPI_plan_get_plan_sources(statement.plan)) {
    auto* source = static_cast<CachedPlanSource*>(lfirst(cell));
    source->is_valid = false;
    if (source->gplan != nullptr) {
      source->gplan->is_valid = false;
    }
  }
}

std::uint64_t execute_and_queue(Statement& statement, const Bindings& bindings) {
  prepare(statement, bindings.types_, bindings.count_);
  std::array<Datum, Bindings::kMost> values = bindings.values_;
  constexpr bool kFiresTriggers = false;
  const int code = SPI_execute_snapshot(statement.plan, values.data(), bindings.nulls_.data(), InvalidSnapshot,
                                        InvalidSnapshot, false, kFiresTriggers, 0);
  if (code < 0) {
    elog(ERROR, "escrowgrid: could not execute a statement: %s", SPI_result_code_string(code));
  }
  return SPI_processed;
}

void require_types(const layout::Table& table, TupleDesc result) {
  for (std::size_t i = 0; i < static_cast<std::size_t>(result->natts) && i < table.columns.size(); ++i) {
    layout::require_type(table, table.columns[i], *TupleDescAttr(result, i));
  }
}

RowStream::RowStream(Statement& statement, const Bindings& bindings, Sight sight)
    : memory_(AllocSetContextCreate(CurrentMemoryContext, "escrowgrid rows", ALLOCSET_DEFAULT_SIZES)) {
  prepare(statement, bindings.types_, bindings.count_);
  std::array<Datum, Bindings::kMost> values = bindings.values_;
  portal_ = SPI_cursor_open(nullptr, statement.plan, values.data(), bindings.nulls_.data(), sight == Sight::kCaller);
  if (portal_ == nullptr) {
    elog(ERROR, "escrowgrid: could not open a cursor: %s", SPI_result_code_string(SPI_result));
  }
}

bool RowStream::next() {
  if (table_ == nullptr || next_ == table_->numvals) {
    SPI_freetuptable(table_);
    SPI_cursor_fetch(portal_, true, kPortion);
    table_ = SPI_tuptable;
    next_ = 0;
    if (table_ == nullptr || table_->numvals == 0) {
      return false;
    }
  }
  MemoryContextReset(memory_);
  nulls_.fill(true);  // columns that an older installation lacks read as NULL
  if (static_cast<std::size_t>(table_->tupdesc->natts) > values_.size()) {
    elog(ERROR, "escrowgrid: a row has %d columns, which is too many", table_->tupdesc->natts);
  }
  heap_deform_tuple(table_->vals[next_], table_->tupdesc, values_.data(), nulls_.data());
  ++next_;
  return true;
}

std::optional<Datum> RowStream::value(int index, Oid type) const {
  require_result_type(table_->tupdesc, index, type);
  const auto at = static_cast<std::size_t>(index - 1);
  return nulls_[at] ? std::nullopt : std::optional(values_[at]);
}

void RowStream::require_columns(const layout::Table& table) const {
  const auto count = static_cast<std::size_t>(table_->tupdesc->natts);
  if (count != table.columns.size() && count != table.first_count()) {
    elog(ERROR, "escrowgrid: a row of %s has %zu columns", table.name.data(), count);
  }
  if (!has_checked_types_) {
    require_types(table, table_->tupdesc);
    has_checked_types_ = true;
  }
}

void RowStream::close() {
  SPI_freetuptable(table_);
  SPI_cursor_close(portal_);
  MemoryContextDelete(memory_);
}

std::optional<Datum> result_value(std::uint64_t row, int index, Oid type) {
  require_result_type(SPI_tuptable->tupdesc, index, type);
  bool is_null = false;
  const Datum value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, index, &is_null);
  return is_null ? std::nullopt : std::optional(value);
}

Datum result_composite(std::uint64_t row) {
  bool is_null = false;
  return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 1, &is_null);
}

}  // namespace escrowgrid::pg
