// Finds one row by a key. The row is read by its index without SPI where the table allows it, and by SPI where it does
// not. Callers need not know which.
#pragma once

#include "pg/direct/read_row.hpp"
#include "pg/table/statement.hpp"

namespace escrowgrid::pg {

using layout::WhichKey;

// Whether the row belongs to the institution `tenant`. True if `tenant` is absent or the table has no tenants.
[[nodiscard]] bool is_of_tenant(const layout::Table& table, const Datum* values, const bool* nulls,
                                const TextView& tenant);

// What look-ups see. begin_view() locks the tables first and takes the snapshot then: a snapshot from before a wait for
// a table's lock would miss what was committed meanwhile. Several look-ups may share one view. Each begin_view() needs
// its end_view().
struct View {
  static constexpr std::size_t kMostTables = 3;
  Sight sight = Sight::kCaller;
  Snapshot snapshot = nullptr;
  std::array<direct::OpenTable, kMostTables> tables{};  // those that can be read without SPI
};
[[nodiscard]] View begin_view(Sight sight, std::initializer_list<const layout::Table*> tables);
void end_view(const View& view);

// The number of the table's definition as this backend knows it; 0 when it has changed or was never looked at. If a
// table's rows never change, values read from it stay valid as long as this number is the same.
[[nodiscard]] std::uint64_t known_definition(const layout::Table& table);

enum class LockStrength : std::uint8_t { kKeyShare, kShare, kNoKeyUpdate, kUpdate };

// A row that was found, with all columns of the layout. Close it before the session ends.
class FoundRow {
 public:
  // Finds the row with these values in the columns of the key. If `tenant` is given, a row of another institution is
  // not found.
  [[nodiscard]] bool find(const View& view, const layout::Table& table, WhichKey key, const layout::KeyValues& values,
                          const TextView& tenant);
  // The same by the primary key of a table whose key is one text.
  [[nodiscard]] bool find(const View& view, const layout::Table& table, std::string_view id, const TextView& tenant) {
    return find(view, table, WhichKey::kPrimary, {text_datum(id)}, tenant);
  }
  // The same in a table that the caller has open.
  [[nodiscard]] bool find_in(const direct::OpenTable& table, const View& view, WhichKey key,
                             const layout::KeyValues& values);
  // Reads the row at the place where it was found the last time, which is cheaper than finding it by its key. Another
  // row may be there by now, or none, so the caller has to compare the key.
  [[nodiscard]] bool fetch(const View& view, const layout::Table& table, const ItemPointerData& place);
  // Where the row was found; invalid when SPI found it.
  [[nodiscard]] ItemPointerData place() const;

  // Finds the row by its primary key of one text and locks it until the transaction ends. Waits if another transaction
  // has locked it.
  [[nodiscard]] bool find_and_lock(const layout::Table& table, std::string_view id, const TextView& tenant,
                                   LockStrength strength);

  // The same without SPI, with the lock that the check of a foreign key takes. Returns nothing if the table does not
  // allow that.
  [[nodiscard]] std::optional<bool> find_and_lock_key(const layout::Table& table, std::string_view id,
                                                      const TextView& tenant);

  [[nodiscard]] const Datum* values() const { return values_; }
  [[nodiscard]] const bool* nulls() const { return nulls_; }
  template <const layout::Table& kTable>
  [[nodiscard]] layout::RowView<kTable> as() const {
    return {values_, nulls_};
  }
  void close();

 private:
  void take(const direct::Row& row);
  void take_result(const layout::Table& table);

  const Datum* values_ = nullptr;
  const bool* nulls_ = nullptr;
  std::optional<direct::Row> row_;
  SPITupleTable* result_ = nullptr;
};

static_assert(std::is_trivially_destructible_v<FoundRow>);

}  // namespace escrowgrid::pg
