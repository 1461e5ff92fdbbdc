// Who is calling.
#pragma once

#include "core/access.hpp"
#include "pg/border/postgres.hpp"

namespace escrowgrid::pg {

// A signed-in API key decides, whichever database role calls. Without one, root is a superuser or a role with the
// privileges of the extension's owner. Views live until the session that found the caller is closed.
struct Caller {
  core::Role role = core::Role::kReadOnly;
  const char* db_role = nullptr;
  TextView api_key_id;      // as records name it; "root" for the configured root key
  TextView institution_id;  // the institution whose rows it may use; absent for root, who may use all
};

static_assert(std::is_trivially_destructible_v<Caller>);

}  // namespace escrowgrid::pg
