// Reads stored values for verification. A superuser who tampers with rows may have dropped the constraints. So an
// invalid value is not an error here: it becomes a value that differs from every valid one, and verification reports
// it.
#pragma once

#include "pg/values/datum.hpp"

namespace escrowgrid::pg::store {

// A digest that is missing or does not have 32 bytes becomes one with all bits set. No SHA-256 is known to have that
// value.
[[nodiscard]] core::Digest found_digest(const std::optional<BytesView>& value);

// A salt that does not have 16 bytes becomes zeros, and the hash that is computed with it differs from the stored one.
[[nodiscard]] core::Salt found_salt(BytesView value);

// An amount that is missing or out of range becomes negative, which no stored amount may be.
[[nodiscard]] core::Amount found_amount(const std::optional<std::string_view>& value);

}  // namespace escrowgrid::pg::store
