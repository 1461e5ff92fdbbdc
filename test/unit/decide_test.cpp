#include "core/decide.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace escrowgrid::core {
namespace {

constexpr Micros kNow = 1'700'000'000'000'000;

Amount usd(const char* text) {
  return parse_amount(text).amount;
}

PositionSnapshot position(State state, const char* released = "0") {
  PositionSnapshot out;
  out.terms = {.id = "pos_1",
               .institution_id = "inst_1",
               .asset_id = "ast_1",
               .holder_reference = "holder",
               .currency = {.code = "USD", .exponent = 2},
               .amount = usd("100"),
               .external_reference = std::nullopt,
               .expires_at = std::nullopt};
  out.state = state;
  out.released = usd(released);
  out.version = 5;
  out.updated_at = kNow - 1000;
  out.head_hash[0] = 7;
  out.last_event_hash = out.head_hash;
  return out;
}

TransitionRequest to(State state, const char* amount = nullptr) {
  TransitionRequest out;
  out.to = state;
  if (amount != nullptr) {
    out.amount = usd(amount);
  }
  return out;
}

Condition refused(const PositionSnapshot& from, const TransitionRequest& request, Micros now = kNow) {
  Refusal why;
  EXPECT_FALSE(decide_transition(from, request, now, why));
  EXPECT_STRNE(why.message(), "");
  EXPECT_STRNE(why.hint(), "");
  return why.condition();
}

Decision decided(const PositionSnapshot& from, const TransitionRequest& request, Micros now = kNow) {
  Refusal why;
  const std::optional<Decision> decision = decide_transition(from, request, now, why);
  EXPECT_TRUE(decision) << why.message();
  return decision.value_or(Decision{});
}

TEST(Decide, FundingAPositionMovesItsWholeAmount) {
  const Decision decision = decided(position(State::kCreated), to(State::kFunded));
  EXPECT_EQ(decision.moved, usd("100"));
  EXPECT_EQ(decision.version, 6);
  EXPECT_EQ(decision.at, kNow);
  EXPECT_EQ(decision.released, Amount());
  EXPECT_EQ(decision.previous_hash, position(State::kCreated).head_hash);
}

TEST(Decide, PartialReleasesAreAddedToTheReleasedAmount) {
  const Decision decision = decided(position(State::kPartiallyReleased, "30"), to(State::kPartiallyReleased, "69.99"));
  EXPECT_EQ(decision.moved, usd("69.99"));
  EXPECT_EQ(decision.released, usd("99.99"));
}

TEST(Decide, APartialReleaseOfTheWholeHeldAmountOrMoreIsRefused) {
  EXPECT_EQ(refused(position(State::kFunded), to(State::kPartiallyReleased, "100")),
            Condition::kInsufficientHeldAmount);
  EXPECT_EQ(refused(position(State::kPartiallyReleased, "30"), to(State::kPartiallyReleased, "70.01")),
            Condition::kInsufficientHeldAmount);
}

TEST(Decide, APartialReleaseWithoutAnAmountMovesNoMoney) {
  const Decision decision = decided(position(State::kFunded), to(State::kPartiallyReleased));
  EXPECT_EQ(decision.moved, std::nullopt);
  EXPECT_EQ(decision.released, Amount());
}

TEST(Decide, ReleasedMovesTheAmountThatIsStillHeld) {
  const Decision decision = decided(position(State::kPartiallyReleased, "30"), to(State::kReleased));
  EXPECT_EQ(decision.moved, usd("70"));
  EXPECT_EQ(decision.released, usd("100"));
  EXPECT_EQ(decision.refunded, Amount());
}

TEST(Decide, CancellationAndExpiryRefundTheHeldAmount) {
  for (const State end : {State::kCancelled, State::kExpired}) {
    const Decision held = decided(position(State::kPartiallyReleased, "30"), to(end));
    EXPECT_EQ(held.moved, usd("70"));
    EXPECT_EQ(held.released, usd("30"));
    EXPECT_EQ(held.refunded, usd("70"));
    const Decision unfunded = decided(position(State::kCreated), to(end));
    EXPECT_EQ(unfunded.moved, Amount());
    EXPECT_EQ(unfunded.refunded, Amount());
  }
}

TEST(Decide, AnAmountPassedForATransitionThatMovesAllMustBeTheWholeAmount) {
  EXPECT_EQ(decided(position(State::kFunded), to(State::kReleased, "100")).moved, usd("100"));
  EXPECT_EQ(refused(position(State::kFunded), to(State::kReleased, "99")), Condition::kInvalidAmount);
  EXPECT_EQ(refused(position(State::kFunded), to(State::kReleased, "101")), Condition::kInsufficientHeldAmount);
  EXPECT_EQ(refused(position(State::kCreated), to(State::kFunded, "99")), Condition::kInvalidAmount);
  EXPECT_EQ(refused(position(State::kCreated), to(State::kCancelled, "1")), Condition::kInvalidAmount);
}

TEST(Decide, APartialReleaseWithMoreDecimalsThanTheCurrencyHasIsRefused) {
  EXPECT_EQ(refused(position(State::kFunded), to(State::kPartiallyReleased, "0.001")), Condition::kInvalidAmount);
}

TEST(Decide, ATransitionIsRefusedExactlyWhenTheLifecycleDoesNotHaveIt) {
  for (const State from : kAllStates) {
    for (const State end : kAllStates) {
      const PositionSnapshot start = position(from, from == State::kReleased ? "100" : "0");
      if (can_transition(from, end)) {
        decided(start, to(end));
      } else {
        EXPECT_EQ(refused(start, to(end)), Condition::kInvalidTransition);
      }
    }
  }
}

TEST(Decide, ATransitionIsRefusedWhenStateOrVersionAreNotTheExpectedOnes) {
  TransitionRequest request = to(State::kFunded);
  request.expected_version = 5;
  request.expected_state = State::kCreated;
  decided(position(State::kCreated), request);
  request.expected_version = 4;
  EXPECT_EQ(refused(position(State::kCreated), request), Condition::kConcurrencyConflict);
  request.expected_version = 5;
  request.expected_state = State::kFunded;
  EXPECT_EQ(refused(position(State::kCreated), request), Condition::kConcurrencyConflict);
}

TEST(Decide, AfterItsExpiryAPositionCanOnlyBeExpiredOrCancelled) {
  PositionSnapshot late = position(State::kFunded);
  late.terms.expires_at = kNow;
  for (const State end : {State::kPartiallyReleased, State::kReleased}) {
    EXPECT_EQ(refused(late, to(end)), Condition::kPositionExpired);
    decided(late, to(end), kNow - 1);
  }
  decided(late, to(State::kExpired));
  decided(late, to(State::kCancelled));
}

TEST(Decide, DueAtIsTheExpiryWhileThePositionIsOpenAndAbsentAfterwards) {
  PositionSnapshot start = position(State::kCreated);
  start.terms.expires_at = kNow + 1;
  EXPECT_EQ(decided(start, to(State::kFunded)).due_at, kNow + 1);
  EXPECT_EQ(decided(start, to(State::kCancelled)).due_at, std::nullopt);
}

TEST(Decide, AnEventIsNeverEarlierThanThePreviousOneEvenIfTheClockWasSetBack) {
  EXPECT_EQ(decided(position(State::kCreated), to(State::kFunded), kNow - 5'000'000).at, kNow - 1000);
}

TEST(Decide, ATransitionIsRefusedWhenThePositionDoesNotMatchItsLastEvent) {
  PositionSnapshot missing = position(State::kFunded);
  missing.last_event_hash = std::nullopt;
  EXPECT_EQ(refused(missing, to(State::kReleased)), Condition::kIntegrityViolation);
  PositionSnapshot other = position(State::kFunded);
  other.last_event_hash->back() = 1;
  EXPECT_EQ(refused(other, to(State::kReleased)), Condition::kIntegrityViolation);
}

TEST(Decide, ATransitionOfAPositionAtTheLargestVersionIsRefused) {
  PositionSnapshot last = position(State::kPartiallyReleased);
  last.version = 2147483647;
  EXPECT_EQ(refused(last, to(State::kReleased)), Condition::kInvalidTransition);
}

TEST(Decide, ACreationIsRefusedWithTooManyDecimalsOrWithAnExpiryThatIsNotInTheFuture) {
  Refusal why;
  PositionTerms terms = position(State::kCreated).terms;
  const std::optional<Decision> decision = decide_creation(terms, {}, kNow, why);
  ASSERT_TRUE(decision);
  EXPECT_EQ(decision->version, 1);
  EXPECT_EQ(decision->from, std::nullopt);
  EXPECT_EQ(decision->previous_hash, Digest{});
  terms.amount = usd("1.001");
  EXPECT_FALSE(decide_creation(terms, {}, kNow, why));
  EXPECT_EQ(why.condition(), Condition::kInvalidAmount);
  terms.amount = usd("1");
  terms.expires_at = kNow;
  EXPECT_FALSE(decide_creation(terms, {}, kNow, why));
  EXPECT_EQ(why.condition(), Condition::kInvalidParameter);
}

TEST(Decide, ArgumentsOfATransitionThatAreMissingOrInvalidAreRefused) {
  Refusal why;
  TransitionInput input;
  input.position_id = "pos_1";
  input.to_state = "FUNDED";
  EXPECT_TRUE(read_transition(input, why));
  const auto refuses = [&](auto change) {
    TransitionInput bad = input;
    change(bad);
    EXPECT_FALSE(read_transition(bad, why));
    return why.condition();
  };
  EXPECT_EQ(refuses([](auto& i) { i.position_id = std::nullopt; }), Condition::kInvalidParameter);
  EXPECT_EQ(refuses([](auto& i) { i.to_state = std::nullopt; }), Condition::kInvalidParameter);
  EXPECT_EQ(refuses([](auto& i) { i.to_state = "funded"; }), Condition::kInvalidParameter);
  EXPECT_EQ(refuses([](auto& i) { i.expected_state = "x"; }), Condition::kInvalidParameter);
  EXPECT_EQ(refuses([](auto& i) { i.expected_version = 0; }), Condition::kInvalidParameter);
  EXPECT_EQ(refuses([](auto& i) { i.amount = "NaN"; }), Condition::kInvalidAmount);
  EXPECT_EQ(refuses([](auto& i) { i.content.metadata = "[1]"; }), Condition::kInvalidParameter);
  const std::string long_reason(4001, 'x');
  EXPECT_EQ(refuses([&](auto& i) { i.content.reason = long_reason; }), Condition::kInvalidParameter);
}

TEST(Decide, AReplicatedVersionFollowsOnlyItsPredecessorAndVersionsAtTheEndsOfTheirRangeDoNotOverflow) {
  constexpr std::int32_t kLeast = std::numeric_limits<std::int32_t>::min();
  constexpr std::int32_t kMost = std::numeric_limits<std::int32_t>::max();
  for (const std::int32_t from : {kLeast, kLeast + 1, -1, 0, 1, kMost - 1, kMost}) {
    for (const std::int32_t next : {kLeast, kLeast + 1, -1, 0, 1, kMost - 1, kMost}) {
      PositionSnapshot before = position(State::kFunded);
      before.version = from;
      PositionSnapshot after = before;
      after.state = State::kReleased;
      after.version = next;
      after.head_hash[0] = 8;
      EXPECT_EQ(may_succeed(before, after), next == std::int64_t{from} + 1) << from << " to " << next;
    }
  }
}

TEST(Decide, AStoredVersionBelowOneIsCountedUpWithoutOverflow) {
  for (const std::int32_t version : {std::numeric_limits<std::int32_t>::min(), -1, 0}) {
    PositionSnapshot odd = position(State::kFunded);
    odd.version = version;
    EXPECT_EQ(decided(odd, to(State::kReleased)).version, version + 1);
  }
}

TEST(Decide, TimesAtTheEndsOfTheirRangeAreComparedWithoutOverflow) {
  constexpr Micros kEarliest = std::numeric_limits<Micros>::min();
  constexpr Micros kLatest = std::numeric_limits<Micros>::max();
  for (const Micros stored : {kEarliest, Micros{0}, kLatest}) {
    for (const Micros now : {kEarliest, Micros{0}, kLatest}) {
      PositionSnapshot odd = position(State::kFunded);
      odd.updated_at = stored;
      EXPECT_EQ(decided(odd, to(State::kReleased), now).at, std::max(stored, now));
      odd.terms.expires_at = stored;
      if (now >= stored) {
        EXPECT_EQ(refused(odd, to(State::kReleased), now), Condition::kPositionExpired);
      } else {
        decided(odd, to(State::kReleased), now);
      }
    }
  }
}

TEST(Decide, MoneyAtTheLimitIsMovedExactly) {
  PositionSnapshot full = position(State::kFunded);
  full.terms.amount = Amount::max();
  EXPECT_EQ(decided(full, to(State::kReleased)).released, Amount::max());
  EXPECT_EQ(decided(full, to(State::kCancelled)).refunded, Amount::max());
  const Decision part = decided(full, to(State::kPartiallyReleased, "999999999999999.99"));
  EXPECT_EQ(part.released, usd("999999999999999.99"));
  full.state = State::kPartiallyReleased;
  full.released = part.released;
  EXPECT_EQ(decided(full, to(State::kReleased)).moved, usd("0.01"));
}

TEST(Decide, StoredSumsBeyondTheAmountLeaveANegativeHeldAmountOfWhichNothingCanBeReleasedInParts) {
  PositionSnapshot odd = position(State::kPartiallyReleased);
  odd.terms.amount = Amount::from_units(-Amount::kMaxUnits);
  odd.released = Amount::max();
  odd.refunded = Amount::max();
  EXPECT_EQ(odd.held().text(0).view(), "-3000000000000000");
  EXPECT_EQ(refused(odd, to(State::kPartiallyReleased, "0.01")), Condition::kInsufficientHeldAmount);
}

TEST(Decide, AReplicatedRowIsAcceptedOnlyIfItIsUnchangedOrTheNextVersionWithANewHead) {
  const PositionSnapshot before = position(State::kFunded);
  PositionSnapshot after = before;
  EXPECT_TRUE(may_succeed(before, after));
  after.version = 6;
  after.state = State::kReleased;
  after.released = usd("100");
  EXPECT_FALSE(may_succeed(before, after));  // the head must change, too
  after.head_hash[0] = 8;
  EXPECT_TRUE(may_succeed(before, after));
  after.version = 7;
  EXPECT_FALSE(may_succeed(before, after));
  after.version = 6;
  after.state = State::kCreated;
  EXPECT_FALSE(may_succeed(before, after));
}

}  // namespace
}  // namespace escrowgrid::core
