// Policies: the limits an institution sets per region.
#include "pg/store/policies.hpp"
#include "core/parameters.hpp"
#include "core/rules.hpp"
#include "pg/border/boundary.hpp"
#include "pg/border/report.hpp"
#include "pg/service/authentication.hpp"
#include "pg/service/institution_check.hpp"
#include "pg/store/currencies.hpp"
#include "pg/table/session.hpp"
#include "pg/values/argument.hpp"
#include "pg/values/json_members.hpp"

namespace escrowgrid::pg {

namespace {

void require_known_currencies(const core::Policy& policy) {
  core::Refusal why;
  for (const std::string_view code : policy.allowed_currencies.items()) {
    if (!store::lock_exponent(code)) {
      core::refuse_unknown_currency("allowedCurrencies", code, why);
      raise(why);
    }
  }
  for (const core::OpenLimit& limit : policy.max_open_amount.items()) {
    if (!store::lock_exponent(limit.currency)) {
      core::refuse_unknown_currency("maxOpenAmount", limit.currency, why);
      raise(why);
    }
  }
}

Datum set_policy(FunctionCallInfo fcinfo) {
  enum { kInstitutionId, kRegion, kConfig };
  const Session session = open_session();
  const Caller caller = require_caller(session.owner, core::Right::kWrite, "escrow_set_policy");
  core::Refusal why;
  const TextView institution_id = text_argument(fcinfo, kInstitutionId);
  const TextView region = text_argument(fcinfo, kRegion);
  const TextView config = jsonb_argument(fcinfo, kConfig, "config");
  if (!core::require_region(region, why) || !core::require_json_object("config", config, why)) {
    raise(why);
  }
  const std::optional<core::Policy> policy = core::read_policy(policy_members(PG_GETARG_DATUM(kConfig)), why);
  if (!policy) {
    raise(why);
  }
  const store::Institution institution = require_institution(caller, institution_id);
  require_within("region", institution.regions, *region);
  require_known_currencies(*policy);
  const Datum row = store::upsert_policy(store::origin_of(caller, "escrow_set_policy"),
                                         {.institution_id = *institution_id, .region = *region}, *config);
  close_session(session);
  return row;
}

Datum get_policy(FunctionCallInfo fcinfo) {
  enum { kInstitutionId, kRegion };
  const Session session = open_session();
  const Caller caller = require_caller(session.owner, core::Right::kRead, "escrow_get_policy");
  core::Refusal why;
  const TextView institution_id = text_argument(fcinfo, kInstitutionId);
  const TextView region = text_argument(fcinfo, kRegion);
  if (!core::require_region(region, why)) {
    raise(why);
  }
  static_cast<void>(require_institution(caller, institution_id));
  const std::optional<Datum> document =
      store::read_policy_document({.institution_id = *institution_id, .region = *region});
  if (!document) {
    raise_not_found("policy for region", *region);
  }
  close_session(session);
  return *document;
}

Datum list_policies(FunctionCallInfo fcinfo) {
  InitMaterializedSRF(fcinfo, 0);
  const Session session = open_session();
  const Caller caller = require_caller(session.owner, core::Right::kRead, "escrow_list_policies");
  const TextView named = text_argument(fcinfo, 0);
  if (!named || may_see(caller, named)) {  // otherwise the list is empty, as for an institution that does not exist
    store::list_policies(fcinfo, named ? named : caller.institution_id);
  }
  close_session(session);
  return 0;
}

}  // namespace

ESCROWGRID_FUNCTION(escrow_set_policy, set_policy);
ESCROWGRID_FUNCTION(escrow_get_policy, get_policy);
ESCROWGRID_FUNCTION(escrow_list_policies, list_policies);

}  // namespace escrowgrid::pg
