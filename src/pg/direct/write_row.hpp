// Writing rows without SPI. Each write does what the executor does for an INSERT or UPDATE of the same row: defaults,
// generated columns, constraints, the row, its index entries, and its AFTER triggers queued.
#pragma once

#include "pg/direct/read_row.hpp"
#include "pg/direct/write_plan.hpp"

namespace escrowgrid::pg::direct {

// What one call of a function shares for its writes, by either way. AFTER triggers of all its rows wait until finish():
// a trigger then sees all rows of the call, whichever way they were written.
struct Call {
  EState* estate = nullptr;      // the executor's state; users' expressions are prepared in it and end with it
  bool has_queue = false;        // whether a trigger may have been queued
  bool runs_users_code = false;  // whether anything of a user's runs when rows are written
  int settings_level = 0;        // where the caller's search_path is kept; 0 while it is in force
};

// Begins a call, and so a level of PostgreSQL's trigger queue: each begin() needs its finish().
[[nodiscard]] Call begin_call();
// Runs the triggers that were queued and frees the state.
void finish_call(Call& call);

// Until finish_call() names are looked up in pg_catalog alone, and in pg_temp behind it. Users' triggers, constraints,
// defaults and index expressions run with the rights of the tables' owner, and by the caller's search_path the caller
// could put objects of its own in their way.
void restrict_search_path(Call& call);

// A table open for writing. Its indexes are opened when the first row needs entries: most transitions need none.
struct Target {
  Name name{};
  Open open;
  const WritePlan* plan = nullptr;
  ResultRelInfo* result = nullptr;  // of the call
  TupleTableSlot* slot = nullptr;   // the row written last
  ExprState** checks = nullptr;     // by Checks::all, once prepared
  ExprState** fills = nullptr;      // by WritePlan::filled_columns, once prepared
  bool has_indexes = false;
};

// Nothing when the table has something that only the ordinary way serves.
[[nodiscard]] std::optional<Target> open_target(Call& call, Name name);
void close_target(Target& target);
// Before a row is written: users' code that ran since may have changed what the table is made of. An error when the
// table can then no longer be written directly, because half of the call has been.
void refresh_target(Call& call, Target& target);
// Asks other modules that decide about access (ExecutorCheckPerms_hook), once all targets are open. Without such a
// module the rights were judged when the plans were made.
void check_permissions(const Call& call);

// The values of a row by column; what is not set is NULL.
struct NewRow {
  std::array<Datum, kMostColumns> values{};
  std::array<bool, kMostColumns> nulls{};
  NewRow() { nulls.fill(true); }
  void set(int column, const std::optional<Datum>& value) {
    const auto at = static_cast<std::size_t>(column - 1);
    values[at] = value.value_or(0);
    nulls[at] = !value.has_value();
  }
};

void insert(Call& call, Target& target, const NewRow& row);
// All of them in order, and in one go where nothing of a user's runs between them; their memory has to last until then.
void insert_many(Call& call, Target& target, std::span<const NewRow> rows);

// Replaces the row found. When somebody else has changed or locked it meanwhile, nothing is written and the answer is
// false: kUnlocked looks for that first. A lock taken between that look and the write is waited for. After lock() below
// neither can happen.
enum class Hold : std::uint8_t { kUnlocked, kLocked };
[[nodiscard]] bool update(Call& call, Target& target, const Row& found, Hold hold, const NewRow& row);

// The row written last, as a composite value of the table's type.
[[nodiscard]] Datum composite(const Target& target);

// Locks the row found and reads its newest version into `row`, waiting for whoever holds it: as SELECT … FOR NO KEY
// UPDATE or FOR KEY SHARE would, with its errors. False when the row is gone.
[[nodiscard]] bool lock(const Open& open, Row& row, LockTupleMode mode);

static_assert(std::is_trivially_destructible_v<Target> && std::is_trivially_destructible_v<Call>);

}  // namespace escrowgrid::pg::direct
