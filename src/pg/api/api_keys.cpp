// API keys and signing in.
#include "pg/store/api_keys.hpp"
#include "core/json_limits.hpp"
#include "core/parameters.hpp"
#include "core/token.hpp"
#include "pg/border/boundary.hpp"
#include "pg/border/report.hpp"
#include "pg/identity/sign_in.hpp"
#include "pg/service/institution_check.hpp"
#include "pg/values/json_object.hpp"

namespace escrowgrid::pg {

namespace {

[[noreturn]] void raise_parameter(std::string_view parameter, std::string_view message, std::string_view hint) {
  core::Refusal why;
  why.begin(core::Condition::kInvalidParameter).message({message}).hint({hint}).with("parameter", parameter);
  raise(why);
}

TupleDesc result_desc(FunctionCallInfo fcinfo) {
  TupleDesc desc = nullptr;
  if (get_call_result_type(fcinfo, nullptr, &desc) != TYPEFUNC_COMPOSITE) {
    elog(ERROR, "escrowgrid: the function must return a row");
  }
  return BlessTupleDesc(desc);
}

core::TokenText new_token() {
  while (true) {
    std::array<std::uint8_t, core::kTokenRandomBytes> random{};
    fill_random(random);
    if (const std::optional<core::TokenText> token = core::make_token(random)) {
      return *token;
    }
  }
}

Datum make_key(FunctionCallInfo fcinfo, const store::Origin& origin, store::NewKey key) {
  const core::TokenText token = new_token();
  const core::KeyHashText hash = core::hash_token(token.view());
  key.key_hash = hash.view();
  key.token_hint = token.view().substr(token.size() - core::kTokenHintBytes);
  return store::insert_key(origin, key, token.view(), result_desc(fcinfo));
}

void require_key_role(const TextView& role) {
  core::Refusal why;
  if (!core::require_text({.parameter = "role", .max_bytes = core::kMaxCodeBytes}, role, why)) {
    raise(why);
  }
  if (!core::parse_key_role(*role)) {
    why.begin(core::Condition::kInvalidParameter)
        .message({"unknown role \"", core::clip(*role), "\""})
        .hint({"A role is admin or read_only."})
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
  const store::Session session = store::open();
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
  store::close(session);
  return row;
}

store::LockedKey require_key(FunctionCallInfo fcinfo, const Caller& caller) {
  core::Refusal why;
  const TextView key_id = text_argument(fcinfo, 0);
  if (key_id && key_id->starts_with(core::kTokenPrefix)) {
    // Mistaken for the id, a token would end up in the message and the log.
    why.begin(core::Condition::kInvalidParameter)
        .message({"key_id must be a key's id, not its token"})
        .hint({"escrow_list_api_keys() lists the ids, with the end of each token in token_hint."})
        .with("parameter", "key_id");
    raise_privately(why);
  }
  if (!core::require_text({.parameter = "key_id", .max_bytes = core::kMaxIdBytes}, key_id, why)) {
    raise(why);
  }
  const std::optional<store::LockedKey> locked = store::lock_key(*key_id, caller.institution_id);
  if (!locked) {
    raise_not_found("API key", *key_id);
  }
  return *locked;
}

// How long the old token goes on, in microseconds. Months count 30 days and days 24 hours, as elsewhere in PostgreSQL.
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
  const store::Session session = store::open();
  const Caller caller = require_caller(session.owner, core::Right::kWrite, "escrow_rotate_api_key");
  const std::int64_t overlap = read_overlap(fcinfo);
  const store::LockedKey old = require_key(fcinfo, caller);
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
  store::close(session);
  return row;
}

Datum revoke_api_key(FunctionCallInfo fcinfo) {
  const store::Session session = store::open();
  const Caller caller = require_caller(session.owner, core::Right::kWrite, "escrow_revoke_api_key");
  const store::LockedKey locked = require_key(fcinfo, caller);
  if (!locked.key.is_revoked) {  // revoking twice is no second act
    store::revoke_key(locked.key.id, clock_micros());
    JsonObject payload;
    store::audit_key(store::origin_of(caller, "escrow_revoke_api_key"), locked.key, "API_KEY_REVOKED",
                     payload.text("label", locked.label).datum());
  }
  const Datum row = store::read_key(locked.key.id, result_desc(fcinfo));
  store::close(session);
  return row;
}

Datum list_api_keys(FunctionCallInfo fcinfo) {
  InitMaterializedSRF(fcinfo, 0);
  const store::Session session = store::open();
  const Caller caller = require_caller(session.owner, core::Right::kWrite, "escrow_list_api_keys");
  const TextView named = text_argument(fcinfo, 0);
  const bool is_foreign = caller.institution_id && named && named != caller.institution_id;
  if (!is_foreign) {  // another institution's keys are an empty list, as nobody's are
    store::list_keys(fcinfo, caller.institution_id ? caller.institution_id : named);
  }
  store::close(session);
  return 0;
}

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
  const store::Session session = store::open();
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
  store::close(session);
  return 0;
}

TextView require_token(FunctionCallInfo fcinfo) {
  core::Refusal why;
  const TextView token = text_argument(fcinfo, 0);
  if (!token) {
    why.begin(core::Condition::kInvalidParameter)
        .message({"api_key must not be null"})
        .hint({"Pass the token as a bind parameter."})
        .with("parameter", "api_key");
    raise_privately(why);
  }
  return token;
}

SignInScope require_scope(FunctionCallInfo fcinfo) {
  const TextView scope = text_argument(fcinfo, 1);
  if (scope == "transaction") {
    return SignInScope::kTransaction;
  }
  if (scope == "session") {
    return SignInScope::kSession;
  }
  core::Refusal why;
  why.begin(core::Condition::kInvalidParameter)
      .message({"scope must be transaction or session"})
      .hint({"Behind a pooler in transaction mode, only transaction is safe."})
      .with("parameter", "scope");
  raise_privately(why);
}

[[noreturn]] void raise_sign_in_failed(core::KeyStatus status, const char* db_role) {
  core::Refusal why;
  why.begin(core::Condition::kNotAuthenticated)
      .message({"the API key is not accepted"})
      .hint({"Check the key; escrow_verify_api_key() says whether it was revoked or has expired."})
      .with("reason", core::key_status_name(status))
      .with("db_role", db_role);
  raise_privately(why);
}

Datum authenticate(FunctionCallInfo fcinfo) {
  const TextView token = require_token(fcinfo);
  const SignInScope scope = require_scope(fcinfo);
  const store::Session session = store::open();
  const TokenVerdict verdict = judge_token(*token);
  if (verdict.status != core::KeyStatus::kValid) {
    raise_sign_in_failed(verdict.status, GetUserNameFromId(session.owner.saved_role, false));
  }
  if (store::has_open_cursor()) {
    core::Refusal why;
    why.begin(core::Condition::kForbidden)
        .message({"cannot sign in while a cursor is open"})
        .hint({"Close the cursors of this session first: they would go on as who opened them."})
        .with("action", "escrow_authenticate");
    raise_privately(why);
  }
  store::close(session);
  sign_in(verdict.id.view(), scope);
  if (scope == SignInScope::kTransaction && !IsTransactionBlock()) {
    ereport(WARNING, (errcode(ERRCODE_NO_ACTIVE_SQL_TRANSACTION),
                      errmsg("escrow_authenticate with scope transaction ends with this statement"),
                      errhint("Call it in a transaction block, or with scope session.")));
  }
  return text_datum(verdict.id.view());
}

Datum verify_api_key(FunctionCallInfo fcinfo) {
  const TextView token = require_token(fcinfo);
  const store::Session session = store::open();
  const TokenVerdict verdict = judge_token(*token);
  store::close(session);
  return text_datum(core::key_status_name(verdict.status));
}

Datum end_sign_in(FunctionCallInfo /*fcinfo*/) {
  sign_out();
  return 0;
}

Datum whoami(FunctionCallInfo fcinfo) {
  TupleDesc desc = result_desc(fcinfo);
  const store::Session session = store::open();
  const std::optional<Caller> caller = find_caller(session.owner);
  std::array<Datum, 4> columns{};
  std::array<bool, 4> nulls = {true, true, true, false};
  const auto put = [&](std::size_t index, const TextView& value) {
    columns[index] = value ? text_datum(*value) : 0;
    nulls[index] = !value.has_value();
  };
  if (caller) {
    put(0, core::role_name(caller->role));
    put(1, caller->institution_id);
    put(2, caller->api_key_id);
  }
  put(3, GetUserNameFromId(session.owner.saved_role, false));
  const Datum row =
      SPI_datumTransfer(HeapTupleGetDatum(heap_form_tuple(desc, columns.data(), nulls.data())), false, -1);
  store::close(session);
  return row;
}

// For row-level security: NULL for whoever has no institution, so that no row is seen.
Datum current_institution_id(FunctionCallInfo fcinfo) {
  if (!signed_in_id()) {
    PG_RETURN_NULL();
  }
  const store::Session session = store::open();
  const TextView institution_id = find_visible_institution();
  const Datum result = institution_id ? SPI_datumTransfer(text_datum(*institution_id), false, -1) : 0;
  store::close(session);
  if (!institution_id) {  // a view whose memory is gone, but still one that was there
    PG_RETURN_NULL();
  }
  return result;
}

}  // namespace

ESCROWGRID_FUNCTION(escrow_create_api_key, create_api_key);
ESCROWGRID_FUNCTION(escrow_rotate_api_key, rotate_api_key);
ESCROWGRID_FUNCTION(escrow_revoke_api_key, revoke_api_key);
ESCROWGRID_FUNCTION(escrow_list_api_keys, list_api_keys);
ESCROWGRID_FUNCTION(escrow_grant_access, grant_access);
ESCROWGRID_FUNCTION(escrow_authenticate, authenticate);
ESCROWGRID_FUNCTION(escrow_verify_api_key, verify_api_key);
ESCROWGRID_FUNCTION(escrow_sign_out, end_sign_in);
ESCROWGRID_FUNCTION(escrow_whoami, whoami);
ESCROWGRID_FUNCTION(escrow_current_institution_id, current_institution_id);

}  // namespace escrowgrid::pg
