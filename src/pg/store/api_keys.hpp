// API keys.
#pragma once

#include "core/access.hpp"
#include "pg/store/origin.hpp"
#include "pg/values/datum.hpp"

namespace escrowgrid::pg::store {

struct ApiKey {
  std::string_view id;
  std::string_view institution_id;
  core::Role role = core::Role::kReadOnly;
  bool is_revoked = false;
  std::optional<core::Micros> expires_at;
  bool is_address_allowed = false;  // for the connection's own address
};

// As committed now, at every isolation level, so that a revoked key is refused on the next call.
[[nodiscard]] std::optional<ApiKey> find_key(std::string_view id);
[[nodiscard]] std::optional<ApiKey> find_key_by_hash(std::string_view key_hash);

// Whether the connection comes from one of the networks ("10.0.0.0/8,::1"); absent allows all. A local
// socket has no address and is in none.
[[nodiscard]] bool is_address_allowed(const TextView& cidrs);

struct NewApiKey {
  std::string_view institution_id;
  std::string_view label;
  std::string_view role;
  std::optional<core::Micros> expires_at;
  std::optional<Datum> allowed_cidrs;  // cidr[]
  std::string_view key_hash;
  std::string_view token_hint;
};
// Inserts a key. Returns its row without the hash but with the token, as the composite `desc`.
[[nodiscard]] Datum insert_key(const Origin& origin, const NewApiKey& key, std::string_view token, TupleDesc desc);

// A locked key, for rotation and revocation.
struct LockedApiKey {
  ApiKey key;
  std::string_view label;
  std::string_view role;
  std::optional<Datum> allowed_cidrs;
};
[[nodiscard]] std::optional<LockedApiKey> lock_key(std::string_view id, const TextView& institution_id);

// revoke_key() ends a key. expire_key() makes it expire at that time, unless it expires earlier anyway.
void revoke_key(std::string_view id, core::Micros at);
void expire_key(std::string_view id, core::Micros at);

void audit_key(const Origin& origin, const ApiKey& key, std::string_view action, Datum payload);

// Rows of keys without hash and token.
[[nodiscard]] Datum read_key(std::string_view id, TupleDesc desc);
void list_keys(FunctionCallInfo fcinfo, const TextView& institution_id);

}  // namespace escrowgrid::pg::store
