// Telling the extension's own writes from raw DML, for the triggers that judge both.
//
// A write in progress is noted on a stack with the row it writes and the subtransaction it runs in. The trigger that
// meets this row takes the note, which is then good for no other row: users' triggers and constraints may run raw DML
// while the write is going on. The note ends with the write; if the write raises and someone catches that, the abort of
// the subtransaction takes the note away.
#pragma once

#include "pg/layout/layout.hpp"
#include "pg/values/datum.hpp"

namespace escrowgrid::pg {

enum class OwnWrite : std::uint8_t {
  kRow,      // the insert or update of a row, by its id; of a position also by its new head hash
  kErasure,  // of an event's content, by the event's id
  kPurge,    // everything of an institution, by the institution's id; in all tables
};

void begin_own_write(OwnWrite kind, const layout::Table& table, std::string_view id, BytesView head_hash = {});
void end_own_write();

// Whether this is the row that the extension is writing. Answers true once for each note.
[[nodiscard]] bool take_own_write(OwnWrite kind, const layout::Table& table, std::string_view id,
                                  BytesView head_hash = {});

// Whether rows of the institution are being purged.
[[nodiscard]] bool is_purging(std::string_view institution_id);

// A position inserted by raw DML is decided in BEFORE and recorded in AFTER; a complete row that a
// restore brings looks the same by then. So BEFORE notes the head hash it computed.
void note_raw_creation(BytesView head_hash);
[[nodiscard]] bool take_raw_creation(BytesView head_hash);

// A position updated by the extension is told from raw DML in AFTER by the new head hash, which covers the time and so
// is never that of another write.
void note_own_update(BytesView head_hash);
[[nodiscard]] bool take_own_update(BytesView head_hash);

// Registers the transaction callbacks that clear all of this.
void watch_transactions();

}  // namespace escrowgrid::pg
