#include "core/refusal.hpp"

#include <gtest/gtest.h>

#include <string>

#include "well_formed.hpp"

namespace escrowgrid::core {
namespace {

using test::is_json;
using test::is_utf8;

std::size_t count_of(std::string_view text, std::string_view word) {
  std::size_t count = 0;
  for (std::size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + word.size())) {
    ++count;
  }
  return count;
}

TEST(Refusal, TheDetailOfEveryConditionIsCompleteJsonWithTypeTitleAndStatus) {
  for (int i = 0; i <= static_cast<int>(Condition::kIntegrityViolation); ++i) {
    Refusal why;
    why.begin(static_cast<Condition>(i));
    const std::string detail = why.detail();
    EXPECT_TRUE(is_json(detail)) << detail;
    for (const auto* member : {"\"type\": \"urn:escrowgrid:error:", "\"title\": \"", "\"status\": "}) {
      EXPECT_NE(detail.find(member), std::string::npos) << detail;
    }
  }
}

TEST(Refusal, AMessagePartOfAnyLengthStaysUtf8AndShowsByAnEllipsisThatItWasCut) {
  for (std::size_t length = 0; length <= 900; ++length) {
    std::string part;
    while (part.size() < length) {
      part += part.size() % 3 == 0 ? "\xF0\x9F\x98\x80" : "xy";
    }
    Refusal why;
    why.begin(Condition::kNotFound).message({"before ", part, " behind"}).hint({part, part});
    const std::string_view message = why.message();
    const bool is_whole = message == "before " + part + " behind";
    EXPECT_TRUE(is_utf8(message) && is_utf8(why.hint())) << length;
    EXPECT_NE(is_whole, message.find(kEllipsis) != std::string_view::npos) << length;
    EXPECT_TRUE(message.ends_with(" behind")) << length;
    EXPECT_NE(std::string_view(why.hint()) == part + part,
              std::string_view(why.hint()).find(kEllipsis) != std::string_view::npos)
        << length;
  }
}

TEST(Refusal, AMessageOfMorePartsThanFitEndsWithAnEllipsis) {
  const std::string part(200, 'p');
  Refusal why;
  why.begin(Condition::kNotFound).message({part, part, part, part, "end"}).hint({part, part, part, part, "end"});
  EXPECT_TRUE(std::string_view(why.message()).ends_with(kEllipsis)) << why.message();
  EXPECT_TRUE(std::string_view(why.hint()).ends_with(kEllipsis)) << why.hint();
}

TEST(Refusal, AValueOfTheDetailLongerThan120BytesEndsWithAnEllipsis) {
  Refusal why;
  why.begin(Condition::kNotFound).with("id", std::string(120, 'x'));
  EXPECT_NE(std::string(why.detail()).find('"' + std::string(120, 'x') + '"'), std::string::npos);
  why.begin(Condition::kNotFound).with("id", std::string(121, 'x'));
  EXPECT_NE(std::string(why.detail()).find('"' + std::string(120, 'x') + "\xE2\x80\xA6\""), std::string::npos);
  why.begin(Condition::kNotFound).with("id", std::string(119, 'x') + "\xC3\xA9");
  EXPECT_NE(std::string(why.detail()).find('"' + std::string(119, 'x') + "\xE2\x80\xA6\""), std::string::npos);
}

TEST(Refusal, TheDetailIsValidJsonWhateverBytesAnEchoedValueHas) {
  for (int byte = 1; byte < 128; ++byte) {
    for (const std::size_t length : {1U, 119U, 120U, 121U, 500U}) {
      Refusal why;
      const std::string value(length, static_cast<char>(byte));
      why.begin(Condition::kNotFound).with("id", value).with(value, "v").with_number("n", 1);
      EXPECT_TRUE(is_json(why.detail())) << "byte " << byte << ", " << length << " times";
      EXPECT_EQ(count_of(why.detail(), "truncated"), 0U);
    }
  }
}

TEST(Refusal, AMemberWithoutRoomIsLeftOutWholeAndTheDetailSaysOnceThatItIsTruncated) {
  for (std::size_t size = 3000; size <= 4400; ++size) {
    Refusal why;
    why.begin(Condition::kPolicyViolation).with_json("violations", '"' + std::string(size, 'v') + '"');
    const bool is_there = count_of(why.detail(), "violations") == 1;
    EXPECT_EQ(count_of(why.detail(), "\"truncated\": true"), is_there ? 0U : 1U) << size;
    why.with("id", std::string(500, '\x01')).with("other", std::string(500, '\x01')).with_number("n", 7);
    EXPECT_TRUE(is_json(why.detail())) << size;
    EXPECT_LE(count_of(why.detail(), "\"truncated\": true"), 1U) << size;
    if (!is_there) {
      EXPECT_EQ(count_of(why.detail(), "\"n\": 7"), 1U) << "later members that fit are still added, " << size;
    }
  }
}

TEST(Refusal, BeginForgetsThatAnEarlierDetailWasTruncated) {
  Refusal why;
  why.begin(Condition::kNotFound).with_json("big", '"' + std::string(5000, 'v') + '"');
  EXPECT_EQ(count_of(why.detail(), "truncated"), 1U);
  why.begin(Condition::kNotFound).with_number("n", 1);
  EXPECT_EQ(count_of(why.detail(), "truncated"), 0U);
}

TEST(Refusal, AMemberAddedBeforeBeginStillGivesAValidDetail) {
  Refusal why;
  why.with_number("n", 1);
  EXPECT_TRUE(is_json(why.detail())) << why.detail();
  EXPECT_EQ(count_of(why.detail(), "\"n\": 1"), 1U);
}

TEST(Refusal, AppendJsonStringThatDoesNotFitChangesNothing) {
  for (const auto* text : {"abcdefg", "\"\"\"\"", "abc\x01", "\x01\x02", "a\x01"}) {
    FixedText<8> out;
    ASSERT_TRUE(out.try_append("x"));
    EXPECT_FALSE(append_json_string(out, text));
    EXPECT_EQ(out.view(), "x");
  }
  FixedText<8> out;
  EXPECT_TRUE(append_json_string(out, "\x01"));
  EXPECT_EQ(out.view(), "\"\\u0001\"");
}

}  // namespace
}  // namespace escrowgrid::core
