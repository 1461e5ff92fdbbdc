#include "core/rules.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "core/fingerprint.hpp"
#include "well_formed.hpp"

namespace escrowgrid::core {
namespace {

constexpr Micros kNow = 1'700'000'000'000'000;
constexpr Micros kDay = 86'400'000'000;

PolicyMember at(std::vector<std::string_view> path, JsonKind kind, std::string_view text = {},
                bool is_element = false) {
  PolicyMember member;
  std::copy(path.begin(), path.end(), member.path.begin());
  member.depth = path.size();
  member.kind = kind;
  member.text = text;
  member.flag = text == "true";
  member.is_element = is_element;
  return member;
}

std::optional<Policy> read(const std::vector<PolicyMember>& members, Refusal& why) {
  return read_policy(members, why);
}

const PolicyMember kPosition = at({"position"}, JsonKind::kObject);

TEST(Policy, EveryKeyOfAPolicyIsRead) {
  Refusal why;
  const std::optional<Policy> policy = read(
      {kPosition, at({"position", "minAmount"}, JsonKind::kNumber, "5"),
       at({"position", "maxAmount"}, JsonKind::kNumber, "50.25"),
       at({"position", "allowedCurrencies"}, JsonKind::kArray),
       at({"position", "allowedCurrencies"}, JsonKind::kString, "USD", true),
       at({"position", "requireReleaseAmount"}, JsonKind::kBoolean, "true"),
       at({"position", "maxTenorDays"}, JsonKind::kNumber, "30"), at({"position", "maxOpenAmount"}, JsonKind::kObject),
       at({"position", "maxOpenAmount", "USD"}, JsonKind::kNumber, "100"),
       at({"position", "requiredMetadata"}, JsonKind::kObject),
       at({"position", "requiredMetadata", "FUNDED"}, JsonKind::kArray),
       at({"position", "requiredMetadata", "FUNDED"}, JsonKind::kString, "ref", true)},
      why);
  ASSERT_TRUE(policy) << why.message();
  EXPECT_EQ(policy->min_amount->text(0).view(), "5");
  EXPECT_EQ(policy->max_amount->text(0).view(), "50.25");
  EXPECT_EQ(policy->allowed_currencies.items().size(), 1U);
  EXPECT_TRUE(policy->require_release_amount);
  EXPECT_EQ(policy->max_tenor_days, 30);
  EXPECT_EQ(policy->open_limit("USD")->text(0).view(), "100");
  EXPECT_FALSE(policy->open_limit("EUR"));
  EXPECT_EQ(policy->required_metadata.items()[0].state, State::kFunded);
}

TEST(Policy, APolicyWithAnUnknownKeyAWrongTypeOrContradictingLimitsIsRefused) {
  Refusal why;
  const std::vector<std::vector<PolicyMember>> wrong = {
      {at({"positon"}, JsonKind::kObject)},
      {at({"position"}, JsonKind::kNumber, "1")},
      {kPosition, at({"position", "minAmout"}, JsonKind::kNumber, "1")},
      {kPosition, at({"position", "minAmount"}, JsonKind::kNull)},
      {kPosition, at({"position", "maxTenorDays"}, JsonKind::kNumber, "1.5")},
      {kPosition, at({"position", "allowedCurrencies"}, JsonKind::kArray)},
      {kPosition, at({"position", "maxOpenAmount"}, JsonKind::kArray)},
      {kPosition, at({"position", "requiredMetadata", "PAID"}, JsonKind::kArray)},
      {kPosition, at({"position", "minAmount"}, JsonKind::kNumber, "2"),
       at({"position", "maxAmount"}, JsonKind::kNumber, "1")},
  };
  for (const auto& members : wrong) {
    EXPECT_FALSE(read(members, why));
    EXPECT_STRNE(why.hint(), "");
  }
}

TEST(Policy, AMemberWhoseDepthAndPathDoNotFitTogetherIsRefused) {
  for (const std::size_t depth : {std::size_t{0}, std::size_t{4}, std::size_t{9}, SIZE_MAX}) {
    PolicyMember odd = at({"position", "unknown", "USD"}, JsonKind::kArray, "5");
    odd.depth = depth;
    Refusal why;
    EXPECT_FALSE(read({kPosition, odd}, why)) << depth;
    EXPECT_STRNE(why.message(), "") << depth;
    odd.is_element = true;
    EXPECT_FALSE(read({odd}, why)) << depth;
  }
}

TEST(Policy, APolicyWithMoreThan64EntriesForAKeyIsRefused) {
  Refusal why;
  std::vector<PolicyMember> members = {kPosition, at({"position", "allowedCurrencies"}, JsonKind::kArray)};
  members.insert(members.end(), kMaxPolicyEntries,
                 at({"position", "allowedCurrencies"}, JsonKind::kString, "USD", true));
  EXPECT_TRUE(read(members, why));
  members.push_back(members.back());
  EXPECT_FALSE(read(members, why));
}

RuleReport judged(const Policy& policy, const char* amount, std::optional<Micros> expires_at = std::nullopt) {
  RuleReport report;
  judge_creation({.terms = {}, .policy = policy},
                 {.amount = parse_amount(amount).amount,
                  .currency = {.code = "USD", .exponent = 2},
                  .expires_at = expires_at,
                  .now = kNow,
                  .metadata_keys = {},
                  .open_amount = parse_amount("40").amount},
                 report);
  return report;
}

TEST(Rules, APositionAtEachLimitOfItsPolicyPassesAndOneBeyondFails) {
  Policy policy;
  policy.min_amount = parse_amount("5").amount;
  policy.max_amount = parse_amount("60").amount;
  policy.max_tenor_days = 2;
  ASSERT_TRUE(policy.max_open_amount.add({.currency = "USD", .amount = parse_amount("100").amount}));
  const Micros in_time = kNow + 2 * kDay;
  EXPECT_TRUE(judged(policy, "5", in_time).all_passed());
  EXPECT_TRUE(judged(policy, "60", in_time).all_passed());
  EXPECT_FALSE(judged(policy, "4.99", in_time).all_passed());
  EXPECT_FALSE(judged(policy, "60.01", in_time).all_passed());
  EXPECT_FALSE(judged(policy, "60", in_time + 1).all_passed());
  EXPECT_FALSE(judged(policy, "60").all_passed());
}

TEST(Rules, ATenorBetweenTimesAtTheEndsOfTheirRangeIsComparedWithoutOverflow) {
  constexpr Micros kEarliest = std::numeric_limits<Micros>::min();
  constexpr Micros kLatest = std::numeric_limits<Micros>::max();
  const auto passes = [](Micros expires_at, Micros now, std::int32_t days) {
    RuleSet rules;
    rules.terms.max_tenor_days = days;
    RuleReport report;
    judge_creation(rules,
                   {.amount = Amount::max(),
                    .currency = {.code = "USD", .exponent = 2},
                    .expires_at = expires_at,
                    .now = now,
                    .metadata_keys = {},
                    .open_amount = {}},
                   report);
    EXPECT_TRUE(test::is_json(report.outcomes()[0].compared.view())) << report.outcomes()[0].compared.view();
    return report.all_passed();
  };
  constexpr std::int32_t kMostDays = std::numeric_limits<std::int32_t>::max();
  EXPECT_FALSE(passes(kLatest, kEarliest, 36500));
  EXPECT_FALSE(passes(kLatest, 0, 36500));
  EXPECT_TRUE(passes(kEarliest, kLatest, 1));
  EXPECT_TRUE(passes(kEarliest, 0, 1));
  EXPECT_TRUE(passes(kLatest, kEarliest, kMostDays)) << "2^64 microseconds are less than 2^31 days";
  EXPECT_TRUE(passes(kLatest, kLatest, 0));
  EXPECT_FALSE(passes(1, 0, std::numeric_limits<std::int32_t>::min()));
}

TEST(Rules, AnOpenAmountAtTheLimitAddsUpExactlyAndExceedsEveryLimit) {
  Policy policy;
  ASSERT_TRUE(policy.max_open_amount.add({.currency = "USD", .amount = Amount::max()}));
  RuleReport report;
  judge_creation({.terms = {}, .policy = policy},
                 {.amount = Amount::max(),
                  .currency = {.code = "USD", .exponent = 2},
                  .expires_at = std::nullopt,
                  .now = kNow,
                  .metadata_keys = {},
                  .open_amount = Amount::max()},
                 report);
  ASSERT_EQ(report.outcomes().size(), 1U);
  EXPECT_FALSE(report.all_passed());
  EXPECT_EQ(report.outcomes()[0].compared.view(), R"({"amount": 2000000000000000, "maxOpenAmount": 1000000000000000})");
}

TEST(Rules, ATransitionWithoutFactsFailsInsteadOfPassing) {
  RuleReport report;
  judge_transition({}, {}, report);
  EXPECT_FALSE(report.all_passed());
}

TEST(Rules, ARefusalListsEveryViolatedRuleWithItsComparedValues) {
  Policy policy;
  policy.min_amount = parse_amount("5").amount;
  policy.max_tenor_days = 2;
  Refusal why;
  judged(policy, "1").refuse(why);
  const std::string detail = why.detail();
  EXPECT_EQ(why.condition(), Condition::kPolicyViolation);
  EXPECT_NE(detail.find(R"({"rule": "policy.minAmount", "compared": {"amount": 1, "minAmount": 5}})"),
            std::string::npos);
  EXPECT_NE(detail.find(R"({"tenorDays": null, "maxTenorDays": 2})"), std::string::npos);
}

TEST(Rules, TheDetailIsValidJsonAndCountsAllViolationsWhenTheyDoNotAllFit) {
  Policy policy;
  const std::string hostile(60, '\x01');  // each character is escaped to six bytes
  for (std::size_t i = 0; i < kMaxPolicyEntries; ++i) {
    ASSERT_TRUE(policy.required_metadata.add({.state = State::kCreated, .key = hostile}));
  }
  policy.min_amount = parse_amount("5").amount;
  const RuleReport report = judged(policy, "1");
  EXPECT_EQ(report.outcomes().size(), kMaxPolicyEntries + 1);
  for (const RuleOutcome& outcome : report.outcomes()) {
    EXPECT_EQ(outcome.compared.view().back(), '}');
  }
  Refusal why;
  report.refuse(why);
  const std::string detail = why.detail();
  EXPECT_NE(detail.find(R"("violation_count": 65, "violations": [{"rule": "policy.minAmount")"), std::string::npos);
  EXPECT_TRUE(detail.ends_with("}}]}"));
}

std::string detail_of(const RuleReport& report) {
  Refusal why;
  report.refuse(why);
  return why.detail();
}

RuleReport judged_with_required_keys(const std::vector<std::string>& keys) {
  Policy policy;
  for (const std::string& key : keys) {
    EXPECT_TRUE(policy.required_metadata.add({.state = State::kCreated, .key = key}));
  }
  return judged(policy, "1");
}

TEST(Rules, ARefusalSaysHowManyViolationsHadNoRoomInTheDetail) {
  for (const std::size_t count : {1U, 10U, 20U, 30U, 64U}) {
    const std::string detail = detail_of(judged_with_required_keys(std::vector<std::string>(count, "key")));
    EXPECT_TRUE(test::is_json(detail)) << detail;
    std::size_t shown = 0;
    for (std::size_t at = detail.find("{\"rule\""); at != std::string::npos; at = detail.find("{\"rule\"", at + 1)) {
      ++shown;
    }
    const std::string omitted = "\"violations_omitted\": " + std::to_string(count - shown) + ",";
    EXPECT_EQ(detail.find(omitted) != std::string::npos, shown < count) << detail;
    EXPECT_EQ(detail.find("violations_omitted") != std::string::npos, shown < count) << detail;
    EXPECT_NE(detail.find("\"violation_count\": " + std::to_string(count)), std::string::npos) << detail;
  }
}

TEST(Rules, AComparedTextOfMoreThan40BytesEndsWithAnEllipsisAndStaysValidJson) {
  const std::string longest(40, 'k');
  const std::string accents = "k\xC3\xA9" + std::string(36, 'k') + "\xC3\xA9";
  const RuleReport report = judged_with_required_keys({longest, longest + "k", accents, std::string(41, '\x01')});
  const std::vector<std::string> expected = {longest, longest + "\xE2\x80\xA6", accents.substr(0, 39) + "\xE2\x80\xA6"};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(report.outcomes()[i].compared.view(), R"({"state": "CREATED", "requiredKey": ")" + expected[i] + "\"}");
  }
  for (const RuleOutcome& outcome : report.outcomes()) {
    EXPECT_TRUE(test::is_json(outcome.compared.view())) << outcome.compared.view();
  }
}

