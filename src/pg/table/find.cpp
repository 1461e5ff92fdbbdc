#include "pg/table/find.hpp"

#include "pg/layout/sql_text.hpp"
#include "pg/values/memory.hpp"

namespace escrowgrid::pg {

namespace {

// None, and then by LockStrength.
constexpr std::array<std::string_view, 5> kLockClauses = {"", " FOR KEY SHARE OF r", " FOR SHARE OF r",
                                                          " FOR NO KEY UPDATE OF r", " FOR UPDATE OF r"};

template <std::size_t kIndex, WhichKey kKey, std::size_t kClause, bool kHasAll>
constexpr const char* select_form() {
  return layout::kText<[] {
    constexpr const layout::Table& kTable = *layout::kTables[kIndex];
    return layout::select_text(kTable, kHasAll ? kTable.columns.size() : kTable.first_count(), kKey,
                               kLockClauses[kClause]);
  }>.data();
}

template <std::size_t kIndex, WhichKey kKey, std::size_t kClause>
constexpr StatementForms statement_forms() {
  StatementForms out;
  if constexpr (layout::key_columns(*layout::kTables[kIndex], kKey).count != 0) {
    out.all.sql = select_form<kIndex, kKey, kClause, true>();
    out.first.sql = select_form<kIndex, kKey, kClause, false>();
  }
  return out;
}

struct TableStatements {
  std::array<StatementForms, 2> find;                        // by WhichKey
  std::array<StatementForms, kLockClauses.size() - 1> lock;  // by LockStrength
};

template <std::size_t kIndex>
constexpr TableStatements table_statements() {
  constexpr auto kPrimary = WhichKey::kPrimary;
  return {.find = {statement_forms<kIndex, kPrimary, 0>(), statement_forms<kIndex, WhichKey::kSecondary, 0>()},
          .lock = {statement_forms<kIndex, kPrimary, 1>(), statement_forms<kIndex, kPrimary, 2>(),
                   statement_forms<kIndex, kPrimary, 3>(), statement_forms<kIndex, kPrimary, 4>()}};
}

template <std::size_t... kIndexes>
constexpr std::array<TableStatements, sizeof...(kIndexes)> make_statements(std::index_sequence<kIndexes...> /*all*/) {
  return {{table_statements<kIndexes>()...}};
}

// By layout::TableId.
constinit std::array<TableStatements, layout::kTables.size()> statements =
    make_statements(std::make_index_sequence<layout::kTables.size()>());

Bindings bind_key(const layout::Table& table, WhichKey key, const layout::KeyValues& values, const TextView& tenant) {
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

namespace {

// The table as the view has it open; nothing when it is to be read by SPI.
const direct::OpenTable* open_in(const View& view, const layout::Table& table) {
  for (const direct::OpenTable& open : view.tables) {
    if (open && open.cached->layout->id == table.id) {
      return &open;
    }
  }
  return nullptr;
}

}  // namespace

View begin_view(Sight sight, std::initializer_list<const layout::Table*> tables) {
  View view = {.sight = sight};
  std::size_t count = 0;
  for (const layout::Table* table : tables) {
    if (count == View::kMostTables) {
      elog(ERROR, "escrowgrid: a view has more than %zu tables", View::kMostTables);
    }
    view.tables[count++] = direct::open_readable(*table, AccessShareLock);
  }
  switch (sight) {
    case Sight::kCaller:
      view.snapshot = GetActiveSnapshot();
      break;
    case Sight::kFresh:
      // Make visible what the calling statement has written so far, as SPI does for each statement.
      CommandCounterIncrement();
      direct::push_snapshot();
      view.snapshot = GetActiveSnapshot();
      break;
    case Sight::kLatest:
      view.snapshot = direct::latest_snapshot();
      break;
  }
  return view;
}

void end_view(const View& view) {
  if (view.sight == Sight::kFresh) {
    direct::pop_snapshot();
  }
  for (const direct::OpenTable& table : view.tables) {
    if (table) {
      direct::close(table);
    }
  }
}

std::uint64_t known_definition(const layout::Table& table) {
  return direct::current_entry(table);
}

bool FoundRow::find(const View& view, const layout::Table& table, WhichKey key, const layout::KeyValues& values,
                    const TextView& tenant) {
  if (const direct::OpenTable* open = open_in(view, table)) {
    if (find_in(*open, view, key, values) && is_of_tenant(table, values_, nulls_, tenant)) {
      return true;
    }
    close();
    return false;
  }
  Statement& statement = statements[table.index()].find[static_cast<std::size_t>(key)].for_table(table);
  if (execute(statement, bind_key(table, key, values, tenant), view.sight) != 1) {
    return false;
  }
  take_result(table);
  return true;
}

bool FoundRow::find_in(const direct::OpenTable& table, const View& view, WhichKey key,
                       const layout::KeyValues& values) {
  row_.emplace(table);
  if (!direct::find(table, key, values, view.snapshot, *row_)) {
    return false;
  }
  take(*row_);
  return true;
}

bool FoundRow::fetch(const View& view, const layout::Table& table, const ItemPointerData& place) {
  const direct::OpenTable* open = open_in(view, table);
  if (open == nullptr) {
    return false;
  }
  row_.emplace(*open);
  if (!direct::fetch(*open, place, view.snapshot, *row_)) {
    close();
    return false;
  }
  take(*row_);
  return true;
}

std::optional<bool> FoundRow::find_and_lock_key(const layout::Table& table, std::string_view id,
                                                const TextView& tenant) {
  const direct::OpenTable open = direct::open_readable(table, RowShareLock);
  if (!open) {
    return std::nullopt;
  }
  if (!open.cached->is_lockable) {
    direct::close(open);
    return std::nullopt;
  }
  const View view = begin_view(Sight::kFresh, {});
  const bool is_found = find_in(open, view, WhichKey::kPrimary, {text_datum(id)}) &&
                        is_of_tenant(table, values_, nulls_, tenant) && direct::lock(open, *row_, LockTupleKeyShare);
  end_view(view);
  if (is_found) {
    take(*row_);
  } else {
    close();
  }
  direct::close(open);
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

void FoundRow::take_result(const layout::Table& table) {
  result_ = SPI_tuptable;
  require_types(table, result_->tupdesc);
  // Columns that an older installation lacks read as NULL.
  const std::span<Datum> values = make_array<Datum>(layout::kMostColumns);
  const std::span<bool> nulls = make_array<bool>(layout::kMostColumns);
  std::fill(nulls.begin(), nulls.end(), true);
  heap_deform_tuple(result_->vals[0], result_->tupdesc, values.data(), nulls.data());
  values_ = values.data();
  nulls_ = nulls.data();
}

void FoundRow::close() {
  if (row_) {
    row_->clear();
    row_.reset();
  }
  if (result_ != nullptr) {
    SPI_freetuptable(result_);
    result_ = nullptr;
  }
}

bool FoundRow::find_and_lock(const layout::Table& table, std::string_view id, const TextView& tenant,
                             LockStrength strength) {
  Statement& statement = statements[table.index()].lock[static_cast<std::size_t>(strength)].for_table(table);
  if (execute(statement, bind_key(table, WhichKey::kPrimary, {text_datum(id)}, tenant), Sight::kFresh) != 1) {
    return false;
  }
  take_result(table);
  return true;
}

}  // namespace escrowgrid::pg
