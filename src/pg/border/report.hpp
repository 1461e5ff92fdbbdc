// The one place where a refusal becomes a PostgreSQL error.
#pragma once

#include "core/refusal.hpp"
#include "pg/border/postgres.hpp"

namespace escrowgrid::pg {

[[noreturn]] void raise(const core::Refusal& why);

// The same for an error that concerns a token. The statement and its context are not logged, because they may contain
// the token.
[[noreturn]] void raise_privately(const core::Refusal& why);

[[noreturn]] void raise_not_found(std::string_view kind, std::string_view id);

}  // namespace escrowgrid::pg
