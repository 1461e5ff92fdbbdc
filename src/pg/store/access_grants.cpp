// The only SQL text that is put together at run time: GRANT takes no parameters, so the role's name becomes a quoted
// identifier.
#include "pg/store/access_grants.hpp"

#include "pg/store/audit_events.hpp"
#include "pg/values/datum.hpp"
#include "pg/values/json_object.hpp"

extern "C" {
#include "lib/stringinfo.h"
}

namespace escrowgrid::pg::store {

namespace {

constexpr std::array kReaderRights = {
    "USAGE ON SCHEMA escrowgrid",
    "SELECT ON escrowgrid.currencies, escrowgrid.institutions, escrowgrid.asset_templates, escrowgrid.assets,"
    " escrowgrid.positions, escrowgrid.position_events, escrowgrid.ledger_events, escrowgrid.institution_policies,"
    " escrowgrid.balances",
    "EXECUTE ON FUNCTION escrowgrid.escrow_authenticate, escrowgrid.escrow_sign_out, escrowgrid.escrow_whoami,"
    " escrowgrid.escrow_verify_api_key, escrowgrid.escrow_current_institution_id, escrowgrid.escrow_version,"
    " escrowgrid.escrow_lifecycle, escrowgrid.escrow_can_transition, escrowgrid.escrow_get_institution,"
    " escrowgrid.escrow_get_asset_template, escrowgrid.escrow_get_asset, escrowgrid.escrow_get_position,"
    " escrowgrid.escrow_list_institutions, escrowgrid.escrow_list_asset_templates, escrowgrid.escrow_list_assets,"
    " escrowgrid.escrow_list_positions, escrowgrid.escrow_list_ledger_events, escrowgrid.escrow_position_at,"
    " escrowgrid.escrow_get_policy, escrowgrid.escrow_list_policies, escrowgrid.escrow_verify,"
    " escrowgrid.escrow_checkpoint_export, escrowgrid.escrow_inclusion_proof",
};

constexpr std::array kAuditorRights = {
    "SELECT ON escrowgrid.audit_events, escrowgrid.checkpoints, escrowgrid.checkpoint_heads",
    "SELECT (id, institution_id, label, role, created_at, revoked_at, expires_at, allowed_cidrs, token_hint)"
    " ON escrowgrid.api_keys",
    "EXECUTE ON FUNCTION escrowgrid.escrow_list_audit_events",
};

constexpr std::array kApplicationRights = {
    "EXECUTE ON FUNCTION escrowgrid.escrow_create_institution, escrowgrid.escrow_create_asset_template,"
    " escrowgrid.escrow_create_asset, escrowgrid.escrow_create_position, escrowgrid.escrow_transition,"
    " escrowgrid.escrow_create_api_key, escrowgrid.escrow_rotate_api_key, escrowgrid.escrow_revoke_api_key,"
    " escrowgrid.escrow_list_api_keys, escrowgrid.escrow_health, escrowgrid.escrow_write_paths, "
    "escrowgrid.escrow_transition_batch,"
    " escrowgrid.escrow_set_policy, escrowgrid.escrow_try_create_position, escrowgrid.escrow_try_transition,"
    " escrowgrid.escrow_explain_create_position, escrowgrid.escrow_explain_transition,"
    " escrowgrid.escrow_expire_due, escrowgrid.escrow_purge_idempotency_keys, escrowgrid.escrow_checkpoint,"
    " escrowgrid.escrow_redact_event",
};

void grant(std::span<const char* const> rights, const char* role) {
  for (const char* right : rights) {
    StringInfoData command;
    initStringInfo(&command);
    appendStringInfo(&command, "GRANT %s TO %s", right, quote_identifier(role));
    if (SPI_execute(command.data, false, 0) != SPI_OK_UTILITY) {
      elog(ERROR, "escrowgrid: could not grant %s", right);
    }
  }
}

}  // namespace

void grant_access(const Origin& origin, const char* role, AccessLevel level, std::string_view level_name) {
  switch (level) {
    case AccessLevel::kApplication:
      grant(kApplicationRights, role);
      [[fallthrough]];
    case AccessLevel::kAuditor:
      grant(kAuditorRights, role);
      [[fallthrough]];
    case AccessLevel::kReader:
      grant(kReaderRights, role);
      break;
  }
  JsonObject payload;
  payload.text("role", role).text("level", level_name);
  append_audit(origin, {.action = "ACCESS_GRANTED",
                        .institution_id = std::nullopt,
                        .resource_type = "database_role",
                        .resource_id = role,
                        .payload = payload.datum(),
                        .status_code = 200,
                        .at = clock_micros()});
}

}  // namespace escrowgrid::pg::store
