// The arguments of the functions that create and move positions.
#pragma once

#include "core/decide.hpp"
#include "pg/border/postgres.hpp"

namespace escrowgrid::pg {

// False, with the refusal, when metadata holds a number too long to be written out.
[[nodiscard]] bool read_input(FunctionCallInfo fcinfo, core::CreationInput& input, core::Refusal& why);
[[nodiscard]] bool read_input(FunctionCallInfo fcinfo, core::TransitionInput& input, core::Refusal& why);

}  // namespace escrowgrid::pg
