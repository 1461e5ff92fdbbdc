// One row by a unique index, under a snapshot. Nothing is planned.
#pragma once

#include "pg/direct/cached_table.hpp"

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

// The values of a key's columns. The second is left out where the key has one column.
using KeyValues = std::array<Datum, 2>;

// Finds the row that has these values in the columns of the key.
[[nodiscard]] bool find(const OpenTable& table, layout::KeyName key, const KeyValues& values, Snapshot snapshot,
                        Row& out);

// Reads the row at that place, if the snapshot sees one there. This is cheaper than finding it by its key, but it may
// be another row: the table may have been rewritten, or the place may have been reused.
[[nodiscard]] bool fetch(const OpenTable& table, const ItemPointerData& place, Snapshot snapshot, Row& out);

// A snapshot of everything that is committed now, at every isolation level, and in parallel workers too.
[[nodiscard]] Snapshot latest_snapshot();

// Between push and pop a snapshot is active that is taken anew in READ COMMITTED, and is the transaction's at the
// higher isolation levels.
void push_snapshot();
void pop_snapshot();

static_assert(std::is_trivially_destructible_v<Row>);

}  // namespace escrowgrid::pg::direct
