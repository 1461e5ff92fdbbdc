// Policies and template rules: what an institution and a template allow beyond the lifecycle.
#pragma once

#include <array>
#include <span>

#include "core/decide.hpp"
#include "core/template_terms.hpp"

namespace escrowgrid::core {

// A list of bounded length without a heap.
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

// A policy's config, read. Views point into the config's text.
struct Policy {
  std::optional<Amount> min_amount;
  std::optional<Amount> max_amount;
  std::optional<std::int32_t> max_tenor_days;
  bool require_release_amount = false;
  BoundedList<std::string_view, kMaxPolicyEntries> allowed_currencies;  // none: any
  BoundedList<OpenLimit, kMaxPolicyEntries> max_open_amount;
  BoundedList<MetadataRule, kMaxPolicyEntries> required_metadata;

  [[nodiscard]] std::optional<Amount> open_limit(std::string_view currency) const noexcept;
};

// One value of a config, flattened: the keys that lead to it, and whether it is an element of an array there.
struct PolicyMember {
  std::array<std::string_view, 3> path{};
  std::size_t depth = 0;
  bool is_element = false;
  JsonKind kind = JsonKind::kNull;
  std::string_view text;
  bool flag = false;  // of a boolean
};

[[nodiscard]] std::optional<Policy> read_policy(std::span<const PolicyMember> members, Refusal& why);

// --- judging -----------------------------------------------------------------------------------

// Room for two names and two values of 40 bytes, each byte escaped to six; checked where they are put together.
using Compared = FixedText<640>;

struct RuleOutcome {
  std::string_view rule;  // policy.minAmount, template.currency, ...
  bool passed = true;
  Compared compared;  // a JSON object
};

// What one call of judge_creation() or judge_transition() found.
class RuleReport {
 public:
  // When there is no room for one more outcome, the failed rule "report.full" takes its place: a rule that was judged
  // and is not in the report must not pass.
  void add(std::string_view rule, bool passed, const Compared& compared) noexcept;
  [[nodiscard]] std::span<const RuleOutcome> outcomes() const noexcept { return {outcomes_.data(), count_}; }
  [[nodiscard]] bool all_passed() const noexcept;
  // ZE201, naming each rule that failed as far as the detail has room, how many there are, and how many had no room.
  void refuse(Refusal& why) const noexcept;

 private:
  static constexpr std::size_t kMostTemplateRules = 4;  // of a creation: currency, minAmount, maxAmount, maxTenorDays
  static constexpr std::size_t kMostPolicyRules = 5;    // the same but currency, and allowedCurrencies, maxOpenAmount
  static constexpr std::size_t kMost = kMaxPolicyEntries + 11;  // with an outcome for each required key
  static_assert(kMost >= kMostTemplateRules + kMostPolicyRules + kMaxPolicyEntries);
  std::array<RuleOutcome, kMost + 1> outcomes_;  // 1 for "report.full"
  std::size_t count_ = 0;
};

static_assert(std::is_trivially_destructible_v<RuleReport>);

// Whose rules apply; a missing policy allows everything.
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
  Amount open_amount;  // of the institution's open positions in region and currency
};
void judge_creation(const RuleSet& rules, const CreationFacts& facts, RuleReport& report) noexcept;

struct TransitionFacts {
  const PositionSnapshot* position = nullptr;
  const TransitionRequest* request = nullptr;
  std::span<const std::string_view> metadata_keys;
};
void judge_transition(const RuleSet& rules, const TransitionFacts& facts, RuleReport& report) noexcept;

}  // namespace escrowgrid::core
