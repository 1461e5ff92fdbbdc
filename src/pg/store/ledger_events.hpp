// The ledger: what happened to positions, assets and templates.
#pragma once

#include "pg/store/origin.hpp"
#include "pg/values/datum.hpp"

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

}  // namespace escrowgrid::pg::store
