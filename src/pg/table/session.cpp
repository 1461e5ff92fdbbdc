#include "pg/table/session.hpp"

namespace escrowgrid::pg {

void open_inner_session() {
  if (SPI_connect() != SPI_OK_CONNECT) {
    elog(ERROR, "escrowgrid: could not connect to SPI");
  }
}

void close_inner_session() {
  SPI_finish();
}

Session open_session() {
  const Session session = {.owner = enter_owner()};
  open_inner_session();
  return session;
}

void close_session(Session session) {
  close_inner_session();
  leave_owner(session.owner);
}

}  // namespace escrowgrid::pg
