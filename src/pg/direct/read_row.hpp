// One row by a unique index, under a snapshot. Nothing is planned.
#pragma once

#include "pg/direct/cached_table.hpp"
#include "pg/layout/column_name.hpp"

extern "C" {
#include "access/tableam.h"
}

namespace escrowgrid::pg::direct {

// A row that was found. It belongs to the call; clear() unpins its buffer.
class Row {
 public:
  explicit Row(const OpenTable& table);

  [[nodiscard]] TupleTableSlot* slot() const { return slot_; }
  // Where the row was found. A later call that looks there has to compare the key, because another row may be there by
  // then.
  [[nodiscard]] ItemPointerData place() const { return slot_->tts_tid; }
  void clear();

 private:
  TupleTableSlot* slot_;
};

// Finds the row that has these values in the columns of the key.
[[nodiscard]] bool find(const OpenTable& table, layout::WhichKey key, const layout::KeyValues& values,
                        Snapshot snapshot, Row& out);

// Reads the row at that place, if the snapshot sees one there. This is cheaper than finding it by its key, but it may
// be another row: the table may have been rewritten, or the place may have been reused.
[[nodiscard]] bool fetch(const OpenTable& table, const ItemPointerData& place, Snapshot snapshot, Row& out);

// Locks the row found and reads its newest version into `row`, as SELECT … FOR NO KEY UPDATE or FOR KEY SHARE does,
// with the same waits and errors. False if the row is gone.
[[nodiscard]] bool lock(const OpenTable& table, Row& row, LockTupleMode mode);

// The error that an UPDATE raises when its own evaluation has changed the row.
[[noreturn]] void raise_changed_by_itself();

// A snapshot of everything that is committed now, at every isolation level, and in parallel workers too.
[[nodiscard]] Snapshot latest_snapshot();

// Between push and pop a snapshot is active that is taken anew in READ COMMITTED, and is the transaction's at the
// higher isolation levels.
void push_snapshot();
void pop_snapshot();

static_assert(std::is_trivially_destructible_v<Row>);

}  // namespace escrowgrid::pg::direct
