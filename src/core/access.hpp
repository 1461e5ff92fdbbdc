// The roles of callers and the rights that each role has.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/refusal.hpp"

namespace escrowgrid::core {

enum class Role : std::uint8_t { kRoot, kAdmin, kReadOnly };

[[nodiscard]] std::string_view role_name(Role role) noexcept;
[[nodiscard]] std::optional<Role> parse_key_role(std::string_view name) noexcept;  // admin, read_only

// The right that a caller needs to call a function.
enum class Right : std::uint8_t {
  kRead,        // every signed-in caller has it
  kWrite,       // root has it, and admins have it within their institution
  kAdminister,  // only root has it
};

[[nodiscard]] bool may(Role role, Right right) noexcept;

// Makes the refusal ZE403 for a caller whose role does not have the right.
void refuse_forbidden(Role role, std::string_view action, Refusal& why) noexcept;

}  // namespace escrowgrid::core
