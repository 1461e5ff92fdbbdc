// The main job: positions are created and moved, one at a time.
#include "core/parameters.hpp"
#include "pg/boundary.hpp"
#include "pg/moves.hpp"
#include "pg/report.hpp"
#include "pg/store_calls.hpp"

namespace escrowgrid::pg {

namespace {

// One claimed request: done now, or the result of when it was done first.
template <typename Perform>
Datum once(const IdempotencyKey& key, const core::Digest& fingerprint, Perform perform) {
  core::Refusal why;
  switch (claim(key, fingerprint, why)) {
    case Claim::kRefused:
      raise(why);
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
  const Move made = perform();
  const TextView event_id = made.event_id;
  store::complete_claim(key, {&event_id, 1});
  return made.row;
}

Datum create_position(FunctionCallInfo fcinfo) {
  enum { kAssetId, kHolder, kCurrency, kAmount, kExternal, kExpiresAt, kMetadata, kIdempotencyKey };
  const store::Session session = store::open();
  const Caller caller = require_caller(session.owner, core::Right::kWrite, "escrow_create_position");
  const store::Origin origin = store::origin_of(caller, "escrow_create_position");
  core::CreationInput input;
  input.asset_id = text_argument(fcinfo, kAssetId);
  input.holder_reference = text_argument(fcinfo, kHolder);
  input.currency = text_argument(fcinfo, kCurrency);
  input.amount = numeric_argument(fcinfo, kAmount);
  input.external_reference = text_argument(fcinfo, kExternal);
  input.expires_at = time_argument(fcinfo, kExpiresAt);
  input.metadata = jsonb_argument(fcinfo, kMetadata, "metadata");
  const TextView key = text_argument(fcinfo, kIdempotencyKey);
  const auto perform = [&] {
    core::Refusal why;
    const std::optional<Move> made = create(origin, input, why);
    if (!made) {
      raise(why);
    }
    return *made;
  };
  // An asset of nothing has no institution to claim a key in, and is refused as without one.
  const TextView institution_id =
      key && input.asset_id ? store::find_asset_institution(*input.asset_id, caller.institution_id) : std::nullopt;
  const Datum row = institution_id
                        ? once({.institution_id = *institution_id, .key = *key}, core::fingerprint(input), perform)
                        : perform().row;
  const Datum result = SPI_datumTransfer(row, false, -1);
  store::close(session);
  return result;
}

Datum transition(FunctionCallInfo fcinfo) {
  enum { kPositionId, kToState, kReason, kMetadata, kAmount, kExpectedState, kExpectedVersion, kIdempotencyKey };
  const store::Session session = store::open();
  const Caller caller = require_caller(session.owner, core::Right::kWrite, "escrow_transition");
  const store::Origin origin = store::origin_of(caller, "escrow_transition");
  core::Refusal why;
  core::TransitionInput input;
  input.position_id = text_argument(fcinfo, kPositionId);
  input.to_state = text_argument(fcinfo, kToState);
  input.amount = numeric_argument(fcinfo, kAmount);
  input.expected_state = text_argument(fcinfo, kExpectedState);
  input.expected_version = int_argument(fcinfo, kExpectedVersion);
  input.content = event_content(caller, text_argument(fcinfo, kReason), jsonb_argument(fcinfo, kMetadata, "metadata"));
  const TextView key = text_argument(fcinfo, kIdempotencyKey);
  const std::optional<core::TransitionRequest> request = core::read_transition(input, why);
  if (!request) {
    raise(why);
  }
  const auto perform = [&] {
    const std::optional<Move> made = move(origin, *input.position_id, *request, why);
    if (!made) {
      raise(why);
    }
    return *made;
  };
  const TextView institution_id =
      key ? store::find_position_institution(*input.position_id, caller.institution_id) : std::nullopt;
  const Datum row = institution_id
                        ? once({.institution_id = *institution_id, .key = *key}, core::fingerprint(input), perform)
                        : perform().row;
  const Datum result = SPI_datumTransfer(row, false, -1);
  store::close(session);
  return result;
}

}  // namespace

ESCROWGRID_FUNCTION(escrow_create_position, create_position);
ESCROWGRID_FUNCTION(escrow_transition, transition);

}  // namespace escrowgrid::pg
