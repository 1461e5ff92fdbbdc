#include "core/verification.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "core/decide.hpp"

namespace escrowgrid::core {
namespace {

Amount amount(std::string_view text) {
  return parse_amount(text).amount;
}

struct History {
  StoredPosition position;
  std::vector<StoredEvent> events;
};

// A sound history, made by the decisions themselves.
History history(const std::vector<State>& path) {
  History out;
  const PositionTerms terms = {.id = "pos_1",
                               .institution_id = "inst_1",
                               .asset_id = "ast_1",
                               .holder_reference = "holder",
                               .currency = {.code = "USD", .exponent = 2},
                               .amount = amount("100"),
                               .external_reference = "ref",
                               .expires_at = 9'000'000};
  PositionSnapshot now = {.terms = terms, .released = {}, .refunded = {}, .last_event_hash = {}};
  Refusal why;
  Micros clock = 1'000'000;
  const auto record = [&](const Decision& decision, const EventContent& content) {
    StoredEvent event;
    event.seq = decision.version;
    event.institution_id = terms.institution_id;
    event.from_state = decision.from ? OptionalText(state_name(*decision.from)) : std::nullopt;
    event.to_state = state_name(decision.to);
    event.amount = decision.moved;
    event.at = event.created_at = decision.at;
    event.reason = content.reason;
    event.salt = content.is_salted() ? std::optional(content.salt) : std::nullopt;
    event.hash = decision.hash;
    out.events.push_back(event);
    now.state = decision.to;
    now.released = decision.released;
    now.refunded = decision.refunded;
    now.version = decision.version;
    now.updated_at = decision.at;
    now.head_hash = decision.hash;
    now.last_event_hash = decision.hash;
    out.position.due_at = decision.due_at;
  };
  record(*decide_creation(terms, {}, clock, why), {});
  for (const State to : path) {
    TransitionRequest request;
    request.to = to;
    request.content.reason = "because";
    request.content.salt.fill(7);
    if (to == State::kPartiallyReleased) {
      request.amount = amount("10");
    }
    clock += 1000;
    record(*decide_transition(now, request, clock, why), request.content);
  }
  out.position.terms = terms;
  out.position.state = state_name(now.state);
  out.position.released = now.released;
  out.position.refunded = now.refunded;
  out.position.version = now.version;
  out.position.created_at = 1'000'000;
  out.position.updated_at = now.updated_at;
  out.position.head_hash = now.head_hash;
  return out;
}

std::vector<std::string> found(const History& told) {
  ChainCheck chain;
  Findings findings;
  std::vector<std::string> names;
  const auto take = [&] {
    for (const Finding& finding : findings.all()) {
      names.emplace_back(finding.what);
    }
    findings.clear();
  };
  chain.begin(told.position);
  for (const StoredEvent& event : told.events) {
    chain.event(event, findings);
    take();
  }
  chain.finish(findings);
  take();
  std::sort(names.begin(), names.end());
  return names;
}

using Names = std::vector<std::string>;
const std::vector<State> kPath = {State::kFunded, State::kPartiallyReleased, State::kPartiallyReleased,
                                  State::kCancelled};

TEST(Verification, SoundHistories) {
  EXPECT_EQ(found(history({})), Names());
  EXPECT_EQ(found(history({State::kCancelled})), Names());
  EXPECT_EQ(found(history({State::kFunded, State::kExpired})), Names());
  EXPECT_EQ(found(history({State::kFunded, State::kReleased})), Names());
  EXPECT_EQ(found(history(kPath)), Names());
}

TEST(Verification, EachTamperingHasItsName) {
  const auto after = [](const std::function<void(History&)>& tamper) {
    History told = history(kPath);
    tamper(told);
    return found(told);
  };
  EXPECT_EQ(after([](History& h) { h.events[2].reason = "else"; }), Names{"event_hash"});
  EXPECT_EQ(after([](History& h) { h.events[2].at += 1; }), (Names{"event_hash", "event_time"}));
  EXPECT_EQ(after([](History& h) { h.events[2].api_key_id = "ak_1"; }), Names{"event_hash"});
  EXPECT_EQ(after([](History& h) { h.events[3].amount = amount("500"); }),
            (Names{"event_amount", "event_amount", "event_hash", "position_released_amount"}));
  EXPECT_EQ(after([](History& h) { h.events.pop_back(); }),
            (Names{"event_missing", "position_due_at", "position_head_hash", "position_refunded_amount",
                   "position_state", "position_updated_at"}));
  EXPECT_EQ(after([](History& h) { h.position.version = 4; }), Names{"position_version"});
  EXPECT_EQ(after([](History& h) { h.position.released = amount("21"); }), Names{"position_released_amount"});
  EXPECT_EQ(after([](History& h) { h.position.state = "RELEASED"; }), Names{"position_state"});
  EXPECT_EQ(after([](History& h) { h.position.head_hash[0] ^= 1U; }), Names{"position_head_hash"});
  EXPECT_EQ(after([](History& h) { h.position.due_at = 5; }), Names{"position_due_at"});
  EXPECT_EQ(after([](History& h) { h.position.terms.holder_reference = "me"; }), Names{"event_hash"});
  EXPECT_EQ(after([](History& h) { h.events[1].institution_id = "inst_2"; }), Names{"event_institution"});
  EXPECT_EQ(after([](History& h) { h.events[1].salt.reset(); }), (Names{"event_content", "event_hash"}));
  EXPECT_EQ(after([](History& h) { h.events[4].to_state = "PAID"; }).front(), "event_to_state");
  EXPECT_EQ(after([](History& h) { h.events.push_back(h.events.back()); }), Names{"event_duplicate"});
}

TEST(Verification, AGapIsToldOnceAndTheRestIsStillChecked) {
  History told = history(kPath);
  told.events.erase(told.events.begin() + 2);
  const Names names = found(told);
  EXPECT_EQ(std::count(names.begin(), names.end(), "event_missing"), 1);
  EXPECT_EQ(std::count(names.begin(), names.end(), "event_hash"), 0);
  told.events[3].at += 1;
  const Names more = found(told);
  EXPECT_EQ(std::count(more.begin(), more.end(), "event_hash"), 1);
}

TEST(Verification, ErasedContentKeepsTheChain) {
  History told = history(kPath);
  EventContent content;
  content.reason = told.events[2].reason;
  content.salt = *told.events[2].salt;
  told.events[2].erased_content = content_digest(content);
  told.events[2].reason.reset();
  told.events[2].salt.reset();
  EXPECT_EQ(found(told), Names());
  told.events[2].salt = Salt{};
  EXPECT_EQ(found(told), Names{"event_content"});
  told.events[2].salt.reset();
  (*told.events[2].erased_content)[0] ^= 1U;
  EXPECT_EQ(found(told), Names{"event_hash"});
}

}  // namespace
}  // namespace escrowgrid::core
