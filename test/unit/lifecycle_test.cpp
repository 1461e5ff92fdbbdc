#include "core/lifecycle.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>

namespace escrowgrid::core {
namespace {

TEST(Lifecycle, TheLifecycleHasExactlyTheDocumentedTransitions) {
  const std::set<std::pair<std::string, std::string>> documented = {
      {"CREATED", "FUNDED"},
      {"CREATED", "CANCELLED"},
      {"CREATED", "EXPIRED"},
      {"FUNDED", "PARTIALLY_RELEASED"},
      {"FUNDED", "RELEASED"},
      {"FUNDED", "CANCELLED"},
      {"FUNDED", "EXPIRED"},
      {"PARTIALLY_RELEASED", "PARTIALLY_RELEASED"},
      {"PARTIALLY_RELEASED", "RELEASED"},
      {"PARTIALLY_RELEASED", "CANCELLED"},
      {"PARTIALLY_RELEASED", "EXPIRED"},
  };
  std::set<std::pair<std::string, std::string>> found;
  for (const State from : kAllStates) {
    for (const State to : kAllStates) {
      if (can_transition(from, to)) {
        found.emplace(state_name(from), state_name(to));
      }
    }
  }
  EXPECT_EQ(found, documented);
}

TEST(Lifecycle, CreatedIsTheOnlyStateInWhichAPositionCanStart) {
  for (const State to : kAllStates) {
    EXPECT_EQ(can_transition(std::nullopt, to), to == State::kCreated);
  }
}

TEST(Lifecycle, AStateIsParsedOnlyFromItsExactName) {
  for (const State state : kAllStates) {
    EXPECT_EQ(parse_state(state_name(state)), state);
  }
  for (const auto* wrong : {"", "funded", "FUNDED ", "DONE", "FUNDEDX"}) {
    EXPECT_EQ(parse_state(wrong), std::nullopt) << wrong;
  }
}

TEST(Lifecycle, TheListsOfAllowedStatesAreValidJsonAndReadAsASentence) {
  EXPECT_EQ(allowed_states_prose(State::kCreated).view(), "FUNDED, CANCELLED or EXPIRED");
  EXPECT_EQ(allowed_states_prose(State::kReleased).view(), "");
  EXPECT_EQ(allowed_states_json(State::kCreated).view(), R"(["FUNDED", "CANCELLED", "EXPIRED"])");
  EXPECT_EQ(allowed_states_json(State::kExpired).view(), "[]");
}

TEST(Lifecycle, OnlyFundedAndPartiallyReleasedPositionsHoldMoney) {
  EXPECT_TRUE(holds_money(State::kFunded));
  EXPECT_TRUE(holds_money(State::kPartiallyReleased));
  for (const State state : {State::kCreated, State::kReleased, State::kCancelled, State::kExpired}) {
    EXPECT_FALSE(holds_money(state));
  }
}

}  // namespace
}  // namespace escrowgrid::core
