// Telling the extension's own writes from raw DML, for the triggers that judge both.
//
// A write in progress is noted on a stack with the record's key and the subtransaction it runs in.
// The note ends with the write; if the write raises and someone catches that, the abort of the
// subtransaction takes the note away. A note left behind could at most match the very same record.
#pragma once

#include "pg/postgres.hpp"

namespace escrowgrid::pg {

// What is written: rows of these tables, or everything of a purged institution.
enum class Table : std::uint8_t { kPositions, kPositionEvents, kLedgerEvents, kAuditEvents, kPurge };

// `key` identifies the row: its id, for positions the new head hash, for a purge the institution's id.
void begin_own_write(Table table, std::string_view key);
void end_own_write();
[[nodiscard]] bool is_own_write(Table table, std::string_view key);

// A position inserted by raw DML is decided in BEFORE and recorded in AFTER; a complete row that a
// restore brings looks the same by then. So BEFORE notes the head hash it computed.
void note_raw_creation(std::string_view head_hash);
[[nodiscard]] bool take_raw_creation(std::string_view head_hash);

// Registers the transaction callbacks that clear all of this.
void watch_transactions();

}  // namespace escrowgrid::pg
