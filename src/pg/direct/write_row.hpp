// Writing rows without SPI. Each write does what the executor does for an INSERT or UPDATE of the same row: defaults,
// generated columns, constraints, the row, its index entries, and its AFTER triggers queued.
#pragma once

#include "pg/direct/read_row.hpp"
#include "pg/direct/write_plan.hpp"
#include "pg/layout/row_columns.hpp"

namespace escrowgrid::pg::direct {

// The state that the writes of one function call share, by either way of writing. AFTER triggers of all rows wait until
// finish_call(), so that a trigger sees all rows of the call.
struct WriteCall {
  EState* estate = nullptr;      // the executor's state; users' expressions are prepared in it and end with it
  bool has_queue = false;        // whether a trigger may have been queued
  bool runs_users_code = false;  // whether anything of a user's runs when rows are written
  int settings_level = 0;        // where the caller's search_path is kept; 0 while it is in force
};

// Begins a call and a level of PostgreSQL's trigger queue. Each begin_call() needs its finish_call().
[[nodiscard]] WriteCall begin_call();
// Runs the triggers that were queued and frees the state.
void finish_call(WriteCall& call);

// Sets search_path to pg_catalog, pg_temp until finish_call(). Users' triggers, constraints, defaults and index
// expressions run with the rights of the tables' owner. With the caller's search_path, they could be made to call the
// caller's own functions.
void restrict_search_path(WriteCall& call);

// A table that is open for writing. Its indexes are opened when the first row needs index entries, which most
// transitions do not.
struct WriteTarget {
  OpenTable table;
  const WritePlan* plan = nullptr;
  ResultRelInfo* result = nullptr;  // of the call
  TupleTableSlot* slot = nullptr;   // the row written last
  ExprState** checks = nullptr;     // by Checks::all, once prepared
  ExprState** fills = nullptr;      // by WritePlan::filled_columns, once prepared
  bool has_indexes = false;
};

// Returns nothing if the table has to be written by SPI.
[[nodiscard]] std::optional<WriteTarget> open_target(WriteCall& call, const layout::Table& table);
void close_target(WriteTarget& target);
// Call this before a row is written. Users' code may have changed the table's definition since the target was opened.
// If the table can no longer be written directly, this raises an error, because part of the call has been written
// already.
void refresh_target(WriteCall& call, WriteTarget& target);
// Asks other modules that check permissions (ExecutorCheckPerms_hook). Call it when all targets are open. Without such
// a module this does nothing, because the rights were checked when the plans were made.
void check_permissions(const WriteCall& call);

void insert(WriteCall& call, WriteTarget& target, const layout::RowValues& row);
// Inserts the rows in order. If no users' code runs, they are inserted together.
void insert_many(WriteCall& call, WriteTarget& target, std::span<const layout::RowValues> rows);

// Whether this transaction has locked the row since it was read.
enum class RowLock : std::uint8_t { kNotHeld, kHeld };

// Changes the given columns of the row found. If another transaction has changed or locked the row meanwhile, this
// writes nothing and returns false. If the lock is not held, the row is checked first. If another session locks it
// between that check and the write, the write waits.
[[nodiscard]] bool update(WriteCall& call, WriteTarget& target, const Row& found, RowLock lock,
                          const layout::RowValues& changes);

// The row written last, as a composite value of the table's type.
[[nodiscard]] Datum composite(const WriteTarget& target);

static_assert(std::is_trivially_destructible_v<WriteTarget> && std::is_trivially_destructible_v<WriteCall>);

}  // namespace escrowgrid::pg::direct
