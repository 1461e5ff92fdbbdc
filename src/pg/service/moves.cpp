#include "pg/service/moves.hpp"

#include "core/parameters.hpp"
#include "pg/service/rules.hpp"
#include "pg/store/idempotency_keys.hpp"
#include "pg/table/writes.hpp"

extern "C" {
#include "portability/instr_time.h"
}

namespace escrowgrid::pg {

core::EventContent event_content(const Caller& caller, const TextView& reason, const TextView& metadata) {
  core::EventContent content;
  content.reason = reason;
  content.metadata = metadata;
  content.api_key_id = caller.api_key_id;
  if (content.is_salted()) {
    fill_random(content.salt);
  }
  return content;
}

std::optional<Move> create(store::Origin& origin, const core::CreationInput& input, core::Refusal& why) {
  const std::optional<core::Amount> amount = core::read_creation(input, why);
  if (!amount) {
    return std::nullopt;
  }
  const TextView institution_id = store::share_asset(origin, *input.asset_id);
  if (!institution_id) {
    core::refuse_not_found("asset", *input.asset_id, why);
    return std::nullopt;
  }
  const std::optional<int> exponent = store::find_currency(*input.currency);
  if (!exponent) {
    core::refuse_unknown_currency("currency", *input.currency, why);
    return std::nullopt;
  }
  const core::Micros now = clock_micros();
  const core::TypeIdText id = make_id("pos", now);
  const core::PositionTerms terms = {.id = id.view(),
                                     .institution_id = *institution_id,
                                     .asset_id = *input.asset_id,
                                     .holder_reference = *input.holder_reference,
                                     .currency = {.code = *input.currency, .exponent = *exponent},
                                     .amount = *amount,
                                     .external_reference = input.external_reference,
                                     .expires_at = input.expires_at};
  const core::EventContent content = event_content(origin.caller, std::nullopt, input.metadata);
  const std::optional<core::Decision> decision = core::decide_creation(terms, content, now, why);
  if (!decision || !check_rules({.terms = terms, .metadata = input.metadata, .now = now}, why)) {
    return std::nullopt;
  }
  const Datum row = store::insert_position(origin, terms, *decision);
  const Move made = {.row = row, .event_id = store::record(origin, terms, *decision, content)};
  CommandCounterIncrement();
  return made;
}

namespace {

std::optional<core::Decision> decide(const core::PositionSnapshot& position, const core::TransitionRequest& request,
                                     CallNumber call, core::Refusal& why) {
  const std::optional<core::Decision> decision = core::decide_transition(position, request, clock_micros(), why);
  return decision && check_rules(position, request, call, why) ? decision : std::nullopt;
}

struct Written {
  core::Decision decision;
  Datum row = 0;
};

// Locks the row, then decides and writes. A refusal has to describe the locked row.
std::optional<Written> lock_and_update(store::FoundPosition& position, std::string_view position_id,
                                       const core::TransitionRequest& request, core::Refusal& why) {
  if (!position.lock()) {
    core::refuse_not_found("position", position_id, why);
    return std::nullopt;
  }
  const std::optional<core::Decision> decision = decide(position.snapshot(), request, CallNumber{0}, why);
  if (!decision) {
    return std::nullopt;
  }
  const std::optional<Datum> row = position.update(*decision);
  if (!row) {
    elog(ERROR, "escrowgrid: a locked position was changed by somebody else");
  }
  return Written{.decision = *decision, .row = *row};
}

// An optimistic write that took this long may have waited for another session's lock.
constexpr std::uint64_t kLongWriteMicros = 10'000;

// Judges again a decision whose write may have waited: the position's time may have run out meanwhile, or its policy
// may have been tightened. The row itself cannot have changed, because then nothing would have been written.
bool still_holds(const store::Origin& origin, const core::PositionSnapshot& position,
                 const core::TransitionRequest& request, core::Refusal& why) {
  if (decide(position, request, CallNumber{0}, why)) {
    return true;
  }
  if (origin.tells_refusals) {
    // The refusal would be told and the row that is written already would stay.
    ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
                    errmsg("could not serialize access due to a lock on the position"),
                    errdetail("While the lock was waited for, the transition became one that is refused."),
                    errhint("Retry the transaction.")));
  }
  return false;
}

