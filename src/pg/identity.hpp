// Who is calling, and as whom the extension works.
#pragma once

#include "pg/datum.hpp"
#include "pg/postgres.hpp"

namespace escrowgrid::pg {

// The caller, read before anything switches roles. Today that is an administrator (root): a
// superuser, or a role with the privileges of the database's or the tables' owner.
struct Caller {
  const char* db_role = nullptr;
  TextView api_key_id;
};

static_assert(std::is_trivially_destructible_v<Caller>);

// The caller, or ZE401.
[[nodiscard]] Caller require_root();

// Work as the tables' owner, so that callers need no rights on the tables. Ends by itself when the
// transaction or subtransaction aborts.
struct OwnerScope {
  Oid saved_role;
  int saved_context;
};

[[nodiscard]] OwnerScope enter_owner();
void leave_owner(OwnerScope scope);

}  // namespace escrowgrid::pg
