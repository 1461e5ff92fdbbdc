// Policies and template rules. They restrict the transitions and creations that the lifecycle allows.
#pragma once

#include <array>
#include <span>

#include "core/decide.hpp"
#include "core/template_terms.hpp"

namespace escrowgrid::core {

// A list of bounded length that needs no heap.
template <typename T, std::size_t N>
class BoundedList {
 public:
  [[nodiscard]] bool add(const T& value) noexcept {
    if (size_ == N) {
      return false;
    }
    items_[size_++] = value;
    return true;
  }
  [[nodiscard]] std::span<const T> items() const noexcept { return {items_.data(), size_}; }

 private:
  std::array<T, N> items_{};
  std::size_t size_ = 0;
};

inline constexpr std::size_t kMaxPolicyEntries = 64;

struct OpenLimit {
  std::string_view currency;
  Amount amount;
};

struct MetadataRule {
  State state = State::kCreated;
  std::string_view key;
};

// The content of a policy's config. The views point into the config's text.
struct Policy {
  std::optional<Amount> min_amount;
  std::optional<Amount> max_amount;
  std::optional<std::int32_t> max_tenor_days;
  bool require_release_amount = false;
  BoundedList<std::string_view, kMaxPolicyEntries> allowed_currencies;  // empty: all are allowed
  BoundedList<OpenLimit, kMaxPolicyEntries> max_open_amount;
  BoundedList<MetadataRule, kMaxPolicyEntries> required_metadata;

  [[nodiscard]] std::optional<Amount> open_limit(std::string_view currency) const noexcept;
};

// One value of a config: the keys on the path to it, and whether it is an element of an array at the end of the path.
struct PolicyMember {
  std::array<std::string_view, 3> path{};
  std::size_t depth = 0;
  bool is_element = false;
  JsonKind kind = JsonKind::kNull;
  std::string_view text;
  bool flag = false;  // the value of a boolean
};

[[nodiscard]] std::optional<Policy> read_policy(std::span<const PolicyMember> members, Refusal& why);

// --- judging -----------------------------------------------------------------------------------

// Room for two names and two texts of 40 bytes, of which each byte may be escaped to six. compared() in rules.cpp has a
// static_assert for it.
using Compared = FixedText<640>;

struct RuleOutcome {
  std::string_view rule;  // policy.minAmount, template.currency, ...
  bool passed = true;
  Compared compared;  // a JSON object
};

// The outcomes of one call of judge_creation() or judge_transition().
class RuleReport {
 public:
  // If there is no room for the outcome, the failed rule "report.full" is added instead, because a rule whose outcome
  // is lost must not pass. There is room for all outcomes of one call.
  void add(std::string_view rule, bool passed, const Compared& compared) noexcept;
  [[nodiscard]] std::span<const RuleOutcome> outcomes() const noexcept { return {outcomes_.data(), count_}; }
  [[nodiscard]] bool all_passed() const noexcept;
  // Makes the refusal ZE201. Its DETAIL lists the violated rules for which there is room, and has the number of all
  // violated rules and of those for which there was no room.
  void refuse(Refusal& why) const noexcept;

 private:
  // A creation has the most outcomes. A template adds currency, minAmount, maxAmount and maxTenorDays. A policy adds
  // minAmount, maxAmount, allowedCurrencies, maxTenorDays, maxOpenAmount, and an outcome for each required key.
  static constexpr std::size_t kMostTemplateRules = 4;
  static constexpr std::size_t kMostPolicyRules = 5;
  static constexpr std::size_t kMost = kMaxPolicyEntries + 11;
  static_assert(kMost >= kMostTemplateRules + kMostPolicyRules + kMaxPolicyEntries);
  std::array<RuleOutcome, kMost + 1> outcomes_;  // one more for "report.full"
  std::size_t count_ = 0;
};

static_assert(std::is_trivially_destructible_v<RuleReport>);

// The rules that apply to a position. Without a policy only the template's terms restrict it.
struct RuleSet {
  TemplateTerms terms;
  std::optional<Policy> policy;
};

struct CreationFacts {
  Amount amount;
  CurrencyUnit currency{};
  std::optional<Micros> expires_at;
  Micros now = 0;
  std::span<const std::string_view> metadata_keys;
  Amount open_amount;  // sum of the institution's open positions in the same region and currency
};
void judge_creation(const RuleSet& rules, const CreationFacts& facts, RuleReport& report) noexcept;

struct TransitionFacts {
  const PositionSnapshot* position = nullptr;
  const TransitionRequest* request = nullptr;
  std::span<const std::string_view> metadata_keys;
};
void judge_transition(const RuleSet& rules, const TransitionFacts& facts, RuleReport& report) noexcept;

}  // namespace escrowgrid::core
