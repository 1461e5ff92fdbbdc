// A session: between open_session() and close_session() the extension works as the tables' owner and SPI is connected.
// Rows are read and written inside a session. Views and datums that functions return inside it point into memory that
// close_session() frees, except for results of keep_for_caller().
#pragma once

#include "pg/identity/owner.hpp"

namespace escrowgrid::pg {

struct Session {
  OwnerScope owner;
};

[[nodiscard]] Session open_session();
void close_session(Session session);

// A session inside a session. SPI allocates memory that lives until its connection ends, so work that repeats many
// times runs in inner sessions, each of which frees its memory.
void open_inner_session();
void close_inner_session();

}  // namespace escrowgrid::pg
