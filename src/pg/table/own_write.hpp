// Notes by which the extension's triggers tell its own writes from raw DML.
//
// A write is noted on a stack, with its row and its subtransaction. The trigger that sees this row takes the note, so
// the note is good for one row: users' triggers and constraints may run raw DML while the write is going on. The note
// is removed when the write ends. If the write raises an error and someone catches it, the abort of the subtransaction
// removes the note.
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

// Whether this is the row that the extension is writing. True only once for each note.
[[nodiscard]] bool take_own_write(OwnWrite kind, const layout::Table& table, std::string_view id,
                                  BytesView head_hash = {});

// Whether rows of the institution are being purged.
[[nodiscard]] bool is_purging(std::string_view institution_id);

// The BEFORE trigger decides on a position that raw DML inserts, and the AFTER trigger records it. A complete row from
// a restore must not be recorded, and looks the same in AFTER. So BEFORE notes the head hash that it has computed.
void note_raw_creation(BytesView head_hash);
[[nodiscard]] bool take_raw_creation(BytesView head_hash);

// The AFTER trigger recognises the extension's own update of a position by the new head hash. The hash covers the time,
// so no other write has the same.
void note_own_update(BytesView head_hash);
[[nodiscard]] bool take_own_update(BytesView head_hash);

// Registers the transaction callbacks that remove all notes.
void watch_transactions();

}  // namespace escrowgrid::pg
