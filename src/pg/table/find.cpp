#include "pg/table/find.hpp"

#include "pg/direct/write_row.hpp"
#include "pg/layout/sql_text.hpp"
#include "pg/values/memory.hpp"

namespace escrowgrid::pg {

namespace {

// By LockStrength.
constexpr std::array<std::string_view, 4> kLockClauses = {" FOR KEY SHARE OF r", " FOR SHARE OF r",
                                                          " FOR NO KEY UPDATE OF r", " FOR UPDATE OF r"};

template <std::size_t kIndex, KeyName kKey>
constexpr Statement find_statement() {
  if constexpr (layout::key_columns(*layout::kTables[kIndex], kKey).count == 0) {
    return {};
  } else {
    return {layout::kText<[] { return layout::select_text(*layout::kTables[kIndex], kKey, ""); }>.data()};
  }
}

template <std::size_t kIndex, std::size_t kStrength>
constexpr Statement lock_statement() {
  return {layout::kText<[] {
            return layout::select_text(*layout::kTables[kIndex], KeyName::kPrimary, kLockClauses[kStrength]);
          }>.data()};
}

struct TableStatements {
  std::array<Statement, 2> find;                    // by KeyName
  std::array<Statement, kLockClauses.size()> lock;  // by LockStrength
};

template <std::size_t... kIndexes>
constexpr std::array<TableStatements, sizeof...(kIndexes)> make_statements(
    std::index_sequence<kIndexes...> /*indexes*/) {
  return {{{.find = {find_statement<kIndexes, KeyName::kPrimary>(), find_statement<kIndexes, KeyName::kSecondary>()},
            .lock = {lock_statement<kIndexes, 0>(), lock_statement<kIndexes, 1>(), lock_statement<kIndexes, 2>(),
                     lock_statement<kIndexes, 3>()}}...}};
}

// By layout::TableId.
constinit std::array<TableStatements, layout::kTables.size()> statements =
    make_statements(std::make_index_sequence<layout::kTables.size()>());

Bindings bind_key(const layout::Table& table, KeyName key, const direct::KeyValues& values, const TextView& tenant) {
  Bindings bindings;
  const layout::KeyColumns& columns = layout::key_columns(table, key);
  for (int i = 0; i < columns.count; ++i) {
    const auto at = static_cast<std::size_t>(i);
    bindings.column(table.columns[static_cast<std::size_t>(columns.numbers[at]) - 1], values[at], false);
  }
  if (layout::tenant_number(table) != 0) {
    bindings.text(tenant);
  }
  return bindings;
}

}  // namespace

bool is_of_tenant(const layout::Table& table, const Datum* values, const bool* nulls, const TextView& tenant) {
  const int number = layout::tenant_number(table);
  if (!tenant || number == 0) {
    return true;
  }
  return !nulls[number - 1] && text_view(values[number - 1]) == *tenant;
}

View begin_view(Sight sight) {
  switch (sight) {
    case Sight::kCaller:
      return {.sight = sight, .snapshot = GetActiveSnapshot()};
    case Sight::kFresh:
      // The new snapshot has to show what the calling statement has done so far, as the snapshot of a statement through
      // SPI does.
      CommandCounterIncrement();
      direct::push_snapshot();
      return {.sight = sight, .snapshot = GetActiveSnapshot()};
    case Sight::kLatest:
      return {.sight = sight, .snapshot = direct::latest_snapshot()};
  }
  elog(ERROR, "escrowgrid: unknown kind of view");
}

void end_view(const View& view) {
  if (view.sight == Sight::kFresh) {
    direct::pop_snapshot();
  }
}

bool FoundRow::find(const View& view, const layout::Table& table, KeyName key, const direct::KeyValues& values,
                    const TextView& tenant) {
  table_ = direct::open_readable(table, AccessShareLock);
  if (table_) {
    if (find_in(table_, view, key, values) && is_of_tenant(table, values_, nulls_, tenant)) {
      return true;
    }
    close();
    return false;
  }
  Statement& statement = statements[table.index()].find[static_cast<std::size_t>(key)];
  if (execute(statement, bind_key(table, key, values, tenant), view.sight) != 1) {
    return false;
  }
  take_result();
  return true;
}

bool FoundRow::find_in(const direct::OpenTable& table, const View& view, KeyName key, const direct::KeyValues& values) {
  row_.emplace(table);
  if (!direct::find(table, key, values, view.snapshot, *row_)) {
    return false;
  }
  take(*row_);
  return true;
}

bool FoundRow::fetch(const View& view, const layout::Table& table, const ItemPointerData& place) {
  table_ = direct::open_readable(table, AccessShareLock);
  if (!table_) {
    return false;
  }
  row_.emplace(table_);
  if (!direct::fetch(table_, place, view.snapshot, *row_)) {
    close();
    return false;
  }
  take(*row_);
  return true;
}

std::optional<bool> FoundRow::find_and_share(const layout::Table& table, std::string_view id, const TextView& tenant) {
  table_ = direct::open_readable(table, RowShareLock);
  if (!table_) {
    return std::nullopt;
  }
  if (!table_.cached->is_lockable) {
    close();
    return std::nullopt;
  }
  const View view = begin_view(Sight::kFresh);
  const bool is_found = find_in(table_, view, KeyName::kPrimary, {text_datum(id)}) &&
                        is_of_tenant(table, values_, nulls_, tenant) && direct::lock(table_, *row_, LockTupleKeyShare);
  end_view(view);
  if (!is_found) {
    close();
  }
  return is_found;
}

ItemPointerData FoundRow::place() const {
  ItemPointerData none;
  ItemPointerSetInvalid(&none);
  return row_ ? row_->place() : none;
}

void FoundRow::take(const direct::Row& row) {
  values_ = row.slot()->tts_values;
  nulls_ = row.slot()->tts_isnull;
}

void FoundRow::take_result() {
  result_ = SPI_tuptable;
  const auto count = static_cast<std::size_t>(result_->tupdesc->natts);
  const std::span<Datum> values = make_array<Datum>(count);
  const std::span<bool> nulls = make_array<bool>(count);
  heap_deform_tuple(result_->vals[0], result_->tupdesc, values.data(), nulls.data());
  values_ = values.data();
  nulls_ = nulls.data();
}

void FoundRow::close() {
  if (row_) {
    row_->clear();
    row_.reset();
  }
  if (table_) {
    direct::close(table_);
    table_ = {};
  }
  if (result_ != nullptr) {
    SPI_freetuptable(result_);
    result_ = nullptr;
  }
}

bool FoundRow::find_and_lock(const layout::Table& table, std::string_view id, const TextView& tenant,
                             LockStrength strength) {
  Statement& statement = statements[table.index()].lock[static_cast<std::size_t>(strength)];
  if (execute(statement, bind_key(table, KeyName::kPrimary, {text_datum(id)}, tenant), Sight::kFresh) != 1) {
    return false;
  }
  take_result();
  return true;
}

}  // namespace escrowgrid::pg
