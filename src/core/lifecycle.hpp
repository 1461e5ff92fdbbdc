// The lifecycle of a position: its states and the transitions between them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/fixed_text.hpp"

namespace escrowgrid::core {

enum class State : std::uint8_t { kCreated, kFunded, kPartiallyReleased, kReleased, kCancelled, kExpired };

inline constexpr std::array kAllStates = {State::kCreated,  State::kFunded,    State::kPartiallyReleased,
                                          State::kReleased, State::kCancelled, State::kExpired};

[[nodiscard]] std::string_view state_name(State state) noexcept;
[[nodiscard]] std::optional<State> parse_state(std::string_view name) noexcept;

// Whether the lifecycle has the edge. No `from` means the position does not exist yet.
[[nodiscard]] bool can_transition(std::optional<State> from, State to) noexcept;

// A terminal state has no way out and holds no money.
[[nodiscard]] bool is_terminal(State state) noexcept;

// FUNDED and PARTIALLY_RELEASED hold money; nothing else does.
[[nodiscard]] bool holds_money(State state) noexcept;

// The states reachable from `from` as a JSON array of strings, for the DETAIL of an error.
[[nodiscard]] FixedText<160> allowed_states_json(std::optional<State> from) noexcept;

// The same as prose: "FUNDED, CANCELLED or EXPIRED"; empty for a terminal state.
[[nodiscard]] FixedText<160> allowed_states_prose(std::optional<State> from) noexcept;

}  // namespace escrowgrid::core
