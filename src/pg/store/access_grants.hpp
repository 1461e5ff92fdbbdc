// What database roles are granted.
#pragma once

#include "pg/store/origin.hpp"

namespace escrowgrid::pg::store {

enum class AccessLevel : std::uint8_t { kReader, kAuditor, kApplication };

// Grants the database role exactly what the level needs, as the extension's owner.
void grant_access(const Origin& origin, const char* role, AccessLevel level, std::string_view level_name);

}  // namespace escrowgrid::pg::store
