// The two removals that are allowed: an event's content, and a whole institution.
#pragma once

#include "pg/store/origin.hpp"

namespace escrowgrid::pg::store {

// Erases reason and metadata of the event and returns its row, which outlives the session; absent when there
// is no such event, or none of that institution.
[[nodiscard]] std::optional<Datum> erase_content(const Origin& origin, std::string_view event_id,
                                                 const TextView& institution_id);

// Locks the institution's row until the transaction ends and returns its name; absent if there is no such institution.
[[nodiscard]] TextView lock_institution(std::string_view institution_id);

// Locks all positions of the institution and says how many of them hold money.
[[nodiscard]] std::int64_t lock_positions(std::string_view institution_id);

struct Purged {
  std::int64_t positions = 0;
  std::int64_t position_events = 0;
  std::int64_t ledger_events = 0;
};
// Deletes all rows of the institution except its audit rows, and adds audit rows that say what was deleted.
[[nodiscard]] Purged purge(const Origin& origin, std::string_view institution_id, std::string_view name);

}  // namespace escrowgrid::pg::store
