#include "pg/identity/sign_in.hpp"

#include <arpa/inet.h>

#include "core/parameters.hpp"
#include "core/token.hpp"
#include "pg/border/settings.hpp"

extern "C" {
#include "access/parallel.h"
#include "utils/portal.h"
}

namespace escrowgrid::pg {

namespace {

constexpr const char* kIdentitySetting = "escrowgrid.session_key_id";

char* identity_setting = nullptr;
char* root_key_hash_setting = nullptr;
char* root_allowed_cidrs_setting = nullptr;

// The value that sign_in() is setting at this moment. The check hook accepts this value only. If setting it fails, the
// id stays here until the next sign-in; its token has just been verified, so that does no harm.
std::array<char, core::kMaxIdBytes + 1> id_being_set{};

// One network: an address, and optionally a slash and a prefix length that fits its family.
bool is_network(std::string_view text) {
  std::array<char, 64> address{};
  const std::size_t slash = text.find('/');
  const std::string_view host = text.substr(0, slash);
  if (host.empty() || host.size() >= address.size()) {
    return false;
  }
  std::copy(host.begin(), host.end(), address.begin());
  std::array<unsigned char, 16> bytes{};
  const bool is_v4 = inet_pton(AF_INET, address.data(), bytes.data()) == 1;
  if (!is_v4 && inet_pton(AF_INET6, address.data(), bytes.data()) != 1) {
    return false;
  }
  if (slash == std::string_view::npos) {
    return true;
  }
  const std::string_view length = text.substr(slash + 1);
  int bits = 0;
  for (const char c : length) {
    if (c < '0' || c > '9' || length.size() > 3) {
      return false;
    }
    bits = bits * 10 + (c - '0');
  }
  if (length.empty() || bits > (is_v4 ? 32 : 128)) {
    return false;
  }
  // A cidr must have no bits set to the right of its mask.
  for (int bit = bits; bit < (is_v4 ? 32 : 128); ++bit) {
    const auto byte = static_cast<std::size_t>(bit / 8);
    if ((bytes[byte] & (0x80U >> static_cast<unsigned>(bit % 8))) != 0) {
      return false;
    }
  }
  return true;
}

}  // namespace

extern "C" {

// Accepts the empty value, the value that sign_in() is setting, and the value that a parallel worker inherits from its
// leader. Everything else is refused, whoever sets it: a superuser's function that calls set_config, an ALTER ROLE ...
// SET, and a role that was granted SET on the parameter all come to this hook.
static bool check_identity(char** value, void** /*extra*/, GucSource /*source*/) {
  if (*value == nullptr || **value == '\0' || InitializingParallelWorker ||
      (id_being_set.front() != '\0' && std::strcmp(*value, id_being_set.data()) == 0)) {
    return true;
  }
  GUC_check_errcode(ERRCODE_INSUFFICIENT_PRIVILEGE);
  GUC_check_errmsg("parameter \"%s\" cannot be set", kIdentitySetting);
  GUC_check_errhint("Sign in with escrow_authenticate().");
  return false;
}

static bool check_root_key_hash(char** value, void** /*extra*/, GucSource /*source*/) {
  if (*value == nullptr || **value == '\0' || core::is_key_hash(*value)) {
    return true;
  }
  GUC_check_errdetail("The value must be the SHA-256 of the token in 64 lower-case hexadecimal digits.");
  return false;
}

static bool check_root_allowed_cidrs(char** value, void** /*extra*/, GucSource /*source*/) {
  if (*value == nullptr || **value == '\0') {
    return true;
  }
  std::string_view rest(*value);
  while (true) {
    const std::size_t comma = rest.find(',');
    if (!is_network(rest.substr(0, comma))) {
      GUC_check_errdetail("The value must be networks such as 10.0.0.0/8,::1 separated by commas without spaces.");
      return false;
    }
    if (comma == std::string_view::npos) {
      return true;
    }
    rest.remove_prefix(comma + 1);
  }
}

}  // extern "C"

void define_identity_settings() {
  // No GUC_NO_RESET_ALL, because connection poolers end a session's identity by RESET ALL or DISCARD ALL.
  DefineCustomStringVariable(
      kIdentitySetting, "Id of the API key that is signed in; set by escrow_authenticate() alone.", nullptr,
      &identity_setting, "", PGC_SUSET, GUC_SUPERUSER_ONLY | GUC_NO_SHOW_ALL | GUC_NOT_IN_SAMPLE | GUC_DISALLOW_IN_FILE,
      check_identity, nullptr, nullptr);
  DefineCustomStringVariable("escrowgrid.root_allowed_cidrs",
                             "Networks from which the root key may be used, separated by commas; empty for any.",
                             nullptr, &root_allowed_cidrs_setting, "", PGC_SIGHUP, GUC_SUPERUSER_ONLY,
                             check_root_allowed_cidrs, nullptr, nullptr);
  DefineCustomStringVariable("escrowgrid.root_key_hash",
                             "SHA-256 of the root key's token in lower-case hexadecimal digits; empty for no root key.",
                             nullptr, &root_key_hash_setting, "", PGC_SIGHUP, GUC_SUPERUSER_ONLY, check_root_key_hash,
                             nullptr, nullptr);
}

TextView signed_in_id() {
  return setting_view(identity_setting);
}

void sign_in(std::string_view id, SignInScope scope) {
  id_being_set.fill('\0');
  std::copy_n(id.begin(), std::min(id.size(), id_being_set.size() - 1), id_being_set.begin());
  const GucAction action = scope == SignInScope::kTransaction ? GUC_ACTION_LOCAL : GUC_ACTION_SET;
  set_config_option(kIdentitySetting, id_being_set.data(), PGC_SUSET, PGC_S_SESSION, action, true, 0, false);
  id_being_set.fill('\0');
}

void sign_out() {
  set_config_option(kIdentitySetting, "", PGC_SUSET, PGC_S_SESSION, GUC_ACTION_SET, true, 0, false);
}

bool has_open_cursor() {
  return !ThereAreNoReadyPortals();  // the portal of the running statement is active, not ready
}

TextView root_key_hash() {
  return setting_view(root_key_hash_setting);
}

TextView root_allowed_cidrs() {
  return setting_view(root_allowed_cidrs_setting);
}

}  // namespace escrowgrid::pg
