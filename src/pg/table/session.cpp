#include "pg/table/session.hpp"

namespace escrowgrid::pg {

Session open_session() {
  const Session session = {.owner = enter_owner()};
  if (SPI_connect() != SPI_OK_CONNECT) {
    elog(ERROR, "escrowgrid: could not connect to SPI");
  }
  return session;
}

void close_session(Session session) {
  SPI_finish();
  leave_owner(session.owner);
}

}  // namespace escrowgrid::pg
