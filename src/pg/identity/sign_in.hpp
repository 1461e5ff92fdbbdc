// The signed-in identity: a setting that only this code can set, so that it follows transactions,
// savepoints and exception blocks, reaches parallel workers, and ends at RESET ALL and DISCARD ALL.
// It carries nothing but the key's id; what the key may do is looked up on each call.
#pragma once

#include "pg/border/postgres.hpp"

namespace escrowgrid::pg {

void define_identity_settings();

// The id that was signed in; absent for none.
[[nodiscard]] TextView signed_in_id();

enum class SignInScope : std::uint8_t { kTransaction, kSession };

void sign_in(std::string_view id, SignInScope scope);
void sign_out();

// Whether a cursor is open beside the running statement. It would go on with the identity that opened it.
[[nodiscard]] bool has_open_cursor();

// The configured root key: the SHA-256 of its token, and the networks it may come from.
[[nodiscard]] TextView root_key_hash();
[[nodiscard]] TextView root_allowed_cidrs();

}  // namespace escrowgrid::pg
