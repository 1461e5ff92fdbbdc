// Creations and transitions from lock to records, for every function that makes them. They run inside an
// open session; a refusal comes back as a value, and then nothing was written but a claim that the caller's
// rollback takes away.
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
