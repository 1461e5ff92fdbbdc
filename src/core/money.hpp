// Amounts of money. An amount is an integer number of units of 10^-8, so that arithmetic is exact. Floating point is
// never used.
#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/fixed_text.hpp"
#include "core/refusal.hpp"

namespace escrowgrid::core {

__extension__ using Int128 = __int128;

inline constexpr int kMaxDecimals = 8;
inline constexpr std::int64_t kUnitsPerOne = 100'000'000;
inline constexpr std::int64_t kMaxWhole = 1'000'000'000'000'000;  // 10^15

using AmountText = FixedText<48>;

inline constexpr Int128 kMaxInt128 = ~(static_cast<Int128>(1) << 127);

// Sums and differences are exact. Every amount from parse_amount() or from_units() lies between -max() and max(), or
// one unit beyond, and the sum of 2^48 such amounts fits into 128 bits. A position has fewer than 2^31 events.
class Amount {
 public:
  static constexpr Int128 kMaxUnits = static_cast<Int128>(kMaxWhole) * kUnitsPerOne;
  static_assert(kMaxUnits < (kMaxInt128 >> 48));

  constexpr Amount() = default;
  // A number above max() becomes max() and one unit, which is not a valid amount either. Below -max() it is the same.
  static constexpr Amount from_units(Int128 units) noexcept {
    return Amount(std::clamp(units, -kMaxUnits - 1, kMaxUnits + 1));
  }
  static constexpr Amount max() noexcept { return Amount(kMaxUnits); }

  [[nodiscard]] constexpr Int128 units() const noexcept { return units_; }
  [[nodiscard]] constexpr bool is_zero() const noexcept { return units_ == 0; }
  [[nodiscard]] constexpr bool is_positive() const noexcept { return units_ > 0; }

  // The number of digits after the point that the value needs: 1.50 needs one.
  [[nodiscard]] int decimals() const noexcept;

  // The value with at least `min_decimals` digits after the point. text(0) is the canonical form that is hashed: it has
  // no trailing zeros and no exponent, and zero is "0".
  [[nodiscard]] AmountText text(int min_decimals) const noexcept;

  friend constexpr Amount operator+(Amount a, Amount b) noexcept { return Amount(a.units_ + b.units_); }
  friend constexpr Amount operator-(Amount a, Amount b) noexcept { return Amount(a.units_ - b.units_); }
  friend constexpr auto operator<=>(Amount a, Amount b) noexcept = default;  // NOLINT(modernize-use-nullptr)

 private:
  constexpr explicit Amount(Int128 units) noexcept : units_(units) {}
  Int128 units_ = 0;
};

enum class AmountDefect : std::uint8_t { kNone, kMalformed, kNotFinite, kTooManyDecimals, kTooLarge };

struct ParsedAmount {
  Amount amount;
  AmountDefect defect = AmountDefect::kNone;
};

// Reads decimal text as PostgreSQL prints numeric ("-12.50", "NaN", "Infinity"). Trailing zeros do not count as
// decimals: 1.000 is 1. Nothing is rounded; a number that does not fit has a defect.
[[nodiscard]] ParsedAmount parse_amount(std::string_view text) noexcept;

// Reads an amount that a caller passed. It must be finite, more than zero, at most 10^15, and have at most 8 decimals.
[[nodiscard]] std::optional<Amount> require_amount(std::string_view field, std::string_view text,
                                                   Refusal& why) noexcept;

struct CurrencyUnit {
  std::string_view code;
  int exponent;  // digits after the point in the minor unit: USD 2, JPY 0, BHD 3
};

// Refuses an amount with more decimals than the currency has; it is never rounded.
[[nodiscard]] bool require_currency_decimals(std::string_view field, Amount amount, CurrencyUnit currency,
                                             Refusal& why) noexcept;

}  // namespace escrowgrid::core
