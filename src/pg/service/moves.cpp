#include "pg/service/moves.hpp"

#include "core/parameters.hpp"
#include "pg/service/rules.hpp"
#include "pg/store/assets.hpp"
#include "pg/store/currencies.hpp"
#include "pg/store/move_records.hpp"
#include "pg/store/positions.hpp"
#include "pg/table/writes.hpp"
#include "pg/values/random.hpp"

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

core::PositionTerms terms_of(const core::CreationInput& input, const TermsOrigin& from) {
  return {.id = from.id,
          .institution_id = from.institution_id,
          .asset_id = input.asset_id.value_or(""),
          .holder_reference = input.holder_reference.value_or(""),
          .currency = {.code = input.currency.value_or(""), .exponent = from.exponent},
          .amount = from.amount,
          .external_reference = input.external_reference,
          .expires_at = input.expires_at};
}

std::optional<Move> create(const store::Origin& origin, const core::CreationInput& input, core::Refusal& why) {
  const std::optional<core::Amount> amount = core::read_creation(input, why);
  if (!amount) {
    return std::nullopt;
  }
  const TextView institution_id =
      store::lock_asset_institution(*origin.writes, *input.asset_id, origin.caller.institution_id);
  if (!institution_id) {
    core::refuse_not_found("asset", *input.asset_id, why);
    return std::nullopt;
  }
  const std::optional<int> exponent = store::lock_exponent(*input.currency);
  if (!exponent) {
    core::refuse_unknown_currency("currency", *input.currency, why);
    return std::nullopt;
  }
  const core::Micros now = clock_micros();
  const core::TypeIdText id = make_id("pos", now);
  const core::PositionTerms terms =
      terms_of(input, {.id = id.view(), .institution_id = *institution_id, .amount = *amount, .exponent = *exponent});
  const core::EventContent content = event_content(origin.caller, std::nullopt, input.metadata);
  const std::optional<core::Decision> decision = core::decide_creation(terms, content, now, why);
  if (!decision || !check_rules({.terms = terms, .metadata = input.metadata, .now = now}, why)) {
    return std::nullopt;
  }
  const Datum row = store::insert_position(origin, terms, *decision);
  const Move made = {.row = row, .event_id = store::record_move(origin, terms, *decision, content)};
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

// Decides on the locked row and writes it. A refusal has to describe the locked row.
std::optional<Written> update_locked(store::PositionToMove& position, const core::TransitionRequest& request,
                                     core::Refusal& why) {
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

// Judges a decision again after its write may have waited for a lock. Meanwhile the position may have expired, or its
// policy may have been tightened. The row itself cannot have changed, because then nothing would have been written.
bool still_holds(const store::Origin& origin, const core::PositionSnapshot& position,
                 const core::TransitionRequest& request, core::Refusal& why) {
  if (decide(position, request, CallNumber{0}, why)) {
    return true;
  }
  if (origin.tells_refusals) {
    // The refusal would be returned as a row, and the position that has been written already would stay.
    ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
                    errmsg("could not serialize access due to a lock on the position"),
                    errdetail("While this transaction waited for the lock, the transition became invalid."),
                    errhint("Retry the transaction.")));
  }
  return false;
}

// Decides on the row as it was read, without locking it, and writes it if nobody else has changed or locked it since.
// Nothing is written otherwise, nor when the decision is a refusal.
std::optional<Written> update_unlocked(const store::Origin& origin, store::PositionToMove& position,
                                       const core::TransitionRequest& request, core::Refusal& why) {
  const std::optional<core::Decision> decision = decide(position.snapshot(), request, call_number(*origin.writes), why);
  const std::optional<Datum> row = decision ? position.update(*decision) : std::nullopt;
  return row ? std::optional(Written{.decision = *decision, .row = *row}) : std::nullopt;
}

// Tries without the lock first, which saves an uncontended transition a tuple lock. If that does not write, it locks
// the row and decides anew.
std::optional<Written> decide_and_update(const store::Origin& origin, store::PositionToMove& position,
                                         std::string_view position_id, const core::TransitionRequest& request,
                                         core::Refusal& why) {
  if (!position.is_locked()) {
    instr_time started;
    INSTR_TIME_SET_CURRENT(started);  // a monotonic clock, which is never set back
    const std::optional<Written> written = update_unlocked(origin, position, request, why);
    if (written) {
      instr_time taken;
      INSTR_TIME_SET_CURRENT(taken);
      INSTR_TIME_SUBTRACT(taken, started);
      const bool may_have_waited = INSTR_TIME_GET_MICROSEC(taken) > kLongWriteMicros;
      // A refusal here is raised by the caller, which undoes the write.
      return !may_have_waited || still_holds(origin, position.snapshot(), request, why) ? written : std::nullopt;
    }
    if (!position.lock()) {
      core::refuse_not_found("position", position_id, why);
      return std::nullopt;
    }
  }
  return update_locked(position, request, why);
}

}  // namespace

std::optional<Move> move(const store::Origin& origin, std::string_view position_id,
                         const core::TransitionRequest& request, core::Refusal& why) {
  CHECK_FOR_INTERRUPTS();  // a batch calls this for each position
  store::PositionToMove position(*origin.writes);
  std::optional<Move> made;
  if (!position.find(position_id, origin.caller.institution_id)) {
    core::refuse_not_found("position", position_id, why);
  } else if (const std::optional<Written> written = decide_and_update(origin, position, position_id, request, why)) {
    made = Move{.row = written->row,
                .event_id = store::record_move(origin, position.snapshot().terms, written->decision, request.content)};
  }
  position.close();
  CommandCounterIncrement();
  return made;
}

}  // namespace escrowgrid::pg
