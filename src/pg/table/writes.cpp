#include "pg/table/writes.hpp"

#include "pg/border/settings.hpp"
#include "pg/table/spi_write.hpp"
#include "pg/values/memory.hpp"

namespace escrowgrid::pg {

namespace {

// Records of one table that wait to be written together.
struct Waiting {
  std::span<layout::RowValues> rows;
  std::size_t count = 0;
};

// The index of each move table in arrays. Every other table has an index beyond the end.
constexpr auto kMovePlaces = [] {
  std::array<std::size_t, layout::kTables.size()> out{};
  out.fill(kMoveTables.size());
  for (std::size_t i = 0; i < kMoveTables.size(); ++i) {
    out[kMoveTables[i]->index()] = i;
  }
  return out;
}();

std::size_t move_place(const layout::Table& table) {
  const std::size_t place = kMovePlaces[table.index()];
  if (place == kMoveTables.size()) {
    elog(ERROR, "escrowgrid: table %s is not written by moves", table.name.data());
  }
  return place;
}

}  // namespace

struct Writes {
  direct::WriteCall call;
  bool is_direct = false;  // otherwise by SPI, and the targets are closed
  CallNumber number = 0;
  std::array<direct::WriteTarget, kMoveTables.size()> targets;  // by move_place()
  std::array<Waiting, kMoveTables.size()> waiting;              // likewise
  std::size_t waiting_most = 0;                                 // more than 0 while records are collected
};

static_assert(std::is_trivially_destructible_v<Writes>);

namespace {

// Opens all tables, or none of them.
bool open_targets(Writes& writes) {
  for (std::size_t i = 0; i < kMoveTables.size(); ++i) {
    const std::optional<direct::WriteTarget> target = direct::open_target(writes.call, *kMoveTables[i]);
    if (!target) {
      while (i > 0) {
        direct::close_target(writes.targets[--i]);
      }
      return false;
    }
    writes.targets[i] = *target;
  }
  direct::check_permissions(writes.call);
  return true;
}

void close_targets(Writes& writes) {
  for (std::size_t i = writes.is_direct ? kMoveTables.size() : 0; i > 0; --i) {
    direct::close_target(writes.targets[i - 1]);
  }
  writes.is_direct = false;
}

void insert_records(Writes* writes, const layout::Table& table, std::span<const layout::RowValues> rows) {
  if (writes == nullptr || !writes->is_direct) {
    for (const layout::RowValues& row : rows) {
      insert_record_by_spi(writes == nullptr ? nullptr : &writes->call, table, row);
    }
    return;
  }
  direct::WriteTarget& target = writes->targets[move_place(table)];
  direct::refresh_target(writes->call, target);
  if (rows.size() == 1) {
    direct::insert(writes->call, target, rows.front());
  } else {
    direct::insert_many(writes->call, target, rows);
  }
}

}  // namespace

const char* reason_for_spi(const layout::Table& table) {
  if (debug_write_path() == WritePath::kOrdinary) {
    return "escrowgrid.debug_write_path is ordinary";
  }
  const direct::OpenTable opened = direct::open(table, AccessShareLock);
  if (!opened) {
    return "it does not exist";
  }
  const char* reason = direct::describe(direct::plan_of(opened).verdict);
  direct::close(opened);
  return reason;
}

Writes* begin_writes(std::string_view command) {
  // PostgreSQL checks this for every statement that writes. Without SPI it has to be checked here.
  const char* name = psprintf("%.*s()", static_cast<int>(command.size()), command.data());
  PreventCommandIfReadOnly(name);
  PreventCommandDuringRecovery(name);
  PreventCommandIfParallelMode(name);
  // Make visible what the calling statement has done so far, as SPI does for each statement.
  CommandCounterIncrement();
  static CallNumber last_number = 0;
  auto* writes = make<Writes>();
  writes->call = direct::begin_call();
  writes->number = ++last_number;
  writes->is_direct = debug_write_path() == WritePath::kAuto && open_targets(*writes);
  if (!writes->is_direct || writes->call.runs_users_code) {
    direct::restrict_search_path(writes->call);
  }
  return writes;
}

void finish_writes(Writes*& finished) {
  Writes& writes = *finished;
  for (const Waiting& waiting : writes.waiting) {
    if (waiting.count != 0) {
      elog(ERROR, "escrowgrid: collected records were not written");
    }
  }
  // The function's result has been formed already, as a row of positions. AFTER triggers must not change the definition
  // of the table now, so the table stays open while they run.
  const bool may_run_triggers = writes.call.has_queue;
  const direct::OpenTable positions =
      may_run_triggers ? direct::open(layout::kPositions, AccessShareLock) : direct::OpenTable();
  close_targets(writes);
  direct::finish_call(writes.call);
  if (positions) {
    direct::close(positions);
  }
  finished = nullptr;
}

CallNumber call_number(const Writes& writes) {
  const bool runs_users_code = !writes.is_direct || writes.call.runs_users_code;
  return runs_users_code ? CallNumber{0} : writes.number;
}

void insert_record(Writes* writes, const layout::Table& table, const layout::RowValues& row) {
  if (writes != nullptr && writes->waiting_most > 0) {
    Waiting& waiting = writes->waiting[move_place(table)];
    if (waiting.count == waiting.rows.size()) {
      elog(ERROR, "escrowgrid: more records of a table are collected than write_records() was announced for");
    }
    waiting.rows[waiting.count++] = row;
    return;
  }
  insert_records(writes, table, {&row, 1});
}

void collect_records(Writes& writes, std::size_t most) {
  for (Waiting& waiting : writes.waiting) {
    waiting = {.rows = {static_cast<layout::RowValues*>(allocate<layout::RowValues>(most)), most}, .count = 0};
  }
  writes.waiting_most = most;
}

void write_records(Writes& writes) {
  for (const layout::Table* table : kMoveTables) {
    Waiting& waiting = writes.waiting[move_place(*table)];
    if (waiting.count != 0) {
      insert_records(&writes, *table, waiting.rows.first(waiting.count));
      waiting.count = 0;
    }
  }
  CommandCounterIncrement();
}

std::optional<Datum> insert_row(Writes& writes, const layout::Table& table, const layout::RowValues& row) {
  if (!writes.is_direct) {
    return insert_row_by_spi(writes.call, table, row);
  }
  direct::WriteTarget& target = writes.targets[move_place(table)];
  direct::refresh_target(writes.call, target);
  direct::insert(writes.call, target, row);
  return direct::composite(target);
}

bool find_referred(Writes& writes, const layout::Table& table, std::string_view id, const TextView& tenant,
                   FoundRow& out) {
  if (writes.is_direct) {
    if (const std::optional<bool> is_found = out.find_and_lock_key(table, id, tenant)) {
      return *is_found;
    }
    // Direct writing leaves out the check of the foreign key, because it takes the lock that the check would take.
    // Without SPI that lock cannot be taken on this table, so the whole call is written by SPI.
    close_targets(writes);
    direct::restrict_search_path(writes.call);
  }
  return out.find_and_lock(table, id, tenant, LockStrength::kKeyShare);
}

// --- RowToUpdate --------------------------------------------------------------------------------

RowToUpdate::RowToUpdate(Writes& writes, const layout::Table& table) : writes_(writes), table_(table) {
  if (writes_.is_direct) {
    direct::refresh_target(writes_.call, writes_.targets[move_place(table_)]);
    direct::push_snapshot();
    has_snapshot_ = true;
  }
}

void RowToUpdate::take(const Datum* values, const bool* nulls) {
  values_ = values;
  nulls_ = nulls;
}

bool RowToUpdate::find(std::string_view id, const TextView& tenant) {
  if (!writes_.is_direct) {
    is_locked_ = found_.find_and_lock(table_, id, tenant, LockStrength::kNoKeyUpdate);
    take(found_.values(), found_.nulls());
    return is_locked_;
  }
  const direct::OpenTable& open = writes_.targets[move_place(table_)].table;
  row_.emplace(open);
  if (!direct::find(open, WhichKey::kPrimary, {text_datum(id)}, GetActiveSnapshot(), *row_)) {
    return false;
  }
  take(row_->slot()->tts_values, row_->slot()->tts_isnull);
  return is_of_tenant(table_, values_, nulls_, tenant);
}

bool RowToUpdate::lock() {
  if (is_locked_) {
    return true;
  }
  if (!direct::lock(writes_.targets[move_place(table_)].table, *row_, LockTupleNoKeyExclusive)) {
    return false;
  }
  take(row_->slot()->tts_values, row_->slot()->tts_isnull);
  is_locked_ = true;
  // The previous holder of the lock may have committed rows that the old snapshot does not show.
  direct::pop_snapshot();
  direct::push_snapshot();
  return true;
}

bool RowToUpdate::find_related(const layout::Table& table, WhichKey key, const layout::KeyValues& values,
                               FoundRow& out) {
  if (writes_.is_direct) {
    const View view = {.sight = Sight::kCaller, .snapshot = GetActiveSnapshot()};
    return out.find_in(writes_.targets[move_place(table)].table, view, key, values);
  }
  const View view = begin_view(Sight::kFresh, {&table});
  const bool is_found = out.find(view, table, key, values, std::nullopt);
  end_view(view);
  return is_found;
}

RowToUpdate::Outcome RowToUpdate::update(const layout::RowValues& changes) {
  if (!writes_.is_direct) {
    const std::optional<Datum> stored =
        update_row_by_spi(writes_.call, table_, {.values = values_, .nulls = nulls_}, changes);
    stored_ = stored.value_or(0);
    return stored ? Outcome::kWritten : Outcome::kAltered;
  }
  direct::WriteTarget& target = writes_.targets[move_place(table_)];
  const direct::RowLock lock = is_locked_ ? direct::RowLock::kHeld : direct::RowLock::kNotHeld;
  if (!direct::update(writes_.call, target, *row_, lock, changes)) {
    return Outcome::kContended;
  }
  stored_ = direct::composite(target);
  return Outcome::kWritten;
}

void RowToUpdate::close() {
  if (row_) {
    row_->clear();
    row_.reset();
  }
  found_.close();
  if (has_snapshot_) {
    direct::pop_snapshot();
    has_snapshot_ = false;
  }
}

}  // namespace escrowgrid::pg
