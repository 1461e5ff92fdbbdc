// One row by a unique index, under a snapshot. Nothing is planned.
#pragma once

#include "pg/direct/cached_table.hpp"

extern "C" {
#include "access/tableam.h"
}

namespace escrowgrid::pg::direct {

// The row found; belongs to the call. clear() unpins its page.
class Row {
 public:
  explicit Row(const Open& open);

  // Column by number, from 1; absent for NULL.
  [[nodiscard]] std::optional<Datum> value(int column) const;
  [[nodiscard]] std::string_view text(int column) const;
  [[nodiscard]] TextView optional_text(int column) const;
  [[nodiscard]] std::optional<core::Micros> time(int column) const;
  [[nodiscard]] TupleTableSlot* slot() const { return slot_; }
  // Where the row was found. A later look there must prove by its content that it is still the same row.
  [[nodiscard]] ItemPointerData place() const { return slot_->tts_tid; }
  void clear();

 private:
  TupleTableSlot* slot_;
};

struct TextKey {
  std::string_view first;
  TextView second = std::nullopt;
};

// Finds the row by a key of one or two texts, or of a text and a number.
[[nodiscard]] bool find(const Open& open, Key key, const TextKey& value, Snapshot snapshot, Row& out);
[[nodiscard]] bool find(const Open& open, Key key, std::string_view first, std::int32_t second, Snapshot snapshot,
                        Row& out);

// The row at that place, if the snapshot sees one there. Cheaper than finding it by its key, but it may be any row: the
// table may have been rewritten since, or the place taken by another row.
[[nodiscard]] bool fetch(const Open& open, const ItemPointerData& place, Snapshot snapshot, Row& out);

// What is committed now, at every isolation level, and in parallel workers too.
[[nodiscard]] Snapshot latest_snapshot();

// A snapshot of one's own while it is in scope of push() and pop(): taken anew in READ COMMITTED, the
// transaction's above that.
void push_snapshot();
void pop_snapshot();

static_assert(std::is_trivially_destructible_v<Row>);

}  // namespace escrowgrid::pg::direct
