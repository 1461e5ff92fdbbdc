#include "core/rules.hpp"

#include <algorithm>
#include <stdexcept>

namespace escrowgrid::core {

namespace {

constexpr Micros kDay = static_cast<Micros>(24) * 60 * 60 * 1'000'000;

constexpr std::size_t kMostNameBytes = 24;
constexpr std::size_t kMostTextBytes = 40;
constexpr std::size_t kMostValueBytes = json_string_bytes(kMostTextBytes + kEllipsis.size());

// The name of a compared value. It is a literal that is checked when it is compiled: it is short and needs no escaping.
class Name {
 public:
  template <std::size_t N>
  consteval Name(const char (&literal)[N]) : text_(literal, N - 1) {
    static_assert(N - 1 <= kMostNameBytes);
    for (const char c : text_) {
      if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z')) {
        throw std::invalid_argument("a name has letters only");  // makes the compilation fail
      }
    }
  }
  [[nodiscard]] std::string_view text() const noexcept { return text_; }

 private:
  std::string_view text_;
};

// A name and a value. The value is text of any length, or a complete JSON value whose type guarantees that it fits.
class Pair {
 public:
  Pair(Name name, std::string_view text) : name_(name), value_(text) {}
  template <std::size_t N>
  Pair(Name name, const FixedText<N>& json) : name_(name), value_(json.view()), is_text_(false) {
    static_assert(N <= kMostValueBytes);
  }

  // Appends "name": value. A text longer than kMostTextBytes is cut and ends with an ellipsis.
  [[nodiscard]] bool append_to(Compared& out) const noexcept {
    return out.try_append("\"") && out.try_append(name_.text()) && out.try_append("\": ") &&
           (is_text_ ? append_json_string(out, clipped_to<kMostTextBytes>(value_).view()) : out.try_append(value_));
  }
  static constexpr std::size_t kMostBytes = 1 + kMostNameBytes + 3 + kMostValueBytes;

 private:
  Name name_;
  std::string_view value_;
  bool is_text_ = true;
};

Compared compared(const Pair& found, const Pair& allowed) noexcept {
  static_assert(1 + Pair::kMostBytes + 2 + Pair::kMostBytes + 1 <= Compared::kCapacity);
  Compared out;
  static_cast<void>(out.try_append("{") && found.append_to(out) && out.try_append(", ") && allowed.append_to(out) &&
                    out.try_append("}"));
  return out;
}

AmountText json_amount(const std::optional<Amount>& amount) noexcept {
  AmountText null;
  static_assert(AmountText::kCapacity >= 4);
  static_cast<void>(null.try_append("null"));
  return amount ? amount->text(0) : null;
}

Compared compared_amounts(Amount found, Name limit_name, Amount limit) noexcept {
  return compared({"amount", found.text(0)}, {limit_name, limit.text(0)});
}

void judge_minimum(std::string_view rule, const std::optional<Amount>& limit, Amount amount, RuleReport& report) {
  if (limit) {
    report.add(rule, amount >= *limit, compared_amounts(amount, "minAmount", *limit));
  }
}

void judge_maximum(std::string_view rule, const std::optional<Amount>& limit, Amount amount, RuleReport& report) {
  if (limit) {
    report.add(rule, amount <= *limit, compared_amounts(amount, "maxAmount", *limit));
  }
}

// A position without an expiry never ends, so it exceeds every limit.
void judge_tenor(std::string_view rule, const std::optional<std::int32_t>& limit, const CreationFacts& facts,
                 RuleReport& report) {
  if (!limit) {
    return;
  }
  // 128 bits, because the difference of two int64 times may not fit into 64 bits.
  const Int128 length = static_cast<Int128>(facts.expires_at.value_or(0)) - facts.now;
  const bool passed = facts.expires_at && length <= static_cast<Int128>(*limit) * kDay;
  const Amount days = Amount::from_units(static_cast<Int128>(*limit) * kUnitsPerOne);
  std::optional<Amount> tenor;
  if (facts.expires_at) {
    tenor = Amount::from_units(length * kUnitsPerOne / kDay);
  }
  report.add(rule, passed, compared({"tenorDays", json_amount(tenor)}, {"maxTenorDays", days.text(0)}));
}

void judge_required_metadata(const Policy& policy, State state, std::span<const std::string_view> keys,
                             RuleReport& report) {
  for (const MetadataRule& rule : policy.required_metadata.items()) {
    if (rule.state == state) {
      const bool passed = std::find(keys.begin(), keys.end(), rule.key) != keys.end();
      report.add("policy.requiredMetadata", passed, compared({"state", state_name(state)}, {"requiredKey", rule.key}));
    }
  }
}

}  // namespace

std::optional<Amount> Policy::open_limit(std::string_view currency) const noexcept {
  for (const OpenLimit& limit : max_open_amount.items()) {
    if (limit.currency == currency) {
      return limit.amount;
    }
  }
  return std::nullopt;
}

void RuleReport::add(std::string_view rule, bool passed, const Compared& compared) noexcept {
  if (count_ < kMost) {
    RuleOutcome& outcome = outcomes_[count_++];
    outcome.rule = rule;
    outcome.passed = passed;
    outcome.compared = compared;
  } else if (count_ == kMost) {
    RuleOutcome& outcome = outcomes_[count_++];
    outcome.rule = "report.full";
    outcome.passed = false;
    outcome.compared.clear();
  }
}

