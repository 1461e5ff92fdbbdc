// The extension's version, and the lifecycle of positions.
#include "core/lifecycle.hpp"
#include "core/parameters.hpp"
#include "pg/border/boundary.hpp"
#include "pg/border/report.hpp"
#include "pg/values/argument.hpp"
#include "pg/values/result.hpp"

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
  const auto put = [&](std::optional<core::State> from, core::State to) {
    put_row(fcinfo, std::array<std::optional<Datum>, 3>{
                        from ? std::optional(text_datum(core::state_name(*from))) : std::nullopt,
                        text_datum(core::state_name(to)), BoolGetDatum(core::is_terminal(to))});
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