// Optimistic: decide on the row as it was read, and write it if nobody else has changed or locked it. Otherwise lock
// the row and decide anew. A refusal, too, is only given on the row under its lock.
std::optional<Written> decide_and_update(const store::Origin& origin, store::FoundPosition& position,
                                         std::string_view position_id, const core::TransitionRequest& request,
                                         core::Refusal& why) {
  // Within a batch the rules of an asset are looked up once, unless users' code may change them meanwhile.
  const CallNumber number = origin.writes->call.runs_users_code ? CallNumber{0} : origin.writes->number;
  instr_time started;
  INSTR_TIME_SET_CURRENT(started);  // of a clock that nobody sets back
  const std::optional<core::Decision> decision = decide(position.snapshot(), request, number, why);
  const std::optional<Datum> row = decision ? position.update(*decision) : std::nullopt;
  if (!row) {
    return lock_and_update(position, position_id, request, why);
  }
  instr_time taken;
  INSTR_TIME_SET_CURRENT(taken);
  INSTR_TIME_SUBTRACT(taken, started);
  if (INSTR_TIME_GET_MICROSEC(taken) > kLongWriteMicros && !still_holds(origin, position.snapshot(), request, why)) {
    return std::nullopt;  // raised by the caller, which undoes the write
  }
  return Written{.decision = *decision, .row = *row};
}

std::optional<Move> move_directly(const store::Origin& origin, std::string_view position_id,
                                  const core::TransitionRequest& request, core::Refusal& why) {
  direct::refresh_target(origin.writes->call, origin.writes->positions);
  direct::push_snapshot();
  store::FoundPosition position(*origin.writes);
  std::optional<Move> made;
  if (!position.find(position_id, origin.caller.institution_id)) {
    core::refuse_not_found("position", position_id, why);
  } else if (const std::optional<Written> written = decide_and_update(origin, position, position_id, request, why)) {
    made = Move{.row = written->row,
                .event_id = store::record(origin, position.snapshot().terms, written->decision, request.content)};
  }
  position.clear();
  direct::pop_snapshot();
  CommandCounterIncrement();
  return made;
}

}  // namespace

std::optional<Move> move(const store::Origin& origin, std::string_view position_id,
                         const core::TransitionRequest& request, core::Refusal& why) {
  CHECK_FOR_INTERRUPTS();  // a batch has many of these
  if (store::writes_directly(origin)) {
    return move_directly(origin, position_id, request, why);
  }
  core::PositionSnapshot position;
  if (!store::lock_position(position_id, origin.caller.institution_id, position)) {
    core::refuse_not_found("position", position_id, why);
    return std::nullopt;
  }
  const std::optional<core::Decision> decision = decide(position, request, CallNumber{0}, why);
  if (!decision) {
    return std::nullopt;
  }
  const Datum row = store::update_position(origin, position.terms, *decision);
  return Move{.row = row, .event_id = store::record(origin, position.terms, *decision, request.content)};
}

Claim claim(const IdempotencyKey& key, const core::Digest& fingerprint, core::Refusal& why) {
  if (!core::require_text({.parameter = "idempotency_key", .max_bytes = core::kMaxReferenceBytes}, key.key, why)) {
    return Claim::kRefused;
  }
  if (store::insert_claim(key, fingerprint)) {
    return Claim::kMade;
  }
  if (store::read_claim(key) == fingerprint) {
    return Claim::kReplay;
  }
  why.begin(core::Condition::kIdempotencyMismatch)
      .message({"the idempotency key \"", core::clip(key.key), "\" belongs to another request"})
      .hint({"Use a new key for each request, and the same key only to repeat it unchanged."})
      .with("idempotency_key", key.key);
  return Claim::kRefused;
}

}  // namespace escrowgrid::pg
