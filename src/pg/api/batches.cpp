// Many positions moved in one call.
#include "core/fingerprint.hpp"
#include "core/parameters.hpp"
#include "pg/border/boundary.hpp"
#include "pg/border/report.hpp"
#include "pg/service/authentication.hpp"
#include "pg/service/idempotency.hpp"
#include "pg/service/moves.hpp"
#include "pg/store/positions.hpp"
#include "pg/table/session.hpp"
#include "pg/table/writes.hpp"
#include "pg/values/argument.hpp"
#include "pg/values/memory.hpp"
#include "pg/values/result.hpp"

namespace escrowgrid::pg {

namespace {

void put_rows(FunctionCallInfo fcinfo, std::span<const Datum> rows) {
  for (const Datum row : rows) {
    put_composite(fcinfo, row);
  }
}

// The order in which rows are locked. All batches lock in the order of ids, bytewise, so that two batches cannot
// deadlock.
std::span<const std::size_t> in_lock_order(std::span<const TextView> ids) {
  const std::span<std::size_t> order = make_array<std::size_t>(ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    order[i] = i;
  }
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return *ids[a] < *ids[b]; });
  return order;
}

core::TransitionRequest require_request(const store::Origin& origin, const core::BatchInput& batch, std::size_t at) {
  core::TransitionInput input = batch.each;
  input.position_id = batch.position_ids[at];
  input.amount = batch.amounts.empty() ? std::nullopt : batch.amounts[at];
  input.content = event_content(origin.caller, input.content.reason, input.content.metadata);
  core::Refusal why;
  const std::optional<core::TransitionRequest> request = core::read_transition(input, why);
  if (!request) {
    why.with_number("element", static_cast<std::int64_t>(at) + 1);
    raise(why);
  }
  return *request;
}

struct BatchResult {
  std::span<Datum> rows;
  std::span<TextView> event_ids;
};

// Root's batch takes the institution of its first position, so a position of another institution is reported as not
// found. If it exists, this says why.
void require_one_institution(std::string_view id) {
  if (!store::find_position_institution(id, std::nullopt, Sight::kFresh)) {
    return;
  }
  core::Refusal why;
  why.begin(core::Condition::kInvalidParameter)
      .message({"the positions of a batch must belong to one institution"})
      .hint({"Make a call for each institution."})
      .with("parameter", "position_ids")
      .with("value", id);
  raise(why);
}

Move require_move(store::Origin& origin, const core::BatchInput& batch, std::size_t at, bool is_root) {
  core::Refusal why;
  const std::string_view id = *batch.position_ids[at];
  const std::optional<Move> made = move(origin, id, require_request(origin, batch, at), why);
  if (!made) {
    if (is_root && why.condition() == core::Condition::kNotFound) {
      require_one_institution(id);
    }
    why.with_number("element", static_cast<std::int64_t>(at) + 1);
    raise(why);
  }
  return *made;
}

// Works in portions, so that only the memory for the results grows with the size of the batch.
BatchResult perform_batch(store::Origin& origin, const core::BatchInput& batch, bool is_root) {
  constexpr std::size_t kPortion = 100;
  const std::size_t count = batch.position_ids.size();
  const BatchResult result = {
      .rows = make_array<Datum>(count),
      .event_ids = make_array<TextView>(count),
  };
  const std::span<const std::size_t> order = in_lock_order(batch.position_ids);
  collect_records(*origin.writes, kPortion);
  MemoryContext outer = CurrentMemoryContext;
  for (std::size_t begin = 0; begin < count; begin += kPortion) {
    open_inner_session();
    for (const std::size_t at : order.subspan(begin, std::min(kPortion, count - begin))) {
      const Move made = require_move(origin, batch, at, is_root);
      MemoryContext inner = MemoryContextSwitchTo(outer);
      result.rows[at] = datumCopy(made.row, false, -1);
      result.event_ids[at] = copied(made.event_id);
      MemoryContextSwitchTo(inner);
    }
    write_records(*origin.writes);
    close_inner_session();
  }
  return result;
}

// The institution of the batch: the caller's, or for root that of the first position.
std::string_view require_institution_of(const Caller& caller, std::string_view first_id) {
  const TextView institution_id = caller.institution_id
                                      ? caller.institution_id
                                      : store::find_position_institution(first_id, std::nullopt, Sight::kFresh);
  if (!institution_id) {
    raise_not_found("position", first_id);
  }
  return *institution_id;
}

Datum transition_batch(FunctionCallInfo fcinfo) {
  enum { kPositionIds, kToState, kReason, kMetadata, kAmounts, kExpectedState, kIdempotencyKey };
  InitMaterializedSRF(fcinfo, 0);
  const Session session = open_session();
  const Caller caller = require_caller(session.owner, core::Right::kWrite, "escrow_transition_batch");
  store::Origin origin = store::origin_of(caller, "escrow_transition_batch");
  origin.writes = begin_writes(origin.path);
  core::BatchInput batch;
  batch.position_ids = array_argument(fcinfo, kPositionIds, TEXTOID);
  batch.amounts = array_argument(fcinfo, kAmounts, NUMERICOID);
  batch.each.to_state = text_argument(fcinfo, kToState);
  batch.each.content.reason = text_argument(fcinfo, kReason);
  batch.each.content.metadata = jsonb_argument(fcinfo, kMetadata, "metadata");
  batch.each.expected_state = text_argument(fcinfo, kExpectedState);
  core::Refusal why;
  if (!core::check_batch(batch, why)) {
    raise(why);
  }
  static_cast<void>(require_request(origin, batch, 0));  // judge what all elements share before anything is looked up
  const bool is_root = !caller.institution_id;
  origin.caller.institution_id = require_institution_of(caller, *batch.position_ids[0]);
  const TextView key = text_argument(fcinfo, kIdempotencyKey);
  if (!key) {
    put_rows(fcinfo, perform_batch(origin, batch, is_root).rows);
    finish_writes(origin.writes);
    close_session(session);
    return 0;
  }
  const store::IdempotencyKey claimed = {.institution_id = *origin.caller.institution_id, .key = *key};
  switch (claim(claimed, core::fingerprint(batch), why)) {
    case Claim::kRefused:
      raise(why);
    case Claim::kReplay:
      put_rows(fcinfo, store::replay_claim(claimed));
      break;
    case Claim::kMade: {
      const BatchResult result = perform_batch(origin, batch, is_root);
      store::complete_claim(claimed, result.event_ids);
      put_rows(fcinfo, result.rows);
      break;
    }
  }
  finish_writes(origin.writes);
  close_session(session);
  return 0;
}

}  // namespace

ESCROWGRID_FUNCTION(escrow_transition_batch, transition_batch);

}  // namespace escrowgrid::pg
