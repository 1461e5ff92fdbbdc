// Who may do what: the roles and the rights of callers.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/refusal.hpp"

namespace escrowgrid::core {

enum class Role : std::uint8_t { kRoot, kAdmin, kReadOnly };

[[nodiscard]] std::string_view role_name(Role role) noexcept;
[[nodiscard]] std::optional<Role> parse_key_role(std::string_view name) noexcept;  // admin, read_only

// What a function asks of its caller.
enum class Right : std::uint8_t {
  kRead,        // every signed-in caller
  kWrite,       // root, and admins within their institution
  kAdminister,  // root alone
};

[[nodiscard]] bool may(Role role, Right right) noexcept;

// ZE403 for a caller whose role does not carry the right.
void refuse_forbidden(Role role, std::string_view action, Refusal& why) noexcept;

}  // namespace escrowgrid::core
