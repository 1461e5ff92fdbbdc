// Finding out who calls, and what the caller may do.
#pragma once

#include "core/access.hpp"
#include "core/token.hpp"
#include "pg/identity/caller.hpp"
#include "pg/identity/owner.hpp"

namespace escrowgrid::pg {

// All of these but require_root() run inside an open session.

// The caller; none when nobody is signed in and the role is not root. ZE401 when the key that is signed in is no longer
// valid.
[[nodiscard]] std::optional<Caller> find_caller(const OwnerScope& scope);

// The institution whose rows row-level security shows; none for root, without a sign-in, and for a key that has ended.
// Never an error: PostgreSQL evaluates a policy only when it has found a row to judge, so an error would tell the
// caller that another tenant has the row it asked for.
[[nodiscard]] TextView find_visible_institution();

// The caller, if its role carries the right; otherwise ZE401 or ZE403.
[[nodiscard]] Caller require_caller(const OwnerScope& scope, core::Right right, std::string_view action);

// For raw DML, outside a session: the caller, who has to be root.
[[nodiscard]] Caller require_root(std::string_view action);

// Judges a token without signing in. `id` is the id that would be signed in.
struct TokenVerdict {
  core::KeyStatus status = core::KeyStatus::kNotFound;
  core::FixedText<100> id;
};
[[nodiscard]] TokenVerdict judge_token(std::string_view token);

}  // namespace escrowgrid::pg
