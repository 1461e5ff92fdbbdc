#include "pg/border/settings.hpp"

#include <arpa/inet.h>

namespace escrowgrid::pg {

namespace {

constexpr std::size_t kMaxClaimBytes = 400;

const std::array<config_enum_entry, 3> kWritePaths = {{{"auto", static_cast<int>(WritePath::kAuto), false},
                                                       {"ordinary", static_cast<int>(WritePath::kOrdinary), false},
                                                       {nullptr, 0, false}}};

bool allow_drop_setting = false;
bool skip_probe_setting = false;
int write_path_setting = static_cast<int>(WritePath::kAuto);
char* client_ip_setting = nullptr;
char* request_id_setting = nullptr;
char* request_method_setting = nullptr;
char* request_path_setting = nullptr;
char* traceparent_setting = nullptr;

}  // namespace

extern "C" {

static bool check_claim_length(char** value, void** /*extra*/, GucSource /*source*/) {
  if (*value == nullptr || std::strlen(*value) <= kMaxClaimBytes) {
    return true;
  }
  GUC_check_errdetail("The value is longer than %zu bytes.", kMaxClaimBytes);
  return false;
}

static bool check_client_ip(char** value, void** /*extra*/, GucSource /*source*/) {
  std::array<unsigned char, 16> address{};
  if (*value == nullptr || **value == '\0' || inet_pton(AF_INET, *value, address.data()) == 1 ||
      inet_pton(AF_INET6, *value, address.data()) == 1) {
    return true;
  }
  GUC_check_errdetail("The value is neither an IPv4 nor an IPv6 address.");
  return false;
}

}  // extern "C"

namespace {

struct ClaimSetting {
  const char* name;
  const char* description;
  char** variable;
  GucStringCheckHook check;
};

}  // namespace

void define_settings() {
  const std::array<ClaimSetting, 5> claims = {{
      {"escrowgrid.client_ip", "Address of the client on whose behalf calls are made; copied to audit rows as a claim.",
       &client_ip_setting, check_client_ip},
      {"escrowgrid.request_id", "Id of the caller's request; copied to ledger and audit rows as a claim.",
       &request_id_setting, check_claim_length},
      {"escrowgrid.request_method",
       "Method of the caller's request, for example POST; copied to audit rows as a claim.", &request_method_setting,
       check_claim_length},
      {"escrowgrid.request_path", "Path of the caller's request; copied to audit rows as a claim.",
       &request_path_setting, check_claim_length},
      {"escrowgrid.traceparent", "W3C traceparent of the caller's request; copied to audit rows as a claim.",
       &traceparent_setting, check_claim_length},
  }};
  for (const ClaimSetting& claim : claims) {
    DefineCustomStringVariable(claim.name, claim.description, nullptr, claim.variable, "", PGC_USERSET, 0, claim.check,
                               nullptr, nullptr);
  }
  DefineCustomBoolVariable("escrowgrid.allow_drop",
                           "Allows dropping the extension, its schema and its owner's objects while positions exist.",
                           nullptr, &allow_drop_setting, false, PGC_SUSET, 0, nullptr, nullptr, nullptr);
  DefineCustomEnumVariable("escrowgrid.debug_write_path",
                           "For tests: ordinary writes every row through SPI, auto decides per table.", nullptr,
                           &write_path_setting, static_cast<int>(WritePath::kAuto), kWritePaths.data(), PGC_SUSET,
                           GUC_NOT_IN_SAMPLE, nullptr, nullptr, nullptr);
  DefineCustomBoolVariable("escrowgrid.debug_skip_probe",
                           "For tests: a transition does not look first whether its row is locked.", nullptr,
                           &skip_probe_setting, false, PGC_SUSET, GUC_NOT_IN_SAMPLE, nullptr, nullptr, nullptr);
  MarkGUCPrefixReserved(kSchema);
}

bool is_drop_allowed() {
  return allow_drop_setting;
}

WritePath debug_write_path() {
  return static_cast<WritePath>(write_path_setting);
}

bool skips_probe() {
  return skip_probe_setting;
}

TextView setting_view(const char* value) {
  return value == nullptr || *value == '\0' ? std::nullopt : TextView(value);
}

RequestClaims request_claims() {
  return {.method = setting_view(request_method_setting),
          .path = setting_view(request_path_setting),
          .request_id = setting_view(request_id_setting),
          .client_ip = setting_view(client_ip_setting),
          .traceparent = setting_view(traceparent_setting)};
}

}  // namespace escrowgrid::pg