bool RuleReport::all_passed() const noexcept {
  const auto found = outcomes();
  return std::all_of(found.begin(), found.end(), [](const RuleOutcome& o) { return o.passed; });
}

void RuleReport::refuse(Refusal& why) const noexcept {
  constexpr std::size_t kViolationsBytes = 3000;
  FixedText<kViolationsBytes> violations;
  static_assert(kViolationsBytes + 600 <= Refusal::kDetailBytes, "the other members have room beside them");
  static_cast<void>(violations.try_append("["));
  std::string_view first;
  std::int64_t count = 0;
  std::int64_t omitted = 0;
  for (const RuleOutcome& outcome : outcomes()) {
    if (outcome.passed) {
      continue;
    }
    ++count;
    // A violation is added whole or omitted, and one byte is kept for the closing bracket, so that the array is valid
    // JSON.
    const std::size_t before = violations.size();
    const bool fits = violations.try_append(before > 1 ? ", " : "") && violations.try_append(R"({"rule": )") &&
                      append_json_string(violations, outcome.rule) && violations.try_append(R"(, "compared": )") &&
                      violations.try_append(outcome.compared.empty() ? "{}" : outcome.compared.view()) &&
                      violations.try_append("}") && violations.size() < kViolationsBytes;
    if (!fits) {
      violations.truncate(before);
      ++omitted;
    }
    first = first.empty() ? outcome.rule : first;
  }
  static_cast<void>(violations.try_append("]"));
  why.begin(Condition::kPolicyViolation)
      .message({"a rule forbids this: ", first})
      .hint({"The detail contains the violated rules with the compared values. escrow_explain_transition() and "
             "escrow_explain_create_position() show the outcome of every rule."});
  if (omitted > 0) {
    why.with_number("violations_omitted", omitted);
  }
  why.with_number("violation_count", count).with_json("violations", violations.view());
}

void judge_creation(const RuleSet& rules, const CreationFacts& facts, RuleReport& report) noexcept {
  const TemplateTerms& terms = rules.terms;
  if (terms.currency) {
    report.add("template.currency", facts.currency.code == *terms.currency,
               compared({"currency", facts.currency.code}, {"templateCurrency", *terms.currency}));
  }
  judge_minimum("template.minAmount", terms.min_amount, facts.amount, report);
  judge_maximum("template.maxAmount", terms.max_amount, facts.amount, report);
  judge_tenor("template.maxTenorDays", terms.max_tenor_days, facts, report);
  if (!rules.policy) {
    return;
  }
  const Policy& policy = *rules.policy;
  judge_minimum("policy.minAmount", policy.min_amount, facts.amount, report);
  judge_maximum("policy.maxAmount", policy.max_amount, facts.amount, report);
  const auto allowed = policy.allowed_currencies.items();
  if (!allowed.empty()) {
    report.add("policy.allowedCurrencies",
               std::find(allowed.begin(), allowed.end(), facts.currency.code) != allowed.end(),
               compared({"currency", facts.currency.code}, {"firstAllowed", allowed.front()}));
  }
  judge_tenor("policy.maxTenorDays", policy.max_tenor_days, facts, report);
  if (const std::optional<Amount> limit = policy.open_limit(facts.currency.code)) {
    const Amount open = facts.open_amount + facts.amount;
    report.add("policy.maxOpenAmount", open <= *limit, compared_amounts(open, "maxOpenAmount", *limit));
  }
  judge_required_metadata(policy, State::kCreated, facts.metadata_keys, report);
}

void judge_transition(const RuleSet& rules, const TransitionFacts& facts, RuleReport& report) noexcept {
  if (facts.position == nullptr || facts.request == nullptr) {
    report.add("facts.missing", false, Compared());  // no rule can be judged, so the transition must not pass
    return;
  }
  const PositionSnapshot& position = *facts.position;
  const TransitionRequest& request = *facts.request;
  const bool is_partial = request.to == State::kPartiallyReleased;
  if (is_partial && rules.terms.retainage_percentage) {
    // (released + amount) / whole <= (100 - retainage) / 100, multiplied by whole * 100.
    constexpr Int128 kHundred = static_cast<Int128>(100) * kUnitsPerOne;
    const Amount after = position.released + request.amount.value_or(Amount());
    const Int128 free = kHundred - rules.terms.retainage_percentage->units();
    static_assert(Amount::kMaxUnits < kMaxInt128 / kHundred / 4, "the products of sums of amounts are exact");
    const bool passed = after.units() * kHundred <= position.terms.amount.units() * free;
    report.add("template.retainagePercentage", passed,
               compared({"releasedAmount", after.text(0)},
                        {"retainagePercentage", rules.terms.retainage_percentage->text(0)}));
  }
  if (!rules.policy) {
    return;
  }
  if (is_partial && rules.policy->require_release_amount) {
    report.add("policy.requireReleaseAmount", request.amount.has_value(),
               compared({"amount", json_amount(request.amount)}, {"requireReleaseAmount", joined("true")}));
  }
  judge_required_metadata(*rules.policy, request.to, facts.metadata_keys, report);
}

}  // namespace escrowgrid::core
