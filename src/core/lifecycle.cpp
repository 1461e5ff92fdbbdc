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

}  // namespace

std::string_view state_name(State state) noexcept {
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

FixedText<160> allowed_states_json(std::optional<State> from) noexcept {
  const Edges edges = edges_from(from);
  FixedText<160> out;
  out.append('[');
  for (std::size_t i = 0; i < edges.count; ++i) {
    out.append(i == 0 ? "\"" : ", \"");
    out.append(state_name(edges.to[i]));
    out.append('"');
  }
  out.append(']');
  return out;
}

FixedText<160> allowed_states_prose(std::optional<State> from) noexcept {
  const Edges edges = edges_from(from);
  FixedText<160> out;
  for (std::size_t i = 0; i < edges.count; ++i) {
    if (i > 0) {
      out.append(i + 1 == edges.count ? " or " : ", ");
    }
    out.append(state_name(edges.to[i]));
  }
  return out;
}

}  // namespace escrowgrid::core
