// Working as the role that owns the tables.
#pragma once

#include "pg/border/postgres.hpp"

namespace escrowgrid::pg {

// The role that created the extension and owns its tables: PostgreSQL has no way to give an extension away.
[[nodiscard]] Oid tables_owner();

// Between enter_owner() and leave_owner() the extension works as the tables' owner, so that callers need no rights on
// the tables. The end of an aborted transaction or subtransaction restores the role by itself.
struct OwnerScope {
  Oid saved_role;  // the role that called
  int saved_context;
};
[[nodiscard]] OwnerScope enter_owner();
void leave_owner(OwnerScope scope);

}  // namespace escrowgrid::pg
