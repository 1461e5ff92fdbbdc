// The border between PostgreSQL and C++. PostgreSQL's errors are longjmps and skip destructors, so
// everything held across a call into PostgreSQL is trivially destructible; C++ exceptions must not
// reach PostgreSQL's C frames, so they end here and become an error once the handler is left.
#pragma once

#include "core/fixed_text.hpp"
#include "pg/border/postgres.hpp"

namespace escrowgrid::pg {

// Raises an internal error (XX000) with the text of a C++ exception.
[[noreturn]] void raise_internal(const char* what);

template <typename Body>
Datum boundary(FunctionCallInfo fcinfo, Body body) {
  static_assert(std::is_trivially_destructible_v<Body>);
  core::FixedText<240> failure;
  try {
    return body(fcinfo);
  } catch (const std::exception& error) {
    failure.append(error.what());
  } catch (...) {
    failure.append("unknown C++ exception");
  }
  raise_internal(failure.c_str());
}

}  // namespace escrowgrid::pg

// Defines the SQL-callable C function `name` whose body is the given C++ function.
#define ESCROWGRID_FUNCTION(name, body)                \
  _Pragma("GCC visibility push(default)") extern "C" { \
    PG_FUNCTION_INFO_V1(name);                         \
    Datum name(FunctionCallInfo fcinfo) {              \
      return ::escrowgrid::pg::boundary(fcinfo, body); \
    }                                                  \
  }                                                    \
  _Pragma("GCC visibility pop") static_assert(true)
