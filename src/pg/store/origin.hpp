// Who called which function: the values that all records of one call share.
#pragma once

#include "pg/border/settings.hpp"
#include "pg/identity/caller.hpp"

namespace escrowgrid::pg {

struct Writes;  // see table/writes.hpp

namespace store {

struct Origin {
  Caller caller;
  RequestClaims claims;
  std::string_view path;        // the function or statement, unless the caller claims another
  bool tells_refusals = false;  // a refusal comes back as a row, so what was written before it would stay
  Writes* writes = nullptr;     // from begin_writes() to finish_writes()
};

[[nodiscard]] inline Origin origin_of(const Caller& caller, std::string_view path) {
  return {.caller = caller, .claims = request_claims(), .path = path};
}

}  // namespace store

}  // namespace escrowgrid::pg
