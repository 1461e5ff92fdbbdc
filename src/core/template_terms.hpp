// What an asset template's config may say, by the template's code.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/money.hpp"
#include "core/refusal.hpp"

namespace escrowgrid::core {

enum class JsonKind : std::uint8_t { kNull, kBoolean, kNumber, kString, kArray, kObject };

// One member of the config object; `text` is the string or the number as text, empty otherwise.
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

// The terms that a config spells out. Views point into the config's text.
struct TemplateTerms {
  std::optional<std::string_view> currency;
  std::optional<Amount> min_amount;
  std::optional<Amount> max_amount;
  std::optional<Amount> retainage_percentage;
  std::optional<std::int32_t> max_tenor_days;
};

inline constexpr std::int32_t kMaxTenorDays = 36500;

// Reads and checks the config: the keys its code requires, no key it does not know (other codes:
// any key but the reserved "onchain"), right types and ranges, minAmount <= maxAmount.
[[nodiscard]] std::optional<TemplateTerms> read_template_terms(const TemplateRequest& request, Refusal& why) noexcept;

}  // namespace escrowgrid::core
