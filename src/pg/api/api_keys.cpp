// API keys.
#include "pg/store/api_keys.hpp"
#include "core/parameters.hpp"
#include "core/token.hpp"
#include "pg/api/parameter_error.hpp"
#include "pg/border/boundary.hpp"
#include "pg/border/report.hpp"
#include "pg/service/authentication.hpp"
#include "pg/service/institution_check.hpp"
#include "pg/table/session.hpp"
#include "pg/values/argument.hpp"
#include "pg/values/json_object.hpp"
#include "pg/values/random.hpp"
#include "pg/values/result.hpp"

namespace escrowgrid::pg {

namespace {

core::TokenText new_token() {
  while (true) {
    std::array<std::uint8_t, core::kTokenRandomBytes> random{};
    fill_random(random);
    if (const std::optional<core::TokenText> token = core::make_token(random)) {
      return *token;
    }
  }
}

Datum make_key(FunctionCallInfo fcinfo, const store::Origin& origin, store::NewApiKey key) {
  const core::TokenText token = new_token();
  const core::KeyHashText hash = core::hash_token(token.view());
  key.key_hash = hash.view();
  key.token_hint = token.view().substr(token.size() - core::kTokenHintBytes);
  return store::insert_key(origin, key, token.view(), require_row_type(fcinfo));
}

void require_key_role(const TextView& role) {
  core::Refusal why;
  if (!core::require_text({.parameter = "role", .max_bytes = core::kMaxCodeBytes}, role, why)) {
    raise(why);
  }
  if (!core::parse_key_role(*role)) {
    why.begin(core::Condition::kInvalidParameter)
        .message({"unknown role \"", core::echo(*role).view(), "\""})
        .hint({"Pass admin or read_only."})
        .with("parameter", "role")
        .with("value", *role);
    raise(why);
  }
}

void require_future(const std::optional<core::Micros>& at) {
  if (at && (*at <= clock_micros() || *at > core::kMaxTime)) {
    raise_parameter("expires_at", "expires_at must lie in the future, before the year 10000",
                    "Pass a later time, or leave it out for a key that does not expire.");
  }
}

Datum create_api_key(FunctionCallInfo fcinfo) {
  enum { kInstitutionId, kLabel, kRole, kExpiresAt, kAllowedCidrs };
  const Session session = open_session();
  const Caller caller = require_caller(session.owner, core::Right::kWrite, "escrow_create_api_key");
  core::Refusal why;
  const TextView institution_id = text_argument(fcinfo, kInstitutionId);
  const TextView label = text_argument(fcinfo, kLabel);
  const TextView role = text_argument(fcinfo, kRole);
  const std::optional<core::Micros> expires_at = time_argument(fcinfo, kExpiresAt);
  if (!core::require_text({.parameter = "label", .max_bytes = core::kMaxNameBytes}, label, why)) {
    raise(why);
  }
  require_key_role(role);
  require_future(expires_at);
  static_cast<void>(require_institution(caller, institution_id));
  const Datum row =
      make_key(fcinfo, store::origin_of(caller, "escrow_create_api_key"),
               {.institution_id = *institution_id,
                .label = *label,
                .role = *role,
                .expires_at = expires_at,
                .allowed_cidrs =
                    has_argument(fcinfo, kAllowedCidrs) ? std::optional(PG_GETARG_DATUM(kAllowedCidrs)) : std::nullopt,
                .key_hash = {},
                .token_hint = {}});
  close_session(session);
  return row;
}

store::LockedApiKey require_key(FunctionCallInfo fcinfo, const Caller& caller) {
  core::Refusal why;
  const TextView key_id = text_argument(fcinfo, 0);
  if (key_id && key_id->starts_with(core::kTokenPrefix)) {
    // A token that is passed by mistake must not appear in the message or the log.
    why.begin(core::Condition::kInvalidParameter)
        .message({"key_id must be a key's id, not its token"})
        .hint({"escrow_list_api_keys() lists the ids, with the end of each token in token_hint."})
        .with("parameter", "key_id");
    raise_privately(why);
  }
  if (!core::require_text({.parameter = "key_id", .max_bytes = core::kMaxIdBytes}, key_id, why)) {
    raise(why);
  }
  const std::optional<store::LockedApiKey> locked = store::lock_key(*key_id, caller.institution_id);
  if (!locked) {
    raise_not_found("API key", *key_id);
  }
  return *locked;
}

// How long the old token still works, in microseconds. A month counts as 30 days and a day as 24 hours, as elsewhere in
// PostgreSQL.
std::int64_t read_overlap(FunctionCallInfo fcinfo) {
  constexpr std::int64_t kMaxOverlap = static_cast<std::int64_t>(366) * USECS_PER_DAY;
  if (!has_argument(fcinfo, 1)) {
    raise_parameter("overlap", "overlap must not be null", "Pass '0' to end the old token at once.");
  }
  const Interval* overlap = PG_GETARG_INTERVAL_P(1);
  const std::int64_t days = static_cast<std::int64_t>(overlap->month) * DAYS_PER_MONTH + overlap->day;
  const bool is_in_range = days >= 0 && days <= 366 && overlap->time >= 0 && overlap->time <= kMaxOverlap;
  if (!is_in_range || days * USECS_PER_DAY + overlap->time > kMaxOverlap) {
    raise_parameter("overlap", "overlap must be from 0 to 366 days", "Pass '0' to end the old token at once.");
  }
  return days * USECS_PER_DAY + overlap->time;
}

Datum rotate_api_key(FunctionCallInfo fcinfo) {
  const Session session = open_session();
  const Caller caller = require_caller(session.owner, core::Right::kWrite, "escrow_rotate_api_key");
  const std::int64_t overlap = read_overlap(fcinfo);
  const store::LockedApiKey old = require_key(fcinfo, caller);
  const core::Micros now = clock_micros();
  if (old.key.is_revoked || (old.key.expires_at && *old.key.expires_at <= now)) {
    core::Refusal why;
    why.begin(core::Condition::kInvalidParameter)
        .message({"API key \"", old.key.id, "\" has ended"})
        .hint({"Create a new key instead."})
        .with("parameter", "key_id")
        .with("id", old.key.id);
    raise(why);
  }
  const store::Origin origin = store::origin_of(caller, "escrow_rotate_api_key");
  if (overlap == 0) {
    store::revoke_key(old.key.id, now);
  } else {
    store::expire_key(old.key.id, now + overlap);
  }
  const Datum row = make_key(fcinfo, origin,
                             {.institution_id = old.key.institution_id,
                              .label = old.label,
                              .role = old.role,
                              .expires_at = old.key.expires_at,
                              .allowed_cidrs = old.allowed_cidrs,
                              .key_hash = {},
                              .token_hint = {}});
  JsonObject payload;
  payload.integer("overlapSeconds", overlap / USECS_PER_SEC);
  store::audit_key(origin, old.key, "API_KEY_ROTATED", payload.datum());
  close_session(session);
  return row;
}

Datum revoke_api_key(FunctionCallInfo fcinfo) {
  const Session session = open_session();
  const Caller caller = require_caller(session.owner, core::Right::kWrite, "escrow_revoke_api_key");
  const store::LockedApiKey locked = require_key(fcinfo, caller);
  if (!locked.key.is_revoked) {  // a key that is revoked already leaves no second record
    store::revoke_key(locked.key.id, clock_micros());
    JsonObject payload;
    store::audit_key(store::origin_of(caller, "escrow_revoke_api_key"), locked.key, "API_KEY_REVOKED",
                     payload.text("label", locked.label).datum());
  }
  const Datum row = store::read_key(locked.key.id, require_row_type(fcinfo));
  close_session(session);
  return row;
}

Datum list_api_keys(FunctionCallInfo fcinfo) {
  InitMaterializedSRF(fcinfo, 0);
  const Session session = open_session();
  const Caller caller = require_caller(session.owner, core::Right::kWrite, "escrow_list_api_keys");
  const TextView named = text_argument(fcinfo, 0);
  if (!named || may_see(caller, named)) {  // otherwise the list is empty, as for an institution that does not exist
    store::list_keys(fcinfo, named ? named : caller.institution_id);
  }
  close_session(session);
  return 0;
}

}  // namespace

ESCROWGRID_FUNCTION(escrow_create_api_key, create_api_key);
ESCROWGRID_FUNCTION(escrow_rotate_api_key, rotate_api_key);
ESCROWGRID_FUNCTION(escrow_revoke_api_key, revoke_api_key);
ESCROWGRID_FUNCTION(escrow_list_api_keys, list_api_keys);

}  // namespace escrowgrid::pg
