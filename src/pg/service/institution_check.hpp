// Checks on the institution that a caller names.
#pragma once

#include "pg/identity/caller.hpp"
#include "pg/store/institutions.hpp"

namespace escrowgrid::pg {

// Whether the caller may see the institution: an API key only its own, root any.
[[nodiscard]] bool may_see(const Caller& caller, const TextView& institution_id);

// The institution. An API key may name its own; any other is answered as if it did not exist: ZE002.
[[nodiscard]] store::Institution require_institution(const Caller& caller, const TextView& institution_id);

// ZE001 unless the value is one of the institution's regions or verticals.
void require_within(std::string_view parameter, std::span<const TextView> allowed, std::string_view value);

}  // namespace escrowgrid::pg
