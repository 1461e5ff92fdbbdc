#include "core/rules.hpp"

#include <algorithm>

namespace escrowgrid::core {

namespace {

constexpr Micros kDay = static_cast<Micros>(24) * 60 * 60 * 1'000'000;

struct Pair {
  std::string_view name;
  std::string_view value;
  bool is_number = false;
};

Compared compared(Pair found, Pair allowed) {
  Compared out;
  out.append('{');
  bool is_first = true;
  for (const Pair& pair : {found, allowed}) {
    out.append(is_first ? "" : ", ");
    is_first = false;
    append_json_string(out, pair.name);
    out.append(": ");
    if (pair.is_number || pair.value == "null") {
      out.append(pair.value);
    } else {
      append_json_string(out, clip(pair.value, 40));
    }
  }
  out.append('}');
  return out;
}

Compared compared_amounts(Amount found, std::string_view limit_name, Amount limit) {
  const AmountText found_text = found.text(0);
  const AmountText limit_text = limit.text(0);
  return compared({"amount", found_text.view(), true}, {limit_name, limit_text.view(), true});
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

// Without an expiry the tenor has no end, which is longer than any limit.
void judge_tenor(std::string_view rule, const std::optional<std::int32_t>& limit, const CreationFacts& facts,
                 RuleReport& report) {
  if (!limit) {
    return;
  }
  const bool passed = facts.expires_at && *facts.expires_at - facts.now <= *limit * kDay;
  const Amount days = Amount::from_units(static_cast<Int128>(*limit) * kUnitsPerOne);
  const Amount tenor =
      facts.expires_at ? Amount::from_units(static_cast<Int128>(*facts.expires_at - facts.now) * kUnitsPerOne / kDay)
                       : Amount();
  const AmountText days_text = days.text(0);
  const AmountText tenor_text = tenor.text(0);
  report.add(rule, passed,
             compared({"tenorDays", facts.expires_at ? tenor_text.view() : "null", true},
                      {"maxTenorDays", days_text.view(), true}));
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
    outcomes_[count_++] = {.rule = rule, .passed = passed, .compared = compared};
  }
}

bool RuleReport::all_passed() const noexcept {
  const auto found = outcomes();
  return std::all_of(found.begin(), found.end(), [](const RuleOutcome& o) { return o.passed; });
}

void RuleReport::refuse(Refusal& why) const noexcept {
  FixedText<3000> violations;
  violations.append('[');
  std::string_view first;
  std::int64_t count = 0;
  for (const RuleOutcome& outcome : outcomes()) {
    if (outcome.passed) {
      continue;
    }
    ++count;
    // Whole or not at all, so that the detail stays valid JSON however many rules failed.
    FixedText<800> violation;
    violation.append(first.empty() ? "" : ", ");
    violation.append(R"({"rule": ")");
    violation.append(outcome.rule);
    violation.append(R"(", "compared": )");
    violation.append(outcome.compared.view());
    violation.append('}');
    if (violations.size() + violation.size() < 3000) {
      violations.append(violation.view());
    }
    first = first.empty() ? outcome.rule : first;
  }
  violations.append(']');
  why.begin(Condition::kPolicyViolation)
      .message({"a rule forbids this: ", first})
      .hint({"The detail names each rule and the values compared; escrow_explain_… shows all of them."})
      .with_number("violation_count", count)
      .with_json("violations", violations.view());
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
  const PositionSnapshot& position = *facts.position;
  const TransitionRequest& request = *facts.request;
  const bool is_partial = request.to == State::kPartiallyReleased;
  if (is_partial && rules.terms.retainage_percentage) {
    // (released + amount) / whole <= (100 - retainage) / 100, without a division.
    constexpr Int128 kHundred = static_cast<Int128>(100) * kUnitsPerOne;
    const Amount after = position.released + request.amount.value_or(Amount());
    const Int128 free = kHundred - rules.terms.retainage_percentage->units();
    const bool passed = after.units() * kHundred <= position.terms.amount.units() * free;
    const AmountText after_text = after.text(0);
    const AmountText percentage = rules.terms.retainage_percentage->text(0);
    report.add("template.retainagePercentage", passed,
               compared({"releasedAmount", after_text.view(), true}, {"retainagePercentage", percentage.view(), true}));
  }
  if (!rules.policy) {
    return;
  }
  if (is_partial && rules.policy->require_release_amount) {
    const AmountText amount = request.amount.value_or(Amount()).text(0);
    report.add(
        "policy.requireReleaseAmount", request.amount.has_value(),
        compared({"amount", request.amount ? amount.view() : "null", true}, {"requireReleaseAmount", "true", true}));
  }
  judge_required_metadata(*rules.policy, request.to, facts.metadata_keys, report);
}

}  // namespace escrowgrid::core
