#include "core/template_terms.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/parameters.hpp"

namespace escrowgrid::core {

namespace {

struct KeyRule {
  std::string_view key;
  bool required;
};

struct CodeRule {
  std::string_view code;
  std::string_view vertical;
  std::span<const KeyRule> keys;
};

constexpr std::array<KeyRule, 4> kEscrowKeys = {
    {{"currency", true}, {"region", false}, {"minAmount", false}, {"maxAmount", false}}};
constexpr std::array<KeyRule, 2> kRetainageKeys = {{{"currency", true}, {"retainagePercentage", true}}};
constexpr std::array<KeyRule, 3> kInvoiceKeys = {{{"currency", true}, {"maxTenorDays", true}, {"country", true}}};
constexpr std::array<KeyRule, 3> kLetterOfCreditKeys = {
    {{"currency", true}, {"issuingBankCountry", true}, {"maxTenorDays", true}}};

constexpr std::array<CodeRule, 4> kCodes = {{
    {.code = "CONSTR_ESCROW", .vertical = "CONSTRUCTION", .keys = kEscrowKeys},
    {.code = "CONSTR_RETAINAGE", .vertical = "CONSTRUCTION", .keys = kRetainageKeys},
    {.code = "TF_INVOICE", .vertical = "TRADE_FINANCE", .keys = kInvoiceKeys},
    {.code = "TF_LC", .vertical = "TRADE_FINANCE", .keys = kLetterOfCreditKeys},
}};

// The messages below name these numbers.
static_assert(kMaxTenorDays == 36500 && kMaxDecimals == 8);

constexpr std::size_t kMostKeys = 8;
static_assert(std::all_of(kCodes.begin(), kCodes.end(), [](const CodeRule& r) { return r.keys.size() <= kMostKeys; }));

const CodeRule* find_code(std::string_view code) noexcept {
  const auto* found = std::find_if(kCodes.begin(), kCodes.end(), [&](const CodeRule& r) { return r.code == code; });
  return found == kCodes.end() ? nullptr : found;
}

const ConfigMember* find_member(std::span<const ConfigMember> config, std::string_view key) noexcept {
  for (const ConfigMember& member : config) {
    if (member.key == key) {
      return &member;
    }
  }
  return nullptr;
}

Refusal& refuse_config(std::string_view key, Refusal& why) noexcept {
  return why.begin(Condition::kInvalidParameter).with("parameter", "config").with("key", key);
}

bool check_vertical(const CodeRule& rule, const TemplateRequest& request, Refusal& why) noexcept {
  if (rule.vertical == request.vertical) {
    return true;
  }
  why.begin(Condition::kInvalidParameter)
      .message({"template code ", rule.code, " belongs to vertical ", rule.vertical})
      .hint({"Pass vertical ", rule.vertical, ", or use another template code."})
      .with("parameter", "vertical")
      .with("value", request.vertical)
      .with("expected", rule.vertical);
  return false;
}

bool check_known_keys(const CodeRule& rule, const TemplateRequest& request, Refusal& why) noexcept {
  std::array<std::string_view, kMostKeys> known{};
  std::size_t count = 0;
  for (const KeyRule& key : rule.keys) {
    known[count++] = key.key;
  }
  const std::span<const std::string_view> names(known.data(), count);
  for (const ConfigMember& member : request.config) {
    if (std::find(names.begin(), names.end(), member.key) != names.end()) {
      continue;
    }
    const std::string_view meant = nearest(member.key, names);
    refuse_config(member.key, why)
        .message({"unknown key \"", echo(member.key).view(), "\" in the config of ", rule.code});
    if (meant.empty()) {
      why.hint({"Remove the key; docs/reference.md lists the keys of each template code."});
    } else {
      why.hint({"Did you mean \"", meant, "\"?"}).with("nearest", meant);
    }
    return false;
  }
  return true;
}

bool check_required_keys(const CodeRule& rule, const TemplateRequest& request, Refusal& why) noexcept {
  for (const KeyRule& key : rule.keys) {
    if (key.required && find_member(request.config, key.key) == nullptr) {
      refuse_config(key.key, why)
          .message({"the config of ", rule.code, " needs the key \"", key.key, "\""})
          .hint({"Add \"", key.key, "\" to the config."});
      return false;
    }
  }
  return true;
}

bool check_reserved_keys(const TemplateRequest& request, Refusal& why) noexcept {
  if (find_member(request.config, "onchain") == nullptr) {
    return true;
  }
  refuse_config("onchain", why)
      .message({"the config key \"onchain\" is reserved"})
      .hint({"Use another name for the key."});
  return false;
}

bool require_kind(const ConfigMember& member, JsonKind kind, std::string_view word, Refusal& why) noexcept {
  if (member.kind == kind) {
    return true;
  }
  refuse_config(member.key, why)
      .message({"config key \"", member.key, "\" must be ", word})
      .hint({"Pass ", word, " for \"", member.key, "\"."})
      .with("value", member.text);
  return false;
}

// These functions read a member if it is present. check_required_keys() has refused a config that lacks a required key.
bool read_currency(const TemplateRequest& request, TemplateTerms& terms, Refusal& why) noexcept {
  const ConfigMember* member = find_member(request.config, "currency");
  if (member == nullptr) {
    return true;
  }
  if (!require_kind(*member, JsonKind::kString, "a string", why)) {
    return false;
  }
  terms.currency = member->text;
  return true;
}

bool read_region(const TemplateRequest& request, Refusal& why) noexcept {
  const ConfigMember* member = find_member(request.config, "region");
  if (member == nullptr) {
    return true;
  }
  if (!require_kind(*member, JsonKind::kString, "a string", why)) {
    return false;
  }
  if (member->text == request.region) {
    return true;
  }
  refuse_config("region", why)
      .message({"config key \"region\" differs from the template's region"})
      .hint({"Set \"region\" to ", request.region, ", or remove it."})
      .with("value", member->text)
      .with("expected", request.region);
  return false;
}

bool read_limit(const TemplateRequest& request, std::string_view key, std::optional<Amount>& out,
                Refusal& why) noexcept {
  const ConfigMember* member = find_member(request.config, key);
  if (member == nullptr) {
    return true;
  }
  if (!require_kind(*member, JsonKind::kNumber, "a number", why)) {
    return false;
  }
  out = require_amount(key, member->text, why);
  return out.has_value();
}

bool read_percentage(const TemplateRequest& request, TemplateTerms& terms, Refusal& why) noexcept {
  const ConfigMember* member = find_member(request.config, "retainagePercentage");
  if (member == nullptr) {
    return true;
  }
  if (!require_kind(*member, JsonKind::kNumber, "a number", why)) {
    return false;
  }
  const ParsedAmount parsed = parse_amount(member->text);
  constexpr Amount kHundred = Amount::from_units(static_cast<Int128>(100) * kUnitsPerOne);
  if (parsed.defect == AmountDefect::kNone && parsed.amount >= Amount() && parsed.amount <= kHundred) {
    terms.retainage_percentage = parsed.amount;
    return true;
  }
  refuse_config(member->key, why)
      .message({"config key \"retainagePercentage\" must be from 0 to 100"})
      .hint({"Pass a percentage in this range with at most 8 decimals."})
      .with("value", member->text);
  return false;
}

bool read_tenor(const TemplateRequest& request, TemplateTerms& terms, Refusal& why) noexcept {
  const ConfigMember* member = find_member(request.config, "maxTenorDays");
  if (member == nullptr) {
    return true;
  }
  if (!require_kind(*member, JsonKind::kNumber, "a number", why)) {
    return false;
  }
  std::int32_t days = 0;
  const char* const end = member->text.data() + member->text.size();
  const auto [stop, error] = std::from_chars(member->text.data(), end, days);
  if (error == std::errc() && stop == end && days > 0 && days <= kMaxTenorDays) {
    terms.max_tenor_days = days;
    return true;
  }
  refuse_config(member->key, why)
      .message({"config key \"maxTenorDays\" must be a whole number of days from 1 to 36500"})
      .hint({"Pass an integer in this range."})
      .with("value", member->text);
  return false;
}

bool check_country(const TemplateRequest& request, std::string_view key, Refusal& why) noexcept {
  const ConfigMember* member = find_member(request.config, key);
  if (member == nullptr) {
    return true;
  }
  if (!require_kind(*member, JsonKind::kString, "a string", why)) {
    return false;
  }
  const auto is_upper = [](char c) { return c >= 'A' && c <= 'Z'; };
  if (member->text.size() == 2 && std::all_of(member->text.begin(), member->text.end(), is_upper)) {
    return true;
  }
  refuse_config(key, why)
      .message({"config key \"", key, "\" must be a country code"})
      .hint({"Pass the two upper-case letters of an ISO 3166-1 code, for example DE."})
      .with("value", member->text);
  return false;
}

bool check_limits(const TemplateTerms& terms, Refusal& why) noexcept {
  if (!terms.min_amount || !terms.max_amount || *terms.min_amount <= *terms.max_amount) {
    return true;
  }
  refuse_config("minAmount", why)
      .message({"minAmount is greater than maxAmount"})
      .hint({"Swap the two values, or remove one of the keys."})
      .with("minAmount", terms.min_amount->text(0).view())
      .with("maxAmount", terms.max_amount->text(0).view());
  return false;
}

}  // namespace

std::optional<TemplateTerms> read_template_terms(const TemplateRequest& request, Refusal& why) noexcept {
  const CodeRule* rule = find_code(request.code);
  const bool shape = rule == nullptr ? check_reserved_keys(request, why)
                                     : check_vertical(*rule, request, why) && check_known_keys(*rule, request, why) &&
                                           check_required_keys(*rule, request, why);
  TemplateTerms terms;
  if (!shape || !read_currency(request, terms, why)) {
    return std::nullopt;
  }
  if (rule == nullptr) {
    return terms;
  }
  const bool values = read_region(request, why) && read_limit(request, "minAmount", terms.min_amount, why) &&
                      read_limit(request, "maxAmount", terms.max_amount, why) && check_limits(terms, why) &&
                      read_percentage(request, terms, why) && read_tenor(request, terms, why) &&
                      check_country(request, "country", why) && check_country(request, "issuingBankCountry", why);
  return values ? std::optional(terms) : std::nullopt;
}

}  // namespace escrowgrid::core
