// Who is calling, and as whom the extension works.
#pragma once

#include "core/access.hpp"
#include "core/token.hpp"
#include "pg/values/datum.hpp"

namespace escrowgrid::pg {

// Work as the tables' owner, so that callers need no rights on the tables. Ends by itself when the
// transaction or subtransaction aborts. Who is asking is what it remembers.
struct OwnerScope {
  Oid saved_role;
  int saved_context;
};

// The role that created the extension.
[[nodiscard]] Oid tables_owner();

[[nodiscard]] OwnerScope enter_owner();
void leave_owner(OwnerScope scope);

// A signed-in key decides, whoever the database role is. Without one, root is a superuser or a role with
// the privileges of the extension's owner. Views live as long as the store's session.
struct Caller {
  core::Role role = core::Role::kReadOnly;
  const char* db_role = nullptr;
  TextView api_key_id;      // as records name it; "root" for the configured root key
  TextView institution_id;  // what it sees and touches; absent for root, who sees all
};

static_assert(std::is_trivially_destructible_v<Caller>);

// These run inside an open session of the store.
// The caller; none when nobody is signed in and the role is not root. A key that was signed in and is no
// longer valid is ZE401.
[[nodiscard]] std::optional<Caller> find_caller(const OwnerScope& scope);

// The institution that row-level security lets through; none for root, for nobody and for a key that has
// ended. Never an error: PostgreSQL evaluates a policy only once a row is there to be judged, so an error
// would tell that another tenant has the row that was asked for.
[[nodiscard]] TextView find_visible_institution();

// The caller, if its role carries the right; otherwise ZE401 or ZE403.
[[nodiscard]] Caller require_caller(const OwnerScope& scope, core::Right right, std::string_view action);

// For raw DML, outside a session: root alone.
[[nodiscard]] Caller require_root(std::string_view action);

// What a token proves, without signing in. `id` is what would be signed in.
struct TokenVerdict {
  core::KeyStatus status = core::KeyStatus::kNotFound;
  core::FixedText<100> id;
};
[[nodiscard]] TokenVerdict judge_token(std::string_view token);

}  // namespace escrowgrid::pg
