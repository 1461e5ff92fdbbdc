#include "core/money.hpp"

#include <gtest/gtest.h>

#include <string>

namespace escrowgrid::core {
namespace {

Amount amount(const char* text) {
  const ParsedAmount parsed = parse_amount(text);
  EXPECT_EQ(parsed.defect, AmountDefect::kNone) << text;
  return parsed.amount;
}

TEST(Money, NumbersInTheFormThatPostgresqlPrintsAreParsed) {
  EXPECT_EQ(static_cast<std::int64_t>(amount("1").units()), kUnitsPerOne);
  EXPECT_EQ(static_cast<std::int64_t>(amount("-12.5").units()), -1'250'000'000);
  EXPECT_EQ(static_cast<std::int64_t>(amount("0.00000001").units()), 1);
  EXPECT_EQ(amount("1.000"), amount("1"));
  EXPECT_EQ(amount("007"), amount("7"));
  EXPECT_EQ(amount("1000000000000000"), Amount::max());
}

TEST(Money, TextThatIsNoValidAmountIsReportedWithItsDefect) {
  const std::pair<const char*, AmountDefect> cases[] = {
      {"NaN", AmountDefect::kNotFinite},
      {"Infinity", AmountDefect::kNotFinite},
      {"-Infinity", AmountDefect::kNotFinite},
      {"", AmountDefect::kMalformed},
      {"-", AmountDefect::kMalformed},
      {".5", AmountDefect::kMalformed},
      {"5.", AmountDefect::kMalformed},
      {"1e5", AmountDefect::kMalformed},
      {"+1", AmountDefect::kMalformed},
      {"1 ", AmountDefect::kMalformed},
      {"1.2.3", AmountDefect::kMalformed},
      {"0.000000001", AmountDefect::kTooManyDecimals},
      {"1000000000000000.00000001", AmountDefect::kTooLarge},
      {"1000000000000001", AmountDefect::kTooLarge},
      {"-1000000000000001", AmountDefect::kTooLarge},
      {"99999999999999999999999999999999999999999999", AmountDefect::kTooLarge},
  };
  for (const auto& [text, defect] : cases) {
    // A negative value beyond the bound is as large as a positive one.
    const bool is_negative_excess = std::string_view(text) == "-1000000000000001";
    EXPECT_EQ(parse_amount(text).defect, is_negative_excess ? AmountDefect::kTooLarge : defect) << text;
  }
}

TEST(Money, AnAmountIsPrintedWithAtLeastTheDecimalsAskedForAndNoOtherTrailingZeros) {
  EXPECT_EQ(amount("100.50").text(0).view(), "100.5");
  EXPECT_EQ(amount("100.50").text(2).view(), "100.50");
  EXPECT_EQ(amount("100").text(0).view(), "100");
  EXPECT_EQ(amount("0").text(0).view(), "0");
  EXPECT_EQ(amount("0").text(3).view(), "0.000");
  EXPECT_EQ(amount("-0.05").text(2).view(), "-0.05");
  EXPECT_EQ(Amount::max().text(8).view(), "1000000000000000.00000000");
}

TEST(Money, UnitsBeyondTheLimitBecomeTheAmountNextToTheLimitWhichIsNotValid) {
  for (const Int128 units : {kMaxInt128, Amount::kMaxUnits + 1}) {
    EXPECT_EQ(Amount::from_units(units).text(0).view(), "1000000000000000.00000001");
    EXPECT_EQ(parse_amount(Amount::from_units(units).text(0).view()).defect, AmountDefect::kTooLarge);
  }
  for (const Int128 units : {-kMaxInt128 - 1, -kMaxInt128, -Amount::kMaxUnits - 1}) {
    EXPECT_EQ(Amount::from_units(units).text(0).view(), "-1000000000000000.00000001");
    EXPECT_EQ(parse_amount(Amount::from_units(units).text(0).view()).defect, AmountDefect::kTooLarge);
  }
  EXPECT_EQ(Amount::from_units(Amount::kMaxUnits), Amount::max());
}

TEST(Money, SumsFarBeyondTheLimitAreExactAndTheirTextHasRoom) {
  Amount sum = Amount::from_units(kMaxInt128);
  Amount difference = Amount::from_units(-kMaxInt128);
  for (int i = 0; i < 47; ++i) {
    sum = sum + sum;
    difference = difference + difference;
  }
  // 2^47 times 1000000000000000.00000001
  EXPECT_EQ(sum.text(0).view(), "140737488355328000000001407374.88355328");
  EXPECT_EQ(difference.text(8).view(), "-140737488355328000000001407374.88355328");
  EXPECT_EQ((sum + difference).text(0).view(), "0");
  EXPECT_EQ((sum - sum).text(0).view(), "0");
}

TEST(Money, ACanonicalTextIsPrintedAsItWasParsed) {
  for (const auto* text : {"0.1", "123456789.12345678", "999999999999999.99999999", "1", "0.00000001"}) {
    EXPECT_EQ(amount(text).text(0).view(), text);
  }
}

TEST(Money, AnAmountThatIsZeroNegativeOrNotFiniteIsRefused) {
  Refusal why;
  EXPECT_TRUE(require_amount("amount", "0.01", why));
  for (const auto* text : {"0", "0.00", "-1", "NaN", "Infinity", "1e400"}) {
    EXPECT_FALSE(require_amount("amount", text, why)) << text;
    EXPECT_EQ(why.condition(), Condition::kInvalidAmount) << text;
    EXPECT_NE(std::string(why.detail()).find("\"value\""), std::string::npos);
  }
}

TEST(Money, AnAmountWithMoreDecimalsThanItsCurrencyHasIsRefusedAndNotRounded) {
  Refusal why;
  const CurrencyUnit yen = {.code = "JPY", .exponent = 0};
  const CurrencyUnit dollar = {.code = "USD", .exponent = 2};
  EXPECT_TRUE(require_currency_decimals("amount", amount("100.00"), yen, why));
  EXPECT_FALSE(require_currency_decimals("amount", amount("100.5"), yen, why));
  EXPECT_TRUE(require_currency_decimals("amount", amount("0.01"), dollar, why));
  EXPECT_FALSE(require_currency_decimals("amount", amount("0.001"), dollar, why));
  EXPECT_EQ(why.condition(), Condition::kInvalidAmount);
}

}  // namespace
}  // namespace escrowgrid::core
