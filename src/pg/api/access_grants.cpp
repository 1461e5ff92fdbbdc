// Granting database roles what they need.
#include "pg/store/access_grants.hpp"
#include "pg/api/parameter_error.hpp"
#include "pg/border/boundary.hpp"
#include "pg/service/authentication.hpp"
#include "pg/table/session.hpp"
#include "pg/values/argument.hpp"

namespace escrowgrid::pg {

namespace {

std::optional<store::AccessLevel> parse_level(const TextView& level) {
  if (level == "application") {
    return store::AccessLevel::kApplication;
  }
  if (level == "auditor") {
    return store::AccessLevel::kAuditor;
  }
  return level == "reader" ? std::optional(store::AccessLevel::kReader) : std::nullopt;
}

Datum grant_access(FunctionCallInfo fcinfo) {
  enum { kRole, kLevel };
  const Session session = open_session();
  const Caller caller = require_caller(session.owner, core::Right::kAdminister, "escrow_grant_access");
  const TextView level_name = text_argument(fcinfo, kLevel);
  const std::optional<store::AccessLevel> level = parse_level(level_name);
  if (!level) {
    raise_parameter("level", "level must be application, auditor or reader", "Choose one of the three.");
  }
  const char* role = has_argument(fcinfo, kRole) ? GetUserNameFromId(PG_GETARG_OID(kRole), true) : nullptr;
  if (role == nullptr) {
    raise_parameter("role", "role must name a database role", "Create the role first.");
  }
  store::grant_access(store::origin_of(caller, "escrow_grant_access"), role, *level, *level_name);
  close_session(session);
  return 0;
}

}  // namespace

ESCROWGRID_FUNCTION(escrow_grant_access, grant_access);

}  // namespace escrowgrid::pg
