#include "pg/border/report.hpp"

#include "core/parameters.hpp"
#include "pg/border/boundary.hpp"

namespace escrowgrid::pg {

namespace {

int sqlstate_of(const core::Refusal& why) {
  const char* state = core::describe(why.condition()).sqlstate;
  return MAKE_SQLSTATE(state[0], state[1], state[2], state[3], state[4]);
}

// Writes one line to the server's log. It is written even if the caller catches the error, which PostgreSQL would then
// not log.
void log_refusal(const core::Refusal& why) {
  const core::ConditionInfo& info = core::describe(why.condition());
  ereport(LOG_SERVER_ONLY, (errmsg_internal("escrowgrid refusal %s %s %s", info.sqlstate, info.name, why.detail()),
                            errhidestmt(true), errhidecontext(true)));
}

}  // namespace

void raise(const core::Refusal& why) {
  log_refusal(why);
  ereport(ERROR, (errcode(sqlstate_of(why)), errmsg_internal("%s", why.message()),
                  errdetail_internal("%s", why.detail()), errhint("%s", why.hint())));
  pg_unreachable();
}

void raise_privately(const core::Refusal& why) {
  log_refusal(why);
  ereport(ERROR,
          (errcode(sqlstate_of(why)), errmsg_internal("%s", why.message()), errdetail_internal("%s", why.detail()),
           errhint("%s", why.hint()), errhidestmt(true), errhidecontext(true)));
  pg_unreachable();
}

void raise_not_found(std::string_view kind, std::string_view id) {
  core::Refusal why;
  core::refuse_not_found(kind, id, why);
  raise(why);
}

void raise_internal(const char* what) {
  ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg_internal("escrowgrid: %s", what)));
  pg_unreachable();
}

}  // namespace escrowgrid::pg
