// Signing in, signing out, and who is signed in.
#include "pg/identity/sign_in.hpp"

#include "core/token.hpp"
#include "pg/border/boundary.hpp"
#include "pg/border/report.hpp"
#include "pg/service/authentication.hpp"
#include "pg/table/session.hpp"
#include "pg/values/argument.hpp"
#include "pg/values/result.hpp"

namespace escrowgrid::pg {

namespace {

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
      .hint({"Choose one of the two. Behind a pooler in transaction mode, only transaction is safe."})
      .with("parameter", "scope");
  raise_privately(why);
}

[[noreturn]] void raise_sign_in_failed(core::KeyStatus status, const char* db_role) {
  core::Refusal why;
  why.begin(core::Condition::kNotAuthenticated)
      .message({"the API key is not accepted"})
      .hint({"Check the key. escrow_verify_api_key() says whether it has been revoked or has expired."})
      .with("reason", core::key_status_name(status))
      .with("db_role", db_role);
  raise_privately(why);
}

Datum authenticate(FunctionCallInfo fcinfo) {
  const TextView token = require_token(fcinfo);
  const SignInScope scope = require_scope(fcinfo);
  const Session session = open_session();
  const TokenVerdict verdict = judge_token(*token);
  if (verdict.status != core::KeyStatus::kValid) {
    raise_sign_in_failed(verdict.status, GetUserNameFromId(session.owner.saved_role, false));
  }
  if (has_open_cursor()) {
    core::Refusal why;
    why.begin(core::Condition::kForbidden)
        .message({"cannot sign in while a cursor is open"})
        .hint({"Close the cursors of this session first. They would keep the identity that opened them."})
        .with("action", "escrow_authenticate");
    raise_privately(why);
  }
  close_session(session);
  sign_in(verdict.id.view(), scope);
  if (scope == SignInScope::kTransaction && !IsTransactionBlock()) {
    ereport(WARNING, (errcode(ERRCODE_NO_ACTIVE_SQL_TRANSACTION),
                      errmsg("the sign-in with scope transaction ends with this statement"),
                      errhint("Call it in a transaction block, or with scope session.")));
  }
  return text_datum(verdict.id.view());
}

Datum verify_api_key(FunctionCallInfo fcinfo) {
  const TextView token = require_token(fcinfo);
  const Session session = open_session();
  const TokenVerdict verdict = judge_token(*token);
  close_session(session);
  return text_datum(core::key_status_name(verdict.status));
}

Datum end_sign_in(FunctionCallInfo /*fcinfo*/) {
  sign_out();
  return 0;
}

Datum whoami(FunctionCallInfo fcinfo) {
  TupleDesc desc = require_row_type(fcinfo);
  const Session session = open_session();
  const std::optional<Caller> caller = find_caller(session.owner);
  const auto text = [](const TextView& value) { return value ? std::optional(text_datum(*value)) : std::nullopt; };
  std::array<std::optional<Datum>, 4> columns;
  if (caller) {
    columns[0] = text_datum(core::role_name(caller->role));
    columns[1] = text(caller->institution_id);
    columns[2] = text(caller->api_key_id);
  }
  columns[3] = text_datum(GetUserNameFromId(session.owner.saved_role, false));
  const Datum row = keep_for_caller(form_row(desc, columns));
  close_session(session);
  return row;
}

// For row-level security: NULL, which equals no row's institution, where the caller has none.
Datum current_institution_id(FunctionCallInfo fcinfo) {
  if (!signed_in_id()) {
    PG_RETURN_NULL();
  }
  const Session session = open_session();
  const TextView institution_id = find_visible_institution();
  const std::optional<Datum> result =
      institution_id ? std::optional(keep_for_caller(text_datum(*institution_id))) : std::nullopt;
  close_session(session);
  if (!result) {
    PG_RETURN_NULL();
  }
  return *result;
}

}  // namespace

ESCROWGRID_FUNCTION(escrow_authenticate, authenticate);
ESCROWGRID_FUNCTION(escrow_verify_api_key, verify_api_key);
ESCROWGRID_FUNCTION(escrow_sign_out, end_sign_in);
ESCROWGRID_FUNCTION(escrow_whoami, whoami);
ESCROWGRID_FUNCTION(escrow_current_institution_id, current_institution_id);

}  // namespace escrowgrid::pg
