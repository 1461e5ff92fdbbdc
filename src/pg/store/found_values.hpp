// Values as they are found, for verification. Whoever tampers may have dropped the constraints first, so a value that
// cannot be right is no error here: it becomes one that differs from every right value, and is reported.
#pragma once

#include "pg/values/datum.hpp"

namespace escrowgrid::pg::store {

// A digest of another length than 32 bytes, or none, becomes one whose bits are all set: no SHA-256 is expected to have
// that value, and the digest before the first is all zeros.
[[nodiscard]] core::Digest found_digest(const std::optional<BytesView>& value);

// A salt of another length than 16 bytes becomes zeros: the hash that is made with it then differs.
[[nodiscard]] core::Salt found_salt(BytesView value);

// An amount that is missing or out of range becomes negative, which no stored amount may be.
[[nodiscard]] core::Amount found_amount(const std::optional<std::string_view>& value);

}  // namespace escrowgrid::pg::store
