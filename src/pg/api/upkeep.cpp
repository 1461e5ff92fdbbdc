// Upkeep: expiring positions, purging idempotency keys, and the health check.
#include "core/parameters.hpp"
#include "pg/border/boundary.hpp"
#include "pg/border/report.hpp"
#include "pg/service/authentication.hpp"
#include "pg/service/expiry.hpp"
#include "pg/store/health.hpp"
#include "pg/store/idempotency_keys.hpp"
#include "pg/table/session.hpp"
#include "pg/values/argument.hpp"
#include "pg/values/result.hpp"

namespace escrowgrid::pg {

namespace {

Datum expire_due(FunctionCallInfo fcinfo) {
  constexpr std::int32_t kMostAtOnce = 100'000;
  const Session session = open_session();
  const Caller caller = require_caller(session.owner, core::Right::kWrite, "escrow_expire_due");
  const std::optional<std::int32_t> max_count = int_argument(fcinfo, 0);
  if (!max_count || *max_count < 1 || *max_count > kMostAtOnce) {
    core::Refusal why;
    why.begin(core::Condition::kInvalidParameter)
        .message({"max_count must be from 1 to 100000"})
        .hint({"Call again until 0 comes back."})
        .with("parameter", "max_count");
    raise(why);
  }
  const std::int32_t expired = expire_due_positions(caller, *max_count);
  close_session(session);
  return Int32GetDatum(expired);
}

Datum purge_idempotency_keys(FunctionCallInfo fcinfo) {
  const Session session = open_session();
  static_cast<void>(require_caller(session.owner, core::Right::kAdminister, "escrow_purge_idempotency_keys"));
  const bool is_given = has_argument(fcinfo, 0);
  const TimestampTz now = GetCurrentTimestamp();
  const TimestampTz before = is_given ? DatumGetTimestampTz(DirectFunctionCall2(
                                            timestamptz_mi_interval, TimestampTzGetDatum(now), PG_GETARG_DATUM(0)))
                                      : now;
  if (!is_given || before > now) {
    core::Refusal why;
    why.begin(core::Condition::kInvalidParameter)
        .message({"older_than must be an interval of at least 0"})
        .hint({"Keep keys for longer than any caller retries, for example '7 days'."})
        .with("parameter", "older_than");
    raise(why);
  }
  const std::int64_t purged = store::purge_claims(to_micros(before));
  close_session(session);
  return Int64GetDatum(purged);
}

Datum health(FunctionCallInfo fcinfo) {
  TupleDesc desc = require_row_type(fcinfo);
  const Session session = open_session();
  static_cast<void>(require_caller(session.owner, core::Right::kAdminister, "escrow_health"));
  const Datum row = store::read_health(desc);
  close_session(session);
  return row;
}

}  // namespace

ESCROWGRID_FUNCTION(escrow_expire_due, expire_due);
ESCROWGRID_FUNCTION(escrow_purge_idempotency_keys, purge_idempotency_keys);
ESCROWGRID_FUNCTION(escrow_health, health);

}  // namespace escrowgrid::pg
