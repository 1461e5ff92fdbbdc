// The rows that one call of a function writes. There are two ways of writing: without SPI, where all tables of a move
// allow it, and by SPI. begin_writes() chooses one for the call; callers cannot tell which.
#pragma once

#include "pg/direct/write_row.hpp"
#include "pg/table/find.hpp"

namespace escrowgrid::pg {

// The tables that a creation or transition writes.
inline constexpr std::array kMoveTables = {&layout::kPositions, &layout::kPositionEvents, &layout::kLedgerEvents,
                                           &layout::kAuditEvents};

// Why rows of the table have to be written by SPI, in words; null when they do not.
[[nodiscard]] const char* reason_for_spi(const layout::Table& table);

struct Writes;

// `command` names the function in the errors of read-only transactions. AFTER triggers of all rows wait until
// finish_writes(), so that a trigger sees all rows of the call.
[[nodiscard]] Writes& begin_writes(std::string_view command);
void finish_writes(Writes& writes);

// A number of its own for each call, so that what cannot change during a call is looked up once. 0 when users' code
// runs during the call, which may change anything.
using CallNumber = std::uint64_t;
[[nodiscard]] CallNumber call_number(const Writes& writes);

// --- rows that are inserted ---------------------------------------------------------------------

// Inserts a record: an event, ledger or audit row. Without `writes` its AFTER triggers fire at once.
void insert_record(Writes* writes, const layout::Table& table, const layout::RowValues& row);

// From here on insert_record() keeps up to `most` rows a table and write_records() inserts them, table by table. The
// memory that the values are in has to last until then.
void collect_records(Writes& writes, std::size_t most);
void write_records(Writes& writes);

// Inserts a row of a move and returns it as stored; nothing when a trigger or rule has changed or suppressed it.
[[nodiscard]] std::optional<Datum> insert_row(Writes& writes, const layout::Table& table, const layout::RowValues& row);

// Inserts a row outside of moves and returns it as stored; the row outlives the session. An error when a trigger or
// rule suppresses it.
[[nodiscard]] Datum insert_row(const layout::Table& table, const layout::RowValues& row);

// An error when a statement that writes one row of the table has not: a trigger or rule has suppressed the row.
void require_one_row(std::uint64_t count, const layout::Table& table);

// --- a row that is updated ----------------------------------------------------------------------

// A row that is found by its id, decided on, and updated. It need not be locked when it has been found: the update then
// writes only if nobody else has changed or locked the row, and otherwise lock() is the way.
class RowToUpdate {
 public:
  RowToUpdate(Writes& writes, const layout::Table& table);

  // False when there is no such row, or none of the tenant.
  [[nodiscard]] bool find(std::string_view id, const TextView& tenant);
  [[nodiscard]] bool is_locked() const { return is_locked_; }
  // Waits for the row's lock and reads the version that it protects; false when the row is gone.
  [[nodiscard]] bool lock();

  template <const layout::Table& kTable>
  [[nodiscard]] layout::RowView<kTable> as() const {
    return {values_, nulls_};
  }
  // Finds a row that belongs to this one, as of the moment when this one was found or locked.
  [[nodiscard]] bool find_related(const layout::Table& table, KeyName key, const direct::KeyValues& values,
                                  FoundRow& out);

  enum class Outcome : std::uint8_t {
    kWritten,
    kContended,  // somebody else has changed or locked the row, and it was not locked here
    kAltered,    // a trigger or rule has changed or suppressed the row
  };
  // Changes the given columns.
  [[nodiscard]] Outcome update(const layout::RowValues& changes);
  // The row as stored; after an update that was written.
  [[nodiscard]] Datum stored() const { return stored_; }
  void close();

 private:
  [[nodiscard]] Outcome update_by_spi(const layout::RowValues& changes);
  void take(const Datum* values, const bool* nulls);

  Writes& writes_;
  const layout::Table& table_;
  std::optional<direct::Row> row_;  // found without SPI
  FoundRow found_;                  // found by SPI
  const Datum* values_ = nullptr;
  const bool* nulls_ = nullptr;
  bool has_snapshot_ = false;
  bool is_locked_ = false;
  Datum stored_ = 0;
};

static_assert(std::is_trivially_destructible_v<RowToUpdate>);

// --- a row that is referred to ------------------------------------------------------------------

// Finds a row that a new row will refer to and locks it as the foreign key's check would, so that it cannot go away.
[[nodiscard]] bool find_referred(Writes& writes, const layout::Table& table, std::string_view id,
                                 const TextView& tenant, FoundRow& out);

}  // namespace escrowgrid::pg
