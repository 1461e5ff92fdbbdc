// Many positions in one call, positions that are due, and what a position was.
#include "core/fingerprint.hpp"
#include "core/parameters.hpp"
#include "pg/border/boundary.hpp"
#include "pg/border/report.hpp"
#include "pg/service/moves.hpp"
#include "pg/store/idempotency_keys.hpp"

namespace escrowgrid::pg {

namespace {

void put_rows(FunctionCallInfo fcinfo, std::span<const Datum> rows) {
  for (const Datum row : rows) {
    put_composite(fcinfo, row);
  }
}

// The order in which rows are locked: by id, bytewise, in every batch, so that two never deadlock.
std::span<const std::size_t> in_lock_order(std::span<const TextView> ids) {
  auto* order = static_cast<std::size_t*>(palloc(sizeof(std::size_t) * ids.size()));
  for (std::size_t i = 0; i < ids.size(); ++i) {
    order[i] = i;
  }
  std::sort(order, order + ids.size(), [&](std::size_t a, std::size_t b) { return *ids[a] < *ids[b]; });
  return {order, ids.size()};
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

// Root's batch is bound to the institution of its first position; another one's was found missing then.
void require_one_institution(std::string_view id) {
  if (!store::find_position_institution(id, std::nullopt)) {
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

// In portions, so that the memory of a call does not grow with the size of the batch; what comes back is kept.
BatchResult perform_batch(store::Origin& origin, const core::BatchInput& batch, bool is_root) {
  constexpr std::size_t kPortion = 100;
  const std::size_t count = batch.position_ids.size();
  const BatchResult result = {
      .rows = {static_cast<Datum*>(palloc(sizeof(Datum) * count)), count},
      .event_ids = {static_cast<TextView*>(palloc0(sizeof(TextView) * count)), count},
  };
  const std::span<const std::size_t> order = in_lock_order(batch.position_ids);
  store::begin_records(origin, kPortion);
  MemoryContext outer = CurrentMemoryContext;
  MemoryContext portion = AllocSetContextCreate(outer, "escrowgrid batch", ALLOCSET_DEFAULT_SIZES);
  for (std::size_t begin = 0; begin < count; begin += kPortion) {
    MemoryContextSwitchTo(portion);
    for (const std::size_t at : order.subspan(begin, std::min(kPortion, count - begin))) {
      const Move made = require_move(origin, batch, at, is_root);
      MemoryContextSwitchTo(outer);
      result.rows[at] = datumCopy(made.row, false, -1);
      result.event_ids[at] =
          std::string_view(pnstrdup(made.event_id.data(), made.event_id.size()), made.event_id.size());
      MemoryContextSwitchTo(portion);
    }
    store::write_records(origin);
    MemoryContextReset(portion);
  }
  MemoryContextSwitchTo(outer);
  MemoryContextDelete(portion);
  return result;
}

// The institution whose positions these are: the caller's, or for root that of the first.
std::string_view require_institution_of(const Caller& caller, std::string_view first_id) {
  const TextView institution_id =
      caller.institution_id ? caller.institution_id : store::find_position_institution(first_id, std::nullopt);
  if (!institution_id) {
    raise_not_found("position", first_id);
  }
  return *institution_id;
}

Datum transition_batch(FunctionCallInfo fcinfo) {
  enum { kPositionIds, kToState, kReason, kMetadata, kAmounts, kExpectedState, kIdempotencyKey };
  InitMaterializedSRF(fcinfo, 0);
  const store::Session session = store::open();
  const Caller caller = require_caller(session.owner, core::Right::kWrite, "escrow_transition_batch");
  store::Origin origin = store::origin_of(caller, "escrow_transition_batch");
  store::begin_writes(origin);
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
  static_cast<void>(require_request(origin, batch, 0));  // what all share is judged before anything is looked up
  const bool is_root = !caller.institution_id;
  origin.caller.institution_id = require_institution_of(caller, *batch.position_ids[0]);
  const TextView key = text_argument(fcinfo, kIdempotencyKey);
  if (!key) {
    put_rows(fcinfo, perform_batch(origin, batch, is_root).rows);
    store::finish_writes(origin);
    store::close(session);
    return 0;
  }
  const IdempotencyKey claimed = {.institution_id = *origin.caller.institution_id, .key = *key};
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
  store::finish_writes(origin);
  store::close(session);
  return 0;
}

Datum expire_due(FunctionCallInfo fcinfo) {
  constexpr std::int32_t kMostAtOnce = 100'000;
  const store::Session session = store::open();
  const Caller caller = require_caller(session.owner, core::Right::kWrite, "escrow_expire_due");
  store::Origin origin = store::origin_of(caller, "escrow_expire_due");
  origin.tells_refusals = true;
  const std::optional<std::int32_t> max_count = int_argument(fcinfo, 0);
  if (!max_count || *max_count < 1 || *max_count > kMostAtOnce) {
    core::Refusal why;
    why.begin(core::Condition::kInvalidParameter)
        .message({"max_count must be from 1 to 100000"})
        .hint({"Call again until 0 comes back."})
        .with("parameter", "max_count");
    raise(why);
  }
  core::TransitionRequest request;
  request.to = core::State::kExpired;
  std::int32_t expired = 0;
  const std::span<const std::string_view> due =
      store::lock_due_positions(clock_micros(), caller.institution_id, *max_count);
  constexpr std::int32_t kPortion = 100;
  store::begin_writes(origin);
  store::begin_records(origin, kPortion);
  for (const std::string_view id : due) {
    request.content = event_content(caller, "expires_at has passed", std::nullopt);
    core::Refusal why;
    if (move(origin, id, request, why)) {
      ++expired;
      if (expired % kPortion == 0) {
        store::write_records(origin);
      }
    } else {
      // One position whose records contradict each other must not keep all others from expiring.
      ereport(WARNING, (errmsg("position \"%s\" was not expired", pnstrdup(id.data(), id.size())),
                        errdetail_internal("%s", why.detail()), errhint("%s", why.hint())));
    }
  }
  store::write_records(origin);
  store::finish_writes(origin);
  store::close(session);
  return Int32GetDatum(expired);
}

Datum position_at(FunctionCallInfo fcinfo) {
  TupleDesc desc = nullptr;
  if (get_call_result_type(fcinfo, nullptr, &desc) != TYPEFUNC_COMPOSITE) {
    elog(ERROR, "escrowgrid: escrow_position_at must return a row");
  }
  const store::Session session = store::open();
  const Caller caller = require_caller(session.owner, core::Right::kRead, "escrow_position_at");
  core::Refusal why;
  const TextView id = text_argument(fcinfo, 0);
  const std::optional<core::Micros> at = time_argument(fcinfo, 1);
  if (!core::require_text({.parameter = "position_id", .max_bytes = core::kMaxIdBytes}, id, why)) {
    raise(why);
  }
  if (!at) {
    why.begin(core::Condition::kInvalidParameter)
        .message({"at must not be null"})
        .hint({"Pass the time of interest."})
        .with("parameter", "at");
    raise(why);
  }
  if (!store::find_position_institution(*id, caller.institution_id)) {
    raise_not_found("position", *id);
  }
  const core::Micros bounded = std::clamp<core::Micros>(*at, 0, core::kMaxTime);
  const std::optional<Datum> row = store::read_position_at(*id, bounded, BlessTupleDesc(desc));
  store::close(session);
  if (!row) {
    PG_RETURN_NULL();  // it did not exist yet
  }
  return *row;
}

Datum purge_idempotency_keys(FunctionCallInfo fcinfo) {
  const store::Session session = store::open();
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
  store::close(session);
  return Int64GetDatum(purged);
}

}  // namespace

ESCROWGRID_FUNCTION(escrow_transition_batch, transition_batch);
ESCROWGRID_FUNCTION(escrow_expire_due, expire_due);
ESCROWGRID_FUNCTION(escrow_position_at, position_at);
ESCROWGRID_FUNCTION(escrow_purge_idempotency_keys, purge_idempotency_keys);

}  // namespace escrowgrid::pg
