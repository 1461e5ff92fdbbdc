#include "pg/api/move_arguments.hpp"

#include "pg/values/argument.hpp"

namespace escrowgrid::pg {

bool read_input(FunctionCallInfo fcinfo, core::CreationInput& input, core::Refusal& why) {
  enum { kAssetId, kHolder, kCurrency, kAmount, kExternal, kExpiresAt, kMetadata };
  input.asset_id = text_argument(fcinfo, kAssetId);
  input.holder_reference = text_argument(fcinfo, kHolder);
  input.currency = text_argument(fcinfo, kCurrency);
  input.amount = numeric_argument(fcinfo, kAmount);
  input.external_reference = text_argument(fcinfo, kExternal);
  input.expires_at = time_argument(fcinfo, kExpiresAt);
  return read_jsonb_argument(fcinfo, kMetadata, "metadata", input.metadata, why);
}

bool read_input(FunctionCallInfo fcinfo, core::TransitionInput& input, core::Refusal& why) {
  enum { kPositionId, kToState, kReason, kMetadata, kAmount, kExpectedState, kExpectedVersion };
  input.position_id = text_argument(fcinfo, kPositionId);
  input.to_state = text_argument(fcinfo, kToState);
  input.content.reason = text_argument(fcinfo, kReason);
  input.amount = numeric_argument(fcinfo, kAmount);
  input.expected_state = text_argument(fcinfo, kExpectedState);
  input.expected_version = int_argument(fcinfo, kExpectedVersion);
  return read_jsonb_argument(fcinfo, kMetadata, "metadata", input.content.metadata, why);
}

}  // namespace escrowgrid::pg
