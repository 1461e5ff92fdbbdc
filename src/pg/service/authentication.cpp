#include "pg/service/authentication.hpp"

#include "core/refusal.hpp"
#include "pg/border/report.hpp"
#include "pg/identity/sign_in.hpp"
#include "pg/store/api_keys.hpp"
#include "pg/table/session.hpp"
#include "pg/values/datum.hpp"

namespace escrowgrid::pg {

namespace {

constexpr std::string_view kRootIdPrefix = "root:";
constexpr std::string_view kRootKeyName = "root";

bool is_root(Oid role) {
  return superuser_arg(role) || has_privs_of_role(role, tables_owner());
}

// The id that a sign-in with the root key sets. It contains a hash of the configured key hash, so that a change of the
// configuration ends the sign-in.
auto root_id(std::string_view key_hash) {
  return core::joined("root:", core::hash_token(key_hash));
}

[[noreturn]] void raise_not_signed_in(const char* db_role) {
  core::Refusal why;
  why.begin(core::Condition::kNotAuthenticated)
      .message({"role \"", db_role, "\" is not signed in"})
      .hint({"Sign in with escrow_authenticate()."})
      .with("db_role", db_role);
  raise(why);
}

[[noreturn]] void raise_key_ended(std::string_view id, core::KeyStatus status) {
  core::Refusal why;
  why.begin(core::Condition::kNotAuthenticated)
      .message({"the API key that is signed in is no longer valid"})
      .hint({"Sign in with another key."})
      .with("api_key_id", id)
      .with("reason", core::key_status_name(status));
  raise(why);
}

core::KeyStatus status_of(const store::ApiKey& key, core::Micros now) {
  if (key.is_revoked) {
    return core::KeyStatus::kRevoked;
  }
  return key.expires_at && *key.expires_at <= now ? core::KeyStatus::kExpired : core::KeyStatus::kValid;
}

Caller root_caller(const char* db_role, const TextView& api_key_id) {
  return {.role = core::Role::kRoot, .db_role = db_role, .api_key_id = api_key_id, .institution_id = std::nullopt};
}

Caller signed_in_caller(std::string_view id, const char* db_role) {
  if (id.starts_with(kRootIdPrefix)) {
    const TextView hash = root_key_hash();
    if (!hash || root_id(*hash).view() != id) {
      raise_key_ended(kRootKeyName, core::KeyStatus::kRevoked);
    }
    return root_caller(db_role, kRootKeyName);
  }
  const std::optional<store::ApiKey> key = store::find_key(id);
  const core::KeyStatus status = key ? status_of(*key, clock_micros()) : core::KeyStatus::kNotFound;
  if (status != core::KeyStatus::kValid) {
    raise_key_ended(id, status);
  }
  return {.role = key->role, .db_role = db_role, .api_key_id = key->id, .institution_id = key->institution_id};
}

}  // namespace

TextView find_visible_institution() {
  const TextView id = signed_in_id();
  if (!id || id->starts_with(kRootIdPrefix)) {
    return std::nullopt;
  }
  const std::optional<store::ApiKey> key = store::find_key(*id);
  const bool is_valid = key && status_of(*key, clock_micros()) == core::KeyStatus::kValid;
  return is_valid ? TextView(key->institution_id) : std::nullopt;
}

std::optional<Caller> find_caller(const OwnerScope& scope) {
  const char* db_role = GetUserNameFromId(scope.saved_role, false);
  if (const TextView id = signed_in_id()) {
    return signed_in_caller(*id, db_role);
  }
  return is_root(scope.saved_role) ? std::optional(root_caller(db_role, std::nullopt)) : std::nullopt;
}

Caller require_caller(const OwnerScope& scope, core::Right right, std::string_view action) {
  const std::optional<Caller> caller = find_caller(scope);
  if (!caller) {
    raise_not_signed_in(GetUserNameFromId(scope.saved_role, false));
  }
  if (!core::may(caller->role, right)) {
    core::Refusal why;
    core::refuse_forbidden(caller->role, action, why);
    raise(why);
  }
  return *caller;
}

Caller require_root(std::string_view action) {
  const char* db_role = GetUserNameFromId(GetUserId(), false);
  const Session session = open_session();
  const Caller caller = require_caller(session.owner, core::Right::kAdminister, action);
  close_session(session);
  return root_caller(db_role, caller.api_key_id ? TextView(kRootKeyName) : std::nullopt);
}

TokenVerdict judge_token(std::string_view token) {
  TokenVerdict verdict;
  if (!core::is_plausible_token(token)) {
    return verdict;
  }
  const core::KeyHashText hash = core::hash_token(token);
  const TextView root = root_key_hash();
  if (root && core::equals_in_constant_time(hash.view(), *root)) {
    static_cast<void>(verdict.id.try_append(root_id(*root).view()));
    verdict.status =
        store::is_address_allowed(root_allowed_cidrs()) ? core::KeyStatus::kValid : core::KeyStatus::kForbiddenAddress;
    return verdict;
  }
  if (const std::optional<store::ApiKey> key = store::find_key_by_hash(hash.view())) {
    if (!verdict.id.try_append(key->id)) {
      return verdict;  // no key of the extension's has so long an id
    }
    verdict.status = status_of(*key, clock_micros());
    if (verdict.status == core::KeyStatus::kValid && !key->is_address_allowed) {
      verdict.status = core::KeyStatus::kForbiddenAddress;
    }
  }
  return verdict;
}

}  // namespace escrowgrid::pg
