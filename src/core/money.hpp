// Money as integers: an amount is a whole number of 10^-8 units, so arithmetic is exact
// and no binary floating point is ever involved.
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

// Sums and differences are exact: what parse_amount() reads and from_units() makes is at most one unit beyond max(),
// and 128 bits hold the sum of 2^48 of these. A position has fewer than 2^31 events.
class Amount {
 public:
  static constexpr Int128 kMaxUnits = static_cast<Int128>(kMaxWhole) * kUnitsPerOne;
  static_assert(kMaxUnits < (kMaxInt128 >> 48));

  constexpr Amount() = default;
  // Numbers beyond max() become the one next to it, which is beyond it as well and so no valid amount.
  static constexpr Amount from_units(Int128 units) noexcept {
    return Amount(std::clamp(units, -kMaxUnits - 1, kMaxUnits + 1));
  }
  static constexpr Amount max() noexcept { return Amount(kMaxUnits); }

  [[nodiscard]] constexpr Int128 units() const noexcept { return units_; }
  [[nodiscard]] constexpr bool is_zero() const noexcept { return units_ == 0; }
  [[nodiscard]] constexpr bool is_positive() const noexcept { return units_ > 0; }

  // Digits after the point that the value needs: 1.50 needs one.
  [[nodiscard]] int decimals() const noexcept;

  // The value with at least `min_decimals` digits after the point; text(0) is the canonical
  // form that enters the hash chain: no trailing zeros, no exponent, "0" for zero.
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

// Reads plain decimal text as PostgreSQL prints numeric ("-12.50", "NaN", "Infinity").
// Trailing zeros are no decimals: 1.000 is 1. Never rounds: what does not fit is a defect.
[[nodiscard]] ParsedAmount parse_amount(std::string_view text) noexcept;

// An amount a caller wants to move or hold: finite, more than zero, at most 10^15, at most 8 decimals.
[[nodiscard]] std::optional<Amount> require_amount(std::string_view field, std::string_view text,
                                                   Refusal& why) noexcept;

struct CurrencyUnit {
  std::string_view code;
  int exponent;  // digits after the point in the minor unit: USD 2, JPY 0, BHD 3
};

// No more decimals than the currency has: refused, never rounded.
[[nodiscard]] bool require_currency_decimals(std::string_view field, Amount amount, CurrencyUnit currency,
                                             Refusal& why) noexcept;

}  // namespace escrowgrid::core
