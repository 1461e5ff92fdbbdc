// Checks on what a caller passes, before anything is looked up: presence, length, vocabulary.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "core/hash_chain.hpp"
#include "core/refusal.hpp"

namespace escrowgrid::core {

// Lengths in bytes, so that they mean the same in every database encoding.
inline constexpr std::size_t kMaxIdBytes = 100;
inline constexpr std::size_t kMaxCodeBytes = 100;
inline constexpr std::size_t kMaxNameBytes = 400;
inline constexpr std::size_t kMaxReferenceBytes = 400;
inline constexpr std::size_t kMaxReasonBytes = 4000;

// 9999-12-31 23:59:59.999999 UTC: later than any escrow, and safe to shift between epochs.
inline constexpr Micros kMaxTime = 253'402'300'799'999'999;

struct TextRule {
  std::string_view parameter;
  std::size_t max_bytes;
};

// Present, not blank, not too long.
[[nodiscard]] bool require_text(TextRule rule, const std::optional<std::string_view>& value, Refusal& why) noexcept;

// Absent, or as above.
[[nodiscard]] bool check_optional_text(TextRule rule, const std::optional<std::string_view>& value,
                                       Refusal& why) noexcept;

// One of the region (vertical) codes, spelled exactly.
[[nodiscard]] bool require_region(const std::optional<std::string_view>& value, Refusal& why) noexcept;
[[nodiscard]] bool require_vertical(const std::optional<std::string_view>& value, Refusal& why) noexcept;

// A non-empty list of distinct codes. An absent element is a SQL NULL in the array.
[[nodiscard]] bool require_regions(std::span<const std::optional<std::string_view>> values, Refusal& why) noexcept;
[[nodiscard]] bool require_verticals(std::span<const std::optional<std::string_view>> values, Refusal& why) noexcept;

[[nodiscard]] std::optional<State> require_state(std::string_view parameter,
                                                 const std::optional<std::string_view>& value, Refusal& why) noexcept;

// The answer to an id of nothing, and to another tenant's id: the same, byte for byte.
void refuse_not_found(std::string_view kind, std::string_view id, Refusal& why) noexcept;

void refuse_unknown_currency(std::string_view parameter, std::string_view code, Refusal& why) noexcept;

// Of the candidates the one with the smallest edit distance to `word`, if it is close enough to be
// what was meant; empty otherwise.
[[nodiscard]] std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates) noexcept;

}  // namespace escrowgrid::core
