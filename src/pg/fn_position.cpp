// The main job: positions are created and moved.
#include "core/decide.hpp"
#include "core/parameters.hpp"
#include "pg/boundary.hpp"
#include "pg/report.hpp"
#include "pg/store.hpp"

namespace escrowgrid::pg {

namespace {

void refuse_idempotency_key(FunctionCallInfo fcinfo, int index) {
  if (has_argument(fcinfo, index)) {
    raise_unsupported("idempotency_key is not supported by this version",
                      "Leave idempotency_key out; expected_version protects a repeated transition.");
  }
}

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

Datum create_position(FunctionCallInfo fcinfo) {
  enum { kAssetId, kHolder, kCurrency, kAmount, kExternal, kExpiresAt, kMetadata, kIdempotencyKey };
  const store::Session session = store::open();
  const Caller caller = require_caller(session.owner, core::Right::kWrite, "escrow_create_position");
  refuse_idempotency_key(fcinfo, kIdempotencyKey);
  core::Refusal why;
  core::CreationInput input;
  input.asset_id = text_argument(fcinfo, kAssetId);
  input.holder_reference = text_argument(fcinfo, kHolder);
  input.currency = text_argument(fcinfo, kCurrency);
  input.amount = numeric_argument(fcinfo, kAmount);
  input.external_reference = text_argument(fcinfo, kExternal);
  input.expires_at = time_argument(fcinfo, kExpiresAt);
  input.metadata = jsonb_argument(fcinfo, kMetadata, "metadata");
  const std::optional<core::Amount> amount = core::read_creation(input, why);
  if (!amount) {
    raise(why);
  }
  const TextView institution_id = store::find_asset_institution(*input.asset_id, caller.institution_id);
  if (!institution_id) {
    raise_not_found("asset", *input.asset_id);
  }
  const std::optional<int> exponent = store::find_currency(*input.currency);
  if (!exponent) {
    core::refuse_unknown_currency("currency", *input.currency, why);
    raise(why);
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
  const core::EventContent content = event_content(caller, std::nullopt, input.metadata);
  const std::optional<core::Decision> decision = core::decide_creation(terms, content, now, why);
  if (!decision) {
    raise(why);
  }
  const Datum row = store::insert_position(terms, *decision);
  store::record(store::origin_of(caller, "escrow_create_position"), terms, *decision, content);
  store::close(session);
  return row;
}

Datum transition(FunctionCallInfo fcinfo) {
  enum { kPositionId, kToState, kReason, kMetadata, kAmount, kExpectedState, kExpectedVersion, kIdempotencyKey };
  const store::Session session = store::open();
  const Caller caller = require_caller(session.owner, core::Right::kWrite, "escrow_transition");
  refuse_idempotency_key(fcinfo, kIdempotencyKey);
  core::Refusal why;
  core::TransitionInput input;
  input.position_id = text_argument(fcinfo, kPositionId);
  input.to_state = text_argument(fcinfo, kToState);
  input.amount = numeric_argument(fcinfo, kAmount);
  input.expected_state = text_argument(fcinfo, kExpectedState);
  input.expected_version = int_argument(fcinfo, kExpectedVersion);
  input.content = event_content(caller, text_argument(fcinfo, kReason), jsonb_argument(fcinfo, kMetadata, "metadata"));
  const std::optional<core::TransitionRequest> request = core::read_transition(input, why);
  if (!request) {
    raise(why);
  }
  core::PositionSnapshot position;
  if (!store::lock_position(*input.position_id, caller.institution_id, position)) {
    raise_not_found("position", *input.position_id);
  }
  const std::optional<core::Decision> decision = core::decide_transition(position, *request, clock_micros(), why);
  if (!decision) {
    raise(why);
  }
  // The records first: users' triggers on positions then find the event that explains the change.
  store::record(store::origin_of(caller, "escrow_transition"), position.terms, *decision, request->content);
  const Datum row = store::update_position(position.terms, *decision);
  store::close(session);
  return row;
}

}  // namespace

ESCROWGRID_FUNCTION(escrow_create_position, create_position);
ESCROWGRID_FUNCTION(escrow_transition, transition);

}  // namespace escrowgrid::pg
