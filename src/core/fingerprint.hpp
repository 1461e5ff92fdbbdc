// What makes two requests the same: the digest that an idempotency key is bound to.
#pragma once

#include <span>
#include <string_view>

#include "core/decide.hpp"

namespace escrowgrid::core {

[[nodiscard]] Digest fingerprint(const CreationInput& input);
[[nodiscard]] Digest fingerprint(const TransitionInput& input);

struct BatchInput {
  std::span<const std::optional<std::string_view>> position_ids;
  std::span<const std::optional<std::string_view>> amounts;  // empty, or one for each position
  TransitionInput each;                                      // what all of them share
};
[[nodiscard]] Digest fingerprint(const BatchInput& input);

// Non-empty lists of equal length, no NULL, no id twice.
[[nodiscard]] bool check_batch(const BatchInput& input, Refusal& why);

inline constexpr std::size_t kMaxBatch = 10'000;

}  // namespace escrowgrid::core
