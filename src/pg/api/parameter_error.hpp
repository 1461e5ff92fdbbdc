// The error for an argument that is not acceptable by itself.
#pragma once

#include "pg/border/report.hpp"

namespace escrowgrid::pg {

[[noreturn]] inline void raise_parameter(std::string_view parameter, std::string_view message, std::string_view hint) {
  core::Refusal why;
  why.begin(core::Condition::kInvalidParameter).message({message}).hint({hint}).with("parameter", parameter);
  raise(why);
}

}  // namespace escrowgrid::pg
