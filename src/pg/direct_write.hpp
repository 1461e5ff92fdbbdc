// Writing rows without SPI. Each write is what an INSERT or UPDATE would do for a table that has nothing but the
// extension's own triggers: constraints, the row, its index entries.
#pragma once

#include "pg/direct_read.hpp"

namespace escrowgrid::pg::direct {

// A table open for writing. Its indexes are opened when the first row needs entries: most transitions need none.
struct Target {
  Open open;
  TupleTableSlot* slot = nullptr;  // of this call alone: a constraint may call back
  bool has_indexes = false;
};

[[nodiscard]] std::optional<Target> open_target(Name name);
void close_target(const Target& target);

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

void insert(Target& target, const NewRow& row);
// All of them in one go, in order; their memory has to last until then.
void insert_many(Target& target, std::span<const NewRow> rows);

// Replaces the row found. When somebody else has changed or locked it meanwhile: nothing is written and the answer
// is false, unless this transaction holds the row's lock (see lock() below), which makes that impossible.
enum class Hold : std::uint8_t { kNone, kLocked };
[[nodiscard]] bool update(Target& target, const Row& found, Hold hold, const NewRow& row);

// The row as a composite value of the table's type.
[[nodiscard]] Datum composite(const Target& target, const NewRow& row);

// Locks the row found and reads its newest version into `row`, waiting for whoever holds it: as SELECT … FOR NO KEY
// UPDATE or FOR KEY SHARE would, with its errors. False when the row is gone.
[[nodiscard]] bool lock(const Open& open, Row& row, LockTupleMode mode);

}  // namespace escrowgrid::pg::direct
