// Currencies and the exponents of their minor units.
#pragma once

#include "core/hash_chain.hpp"
#include "pg/border/postgres.hpp"

namespace escrowgrid::pg::store {

// The currency's exponent; absent for an unknown code.
[[nodiscard]] std::optional<int> find_exponent(std::string_view code);
// The same for a creation: a code that is not built in is locked against change until the transaction ends.
[[nodiscard]] std::optional<int> lock_exponent(std::string_view code);
// The exponent of a position's currency; ZE502 when the currency is gone.
[[nodiscard]] int require_exponent(const core::PositionTerms& terms);
[[nodiscard]] bool is_currency_used(std::string_view code);

}  // namespace escrowgrid::pg::store
