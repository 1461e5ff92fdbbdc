// Decides what a transition or a creation does to a position, or why it is refused. SQL functions and triggers both use
// these functions. They are pure: they do no I/O, and the time is an argument.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

#include "core/hash_chain.hpp"
#include "core/lifecycle.hpp"
#include "core/money.hpp"
#include "core/refusal.hpp"

namespace escrowgrid::core {

// The locked row of a position, and the hash of the event whose seq is the position's version.
struct PositionSnapshot {
  PositionTerms terms;
  State state = State::kCreated;
  Amount released;
  Amount refunded;
  std::int32_t version = 0;
  Micros updated_at = 0;
  Digest head_hash{};
  std::optional<Digest> last_event_hash;

  [[nodiscard]] Amount held() const noexcept;
};

struct TransitionRequest {
  State to = State::kCreated;
  std::optional<Amount> amount;
  std::optional<State> expected_state;
  std::optional<std::int32_t> expected_version;
  EventContent content;
};

// A transition with the arguments as the caller passed them.
struct TransitionInput {
  std::optional<std::string_view> position_id;
  std::optional<std::string_view> to_state;
  std::optional<std::string_view> amount;  // numeric as text
  std::optional<std::string_view> expected_state;
  std::optional<std::int32_t> expected_version;
  EventContent content;
};

// A creation with the arguments as the caller passed them.
struct CreationInput {
  std::optional<std::string_view> asset_id;
  std::optional<std::string_view> holder_reference;
  std::optional<std::string_view> currency;
  std::optional<std::string_view> amount;  // numeric as text
  std::optional<std::string_view> external_reference;
  std::optional<Micros> expires_at;
  std::optional<std::string_view> metadata;
};

// What has to be written: the new event, and the position's new values.
struct Decision {
  std::optional<State> from;
  State to = State::kCreated;
  std::optional<Amount> moved;  // absent for a partial release without an amount
  Amount released;
  Amount refunded;
  std::int32_t version = 0;  // the position's new version, which is also the event's seq
  Micros at = 0;
  std::optional<Micros> due_at;  // when the position expires; absent when the new state is final
  Digest previous_hash{};
  Digest hash{};
};

static_assert(std::is_trivially_destructible_v<PositionSnapshot>);
static_assert(std::is_trivially_destructible_v<TransitionRequest>);
static_assert(std::is_trivially_destructible_v<Decision>);

// Checks everything that can be checked before the position is looked up.
[[nodiscard]] std::optional<TransitionRequest> read_transition(const TransitionInput& input, Refusal& why);

// Decides the transition on the locked position. `now` is the clock's time, which may be before updated_at.
[[nodiscard]] std::optional<Decision> decide_transition(const PositionSnapshot& position,
                                                        const TransitionRequest& request, Micros now, Refusal& why);

// The checks that a transition has to pass, in order. decide_transition() stops at the first one that fails;
// escrow_explain_transition() runs all of them.
struct TransitionCheck {
  std::string_view name;
  bool (*passes)(const PositionSnapshot& position, const TransitionRequest& request, Micros now, Refusal& why);
};
[[nodiscard]] std::span<const TransitionCheck> transition_checks() noexcept;

struct CreationCheck {
  std::string_view name;
  bool (*passes)(const PositionTerms& terms, Micros now, Refusal& why);
};
[[nodiscard]] std::span<const CreationCheck> creation_checks() noexcept;

// Checks everything that can be checked before asset and currency are looked up, and returns the amount.
[[nodiscard]] std::optional<Amount> read_creation(const CreationInput& input, Refusal& why);

// Decides the creation of a position with these terms; the decision describes its first event.
[[nodiscard]] std::optional<Decision> decide_creation(const PositionTerms& terms, const EventContent& content,
                                                      Micros now, Refusal& why);

// Whether a replicated row may replace `before` as it is. No event is recorded for such a row, because its events are
// replicated, too.
[[nodiscard]] bool may_succeed(const PositionSnapshot& before, const PositionSnapshot& after) noexcept;

}  // namespace escrowgrid::core
