// The fingerprint of a request. An idempotency key is stored with the fingerprint of the request that used it first. A
// later request with the same key must have the same fingerprint.
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
  TransitionInput each;                                      // the arguments that all transitions share
};
[[nodiscard]] Digest fingerprint(const BatchInput& input);

// Checks the lists: position_ids has from 1 to kMaxBatch different ids, amounts is empty or has the same length, and
// neither contains NULL.
[[nodiscard]] bool check_batch(const BatchInput& input, Refusal& why);

inline constexpr std::size_t kMaxBatch = 10'000;

}  // namespace escrowgrid::core
