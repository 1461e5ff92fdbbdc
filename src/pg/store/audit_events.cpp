#include "pg/store/audit_events.hpp"

#include "core/parameters.hpp"
#include "pg/table/writes.hpp"
#include "pg/values/random.hpp"

namespace escrowgrid::pg::store {

namespace {

// The address that the caller claims, or else the connection's own. A local socket has none.
std::optional<Datum> client_address(const RequestClaims& claims) {
  if (claims.client_ip) {
    const std::string_view claimed = *claims.client_ip;
    return DirectFunctionCall1(inet_in, CStringGetDatum(pnstrdup(claimed.data(), claimed.size())));
  }
  LOCAL_FCINFO(call, 0);
  InitFunctionCallInfoData(*call, nullptr, 0, InvalidOid, nullptr, nullptr);
  const Datum address = inet_client_addr(call);
  return call->isnull ? std::nullopt : std::optional(address);
}

std::string_view refusal_action(core::Condition condition) {
  switch (condition) {
    case core::Condition::kNotAuthenticated:
      return "AUTH_FAILED";
    case core::Condition::kForbidden:
      return "AUTH_FORBIDDEN";
    case core::Condition::kNotFound:
      return "RESOURCE_NOT_FOUND";
    case core::Condition::kConcurrencyConflict:
      return "CONCURRENCY_CONFLICT";
    case core::Condition::kInvalidParameter:
    case core::Condition::kIdempotencyMismatch:
    case core::Condition::kInvalidTransition:
    case core::Condition::kPositionExpired:
    case core::Condition::kPolicyViolation:
    case core::Condition::kInvalidAmount:
    case core::Condition::kInsufficientHeldAmount:
    case core::Condition::kRateLimited:
    case core::Condition::kImmutableRecord:
    case core::Condition::kIntegrityViolation:
      return "VALIDATION_FAILED";
  }
  return "VALIDATION_FAILED";
}

}  // namespace

void append_audit(const Origin& origin, const AuditEntry& entry) {
  layout::RowColumns<layout::kAuditEvents> row;
  row.set<"id">(make_id("aud", entry.at).view())
      .set<"occurred_at">(entry.at)
      .set<"created_at">(entry.at)
      .set<"api_key_id">(origin.caller.api_key_id)
      .set<"institution_id">(entry.institution_id)
      .set<"method">(origin.claims.method.value_or("SQL"))
      .set<"path">(origin.claims.path.value_or(origin.path))
      .set<"action">(entry.action)
      .set<"resource_type">(entry.resource_type)
      .set<"resource_id">(entry.resource_id)
      .set_datum<"payload">(entry.payload)
      .set<"outcome">(entry.error ? "failure" : "success")
      .set_datum<"error">(entry.error ? std::optional(jsonb_datum(*entry.error)) : std::nullopt)
      .set<"status_code">(entry.status_code)
      .set<"request_id">(origin.claims.request_id)
      .set_datum<"client_ip">(client_address(origin.claims))
      .set<"db_role">(origin.caller.db_role);
  insert_record(origin.writes, layout::kAuditEvents, row.values());
}

void audit_refusal(const Origin& origin, const core::Refusal& why, const TextView& resource_id) {
  // The id is whatever the caller passed. A long one is stored with an ellipsis in place of its end.
  const core::EchoText echo = core::echo(resource_id.value_or(std::string_view()));
  append_audit(origin, {.action = refusal_action(why.condition()),
                        .institution_id = origin.caller.institution_id,
                        .resource_type = "position",
                        .resource_id = resource_id ? TextView(echo.view()) : std::nullopt,
                        .payload = std::nullopt,
                        .error = why.detail(),
                        .status_code = core::describe(why.condition()).http_status,
                        .at = clock_micros()});
}

}  // namespace escrowgrid::pg::store
