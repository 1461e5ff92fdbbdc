// Creating and moving one position. A refusal is raised as an error, or returned as a row by the functions named
// escrow_try_*.
#include "pg/store/positions.hpp"
#include "core/parameters.hpp"
#include "pg/api/move_arguments.hpp"
#include "pg/border/boundary.hpp"
#include "pg/border/report.hpp"
#include "pg/service/authentication.hpp"
#include "pg/service/idempotency.hpp"
#include "pg/service/moves.hpp"
#include "pg/store/assets.hpp"
#include "pg/store/audit_events.hpp"
#include "pg/table/session.hpp"
#include "pg/table/writes.hpp"
#include "pg/values/argument.hpp"
#include "pg/values/result.hpp"

namespace escrowgrid::pg {

namespace {

// Performs a request that has an idempotency key, or returns the result of the first time.
template <typename Perform>
std::optional<Datum> once(const store::IdempotencyKey& key, const core::Digest& fingerprint, core::Refusal& why,
                          Perform perform) {
  switch (claim(key, fingerprint, why)) {
    case Claim::kRefused:
      return std::nullopt;
    case Claim::kReplay: {
      const std::span<const Datum> rows = store::replay_claim(key);
      if (rows.size() != 1) {
        elog(ERROR, "escrowgrid: the event of an idempotency key is missing");
      }
      return rows[0];
    }
    case Claim::kMade:
      break;
  }
  const std::optional<Move> made = perform();
  if (!made) {
    store::release_claim(key);
    return std::nullopt;
  }
  const TextView event_id = made->event_id;
  store::complete_claim(key, {&event_id, 1});
  return made->row;
}

std::optional<Datum> row_of(const std::optional<Move>& made) {
  return made ? std::optional(made->row) : std::nullopt;
}

constexpr int kIdempotencyKey = 7;  // the last argument of all of them

std::optional<Datum> attempt_creation(FunctionCallInfo fcinfo, store::Origin& origin, core::Refusal& why) {
  core::CreationInput input;
  if (!read_input(fcinfo, input, why)) {
    return std::nullopt;
  }
  const auto perform = [&] { return create(origin, input, why); };
  const TextView key = text_argument(fcinfo, kIdempotencyKey);
  // If the asset does not exist, there is no institution to store the idempotency key under. The creation is then
  // refused as it is without a key.
  const TextView institution_id = key && input.asset_id
                                      ? store::find_asset_institution(*input.asset_id, origin.caller.institution_id)
                                      : std::nullopt;
  return institution_id ? once({.institution_id = *institution_id, .key = *key}, core::fingerprint(input), why, perform)
                        : row_of(perform());
}

std::optional<Datum> attempt_transition(FunctionCallInfo fcinfo, store::Origin& origin, core::Refusal& why) {
  core::TransitionInput input;
  if (!read_input(fcinfo, input, why)) {
    return std::nullopt;
  }
  input.content = event_content(origin.caller, input.content.reason, input.content.metadata);
  const std::optional<core::TransitionRequest> request = core::read_transition(input, why);
  if (!request) {
    return std::nullopt;
  }
  const auto perform = [&] { return move(origin, *input.position_id, *request, why); };
  const TextView key = text_argument(fcinfo, kIdempotencyKey);
  const TextView institution_id =
      key ? store::find_position_institution(*input.position_id, origin.caller.institution_id, Sight::kFresh)
          : std::nullopt;
  return institution_id ? once({.institution_id = *institution_id, .key = *key}, core::fingerprint(input), why, perform)
                        : row_of(perform());
}

using Attempt = std::optional<Datum> (*)(FunctionCallInfo, store::Origin&, core::Refusal&);

Datum perform_or_raise(FunctionCallInfo fcinfo, const char* action, Attempt attempt) {
  const Session session = open_session();
  const Caller caller = require_caller(session.owner, core::Right::kWrite, action);
  store::Origin origin = store::origin_of(caller, action);
  origin.writes = begin_writes(origin.path);
  core::Refusal why;
  const std::optional<Datum> row = attempt(fcinfo, origin, why);
  if (!row) {
    raise(why);
  }
  finish_writes(origin.writes);
  const Datum result = keep_for_caller(*row);
  close_session(session);
  return result;
}

// (ok, result, sqlstate, condition, message, detail, hint)
Datum form_outcome(FunctionCallInfo fcinfo, const std::optional<Datum>& row, const core::Refusal& why) {
  std::array<std::optional<Datum>, 7> columns;
  columns[0] = BoolGetDatum(row.has_value());
  if (row) {
    columns[1] = *row;
  } else {
    const core::ConditionInfo& info = core::describe(why.condition());
    columns[2] = text_datum(info.sqlstate);
    columns[3] = text_datum(info.name);
    columns[4] = text_datum(why.message());
    columns[5] = jsonb_datum(why.detail());
    columns[6] = text_datum(why.hint());
  }
  return keep_for_caller(form_row(require_row_type(fcinfo), columns));
}

// A refusal comes back as a row, and its audit row commits with the caller's transaction. A caller who is not signed in
// gets an error: otherwise anyone could fill the audit log.
Datum perform_or_tell(FunctionCallInfo fcinfo, const char* action, Attempt attempt) {
  const Session session = open_session();
  const Caller caller = require_caller(session.owner, core::Right::kRead, action);
  store::Origin origin = store::origin_of(caller, action);
  origin.tells_refusals = true;
  origin.writes = begin_writes(origin.path);
  core::Refusal why;
  std::optional<Datum> row;
  if (core::may(caller.role, core::Right::kWrite)) {
    row = attempt(fcinfo, origin, why);
  } else {
    core::refuse_forbidden(caller.role, action, why);
  }
  if (!row) {
    store::audit_refusal(origin, why, text_argument(fcinfo, 0));
  }
  finish_writes(origin.writes);
  const Datum outcome = form_outcome(fcinfo, row, why);
  close_session(session);
  return outcome;
}

Datum create_position(FunctionCallInfo fcinfo) {
  return perform_or_raise(fcinfo, "escrow_create_position", attempt_creation);
}

Datum transition(FunctionCallInfo fcinfo) {
  return perform_or_raise(fcinfo, "escrow_transition", attempt_transition);
}

Datum try_create_position(FunctionCallInfo fcinfo) {
  return perform_or_tell(fcinfo, "escrow_try_create_position", attempt_creation);
}

Datum try_transition(FunctionCallInfo fcinfo) {
  return perform_or_tell(fcinfo, "escrow_try_transition", attempt_transition);
}

}  // namespace

ESCROWGRID_FUNCTION(escrow_create_position, create_position);
ESCROWGRID_FUNCTION(escrow_transition, transition);
ESCROWGRID_FUNCTION(escrow_try_create_position, try_create_position);
ESCROWGRID_FUNCTION(escrow_try_transition, try_transition);

}  // namespace escrowgrid::pg