TEST(Rules, AMetadataKeyNamedNullIsComparedAsTextAndNotAsJsonNull) {
  const RuleReport report = judged_with_required_keys({"null"});
  EXPECT_EQ(report.outcomes()[0].compared.view(), R"({"state": "CREATED", "requiredKey": "null"})");
}

TEST(Rules, AReportThatHasNoRoomForAnotherOutcomeFailsInsteadOfForgettingIt) {
  RuleReport report;
  std::size_t added = 0;
  for (; report.all_passed() && added < 1000; ++added) {
    report.add("rule", true, Compared());
  }
  EXPECT_GE(added, kMaxPolicyEntries + 9) << "every rule of one call has room";
  EXPECT_FALSE(report.all_passed());
  EXPECT_EQ(report.outcomes().back().rule, "report.full");
  EXPECT_FALSE(report.outcomes().back().passed);
  report.add("rule", true, Compared());
  EXPECT_EQ(report.outcomes().size(), added);
  EXPECT_FALSE(report.all_passed());
  EXPECT_TRUE(test::is_json(detail_of(report))) << detail_of(report);
}

TEST(Rules, TheRetainageIsComparedExactlyAtTheLargestAmounts) {
  PositionSnapshot position;
  position.terms.amount = Amount::max();
  position.terms.currency = {.code = "USD", .exponent = 2};
  position.state = State::kFunded;
  RuleSet rules;
  rules.terms.retainage_percentage = parse_amount("33.33333333").amount;
  const auto passes = [&](const char* amount) {
    TransitionRequest request;
    request.to = State::kPartiallyReleased;
    request.amount = parse_amount(amount).amount;
    RuleReport report;
    judge_transition(rules, {.position = &position, .request = &request, .metadata_keys = {}}, report);
    return report.all_passed();
  };
  EXPECT_TRUE(passes("666666666700000"));
  EXPECT_FALSE(passes("666666666700000.01"));
  position.released = Amount::max();
  EXPECT_FALSE(passes("1000000000000000"));
}

