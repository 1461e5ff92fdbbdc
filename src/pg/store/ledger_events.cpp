#include "pg/store/ledger_events.hpp"

#include "pg/table/writes.hpp"
#include "pg/values/random.hpp"

namespace escrowgrid::pg::store {

void append_ledger(const Origin& origin, const LedgerEntry& entry) {
  layout::RowColumns<layout::kLedgerEvents> row;
  row.set<"id">(make_id("led", entry.at).view())
      .set<"kind">(entry.kind)
      .set<"position_id">(entry.position_id)
      .set<"at">(entry.at)
      .set<"previous_state">(entry.previous_state)
      .set<"new_state">(entry.new_state)
      .set_datum<"payload">(entry.payload)
      .set<"created_at">(entry.at)
      .set<"institution_id">(entry.institution_id)
      .set<"request_id">(origin.claims.request_id);
  insert_record(origin.writes, layout::kLedgerEvents, row.values());
}

}  // namespace escrowgrid::pg::store
