// Positions. Everything here runs inside an open session.
#pragma once

#include "core/parameters.hpp"
#include "pg/store/origin.hpp"
#include "pg/store/position_row.hpp"
#include "pg/table/writes.hpp"

namespace escrowgrid::pg::store {

// A position to be moved: find it, decide on it, and update it.
class PositionToMove {
 public:
  explicit PositionToMove(Writes& writes) : row_(writes, layout::kPositions) {}

  // False when there is none, or none of that institution.
  [[nodiscard]] bool find(std::string_view id, const TextView& institution_id);
  [[nodiscard]] bool is_locked() const { return row_.is_locked(); }
  // Waits for the lock on the row and reads the newest version. False if the position is gone.
  [[nodiscard]] bool lock();
  [[nodiscard]] const core::PositionSnapshot& snapshot() const { return snapshot_; }
  // Writes the decision and returns the row as stored. If the position is not locked and another transaction has
  // changed or locked it, this writes nothing and returns nothing.
  [[nodiscard]] std::optional<Datum> update(const core::Decision& decision);
  void close() { row_.close(); }

 private:
  void read();
  RowToUpdate row_;
  core::PositionSnapshot snapshot_;
};

static_assert(std::is_trivially_destructible_v<PositionToMove>);

// The row of a new position, as stored.
[[nodiscard]] Datum insert_position(const Origin& origin, const core::PositionTerms& terms,
                                    const core::Decision& decision);

// Reads without locking; false when there is none, or none of that institution.
[[nodiscard]] bool read_position(std::string_view id, const TextView& institution_id, core::PositionSnapshot& out);

// Adds to a snapshot what its row does not hold: the currency's exponent and the hash of the last event.
void complete_snapshot(core::PositionSnapshot& position);

struct PositionHead {
  std::string_view institution_id;
  std::int32_t version = 0;
  core::Digest head_hash{};
};
[[nodiscard]] std::optional<PositionHead> find_head(std::string_view position_id);

// The institution of a position; absent when there is none, or when it is not `institution_id` where that is given.
[[nodiscard]] TextView find_position_institution(std::string_view id, const TextView& institution_id, Sight sight);

[[nodiscard]] bool has_positions();

struct DuePosition {
  std::string_view id;
  core::Micros due_at = 0;
};
// A place in the order of due_at and id.
struct DueCursor {
  std::optional<core::Micros> due_at;  // absent for the beginning
  core::FixedText<core::kMaxIdBytes> id;
};
[[nodiscard]] DueCursor cursor_of(const DuePosition& position);

// Locks the next positions behind the cursor whose expiry has come, the longest overdue first. Positions that another
// session has locked are left out. The ids live in the current memory context.
[[nodiscard]] std::span<const DuePosition> lock_due_positions(core::Micros now, const TextView& institution_id,
                                                              const DueCursor& cursor, std::int32_t max_count);

// The same for the positions with these ids, as far as they are still due.
[[nodiscard]] std::span<const DuePosition> lock_due_positions(core::Micros now, std::span<const TextView> ids);

// State, amounts and version as of a time, from events alone, as the composite `desc`; absent before the creation. The
// row is for the caller to keep.
[[nodiscard]] std::optional<Datum> read_position_at(std::string_view id, core::Micros at, TupleDesc desc);

}  // namespace escrowgrid::pg::store
