// The audit log: who did what, through which call, with which outcome.
#pragma once

#include "core/refusal.hpp"
#include "pg/store/origin.hpp"
#include "pg/values/datum.hpp"

namespace escrowgrid::pg::store {

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

// Writes the audit row of a refusal that does not end the caller's transaction.
void audit_refusal(const Origin& origin, const core::Refusal& why, const TextView& resource_id);

}  // namespace escrowgrid::pg::store
