// Policy and template rules against a creation or a transition.
#pragma once

#include "core/rules.hpp"
#include "pg/table/writes.hpp"

namespace escrowgrid::pg {

// Whether the policy is locked while an exposure limit is judged, as a creation needs it, or only read, as a preview
// does.
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

// The same as a verdict: false, with the refusal ZE201, if a rule forbids it. The policy of an exposure limit is
// locked.
[[nodiscard]] bool check_rules(const CreationCase& creation, core::Refusal& why);
[[nodiscard]] bool check_rules(const core::PositionSnapshot& position, const core::TransitionRequest& request,
                               CallNumber call, core::Refusal& why);

}  // namespace escrowgrid::pg
