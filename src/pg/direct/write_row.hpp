// Writing rows without SPI. Each write does what the executor does for an INSERT or UPDATE of the same row: defaults,
// generated columns, constraints, the row, its index entries, and its AFTER triggers queued.
#pragma once

#include "pg/direct/read_row.hpp"
#include "pg/direct/write_plan.hpp"
#include "pg/layout/new_row.hpp"

namespace escrowgrid::pg::direct {

// What one call of a function shares for its writes, by either way. AFTER triggers of all its rows wait until finish():
// a trigger then sees all rows of the call, whichever way they were written.
struct WriteCall {
  EState* estate = nullptr;      // the executor's state; users' expressions are prepared in it and end with it
  bool has_queue = false;        // whether a trigger may have been queued
  bool runs_users_code = false;  // whether anything of a user's runs when rows are written
  int settings_level = 0;        // where the caller's search_path is kept; 0 while it is in force
};

// Begins a call, and so a level of PostgreSQL's trigger queue: each begin() needs its finish().
[[nodiscard]] WriteCall begin_call();
// Runs the triggers that were queued and frees the state.
void finish_call(WriteCall& call);

// Until finish_call() names are looked up in pg_catalog alone, and in pg_temp behind it. Users' triggers, constraints,
// defaults and index expressions run with the rights of the tables' owner, and by the caller's search_path the caller
// could put objects of its own in their way.
void restrict_search_path(WriteCall& call);

// A table open for writing. Its indexes are opened when the first row needs entries: most transitions need none.
struct WriteTarget {
  OpenTable table;
  const WritePlan* plan = nullptr;
  ResultRelInfo* result = nullptr;  // of the call
  TupleTableSlot* slot = nullptr;   // the row written last
  ExprState** checks = nullptr;     // by Checks::all, once prepared
  ExprState** fills = nullptr;      // by WritePlan::filled_columns, once prepared
  bool has_indexes = false;
};

// Nothing when the table has something that only the ordinary way serves.
[[nodiscard]] std::optional<WriteTarget> open_target(WriteCall& call, const layout::Table& table);
void close_target(WriteTarget& target);
// Before a row is written: users' code that ran since may have changed what the table is made of. An error when the
// table can then no longer be written directly, because half of the call has been.
void refresh_target(WriteCall& call, WriteTarget& target);
// Asks other modules that decide about access (ExecutorCheckPerms_hook), once all targets are open. Without such a
// module the rights were judged when the plans were made.
void check_permissions(const WriteCall& call);

void insert(WriteCall& call, WriteTarget& target, const layout::RowValues& row);
// All of them in order, and in one go where nothing of a user's runs between them; their memory has to last until then.
void insert_many(WriteCall& call, WriteTarget& target, std::span<const layout::RowValues> rows);

// Whether this transaction has locked the row since it was read.
enum class RowLock : std::uint8_t { kNotHeld, kHeld };

// Changes the given columns of the row found. When somebody else has changed or locked the row meanwhile, nothing is
// written and the answer is false. A row whose lock is not held is looked at first; if another session locks it between
// that look and the write, the write waits. A row whose lock is held cannot have changed.
[[nodiscard]] bool update(WriteCall& call, WriteTarget& target, const Row& found, RowLock lock,
                          const layout::RowValues& changes);

// The row written last, as a composite value of the table's type.
[[nodiscard]] Datum composite(const WriteTarget& target);

// Locks the row found and reads its newest version into `row`, waiting for whoever holds it: as SELECT … FOR NO KEY
// UPDATE or FOR KEY SHARE would, with its errors. False when the row is gone.
[[nodiscard]] bool lock(const OpenTable& table, Row& row, LockTupleMode mode);

static_assert(std::is_trivially_destructible_v<WriteTarget> && std::is_trivially_destructible_v<WriteCall>);

}  // namespace escrowgrid::pg::direct
