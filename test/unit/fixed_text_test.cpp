#include "core/fixed_text.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "well_formed.hpp"

namespace escrowgrid::core {
namespace {

using test::is_json;
using test::is_utf8;

// Characters of 1, 2, 3 and 4 bytes in turn.
std::string mixed_characters(std::size_t count) {
  const std::vector<std::string> characters = {"a", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"};
  std::string out;
  for (std::size_t i = 0; i < count; ++i) {
    out += characters[i % characters.size()];
  }
  return out;
}

TEST(WellFormed, TheCheckersOfTheseTestsAcceptAndRejectTheRightTexts) {
  for (const auto* good : {"{}", "[1, -2.5e3, \"a\\u0001\\n\"]", "null", "{\"a\": {\"b\": [true, false]}}"}) {
    EXPECT_TRUE(is_json(good)) << good;
  }
  for (const auto* bad : {"", "{", "{\"a\": }", "[1,]", "{} {}", "\"a", "\"\n\"", "01", "{\"a\" 1}", "nul", "\"\\x\"",
                          "\"\xC3\"", "{\"a\": 1, }"}) {
    EXPECT_FALSE(is_json(bad)) << bad;
  }
  EXPECT_TRUE(is_utf8(mixed_characters(9)));
  for (const auto* bad : {"\xC3", "\xA9", "\xE2\x82", "\xF0\x9F\x98", "a\xFF"}) {
    EXPECT_FALSE(is_utf8(bad));
  }
}

TEST(FixedText, TryAppendTakesATextThatFillsTheRoomExactly) {
  FixedText<5> text;
  EXPECT_TRUE(text.try_append("ab"));
  EXPECT_TRUE(text.try_append("cde"));
  EXPECT_EQ(text.view(), "abcde");
  EXPECT_STREQ(text.c_str(), "abcde");
}

TEST(FixedText, TryAppendOfATextThatDoesNotFitReturnsFalseAndChangesNothing) {
  FixedText<5> text;
  ASSERT_TRUE(text.try_append("ab"));
  EXPECT_FALSE(text.try_append("cdef"));
  EXPECT_EQ(text.view(), "ab");
  EXPECT_STREQ(text.c_str(), "ab");
  EXPECT_TRUE(text.try_append(""));
}

TEST(FixedText, AppendClippedKeepsATextThatFitsAndEndsALongerOneWithAnEllipsis) {
  for (std::size_t length = 0; length <= 40; ++length) {
    const std::string whole(length, 'x');
    FixedText<16> text;
    text.append_clipped(whole);
    if (length <= 16) {
      EXPECT_EQ(text.view(), whole);
    } else {
      EXPECT_EQ(text.view(), std::string(13, 'x') + "\xE2\x80\xA6") << length << " bytes";
    }
  }
}

TEST(FixedText, AppendClippedMakesRoomForTheEllipsisWhenTheTextIsFullAlready) {
  FixedText<8> text;
  ASSERT_TRUE(text.try_append("12345678"));
  text.append_clipped("9");
  EXPECT_EQ(text.view(), "12345\xE2\x80\xA6");
  text.append_clipped("and much more");
  EXPECT_EQ(text.view(), "12345\xE2\x80\xA6");
}

TEST(FixedText, AppendClippedNeverCutsAUtf8SequenceWhateverTheLengthsAre) {
  for (std::size_t before = 0; before <= 16; ++before) {
    for (std::size_t count = 0; count <= 12; ++count) {
      FixedText<20> text;
      const std::string first = mixed_characters(before);
      const std::string second = mixed_characters(count);
      text.append_clipped(first);
      text.append_clipped(second);
      EXPECT_TRUE(is_utf8(text.view())) << before << " and " << count << " characters";
      const bool is_whole = text.view() == first + second;
      EXPECT_TRUE(is_whole || text.view().find(kEllipsis) != std::string_view::npos);
      EXPECT_EQ(is_whole, first.size() + second.size() <= 20) << before << " and " << count << " characters";
    }
  }
}

TEST(FixedText, ClippedToKeepsUpToTheLimitAndAddsAnEllipsisBeyondIt) {
  EXPECT_EQ(clipped_to<4>("").view(), "");
  EXPECT_EQ(clipped_to<4>("abcd").view(), "abcd");
  EXPECT_EQ(clipped_to<4>("abcde").view(), "abcd\xE2\x80\xA6");
  EXPECT_EQ(clipped_to<4>("abc\xC3\xA9").view(), "abc\xE2\x80\xA6");
  EXPECT_EQ(clipped_to<4>("\xF0\x9F\x98\x80").view(), "\xF0\x9F\x98\x80");
}

TEST(FixedText, Utf8PrefixOfBytesThatAreNotUtf8StepsBackThreeBytesAtMost) {
  const std::string continuation(100, '\x80');
  EXPECT_EQ(utf8_prefix(continuation, 50).size(), 47U);
  EXPECT_EQ(utf8_prefix(continuation, 2).size(), 0U);
}

TEST(FixedText, JoinedPartsHaveRoomForTheLongestPossibleParts) {
  const auto text = joined("from ", number_text(std::numeric_limits<std::int64_t>::min()), " to ",
                           number_text(std::numeric_limits<std::int64_t>::max()));
  static_assert(decltype(text)::kCapacity == 5 + 20 + 4 + 20);
  EXPECT_EQ(text.view(), "from -9223372036854775808 to 9223372036854775807");
}

TEST(FixedText, HexDigitsAreTwoLowerCaseDigitsForEachByte) {
  EXPECT_EQ(hex_digits(std::array<std::uint8_t, 4>{0x00, 0x0F, 0xA0, 0xFF}).view(), "000fa0ff");
}

}  // namespace
}  // namespace escrowgrid::core
