// Policy and template rules against a creation or a transition.
#pragma once

#include "core/rules.hpp"
#include "pg/table/writes.hpp"

namespace escrowgrid::pg {

// Whether an exposure limit is held under lock, as a creation needs it, or only looked at, as a preview does.
enum class Exposure : std::uint8_t { kLocked, kLooked };

struct CreationCase {
  core::PositionTerms terms;
  TextView metadata;
  core::Micros now = 0;
};
void judge(const CreationCase& creation, Exposure exposure, core::RuleReport& report);

// Within one call (see call_number()) the rules of an asset are looked up once; 0 looks them up anew.
void judge(const core::PositionSnapshot& position, const core::TransitionRequest& request, CallNumber call,
           core::RuleReport& report);

// The same as a verdict: false, with ZE201, when a rule forbids it. Exposure limits are held under lock.
[[nodiscard]] bool check_rules(const CreationCase& creation, core::Refusal& why);
[[nodiscard]] bool check_rules(const core::PositionSnapshot& position, const core::TransitionRequest& request,
                               CallNumber call, core::Refusal& why);

}  // namespace escrowgrid::pg
