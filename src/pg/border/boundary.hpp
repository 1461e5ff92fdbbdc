// The border between PostgreSQL and C++. PostgreSQL's errors are longjmps, which skip destructors. So the shell holds
// only trivially destructible values across calls into PostgreSQL. C++ exceptions must not reach PostgreSQL's C frames.
// They are caught here, and the error is raised after the handler has been left.
#pragma once

#include "core/fixed_text.hpp"
#include "pg/border/postgres.hpp"

namespace escrowgrid::pg {

// Raises an internal error (XX000) with the text of a C++ exception.
[[noreturn]] void raise_internal(const char* what);

// Runs `body`; a C++ exception becomes an error of PostgreSQL.
template <typename Body>
auto contain_exceptions(Body body) {
  static_assert(std::is_trivially_destructible_v<Body>);
  core::FixedText<240> failure;
  try {
    return body();
  } catch (const std::exception& error) {
    failure.append_clipped(error.what());
  } catch (...) {
    failure.append_clipped("unknown C++ exception");
  }
  raise_internal(failure.c_str());
}

}  // namespace escrowgrid::pg

// Defines the SQL-callable C function `name` whose body is the given C++ function.
#define ESCROWGRID_FUNCTION(name, body)                                                          \
  _Pragma("GCC visibility push(default)") extern "C" {                                           \
    PG_FUNCTION_INFO_V1(name);                                                                   \
    Datum name(FunctionCallInfo fcinfo) {                                                        \
      return ::escrowgrid::pg::contain_exceptions([fcinfo]() -> Datum { return body(fcinfo); }); \
    }                                                                                            \
  }                                                                                              \
  _Pragma("GCC visibility pop") static_assert(true)
