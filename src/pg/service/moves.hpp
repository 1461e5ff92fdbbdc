// Creates and moves positions, from the look-up to the records, for every function that does so. Runs inside an open
// session and after begin_writes(). A refusal is returned as a value. The caller then raises it. Only where
// Origin::tells_refusals is set may it go on; nothing but the claim of an idempotency key has been written then.
#pragma once

#include "core/decide.hpp"
#include "pg/store/origin.hpp"

namespace escrowgrid::pg {

struct Move {
  Datum row = 0;  // of positions, as stored
  std::string_view event_id;
};

[[nodiscard]] std::optional<Move> create(const store::Origin& origin, const core::CreationInput& input,
                                         core::Refusal& why);

[[nodiscard]] std::optional<Move> move(const store::Origin& origin, std::string_view position_id,
                                       const core::TransitionRequest& request, core::Refusal& why);

// The terms of a position that is to be created; the input has passed core::read_creation().
struct TermsOrigin {
  std::string_view id;
  std::string_view institution_id;
  core::Amount amount;
  int exponent = 0;
};
[[nodiscard]] core::PositionTerms terms_of(const core::CreationInput& input, const TermsOrigin& from);

// Content for an event of this caller, freshly salted.
[[nodiscard]] core::EventContent event_content(const Caller& caller, const TextView& reason, const TextView& metadata);

}  // namespace escrowgrid::pg
