// Creates and moves positions, from the look-up to the records, for every function that does so. Runs inside an open
// session and after begin_writes(). A refusal is returned as a value. Then nothing may be kept: the caller raises the
// refusal, or has been told that nothing was written.
#pragma once

#include "core/decide.hpp"
#include "pg/store/origin.hpp"

namespace escrowgrid::pg {

struct Move {
  Datum row = 0;  // of positions, as stored
  std::string_view event_id;
};

[[nodiscard]] std::optional<Move> create(store::Origin& origin, const core::CreationInput& input, core::Refusal& why);

[[nodiscard]] std::optional<Move> move(const store::Origin& origin, std::string_view position_id,
                                       const core::TransitionRequest& request, core::Refusal& why);

// Content for an event of this caller, freshly salted.
[[nodiscard]] core::EventContent event_content(const Caller& caller, const TextView& reason, const TextView& metadata);

}  // namespace escrowgrid::pg
