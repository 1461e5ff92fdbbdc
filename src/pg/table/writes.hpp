// The store's hot rows without SPI: positions and their records. Used by store_*.cpp and moves.cpp.
#pragma once

#include "pg/direct/write_row.hpp"
#include "pg/store/session.hpp"
#include "pg/table/statement.hpp"

namespace escrowgrid::pg::store {

// A record to be written: the values of its INSERT.
struct NewRecord {
  std::string_view id;
  Bindings values;
};

// Records of one table that wait to be written together.
struct Waiting {
  NewRecord* records = nullptr;
  std::size_t count = 0;
};

enum class RecordKind : std::uint8_t { kEvent, kLedgerEvent, kAuditEvent };
inline constexpr std::array kRecordKinds = {RecordKind::kEvent, RecordKind::kLedgerEvent, RecordKind::kAuditEvent};

// The writing of one call.
struct Writes {
  direct::Call call;
  bool is_direct = false;    // otherwise by SPI, and the tables are closed
  std::uint64_t number = 0;  // tells calls apart, see rule_check.hpp
  direct::Target positions;
  std::array<direct::Target, kRecordKinds.size()> records;  // by RecordKind
  std::size_t waiting_most = 0;                             // more than 0 while a batch collects its records
  std::array<Waiting, kRecordKinds.size()> waiting;         // likewise

  [[nodiscard]] direct::Target& target(RecordKind kind) { return records[static_cast<std::size_t>(kind)]; }
  [[nodiscard]] Waiting& waiting_for(RecordKind kind) { return waiting[static_cast<std::size_t>(kind)]; }
};

[[nodiscard]] inline bool writes_directly(const Origin& origin) {
  return origin.writes != nullptr && origin.writes->is_direct;
}

// Inserts a position from the values of its INSERT.
[[nodiscard]] Datum insert_position_direct(Writes& writes, const Bindings& values);

// Writes by SPI. Inside a call the AFTER triggers wait for finish_writes(); raw DML's records have no such call.
std::uint64_t execute_writing(const Origin& origin, Statement& statement, const Bindings& values);

// A position found by its id, and what is decided on. Views point into the row until it is cleared.
class FoundPosition {
 public:
  explicit FoundPosition(Writes& writes) : writes_(writes), row_(writes.positions.open) {}

  // False when there is none, or none of that institution.
  [[nodiscard]] bool find(std::string_view id, const TextView& institution_id);
  // Waits for the row's lock and reads its newest version; false when it is gone.
  [[nodiscard]] bool lock();
  [[nodiscard]] const core::PositionSnapshot& snapshot() const { return snapshot_; }
  // Writes the decision; nothing, when somebody else was at the row meanwhile and it is not locked.
  [[nodiscard]] std::optional<Datum> update(const core::Decision& decision);
  void clear() { row_.clear(); }

 private:
  void read();
  Writes& writes_;
  direct::Row row_;
  direct::Hold hold_ = direct::Hold::kUnlocked;
  core::PositionSnapshot snapshot_;
};

static_assert(std::is_trivially_destructible_v<Writes> && std::is_trivially_destructible_v<FoundPosition>);
// palloc() aligns to this.
static_assert(alignof(Writes) <= MAXIMUM_ALIGNOF && alignof(NewRecord) <= MAXIMUM_ALIGNOF);

}  // namespace escrowgrid::pg::store
