// What the extension says of itself: its version and its lifecycle.
#include "core/lifecycle.hpp"
#include "core/parameters.hpp"
#include "pg/border/boundary.hpp"
#include "pg/border/report.hpp"
#include "pg/values/datum.hpp"

namespace escrowgrid::pg {

namespace {

core::State require_state_argument(FunctionCallInfo fcinfo, int index, std::string_view name) {
  core::Refusal why;
  const std::optional<core::State> state = core::require_state(name, text_argument(fcinfo, index), why);
  if (!state) {
    raise(why);
  }
  return *state;
}

Datum version(FunctionCallInfo /*fcinfo*/) {
  return text_datum(ESCROWGRID_VERSION);
}

Datum can_transition(FunctionCallInfo fcinfo) {
  enum { kFromState, kToState };
  const core::State to = require_state_argument(fcinfo, kToState, "to_state");
  const std::optional<core::State> from = has_argument(fcinfo, kFromState)
                                              ? std::optional(require_state_argument(fcinfo, kFromState, "from_state"))
                                              : std::nullopt;
  return BoolGetDatum(core::can_transition(from, to));
}

Datum lifecycle(FunctionCallInfo fcinfo) {
  InitMaterializedSRF(fcinfo, 0);
  auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  const auto put = [&](std::optional<core::State> from, core::State to) {
    std::array<Datum, 3> values = {from ? text_datum(core::state_name(*from)) : 0, text_datum(core::state_name(to)),
                                   BoolGetDatum(core::is_terminal(to))};
    std::array<bool, 3> nulls = {!from.has_value(), false, false};
    tuplestore_putvalues(result->setResult, result->setDesc, values.data(), nulls.data());
  };
  put(std::nullopt, core::State::kCreated);
  for (const core::State from : core::kAllStates) {
    for (const core::State to : core::kAllStates) {
      if (core::can_transition(from, to)) {
        put(from, to);
      }
    }
  }
  return 0;
}

}  // namespace

ESCROWGRID_FUNCTION(escrow_version, version);
ESCROWGRID_FUNCTION(escrow_can_transition, can_transition);
ESCROWGRID_FUNCTION(escrow_lifecycle, lifecycle);

}  // namespace escrowgrid::pg
