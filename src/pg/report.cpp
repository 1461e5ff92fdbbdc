#include "pg/report.hpp"

#include "core/parameters.hpp"
#include "pg/boundary.hpp"

namespace escrowgrid::pg {

void raise(const core::Refusal& why) {
  const char* state = core::describe(why.condition()).sqlstate;
  ereport(ERROR,
          (errcode(MAKE_SQLSTATE(state[0], state[1], state[2], state[3], state[4])),
           errmsg_internal("%s", why.message()), errdetail_internal("%s", why.detail()), errhint("%s", why.hint())));
  pg_unreachable();
}

void raise_not_found(std::string_view kind, std::string_view id) {
  core::Refusal why;
  core::refuse_not_found(kind, id, why);
  raise(why);
}

void raise_unsupported(const char* what, const char* hint) {
  ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg_internal("%s", what), errhint("%s", hint)));
  pg_unreachable();
}

void raise_internal(const char* what) {
  ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg_internal("escrowgrid: %s", what)));
  pg_unreachable();
}

}  // namespace escrowgrid::pg
