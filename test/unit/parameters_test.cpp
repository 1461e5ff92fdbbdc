#include "core/parameters.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "core/json_limits.hpp"
#include "core/template_terms.hpp"
#include "well_formed.hpp"

namespace escrowgrid::core {
namespace {

TEST(Parameters, ATextThatIsMissingBlankOrTooLongIsRefused) {
  Refusal why;
  const TextRule rule = {.parameter = "label", .max_bytes = 5};
  EXPECT_TRUE(require_text(rule, "12345", why));
  EXPECT_FALSE(require_text(rule, std::nullopt, why));
  EXPECT_FALSE(require_text(rule, "", why));
  EXPECT_FALSE(require_text(rule, " \t\n", why));
  EXPECT_FALSE(require_text(rule, "123456", why));
  EXPECT_EQ(why.condition(), Condition::kInvalidParameter);
  EXPECT_TRUE(check_optional_text(rule, std::nullopt, why));
}

TEST(Parameters, ListsOfRegionsOrVerticalsThatAreEmptyUnknownRepeatedOrContainNullAreRefused) {
  Refusal why;
  using List = std::vector<std::optional<std::string_view>>;
  EXPECT_TRUE(require_regions(List{"US", "EU_UK", "SG", "UAE"}, why));
  EXPECT_FALSE(require_regions(List{}, why));
  EXPECT_FALSE(require_regions(List{"US", "US"}, why));
  EXPECT_FALSE(require_regions(List{"US", std::nullopt}, why));
  EXPECT_FALSE(require_regions(List{"us"}, why));
  EXPECT_TRUE(require_verticals(List{"CONSTRUCTION", "TRADE_FINANCE"}, why));
  EXPECT_FALSE(require_verticals(List{"MINING"}, why));
}

TEST(Parameters, NearestReturnsTheMostSimilarWordAndNothingIfNoneIsSimilar) {
  constexpr std::array<std::string_view, 3> words = {"currency", "minAmount", "maxAmount"};
  EXPECT_EQ(nearest("curency", words), "currency");
  EXPECT_EQ(nearest("min_amount", words), "minAmount");
  EXPECT_EQ(nearest("zzzzzzzzzzzz", words), "");
  EXPECT_EQ(nearest(std::string(500, 'x'), words), "");
}

TEST(Refusal, TheDetailStaysValidJsonWhenValuesHaveSpecialCharactersOrDoNotFit) {
  Refusal why;
  why.begin(Condition::kInvalidParameter).with("parameter", "a\"b\\c\n\x01").with_number("n", -5).with_null("x");
  EXPECT_STREQ(why.detail(),
               R"({"type": "urn:escrowgrid:error:invalid_parameter", "title": "A parameter is missing or malformed", )"
               R"("status": 400, "parameter": "a\"b\\c\u000a\u0001", "n": -5, "x": null})");
  for (int i = 0; i < 200; ++i) {
    why.with("key", std::string(500, '"'));
  }
  EXPECT_EQ(std::string_view(why.detail()).back(), '}');
  EXPECT_TRUE(test::is_json(why.detail()));
}

TEST(Refusal, ClipNeverSplitsAUtf8Sequence) {
  EXPECT_EQ(clip("abc", 2), "ab");
  EXPECT_EQ(clip("a\xc3\xa9", 2), "a");
  EXPECT_EQ(clip("a\xc3\xa9", 3), "a\xc3\xa9");
  EXPECT_EQ(clip("\xf0\x9f\x98\x80", 3), "");
}

TEST(JsonLimits, AJsonObjectIsAcceptedAtEachLimitAndRefusedBeyondIt) {
  Refusal why;
  const auto nested = [](std::size_t depth) {
    return "{\"a\": " + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}";
  };
  const auto with_digits = [](std::size_t digits) { return "{\"a\": " + std::string(digits, '9') + "}"; };
  const auto of_size = [](std::size_t bytes) { return "{\"a\": \"" + std::string(bytes - 9, 'x') + "\"}"; };
  EXPECT_TRUE(check_json_object("metadata", nested(10), why));
  EXPECT_FALSE(check_json_object("metadata", nested(11), why));
  EXPECT_TRUE(check_json_object("metadata", with_digits(100), why));
  EXPECT_FALSE(check_json_object("metadata", with_digits(101), why));
  EXPECT_TRUE(check_json_object("metadata", of_size(kMaxJsonBytes), why));
  EXPECT_FALSE(check_json_object("metadata", of_size(kMaxJsonBytes + 1), why));
  EXPECT_TRUE(check_json_object("metadata", std::nullopt, why));
  for (const auto* text : {"[]", "null", "1", "\"{}\"", ""}) {
    EXPECT_FALSE(check_json_object("metadata", text, why)) << text;
  }
}

