// Reading a policy's config.
#include <algorithm>
#include <charconv>

#include "core/parameters.hpp"
#include "core/rules.hpp"

namespace escrowgrid::core {

namespace {

constexpr std::array<std::string_view, 1> kTopKeys = {"position"};
constexpr std::array<std::string_view, 7> kPositionKeys = {
    "minAmount",    "maxAmount",     "allowedCurrencies", "requireReleaseAmount",
    "maxTenorDays", "maxOpenAmount", "requiredMetadata"};

// The messages below name these numbers.
static_assert(kMaxPolicyEntries == 64 && kMaxTenorDays == 36500);

// The key of a member; empty for the document itself.
std::string_view key_of(const PolicyMember& member) noexcept {
  return member.depth == 0 ? std::string_view() : member.path[std::min(member.depth, member.path.size()) - 1];
}

Refusal& refuse_key(const PolicyMember& member, Refusal& why) {
  return why.begin(Condition::kInvalidParameter)
      .with("parameter", "config")
      .with("key", key_of(member))
      .with("value", member.text);
}

bool refuse_unknown(const PolicyMember& member, std::span<const std::string_view> known, Refusal& why) {
  const std::string_view key = key_of(member);
  const std::string_view meant = nearest(key, known);
  refuse_key(member, why).message({"unknown key \"", echo(key).view(), "\" in a policy"});
  if (meant.empty()) {
    why.hint({"Remove the key; docs/reference.md lists the keys of a policy."});
  } else {
    why.hint({"Did you mean \"", meant, "\"?"}).with("nearest", meant);
  }
  return false;
}

bool require_kind(const PolicyMember& member, JsonKind kind, std::string_view word, Refusal& why) {
  if (member.kind == kind) {
    return true;
  }
  refuse_key(member, why)
      .message({"policy key \"", echo(key_of(member)).view(), "\" must be ", word})
      .hint({"Pass ", word, ", or remove the key."});
  return false;
}

bool refuse_too_many(const PolicyMember& member, Refusal& why) {
  refuse_key(member, why)
      .message({"policy key \"", member.path[1], "\" has too many entries"})
      .hint({"Pass at most 64 entries."});
  return false;
}

bool read_amount(const PolicyMember& member, std::optional<Amount>& out, Refusal& why) {
  if (!require_kind(member, JsonKind::kNumber, "a number", why)) {
    return false;
  }
  out = require_amount(key_of(member), member.text, why);
  return out.has_value();
}

bool read_tenor(const PolicyMember& member, Policy& policy, Refusal& why) {
  if (!require_kind(member, JsonKind::kNumber, "a number", why)) {
    return false;
  }
  std::int32_t days = 0;
  const char* const end = member.text.data() + member.text.size();
  const auto [stop, error] = std::from_chars(member.text.data(), end, days);
  if (error == std::errc() && stop == end && days > 0 && days <= kMaxTenorDays) {
    policy.max_tenor_days = days;
    return true;
  }
  refuse_key(member, why)
      .message({"policy key \"maxTenorDays\" must be a whole number of days from 1 to 36500"})
      .hint({"Pass an integer in this range, or remove the key."});
  return false;
}

bool read_currencies(const PolicyMember& member, Policy& policy, Refusal& why) {
  if (!member.is_element) {
    return require_kind(member, JsonKind::kArray, "an array of currency codes", why);
  }
  return require_kind(member, JsonKind::kString, "an array of currency codes", why) &&
         (policy.allowed_currencies.add(member.text) || refuse_too_many(member, why));
}

bool read_open_limit(const PolicyMember& member, Policy& policy, Refusal& why) {
  if (member.depth == 2) {
    return require_kind(member, JsonKind::kObject, "an object of amounts by currency", why);
  }
  std::optional<Amount> amount;
  return read_amount(member, amount, why) &&
         (policy.max_open_amount.add({.currency = member.path[2], .amount = *amount}) || refuse_too_many(member, why));
}

bool read_required_metadata(const PolicyMember& member, Policy& policy, Refusal& why) {
  if (member.depth == 2) {
    return require_kind(member, JsonKind::kObject, "an object of key lists by state", why);
  }
  const std::optional<State> state = require_state("requiredMetadata", member.path[2], why);
  if (!state) {
    return false;
  }
  if (!member.is_element) {
    return require_kind(member, JsonKind::kArray, "an array of metadata keys", why);
  }
  return require_kind(member, JsonKind::kString, "an array of metadata keys", why) &&
         (policy.required_metadata.add({.state = *state, .key = member.text}) || refuse_too_many(member, why));
}

bool read_position_member(const PolicyMember& member, Policy& policy, Refusal& why) {
  const std::string_view key = member.path[1];
  if (key == "minAmount") {
    return read_amount(member, policy.min_amount, why);
  }
  if (key == "maxAmount") {
    return read_amount(member, policy.max_amount, why);
  }
  if (key == "allowedCurrencies") {
    return read_currencies(member, policy, why);
  }
  if (key == "requireReleaseAmount") {
    policy.require_release_amount = member.flag;
    return require_kind(member, JsonKind::kBoolean, "true or false", why);
  }
  if (key == "maxTenorDays") {
    return read_tenor(member, policy, why);
  }
  if (key == "maxOpenAmount") {
    return read_open_limit(member, policy, why);
  }
  if (key == "requiredMetadata") {
    return read_required_metadata(member, policy, why);
  }
  return refuse_unknown(member, kPositionKeys, why);
}

bool check_currencies_named(std::span<const PolicyMember> members, const Policy& policy, Refusal& why) {
  const auto is_list = [](const PolicyMember& m) {
    return m.depth == 2 && !m.is_element && m.path[1] == "allowedCurrencies";
  };
  const auto list = std::find_if(members.begin(), members.end(), is_list);
  if (list == members.end() || !policy.allowed_currencies.items().empty()) {
    return true;
  }
  refuse_key(*list, why)
      .message({"policy key \"allowedCurrencies\" must contain at least one currency"})
      .hint({"Remove the key to allow every currency."});
  return false;
}

bool check_limits(const Policy& policy, Refusal& why) {
  if (!policy.min_amount || !policy.max_amount || *policy.min_amount <= *policy.max_amount) {
    return true;
  }
  why.begin(Condition::kInvalidParameter)
      .message({"minAmount is greater than maxAmount"})
      .hint({"Swap the two values, or remove one of the keys."})
      .with("parameter", "config")
      .with("minAmount", policy.min_amount->text(0).view())
      .with("maxAmount", policy.max_amount->text(0).view());
  return false;
}

}  // namespace

std::optional<Policy> read_policy(std::span<const PolicyMember> members, Refusal& why) {
  Policy policy;
  for (const PolicyMember& member : members) {
    if (member.depth == 0 || member.path[0] != kTopKeys[0]) {
      refuse_unknown({.path = member.path, .depth = 1, .is_element = false, .kind = member.kind, .text = member.text},
                     kTopKeys, why);
      return std::nullopt;
    }
    const bool valid = member.depth == 1 ? require_kind(member, JsonKind::kObject, "an object", why)
                                         : read_position_member(member, policy, why);
    if (!valid) {
      return std::nullopt;
    }
  }
  const bool consistent = check_currencies_named(members, policy, why) && check_limits(policy, why);
  return consistent ? std::optional(policy) : std::nullopt;
}

}  // namespace escrowgrid::core
