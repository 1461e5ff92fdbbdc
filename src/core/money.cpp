#include "core/money.hpp"

#include <algorithm>
#include <array>

namespace escrowgrid::core {

namespace {

// Dividing 128-bit numbers is slow, and amounts that need more than 64 bits are rare.
bool fits_64_bits(Int128 value) noexcept {
  return value == static_cast<std::int64_t>(value);
}

template <typename Integer>
int decimals_of(Integer units) noexcept {
  int needed = kMaxDecimals;
  for (; needed > 0 && units % 10 == 0; units /= 10) {
    --needed;
  }
  return needed;
}

// The most digits of a 128-bit number: 2^127 has 39.
constexpr std::size_t kMaxDigits = 39;
static_assert(AmountText::kCapacity >= kMaxDigits + 2, "a sign, every digit and a point");

// Writes the digits, the least significant first. There is always at least one digit before the decimal point.
template <typename Integer>
void put_digits(Integer magnitude, std::array<char, kMaxDigits>& digits, std::size_t& used) noexcept {
  for (; magnitude > 0 || used <= kMaxDecimals; magnitude /= 10) {
    digits[used++] = static_cast<char>('0' + static_cast<int>(magnitude % 10));
  }
}

// Numbers with more digits before the point are too large without a closer look: 10^15 has 16 digits. Numbers with up
// to 18 digits cannot overflow 128 bits.
constexpr std::size_t kMaxWholeDigits = 18;

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

bool all_digits(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), is_digit);
}

std::string_view without_leading_zeros(std::string_view digits) noexcept {
  const std::size_t first = digits.find_first_not_of('0');
  return first == std::string_view::npos ? std::string_view() : digits.substr(first);
}

std::string_view without_trailing_zeros(std::string_view digits) noexcept {
  const std::size_t last = digits.find_last_not_of('0');
  return last == std::string_view::npos ? std::string_view() : digits.substr(0, last + 1);
}

Int128 to_integer(std::string_view digits) noexcept {
  Int128 value = 0;
  for (const char c : digits) {
    value = value * 10 + (c - '0');
  }
  return value;
}

// The messages below name these numbers.
static_assert(kMaxWhole == 1'000'000'000'000'000 && kMaxDecimals == 8);

void refuse_defect(std::string_view field, std::string_view text, AmountDefect defect, Refusal& why) noexcept {
  why.begin(Condition::kInvalidAmount);
  switch (defect) {
    case AmountDefect::kNotFinite:
      why.message({field, " must be a finite number"}).hint({"Pass a number other than NaN and Infinity."});
      break;
    case AmountDefect::kTooManyDecimals:
      why.message({field, " has more than 8 decimals"})
          .hint({"Pass an amount with no more decimals than its currency has. Amounts are never rounded."});
      break;
    case AmountDefect::kTooLarge:
      why.message({field, " is larger than 10^15"}).hint({"The largest amount is 1000000000000000."});
      break;
    case AmountDefect::kMalformed:
    case AmountDefect::kNone:
      why.message({field, " is not a decimal number"}).hint({"Pass a numeric value such as 1250.50."});
      break;
  }
  why.with("parameter", field).with("value", text);
}

}  // namespace

int Amount::decimals() const noexcept {
  return fits_64_bits(units_) ? decimals_of(static_cast<std::int64_t>(units_)) : decimals_of(units_);
}

AmountText Amount::text(int min_decimals) const noexcept {
  // The negation cannot overflow: no sum of amounts is as low as -2^127 (see Amount).
  const Int128 magnitude = units_ < 0 ? -units_ : units_;
  std::array<char, kMaxDigits> digits{};
  std::size_t used = 0;
  if (fits_64_bits(magnitude)) {
    put_digits(static_cast<std::int64_t>(magnitude), digits, used);
  } else {
    put_digits(magnitude, digits, used);
  }
  const int shown = std::clamp(std::max(min_decimals, decimals()), 0, kMaxDecimals);
  std::array<char, AmountText::kCapacity> text{};
  std::size_t size = 0;
  if (units_ < 0) {
    text[size++] = '-';
  }
  for (std::size_t i = used; i > kMaxDecimals; --i) {
    text[size++] = digits[i - 1];
  }
  if (shown > 0) {
    text[size++] = '.';
    for (int i = 0; i < shown; ++i) {
      text[size++] = digits[static_cast<std::size_t>(kMaxDecimals - 1 - i)];
    }
  }
  return AmountText::of(text, size);
}

ParsedAmount parse_amount(std::string_view text) noexcept {
  if (text == "NaN" || text == "Infinity" || text == "-Infinity") {
    return {.amount = {}, .defect = AmountDefect::kNotFinite};
  }
  const bool negative = !text.empty() && text.front() == '-';
  const std::string_view number = negative ? text.substr(1) : text;
  const std::size_t point = number.find('.');
  const bool has_point = point != std::string_view::npos;
  const std::string_view whole = has_point ? number.substr(0, point) : number;
  const std::string_view fraction = has_point ? number.substr(point + 1) : std::string_view();
  if (whole.empty() || (has_point && fraction.empty()) || !all_digits(whole) || !all_digits(fraction)) {
    return {.amount = {}, .defect = AmountDefect::kMalformed};
  }
  const std::string_view significant_whole = without_leading_zeros(whole);
  const std::string_view significant_fraction = without_trailing_zeros(fraction);
  if (significant_whole.size() > kMaxWholeDigits) {
    return {.amount = {}, .defect = AmountDefect::kTooLarge};
  }
  if (significant_fraction.size() > kMaxDecimals) {
    return {.amount = {}, .defect = AmountDefect::kTooManyDecimals};
  }
  Int128 units = to_integer(significant_fraction);
  for (std::size_t i = significant_fraction.size(); i < kMaxDecimals; ++i) {
    units *= 10;
  }
  units += to_integer(significant_whole) * kUnitsPerOne;
  if (units > Amount::max().units()) {
    return {.amount = {}, .defect = AmountDefect::kTooLarge};
  }
  return {.amount = Amount::from_units(negative ? -units : units), .defect = AmountDefect::kNone};
}

std::optional<Amount> require_amount(std::string_view field, std::string_view text, Refusal& why) noexcept {
  const ParsedAmount parsed = parse_amount(text);
  if (parsed.defect != AmountDefect::kNone) {
    refuse_defect(field, text, parsed.defect, why);
    return std::nullopt;
  }
  if (!parsed.amount.is_positive()) {
    why.begin(Condition::kInvalidAmount)
        .message({field, " must be more than zero"})
        .hint({"Pass an amount greater than 0."})
        .with("parameter", field)
        .with("value", text);
    return std::nullopt;
  }
  return parsed.amount;
}

bool require_currency_decimals(std::string_view field, Amount amount, CurrencyUnit currency, Refusal& why) noexcept {
  const int decimals = amount.decimals();
  if (decimals <= currency.exponent) {
    return true;
  }
  const auto limit = joined("Pass at most ", number_text(currency.exponent), " decimals");
  why.begin(Condition::kInvalidAmount)
      .message({field, " has more decimals than its currency ", currency.code})
      .hint({currency.exponent > 0 ? limit.view() : "Pass a whole number", ". Amounts are never rounded."})
      .with("parameter", field)
      .with("value", amount.text(0).view())
      .with("currency", currency.code)
      .with_number("decimals", decimals)
      .with_number("currency_decimals", currency.exponent);
  return false;
}

}  // namespace escrowgrid::core
