// The rows that one function call writes. They are written without SPI if all tables of a move allow that, and by SPI
// otherwise. begin_writes() decides for the whole call. Callers need not know which way was chosen.
#pragma once

#include "pg/direct/write_row.hpp"
#include "pg/table/find.hpp"

namespace escrowgrid::pg {

// The tables that a creation or transition writes.
inline constexpr std::array kMoveTables = {&layout::kPositions, &layout::kPositionEvents, &layout::kLedgerEvents,
                                           &layout::kAuditEvents};

// Says why rows of the table have to be written by SPI; null if they do not.
[[nodiscard]] const char* reason_for_spi(const layout::Table& table);

struct Writes;

// `command` names the function in the errors of read-only transactions. AFTER triggers of all rows wait until
// finish_writes(), so that a trigger sees all rows of the call.
[[nodiscard]] Writes* begin_writes(std::string_view command);
// Runs the AFTER triggers. The pointer becomes null.
void finish_writes(Writes*& finished);

// A number that is different for each call. Values that cannot change during a call are looked up once for each number.
// 0 if users' code runs during the call, because it may change anything.
using CallNumber = std::uint64_t;
[[nodiscard]] CallNumber call_number(const Writes& writes);

// --- rows that are inserted ---------------------------------------------------------------------

// Inserts a record: an event, ledger or audit row. Without `writes` its AFTER triggers fire at once.
void insert_record(Writes* writes, const layout::Table& table, const layout::RowValues& row);

// After this, insert_record() collects up to `most` rows for each table, and write_records() inserts them, table by
// table. The memory of the values has to last until then.
void collect_records(Writes& writes, std::size_t most);
void write_records(Writes& writes);

// Inserts a row of a move and returns it as stored. Returns nothing if a trigger or rule has changed or suppressed the
// row.
[[nodiscard]] std::optional<Datum> insert_row(Writes& writes, const layout::Table& table, const layout::RowValues& row);

// --- a row that is updated ----------------------------------------------------------------------

// A row that is found by its id, decided on, and updated. find() may find it without locking it. Then update() writes
// only if no other transaction has changed or locked the row; if one has, lock() the row and decide again.
class RowToUpdate {
 public:
  RowToUpdate(Writes& writes, const layout::Table& table);

  // False when there is no such row, or none of the tenant.
  [[nodiscard]] bool find(std::string_view id, const TextView& tenant);
  [[nodiscard]] bool is_locked() const { return is_locked_; }
  // Waits for the lock on the row and reads the newest version. False if the row is gone.
  [[nodiscard]] bool lock();

  template <const layout::Table& kTable>
  [[nodiscard]] layout::RowView<kTable> as() const {
    return {values_, nulls_};
  }
  // Finds a row of another table that belongs to this one, as of the moment when this one was found or locked.
  [[nodiscard]] bool find_related(const layout::Table& table, WhichKey key, const layout::KeyValues& values,
                                  FoundRow& out);

  enum class Outcome : std::uint8_t {
    kWritten,
    kContended,  // somebody else has changed or locked the row, and it was not locked here
    kAltered,    // a trigger or rule has changed or suppressed the row
  };
  // Changes the given columns.
  [[nodiscard]] Outcome update(const layout::RowValues& changes);
  // The row as stored, after update() has returned kWritten.
  [[nodiscard]] Datum stored() const { return stored_; }
  void close();

 private:
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

// Finds a row that a new row will refer to. Locks it as the check of the foreign key would, so that it cannot be
// deleted.
[[nodiscard]] bool find_referred(Writes& writes, const layout::Table& table, std::string_view id,
                                 const TextView& tenant, FoundRow& out);

}  // namespace escrowgrid::pg
