// Ledger and audit rows. Internal to the store.
#pragma once

#include "pg/store/session.hpp"

namespace escrowgrid::pg::store {

struct LedgerEntry {
  std::string_view kind;
  std::string_view institution_id;
  TextView position_id;
  TextView previous_state;
  TextView new_state;
  Datum payload = 0;  // jsonb, an object
  core::Micros at = 0;
};
void append_ledger(const Origin& origin, const LedgerEntry& entry);

struct AuditEntry {
  std::string_view action;
  TextView institution_id;  // absent for what concerns none
  std::string_view resource_type;
  TextView resource_id;
  std::optional<Datum> payload;   // jsonb, an object
  TextView error = std::nullopt;  // a JSON object, of a failure
  int status_code = 200;
  core::Micros at = 0;
};
void append_audit(const Origin& origin, const AuditEntry& entry);

}  // namespace escrowgrid::pg::store