TEST(JsonLimits, ARequiredJsonObjectIsRefusedWhenItIsAbsentAndJudgedByTheSameLimitsOtherwise) {
  Refusal why;
  EXPECT_FALSE(require_json_object("config", std::nullopt, why));
  EXPECT_STREQ(why.message(), "config must not be null");
  EXPECT_TRUE(require_json_object("config", "{}", why));
  EXPECT_FALSE(require_json_object("config", "[]", why));
  EXPECT_FALSE(require_json_object("config", "{\"a\": \"" + std::string(3 * kMaxJsonBytes, 'x') + "\"}", why));
  EXPECT_STREQ(why.message(), "config is larger than 64 KB");
}

TEST(JsonLimits, BracketsAndDigitsInsideJsonStringsAreNotCounted) {
  const JsonMeasure measure = measure_json(R"({"[[[[[[[[[[[[": "}}}\"]]] 12345678901234567890"})");
  EXPECT_EQ(measure.depth, 1U);
  EXPECT_EQ(measure.digits, 0U);
}

struct TemplateCase {
  const char* name;
  TemplateRequest request;
  std::vector<ConfigMember> config;
  bool accepted;
};

TEST(TemplateTerms, EachTemplateCodeAcceptsItsOwnKeysWithValidValuesAndRefusesOthers) {
  const ConfigMember usd = {.key = "currency", .kind = JsonKind::kString, .text = "USD"};
  const auto number = [](std::string_view key, std::string_view text) {
    return ConfigMember{.key = key, .kind = JsonKind::kNumber, .text = text};
  };
  const auto string = [](std::string_view key, std::string_view text) {
    return ConfigMember{.key = key, .kind = JsonKind::kString, .text = text};
  };
  const TemplateRequest escrow = {.code = "CONSTR_ESCROW", .vertical = "CONSTRUCTION", .region = "US", .config = {}};
  const TemplateRequest retainage = {
      .code = "CONSTR_RETAINAGE", .vertical = "CONSTRUCTION", .region = "US", .config = {}};
  const TemplateRequest invoice = {.code = "TF_INVOICE", .vertical = "TRADE_FINANCE", .region = "SG", .config = {}};
  const TemplateRequest credit = {.code = "TF_LC", .vertical = "TRADE_FINANCE", .region = "SG", .config = {}};
  const TemplateRequest own = {.code = "MINE", .vertical = "TRADE_FINANCE", .region = "SG", .config = {}};
  const TemplateRequest misplaced = {.code = "TF_LC", .vertical = "CONSTRUCTION", .region = "SG", .config = {}};
  const std::vector<TemplateCase> cases = {
      {"CONSTR_ESCROW with only a currency is accepted", escrow, {usd}, true},
      {"CONSTR_ESCROW with equal limits is accepted",
       escrow,
       {usd, number("minAmount", "5"), number("maxAmount", "5")},
       true},
      {"CONSTR_ESCROW with the template's region is accepted", escrow, {usd, string("region", "US")}, true},
      {"CONSTR_ESCROW with another region is refused", escrow, {usd, string("region", "SG")}, false},
      {"CONSTR_ESCROW with minAmount above maxAmount is refused",
       escrow,
       {usd, number("minAmount", "6"), number("maxAmount", "5")},
       false},
      {"CONSTR_ESCROW with minAmount 0 is refused", escrow, {usd, number("minAmount", "0")}, false},
      {"CONSTR_ESCROW with a string as minAmount is refused", escrow, {usd, string("minAmount", "5")}, false},
      {"CONSTR_ESCROW without a currency is refused", escrow, {}, false},
      {"CONSTR_ESCROW with a number as currency is refused", escrow, {number("currency", "1")}, false},
      {"CONSTR_ESCROW with a mistyped key is refused", escrow, {usd, number("minAmout", "5")}, false},
      {"CONSTR_RETAINAGE of 0 percent is accepted", retainage, {usd, number("retainagePercentage", "0")}, true},
      {"CONSTR_RETAINAGE of 100 percent is accepted", retainage, {usd, number("retainagePercentage", "100")}, true},
      {"CONSTR_RETAINAGE of more than 100 percent is refused",
       retainage,
       {usd, number("retainagePercentage", "100.01")},
       false},
      {"CONSTR_RETAINAGE of less than 0 percent is refused",
       retainage,
       {usd, number("retainagePercentage", "-1")},
       false},
      {"CONSTR_RETAINAGE without a percentage is refused", retainage, {usd}, false},
      {"TF_INVOICE with all its keys is accepted",
       invoice,
       {usd, number("maxTenorDays", "90"), string("country", "DE")},
       true},
      {"TF_INVOICE with a tenor of 0 days is refused",
       invoice,
       {usd, number("maxTenorDays", "0"), string("country", "DE")},
       false},
      {"TF_INVOICE with a tenor of 1.5 days is refused",
       invoice,
       {usd, number("maxTenorDays", "1.5"), string("country", "DE")},
       false},
      {"TF_INVOICE with a tenor of 36501 days is refused",
       invoice,
       {usd, number("maxTenorDays", "36501"), string("country", "DE")},
       false},
      {"TF_INVOICE with a country in lower case is refused",
       invoice,
       {usd, number("maxTenorDays", "9"), string("country", "de")},
       false},
      {"TF_INVOICE without a country is refused", invoice, {usd, number("maxTenorDays", "9")}, false},
      {"TF_LC with all its keys is accepted",
       credit,
       {usd, number("maxTenorDays", "9"), string("issuingBankCountry", "SG")},
       true},
      {"TF_LC with the key of TF_INVOICE for the country is refused",
       credit,
       {usd, number("maxTenorDays", "9"), string("country", "SG")},
       false},
      {"TF_LC in the vertical CONSTRUCTION is refused",
       misplaced,
       {usd, number("maxTenorDays", "9"), string("issuingBankCountry", "SG")},
       false},
      {"another code with any key is accepted", own, {string("anything", "goes")}, true},
      {"another code with a number as currency is refused", own, {number("currency", "7")}, false},
      {"another code with the reserved key onchain is refused", own, {string("onchain", "x")}, false},
  };
  for (const TemplateCase& each : cases) {
    Refusal why;
    TemplateRequest request = each.request;
    request.config = each.config;
    EXPECT_EQ(read_template_terms(request, why).has_value(), each.accepted) << each.name << ": " << why.message();
  }
}

TEST(TemplateTerms, TheHintForAnUnknownKeyNamesTheMostSimilarKey) {
  Refusal why;
  const std::array<ConfigMember, 2> config = {{{.key = "currency", .kind = JsonKind::kString, .text = "USD"},
                                               {.key = "minAmuont", .kind = JsonKind::kNumber, .text = "5"}}};
  EXPECT_FALSE(read_template_terms(
      {.code = "CONSTR_ESCROW", .vertical = "CONSTRUCTION", .region = "US", .config = config}, why));
  EXPECT_STREQ(why.hint(), "Did you mean \"minAmount\"?");
}

}  // namespace
}  // namespace escrowgrid::core
