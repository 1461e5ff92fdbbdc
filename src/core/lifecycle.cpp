#include "core/lifecycle.hpp"

#include <cstddef>

namespace escrowgrid::core {

namespace {

struct Edges {
  std::array<State, kAllStates.size()> to{};
  std::size_t count = 0;
};

Edges edges_from(std::optional<State> from) noexcept {
  Edges edges;
  for (const State to : kAllStates) {
    if (can_transition(from, to)) {
      edges.to[edges.count++] = to;
    }
  }
  return edges;
}

bool can_leave_held(State to) noexcept {
  switch (to) {
    case State::kPartiallyReleased:
    case State::kReleased:
    case State::kCancelled:
    case State::kExpired:
      return true;
    case State::kCreated:
    case State::kFunded:
      return false;
  }
  return false;
}

constexpr std::string_view name_of(State state) noexcept {
  switch (state) {
    case State::kCreated:
      return "CREATED";
    case State::kFunded:
      return "FUNDED";
    case State::kPartiallyReleased:
      return "PARTIALLY_RELEASED";
    case State::kReleased:
      return "RELEASED";
    case State::kCancelled:
      return "CANCELLED";
    case State::kExpired:
      return "EXPIRED";
  }
  return {};
}

// The size of a list of all states, each with quotes and a separator. Every list that these functions make is shorter.
constexpr std::size_t longest_list() noexcept {
  constexpr std::size_t kBrackets = 2;
  constexpr std::size_t kAroundName = 4;  // a quote on each side and ", ", or " or "
  std::size_t bytes = kBrackets;
  for (const State state : kAllStates) {
    bytes += name_of(state).size() + kAroundName;
  }
  return bytes;
}
static_assert(longest_list() <= FixedText<160>::kCapacity);

}  // namespace

std::string_view state_name(State state) noexcept {
  return name_of(state);
}

std::optional<State> parse_state(std::string_view name) noexcept {
  for (const State state : kAllStates) {
    if (state_name(state) == name) {
      return state;
    }
  }
  return std::nullopt;
}

bool can_transition(std::optional<State> from, State to) noexcept {
  if (!from) {
    return to == State::kCreated;
  }
  switch (*from) {
    case State::kCreated:
      return to == State::kFunded || to == State::kCancelled || to == State::kExpired;
    case State::kFunded:
    case State::kPartiallyReleased:
      return can_leave_held(to);
    case State::kReleased:
    case State::kCancelled:
    case State::kExpired:
      return false;
  }
  return false;
}

bool is_terminal(State state) noexcept {
  return edges_from(state).count == 0;
}

bool holds_money(State state) noexcept {
  return state == State::kFunded || state == State::kPartiallyReleased;
}

// This list and the next one fit: a static_assert compares the capacity with longest_list().
FixedText<160> allowed_states_json(std::optional<State> from) noexcept {
  const Edges edges = edges_from(from);
  FixedText<160> out;
  bool fits = out.try_append("[");
  for (std::size_t i = 0; i < edges.count; ++i) {
    fits = fits && out.try_append(i == 0 ? "\"" : ", \"") && out.try_append(state_name(edges.to[i])) &&
           out.try_append("\"");
  }
  static_cast<void>(fits && out.try_append("]"));
  return out;
}

FixedText<160> allowed_states_prose(std::optional<State> from) noexcept {
  const Edges edges = edges_from(from);
  FixedText<160> out;
  for (std::size_t i = 0; i < edges.count; ++i) {
    if (i > 0) {
      out.append_clipped(i + 1 == edges.count ? " or " : ", ");
    }
    out.append_clipped(state_name(edges.to[i]));
  }
  return out;
}

}  // namespace escrowgrid::core
