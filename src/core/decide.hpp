// The one decision about a position: what a transition or a creation does, or why not.
// Pure: no I/O, the time is an argument. SQL functions and triggers both ask here.
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

// The position's row as locked, and the hash of the event that its version names.
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

// A transition as the caller spelled it.
struct TransitionInput {
  std::optional<std::string_view> position_id;
  std::optional<std::string_view> to_state;
  std::optional<std::string_view> amount;  // numeric as text
  std::optional<std::string_view> expected_state;
  std::optional<std::int32_t> expected_version;
  EventContent content;
};

struct CreationInput {
  std::optional<std::string_view> asset_id;
  std::optional<std::string_view> holder_reference;
  std::optional<std::string_view> currency;
  std::optional<std::string_view> amount;  // numeric as text
  std::optional<std::string_view> external_reference;
  std::optional<Micros> expires_at;
  std::optional<std::string_view> metadata;
};

// What is to be written: the event, and the position as it stands afterwards.
struct Decision {
  std::optional<State> from;
  State to = State::kCreated;
  std::optional<Amount> moved;  // none: a partial release whose amount was not declared
  Amount released;
  Amount refunded;
  std::int32_t version = 0;  // of the position, and the event's seq
  Micros at = 0;
  std::optional<Micros> due_at;  // when the expiry sweep has to look; none once terminal
  Digest previous_hash{};
  Digest hash{};
};

static_assert(std::is_trivially_destructible_v<PositionSnapshot>);
static_assert(std::is_trivially_destructible_v<TransitionRequest>);
static_assert(std::is_trivially_destructible_v<Decision>);

// What can be judged before the position is looked up.
[[nodiscard]] std::optional<TransitionRequest> read_transition(const TransitionInput& input, Refusal& why);

// The transition's effect on the locked position. `now` is the raw clock.
[[nodiscard]] std::optional<Decision> decide_transition(const PositionSnapshot& position,
                                                        const TransitionRequest& request, Micros now, Refusal& why);

// The checks that a transition has to pass, in order; decide_transition runs them until one refuses, and
// explain asks each of them.
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

// What can be judged before asset and currency are looked up; the amount comes back.
[[nodiscard]] std::optional<Amount> read_creation(const CreationInput& input, Refusal& why);

// The first event of a position with these terms.
[[nodiscard]] std::optional<Decision> decide_creation(const PositionTerms& terms, const EventContent& content,
                                                      Micros now, Refusal& why);

// A row from a replica or a dump: may it follow `before` as it is? Nothing is recorded for it.
[[nodiscard]] bool may_succeed(const PositionSnapshot& before, const PositionSnapshot& after) noexcept;

}  // namespace escrowgrid::core
