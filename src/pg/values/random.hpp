// Random bytes and new ids.
#pragma once

#include "core/hash_chain.hpp"
#include "core/type_id.hpp"
#include "pg/border/postgres.hpp"

namespace escrowgrid::pg {

// Fills at most 4096 bytes from PostgreSQL's cryptographically secure source.
void fill_random(std::span<std::uint8_t> bytes);

// A new TypeID for a record that came to be at `at`.
[[nodiscard]] core::TypeIdText make_id(std::string_view prefix, core::Micros at);

}  // namespace escrowgrid::pg
