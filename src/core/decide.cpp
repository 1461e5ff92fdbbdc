#include "core/decide.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "core/json_limits.hpp"
#include "core/parameters.hpp"

namespace escrowgrid::core {

namespace {

// Every refusal about a position contains the state and version that the decision was based on. A caller that retries
// needs them.
Refusal& refuse(const PositionSnapshot& position, Condition condition, Refusal& why) {
  return why.begin(condition)
      .with("position_id", position.terms.id)
      .with("state", state_name(position.state))
      .with_number("version", position.version);
}

bool require_intact(const PositionSnapshot& position, Refusal& why) {
  if (position.last_event_hash && *position.last_event_hash == position.head_hash) {
    return true;
  }
  refuse(position, Condition::kIntegrityViolation, why)
      .message({"position \"", position.terms.id, "\" does not match its last event"})
      .hint({"The position or its events were changed without the extension, or a restore is incomplete. "
             "escrow_verify() shows what differs. The position cannot move until they match again."})
      .with("found", position.last_event_hash ? "an event with another hash" : "no event at this version");
  return false;
}

bool require_expected(const PositionSnapshot& position, const TransitionRequest& request, Refusal& why) {
  const bool state_matches = !request.expected_state || *request.expected_state == position.state;
  const bool version_matches = !request.expected_version || *request.expected_version == position.version;
  if (state_matches && version_matches) {
    return true;
  }
  refuse(position, Condition::kConcurrencyConflict, why)
      .message({"position \"", position.terms.id, "\" is ", state_name(position.state), " at version ",
                number_text(position.version).view(), ", which is not what the caller expected"})
      .hint({"Read the position again and decide what to do with its current state."});
  if (request.expected_state) {
    why.with("expected_state", state_name(*request.expected_state));
  }
  if (request.expected_version) {
    why.with_number("expected_version", *request.expected_version);
  }
  return false;
}

bool require_edge(const PositionSnapshot& position, State to, Refusal& why) {
  if (can_transition(position.state, to)) {
    return true;
  }
  const FixedText<160> allowed = allowed_states_prose(position.state);
  refuse(position, Condition::kInvalidTransition, why)
      .message(
          {"position \"", position.terms.id, "\" cannot go from ", state_name(position.state), " to ", state_name(to)})
      .with("to_state", state_name(to))
      .with_json("allowed", allowed_states_json(position.state).view());
  if (allowed.empty()) {
    why.hint({state_name(position.state), " is a final state."});
  } else {
    why.hint({"From ", state_name(position.state), " a position can go to ", allowed.view(), "."});
  }
  return false;
}

bool require_unexpired(const PositionSnapshot& position, State to, Micros now, Refusal& why) {
  const bool is_late = position.terms.expires_at && now >= *position.terms.expires_at;
  if (!is_late || to == State::kExpired || to == State::kCancelled) {
    return true;
  }
  refuse(position, Condition::kPositionExpired, why)
      .message({"position \"", position.terms.id, "\" is past its expiry"})
      .hint({"After its expiry a position can only go to EXPIRED or CANCELLED."})
      .with("to_state", state_name(to))
      .with_number("expires_at_unix_micros", *position.terms.expires_at)
      .with_number("now_unix_micros", now);
  return false;
}

// The amount that a transition moves when the request has no amount.
Amount whole_move(const PositionSnapshot& position, State to) {
  return to == State::kFunded ? position.terms.amount : position.held();
}

Refusal& refuse_amount(const PositionSnapshot& position, Condition condition, Amount amount, Refusal& why) {
  const int decimals = position.terms.currency.exponent;
  return refuse(position, condition, why)
      .with("amount", amount.text(decimals).view())
      .with("held", position.held().text(decimals).view())
      .with("currency", position.terms.currency.code);
}

bool require_releasable(const PositionSnapshot& position, Amount amount, Refusal& why) {
  if (amount < position.held()) {
    return true;
  }
  refuse_amount(position, Condition::kInsufficientHeldAmount, amount, why)
      .message({"a partial release must be less than the amount that position \"", position.terms.id, "\" holds"});
  if (amount == position.held()) {
    why.hint({"Use RELEASED to release the whole amount that is held."});
  } else {
    why.hint({"Release less than the held amount, which the detail contains, or use RELEASED to release all of it."});
  }
  return false;
}

bool require_whole(const PositionSnapshot& position, State to, Amount amount, Refusal& why) {
  const Amount whole = whole_move(position, to);
  if (amount == whole) {
    return true;
  }
  const bool is_excess = holds_money(position.state) && amount > whole;
  refuse_amount(position, is_excess ? Condition::kInsufficientHeldAmount : Condition::kInvalidAmount, amount, why)
      .message({"a transition to ", state_name(to), " moves ", whole.text(position.terms.currency.exponent).view(), " ",
                position.terms.currency.code, ", not ", amount.text(position.terms.currency.exponent).view()})
      .hint({to == State::kReleased ? "Omit amount, or use PARTIALLY_RELEASED to release a part of the held amount."
                                    : "Omit amount, because this transition always moves the whole amount."})
      .with("to_state", state_name(to));
  return false;
}

bool require_movable(const PositionSnapshot& position, const TransitionRequest& request, Refusal& why) {
  if (!request.amount) {
    return true;
  }
  if (!require_currency_decimals("amount", *request.amount, position.terms.currency, why)) {
    why.with("position_id", position.terms.id).with_number("version", position.version);
    return false;
  }
  return request.to == State::kPartiallyReleased ? require_releasable(position, *request.amount, why)
                                                 : require_whole(position, request.to, *request.amount, why);
}

bool require_next_version(const PositionSnapshot& position, Refusal& why) {
  constexpr std::int32_t kMostEvents = std::numeric_limits<std::int32_t>::max();
  static_assert(kMostEvents == 2147483647, "the hint names it");
  if (position.version < kMostEvents) {
    return true;
  }
  refuse(position, Condition::kInvalidTransition, why)
      .message({"position \"", position.terms.id, "\" has reached the largest version"})
      .hint({"A position records at most 2147483647 events."});
  return false;
}

Decision apply(const PositionSnapshot& position, const TransitionRequest& request, Micros now) {
  Decision decision;
  decision.from = position.state;
  decision.to = request.to;
  decision.released = position.released;
  decision.refunded = position.refunded;
  decision.version = position.version + 1;  // cannot overflow: require_next_version() has checked it
  // If the clock was set back, the event takes the time of the previous event, so that times never decrease.
  decision.at = std::max(now, position.updated_at);
  decision.due_at = is_terminal(request.to) ? std::nullopt : position.terms.expires_at;
  switch (request.to) {
    case State::kCreated:
      break;
    case State::kFunded:
      decision.moved = position.terms.amount;
      break;
    case State::kPartiallyReleased:
      decision.moved = request.amount;
      decision.released = position.released + request.amount.value_or(Amount());
      break;
    case State::kReleased:
      decision.moved = position.held();
      decision.released = position.released + position.held();
      break;
    case State::kCancelled:
    case State::kExpired:
      decision.moved = position.held();
      decision.refunded = position.refunded + position.held();
      break;
  }
  return decision;
}

bool require_expiry_ahead(std::optional<Micros> expires_at, Micros now, Refusal& why) {
  if (!expires_at || *expires_at > now) {
    return true;
  }
  why.begin(Condition::kInvalidParameter)
      .message({"expires_at must be in the future"})
      .hint({"Pass a later time, or omit expires_at if the position does not expire."})
      .with("parameter", "expires_at")
      .with_number("expires_at_unix_micros", *expires_at)
      .with_number("now_unix_micros", now);
  return false;
}

bool require_representable(std::optional<Micros> expires_at, Refusal& why) {
  if (!expires_at || (*expires_at > 0 && *expires_at <= kMaxTime)) {
    return true;
  }
  why.begin(Condition::kInvalidParameter)
      .message({"expires_at is out of range"})
      .hint({"Pass a time after 1970 and before the year 10000, or omit expires_at if the position does not expire."})
      .with("parameter", "expires_at");
  return false;
}

bool require_version_number(const std::optional<std::int32_t>& version, Refusal& why) {
  if (!version || *version >= 1) {
    return true;
  }
  why.begin(Condition::kInvalidParameter)
      .message({"expected_version must be at least 1"})
      .hint({"Pass the version that you read with the position, or omit expected_version."})
      .with("parameter", "expected_version")
      .with_number("value", *version);
  return false;
}

using Position = const PositionSnapshot&;
using Request = const TransitionRequest&;

constexpr std::array kTransitionChecks = {
    TransitionCheck{"integrity", [](Position p, Request, Micros, Refusal& why) { return require_intact(p, why); }},
    TransitionCheck{"expected",
                    [](Position p, Request r, Micros, Refusal& why) { return require_expected(p, r, why); }},
    TransitionCheck{"lifecycle",
                    [](Position p, Request r, Micros, Refusal& why) { return require_edge(p, r.to, why); }},
    TransitionCheck{
        "expiry", [](Position p, Request r, Micros now, Refusal& why) { return require_unexpired(p, r.to, now, why); }},
    TransitionCheck{"amount", [](Position p, Request r, Micros, Refusal& why) { return require_movable(p, r, why); }},
    TransitionCheck{"version", [](Position p, Request, Micros, Refusal& why) { return require_next_version(p, why); }},
};

constexpr std::array kCreationChecks = {
    CreationCheck{"amount",
                  [](const PositionTerms& t, Micros, Refusal& why) {
                    return require_currency_decimals("amount", t.amount, t.currency, why);
                  }},
    CreationCheck{"expiry", [](const PositionTerms& t, Micros now,
                               Refusal& why) { return require_expiry_ahead(t.expires_at, now, why); }},
};

}  // namespace

std::span<const TransitionCheck> transition_checks() noexcept {
  return kTransitionChecks;
}

std::span<const CreationCheck> creation_checks() noexcept {
  return kCreationChecks;
}

Amount PositionSnapshot::held() const noexcept {
  return holds_money(state) ? terms.amount - released - refunded : Amount();
}

std::optional<TransitionRequest> read_transition(const TransitionInput& input, Refusal& why) {
  TransitionRequest request;
  request.content = input.content;
  request.expected_version = input.expected_version;
  if (!require_text({.parameter = "position_id", .max_bytes = kMaxIdBytes}, input.position_id, why)) {
    return std::nullopt;
  }
  const std::optional<State> to = require_state("to_state", input.to_state, why);
  if (!to) {
    return std::nullopt;
  }
  request.to = *to;
  if (input.expected_state) {
    request.expected_state = require_state("expected_state", input.expected_state, why);
    if (!request.expected_state) {
      return std::nullopt;
    }
  }
  if (input.amount) {
    request.amount = require_amount("amount", *input.amount, why);
    if (!request.amount) {
      return std::nullopt;
    }
  }
  const bool valid =
      require_version_number(input.expected_version, why) &&
      check_optional_text({.parameter = "reason", .max_bytes = kMaxReasonBytes}, input.content.reason, why) &&
      check_json_object("metadata", input.content.metadata, why);
  return valid ? std::optional(request) : std::nullopt;
}

std::optional<Decision> decide_transition(const PositionSnapshot& position, const TransitionRequest& request,
                                          Micros now, Refusal& why) {
  for (const TransitionCheck& check : transition_checks()) {
    if (!check.passes(position, request, now, why)) {
      return std::nullopt;
    }
  }
  Decision decision = apply(position, request, now);
  decision.previous_hash = position.head_hash;
  decision.hash = link_event(position.terms, {.previous = decision.previous_hash,
                                              .seq = decision.version,
                                              .from = decision.from,
                                              .to = decision.to,
                                              .moved = decision.moved,
                                              .at = decision.at,
                                              .api_key_id = request.content.api_key_id,
                                              .content = content_digest(request.content)});
  return decision;
}

std::optional<Amount> read_creation(const CreationInput& input, Refusal& why) {
  const bool texts =
      require_text({.parameter = "asset_id", .max_bytes = kMaxIdBytes}, input.asset_id, why) &&
      require_text({.parameter = "holder_reference", .max_bytes = kMaxReferenceBytes}, input.holder_reference, why) &&
      require_text({.parameter = "currency", .max_bytes = kMaxCodeBytes}, input.currency, why) &&
      check_optional_text({.parameter = "external_reference", .max_bytes = kMaxReferenceBytes},
                          input.external_reference, why) &&
      check_json_object("metadata", input.metadata, why) && require_representable(input.expires_at, why);
  if (!texts) {
    return std::nullopt;
  }
  if (!input.amount) {
    why.begin(Condition::kInvalidParameter)
        .message({"amount must not be null"})
        .hint({"Pass the amount that the position will hold; it must be greater than 0."})
        .with("parameter", "amount")
        .with_null("value");
    return std::nullopt;
  }
  return require_amount("amount", *input.amount, why);
}

std::optional<Decision> decide_creation(const PositionTerms& terms, const EventContent& content, Micros now,
                                        Refusal& why) {
  for (const CreationCheck& check : creation_checks()) {
    if (!check.passes(terms, now, why)) {
      return std::nullopt;
    }
  }
  Decision decision;
  decision.to = State::kCreated;
  decision.moved = Amount();
  decision.version = 1;
  decision.at = now;
  decision.due_at = terms.expires_at;
  decision.hash = link_event(terms, {.previous = decision.previous_hash,
                                     .seq = decision.version,
                                     .from = std::nullopt,
                                     .to = decision.to,
                                     .moved = decision.moved,
                                     .at = decision.at,
                                     .api_key_id = content.api_key_id,
                                     .content = content_digest(content)});
  return decision;
}

bool may_succeed(const PositionSnapshot& before, const PositionSnapshot& after) noexcept {
  const bool is_unchanged = after.version == before.version && after.state == before.state &&
                            after.released == before.released && after.refunded == before.refunded &&
                            after.head_hash == before.head_hash;
  const bool is_next = after.version == std::int64_t{before.version} + 1 && can_transition(before.state, after.state) &&
                       after.released >= before.released && after.refunded >= before.refunded &&
                       after.head_hash != before.head_hash;
  return is_unchanged || is_next;
}

}  // namespace escrowgrid::core
