// The institution that a caller names, and what it acts in.
#pragma once

#include "pg/store/session.hpp"

namespace escrowgrid::pg {

// The institution; for a key, its own. Another one is answered like none: ZE002.
[[nodiscard]] store::Institution require_institution(const Caller& caller, const TextView& institution_id);

// The value has to be one of the institution's regions or verticals: ZE001.
void require_within(std::string_view parameter, std::span<const TextView> allowed, std::string_view value);

}  // namespace escrowgrid::pg