TEST(Fingerprint, RequestsHaveTheSameFingerprintExactlyWhenTheirArgumentsAreEqual) {
  TransitionInput one;
  one.position_id = "pos_1";
  one.to_state = "PARTIALLY_RELEASED";
  one.amount = "1.50";
  TransitionInput other = one;
  other.amount = "1.5000";
  other.content.salt.fill(9);
  EXPECT_EQ(fingerprint(one), fingerprint(other));
  other.content.reason = "r";
  EXPECT_NE(fingerprint(one), fingerprint(other));
  other = one;
  other.expected_version = 1;
  EXPECT_NE(fingerprint(one), fingerprint(other));
}

TEST(Fingerprint, ABatchWithEmptyUnequalNullOrRepeatedElementsIsRefused) {
  Refusal why;
  using List = std::vector<std::optional<std::string_view>>;
  const auto check = [&](const List& ids, const List& amounts) {
    return check_batch({.position_ids = ids, .amounts = amounts, .each = {}}, why);
  };
  EXPECT_TRUE(check({"b", "a"}, {}));
  EXPECT_TRUE(check({"b", "a"}, {"1", "2"}));
  EXPECT_FALSE(check({}, {}));
  EXPECT_FALSE(check({"a", "b", "a"}, {}));
  EXPECT_FALSE(check({"a", std::nullopt}, {}));
  EXPECT_FALSE(check({"a", "b"}, {"1"}));
  EXPECT_FALSE(check({"a"}, {std::nullopt}));
}

}  // namespace
}  // namespace escrowgrid::core
