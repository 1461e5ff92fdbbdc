// Checks of the arguments that a caller passes, which need no lookup: whether they are present, their length, and
// whether they are known words.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "core/hash_chain.hpp"
#include "core/refusal.hpp"

namespace escrowgrid::core {

// Limits in bytes.
inline constexpr std::size_t kMaxIdBytes = 100;
inline constexpr std::size_t kMaxCodeBytes = 100;
inline constexpr std::size_t kMaxNameBytes = 400;
inline constexpr std::size_t kMaxReferenceBytes = 400;
inline constexpr std::size_t kMaxReasonBytes = 4000;

// 9999-12-31 23:59:59.999999 UTC. Later than any escrow ends, and far enough from the end of int64 that a conversion
// between PostgreSQL's epoch and Unix's cannot overflow.
inline constexpr Micros kMaxTime = 253'402'300'799'999'999;

struct TextRule {
  std::string_view parameter;
  std::size_t max_bytes;
};

// Checks that the text is present, not blank and not too long.
[[nodiscard]] bool require_text(TextRule rule, const std::optional<std::string_view>& value, Refusal& why) noexcept;

// The same, but the text may be absent.
[[nodiscard]] bool check_optional_text(TextRule rule, const std::optional<std::string_view>& value,
                                       Refusal& why) noexcept;

// Checks that the text is present and a JSON object within the limits of json_limits.hpp.
[[nodiscard]] bool require_json_object(std::string_view parameter, const std::optional<std::string_view>& text,
                                       Refusal& why) noexcept;

// Checks that the value is a known region or vertical. Upper and lower case matter.
[[nodiscard]] bool require_region(const std::optional<std::string_view>& value, Refusal& why) noexcept;
[[nodiscard]] bool require_vertical(const std::optional<std::string_view>& value, Refusal& why) noexcept;

// Checks that the list is not empty and contains known codes, each once. An absent element is a NULL in the SQL array,
// which is refused.
[[nodiscard]] bool require_regions(std::span<const std::optional<std::string_view>> values, Refusal& why) noexcept;
[[nodiscard]] bool require_verticals(std::span<const std::optional<std::string_view>> values, Refusal& why) noexcept;

[[nodiscard]] std::optional<State> require_state(std::string_view parameter,
                                                 const std::optional<std::string_view>& value, Refusal& why) noexcept;

// Makes the refusal for an id that does not exist. An id of another institution gets the same refusal, byte for byte,
// so that a caller cannot find out that it exists.
void refuse_not_found(std::string_view kind, std::string_view id, Refusal& why) noexcept;

void refuse_unknown_currency(std::string_view parameter, std::string_view code, Refusal& why) noexcept;

// The candidate with the smallest edit distance to `word`. Empty if no candidate is close enough to be what the caller
// meant.
[[nodiscard]] std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates) noexcept;

}  // namespace escrowgrid::core
