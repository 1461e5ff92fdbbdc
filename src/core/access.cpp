#include "core/access.hpp"

namespace escrowgrid::core {

std::string_view role_name(Role role) noexcept {
  switch (role) {
    case Role::kRoot:
      return "root";
    case Role::kAdmin:
      return "admin";
    case Role::kReadOnly:
      return "read_only";
  }
  return {};
}

std::optional<Role> parse_key_role(std::string_view name) noexcept {
  for (const Role role : {Role::kAdmin, Role::kReadOnly}) {
    if (role_name(role) == name) {
      return role;
    }
  }
  return std::nullopt;
}

bool may(Role role, Right right) noexcept {
  switch (right) {
    case Right::kRead:
      return true;
    case Right::kWrite:
      return role != Role::kReadOnly;
    case Right::kAdminister:
      return role == Role::kRoot;
  }
  return false;
}

void refuse_forbidden(Role role, std::string_view action, Refusal& why) noexcept {
  why.begin(Condition::kForbidden)
      .message({"a caller with role ", role_name(role), " may not call ", action})
      .hint({role == Role::kReadOnly ? "Sign in with an admin key."
                                     : "Call it as root; docs/access.md says who is root."})
      .with("role", role_name(role))
      .with("action", action);
}

}  // namespace escrowgrid::core
