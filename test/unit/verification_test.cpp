#include "core/verification.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <stdexcept>
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

// An untampered history, made with decide_creation() and decide_transition().
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

// The discrepancies in the order in which they are found, each as "name seq expected found".
std::vector<std::string> told_findings(const History& told) {
  ChainCheck chain;
  Findings findings;
  std::vector<std::string> lines;
  const auto take = [&] {
    for (const Finding& finding : findings.all()) {
      lines.push_back(std::string(finding.what) + " " + std::to_string(finding.seq) + " " +
                      std::string(finding.expected.view()) + " " + std::string(finding.found.view()));
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
  return lines;
}

// The sorted names of the discrepancies.
std::vector<std::string> found(const History& told) {
  std::vector<std::string> names;
  for (const std::string& line : told_findings(told)) {
    names.push_back(line.substr(0, line.find(' ')));
  }
  std::sort(names.begin(), names.end());
  return names;
}

using Names = std::vector<std::string>;
const std::vector<State> kPath = {State::kFunded, State::kPartiallyReleased, State::kPartiallyReleased,
                                  State::kCancelled};

TEST(Verification, UntamperedHistoriesHaveNoDiscrepancies) {
  EXPECT_EQ(found(history({})), Names());
  EXPECT_EQ(found(history({State::kCancelled})), Names());
  EXPECT_EQ(found(history({State::kFunded, State::kExpired})), Names());
  EXPECT_EQ(found(history({State::kFunded, State::kReleased})), Names());
  EXPECT_EQ(found(history(kPath)), Names());
}

TEST(Verification, EachTamperingIsReportedAsItsOwnDiscrepancies) {
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

bool has_line(const std::vector<std::string>& lines, const std::string& line) {
  return std::find(lines.begin(), lines.end(), line) != lines.end();
}

constexpr std::int32_t kLeast = std::numeric_limits<std::int32_t>::min();
constexpr std::int32_t kMost = std::numeric_limits<std::int32_t>::max();
constexpr Micros kEarliest = std::numeric_limits<Micros>::min();
constexpr Micros kLatest = std::numeric_limits<Micros>::max();

TEST(Verification, AnEventAfterTheOneWithTheLargestSeqIsADuplicateAndNothingOverflows) {
  History told = history(kPath);
  told.events.back().seq = kMost;
  told.events.push_back(told.events.back());
  told.events.push_back(told.events.front());
  const std::vector<std::string> lines = told_findings(told);
  EXPECT_TRUE(has_line(lines, "event_missing 5 5 2147483647"));
  EXPECT_TRUE(has_line(lines, "event_duplicate 2147483647 2147483648 2147483647"));
  EXPECT_TRUE(has_line(lines, "event_duplicate 1 2147483648 1"));
  EXPECT_TRUE(has_line(lines, "position_version 0 2147483647 5"));
}

TEST(Verification, EventsWithASeqOfZeroOrLessAreReportedAndDoNotStandInForTheFirst) {
  for (const std::int32_t seq : {kLeast, kLeast + 1, -1, 0}) {
    History told = history(kPath);
    StoredEvent early = told.events.front();
    early.seq = seq;
    told.events.insert(told.events.begin(), early);
    const std::string number = std::to_string(seq);
    EXPECT_EQ(told_findings(told), std::vector<std::string>{"event_duplicate " + number + " 1 " + number});
  }
}

TEST(Verification, VersionsAtTheEndsOfTheirRangeAreComparedWithoutOverflow) {
  for (const std::int32_t version : {kLeast, kLeast + 1, -1, 0, 4}) {
    History told = history(kPath);
    told.position.version = version;
    EXPECT_TRUE(has_line(told_findings(told), "position_version 0 5 " + std::to_string(version)));
  }
  History told = history(kPath);
  told.position.version = kMost;
  EXPECT_TRUE(has_line(told_findings(told), "event_missing 6 2147483647 5"));
  told.events.clear();
  EXPECT_TRUE(has_line(told_findings(told), "event_missing 1 2147483647 0"));
  told = history(kPath);
  told.position.version = kMost;
  told.events.back().seq = kMost;
  for (const std::string& line : told_findings(told)) {
    EXPECT_FALSE(line.starts_with("position_version")) << line;
  }
}

TEST(Verification, TimesAtTheEndsOfTheirRangeAreReportedAndNothingOverflows) {
  for (const Micros at : {kEarliest, kEarliest + 1, Micros{-1}, Micros{0}, kLatest - 1, kLatest}) {
    const std::string text = std::to_string(at);
    History told = history(kPath);
    told.events[1].at = told.events[1].created_at = at;
    EXPECT_FALSE(told_findings(told).empty()) << at;
    told = history(kPath);
    told.position.created_at = at;
    told.position.updated_at = at;
    told.position.due_at = at;
    const std::vector<std::string> lines = told_findings(told);
    EXPECT_TRUE(has_line(lines, "position_created_at 0 1000000 " + text));
    EXPECT_TRUE(has_line(lines, "position_updated_at 0 1004000 " + text));
    EXPECT_TRUE(has_line(lines, "position_due_at 0 none " + text));
    told = history({});
    told.position.terms.expires_at = at;
    EXPECT_TRUE(has_line(told_findings(told), "position_due_at 0 " + text + " 9000000"));
  }
}

TEST(Verification, ADueTimeOf1970IsNotTakenForNoDueTime) {
  History ended = history(kPath);
  ended.position.due_at = 0;
  EXPECT_EQ(told_findings(ended), std::vector<std::string>{"position_due_at 0 none 0"});
  History open = history({});
  open.position.due_at.reset();
  EXPECT_EQ(told_findings(open), std::vector<std::string>{"position_due_at 0 9000000 none"});
}

TEST(Verification, SumsOfManyAmountsAtTheLimitAreExact) {
  for (const bool is_negative : {false, true}) {
    const Amount limit = Amount::from_units(is_negative ? -Amount::kMaxUnits : Amount::kMaxUnits);
    History told = history({State::kFunded, State::kPartiallyReleased});
    const StoredEvent partial = told.events.back();
    told.position.terms.amount = limit;
    told.events.pop_back();
    for (std::int32_t seq = 3; seq < 3 + 5000; ++seq) {
      told.events.push_back(partial);
      told.events.back().seq = seq;
      told.events.back().amount = limit;
    }
    const std::string sum = std::string(is_negative ? "-" : "") + "5000000000000000000";
    EXPECT_TRUE(has_line(told_findings(told), "position_released_amount 0 " + sum + " 10"));
  }
}

TEST(Verification, AmountsBeyondTheLimitNeverEqualAValidAmount) {
  for (const Int128 units : {kMaxInt128, -kMaxInt128 - 1, Amount::kMaxUnits + 1, -Amount::kMaxUnits - 1}) {
    History told = history({State::kFunded, State::kReleased});
    told.position.terms.amount = Amount::max();
    told.position.released = Amount::from_units(units);
    told.events.back().amount = Amount::from_units(units);
    const Names names = found(told);
    EXPECT_NE(std::find(names.begin(), names.end(), "event_amount"), names.end());
    EXPECT_GT(told.position.released.text(8).size(), 10U);
  }
}

// A position and an event with as many discrepancies as there can be at once.
History all_wrong(bool has_gap) {
  History told = history({State::kFunded, State::kReleased, State::kCancelled});
  StoredEvent& event = told.events[1];
  event.seq += has_gap ? 1 : 0;
  event.institution_id = "other";
  event.at = -1;
  event.created_at = 5;
  event.reason = "content";
  event.salt.reset();
  event.erased_content = Digest{};
  event.from_state = "EXPIRED";
  event.to_state = "PARTIALLY_RELEASED";
  event.amount = Amount::max();
  told.events.resize(2);
  told.position.version = 9;
  told.position.state = "RELEASED";
  told.position.released = amount("1");
  told.position.refunded = amount("1");
  told.position.created_at = 1;
  told.position.updated_at = 1;
  told.position.due_at = 1;
  told.position.head_hash[0] ^= 1U;
  return told;
}

TEST(Verification, EverythingThatCanBeWrongWithOneEventOrOnePositionHasRoomAtOnce) {
  for (const bool has_gap : {false, true}) {
    const History told = all_wrong(has_gap);
    ChainCheck chain;
    Findings findings;
    chain.begin(told.position);
    chain.event(told.events[0], findings);
    EXPECT_EQ(findings.all().size(), 0U);
    chain.event(told.events[1], findings);
    EXPECT_EQ(findings.all().size(), 9U);
    findings.clear();
    chain.finish(findings);
    EXPECT_EQ(findings.all().size(), 8U);
  }
  static_assert(Findings::kMost >= 9);
}

TEST(Verification, ADiscrepancyThatHasNoRoomIsAnErrorAndIsNotForgotten) {
  Findings findings;
  for (std::size_t i = 0; i < Findings::kMost; ++i) {
    findings.add("what", 1, "a", "b");
  }
  EXPECT_THROW(findings.add("what", 1, "a", "b"), std::length_error);
  EXPECT_EQ(findings.all().size(), Findings::kMost);
  findings.clear();
  EXPECT_NO_THROW(findings.add("what", 1, "a", "b"));
}

TEST(Verification, AValueOfADiscrepancyThatIsTooLongEndsWithAnEllipsis) {
  Findings findings;
  findings.add("what", 1, std::string(128, 'x'), std::string(1000, 'y'));
  EXPECT_EQ(findings.all()[0].expected.view(), std::string(128, 'x'));
  EXPECT_EQ(findings.all()[0].found.view(), std::string(125, 'y') + "\xE2\x80\xA6");
}

TEST(Verification, AMissingEventIsReportedOnceAndTheEventsAfterItAreStillChecked) {
  History told = history(kPath);
  told.events.erase(told.events.begin() + 2);
  const Names names = found(told);
  EXPECT_EQ(std::count(names.begin(), names.end(), "event_missing"), 1);
  EXPECT_EQ(std::count(names.begin(), names.end(), "event_hash"), 0);
  told.events[3].at += 1;
  const Names more = found(told);
  EXPECT_EQ(std::count(more.begin(), more.end(), "event_hash"), 1);
}

TEST(Verification, AnEventWithErasedContentVerifiesByItsContentDigest) {
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
