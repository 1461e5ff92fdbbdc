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

// Whether the lifecycle has a transition between these states. Without `from` the position does not exist yet.
[[nodiscard]] bool can_transition(std::optional<State> from, State to) noexcept;

// Whether no transition leaves the state.
[[nodiscard]] bool is_terminal(State state) noexcept;

// Whether a position in this state holds money: FUNDED and PARTIALLY_RELEASED.
[[nodiscard]] bool holds_money(State state) noexcept;

// The states that can follow `from` as a JSON array of strings, for the DETAIL of an error.
[[nodiscard]] FixedText<160> allowed_states_json(std::optional<State> from) noexcept;

// The same for a sentence: "FUNDED, CANCELLED or EXPIRED". Empty for a terminal state.
[[nodiscard]] FixedText<160> allowed_states_prose(std::optional<State> from) noexcept;

}  // namespace escrowgrid::core
