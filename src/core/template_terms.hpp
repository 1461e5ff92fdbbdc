// The config of an asset template. The template's code determines which keys it may and must have.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/money.hpp"
#include "core/refusal.hpp"

namespace escrowgrid::core {

enum class JsonKind : std::uint8_t { kNull, kBoolean, kNumber, kString, kArray, kObject };

// One member of the config object. `text` is the value of a string, or a number as text; for other kinds it is empty.
struct ConfigMember {
  std::string_view key;
  JsonKind kind = JsonKind::kNull;
  std::string_view text;
};

struct TemplateRequest {
  std::string_view code;
  std::string_view vertical;
  std::string_view region;
  std::span<const ConfigMember> config;
};

// The terms in a config. The views point into the config's text.
struct TemplateTerms {
  std::optional<std::string_view> currency;
  std::optional<Amount> min_amount;
  std::optional<Amount> max_amount;
  std::optional<Amount> retainage_percentage;
  std::optional<std::int32_t> max_tenor_days;
};

inline constexpr std::int32_t kMaxTenorDays = 36500;

// Reads and checks the config. A known code requires certain keys and allows no unknown ones. Any other code allows
// every key except "onchain", which is reserved. Types and ranges are checked, and minAmount must not exceed maxAmount.
[[nodiscard]] std::optional<TemplateTerms> read_template_terms(const TemplateRequest& request, Refusal& why) noexcept;

}  // namespace escrowgrid::core
