#include "core/type_id.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

namespace escrowgrid::core {
namespace {

std::string hex(const Uuid& uuid) {
  std::string out;
  for (const std::uint8_t byte : uuid) {
    constexpr const char* kDigits = "0123456789abcdef";
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

Uuid from_hex(const std::string& text) {
  Uuid uuid{};
  for (std::size_t i = 0; i < uuid.size(); ++i) {
    uuid[i] = static_cast<std::uint8_t>(std::stoi(text.substr(2 * i, 2), nullptr, 16));
  }
  return uuid;
}

// Computed by hand from the specification: a character has 5 bits, the most significant bits come first.
TEST(TypeId, UuidsAreEncodedAsTheSpecificationSays) {
  EXPECT_EQ(format_type_id("pos", from_hex("00000000000000000000000000000000")).view(),
            "pos_00000000000000000000000000");
  EXPECT_EQ(format_type_id("pos", from_hex("0000000000000000000000000000003f")).view(),
            "pos_0000000000000000000000001z");
  EXPECT_EQ(format_type_id("pos", from_hex("80000000000000000000000000000000")).view(),
            "pos_40000000000000000000000000");
  EXPECT_EQ(format_type_id("", from_hex("ffffffffffffffffffffffffffffffff")).view(), "7zzzzzzzzzzzzzzzzzzzzzzzzz");
}

TEST(TypeId, AnIdThatWasFormattedIsParsedToTheSamePrefixAndUuid) {
  const Uuid uuid = from_hex("0190f5fb1c2d7abc8def0123456789ab");
  const TypeIdText text = format_type_id("ple", uuid);
  const std::optional<TypeId> parsed = parse_type_id(text.view());
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->prefix, "ple");
  EXPECT_EQ(parsed->uuid, uuid);
}

TEST(TypeId, TextThatIsNoTypeIdIsNotParsed) {
  for (const auto* text :
       {"", "_", "pos_", "_00000000000000000000000000", "POS_00000000000000000000000000",
        "pos_0000000000000000000000000", "pos_000000000000000000000000000", "pos_8zzzzzzzzzzzzzzzzzzzzzzzzz",
        "pos_0000000000000000000000000i", "pos_0000000000000000000000000u", "pos_0000000000000000000000000Z",
        "pos__00000000000000000000000000", "p1s_00000000000000000000000000", " pos_00000000000000000000000000"}) {
    EXPECT_FALSE(parse_type_id(text)) << text;
  }
}

TEST(TypeId, MadeUuidsHaveVersion7AndSortByTheirTimeInMicroseconds) {
  const std::array<std::uint8_t, kUuidRandomBytes> ones = {255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
  const std::array<std::uint8_t, kUuidRandomBytes> zeros = {};
  const std::int64_t start = 1'763'700'000'123'456;
  for (std::int64_t later = 1; later < 5000; later += 7) {
    // A UUID with the largest random part sorts before a UUID of the next microsecond with the smallest one.
    const Uuid now = make_uuid_v7(start + later - 1, ones);
    const Uuid then = make_uuid_v7(start + later, zeros);
    EXPECT_LT(format_type_id("pos", now).view(), format_type_id("pos", then).view());
    EXPECT_EQ(now[6] >> 4, 7);
    EXPECT_EQ(now[8] >> 6, 2);
  }
  EXPECT_EQ(hex(make_uuid_v7(1'000'000, zeros)).substr(0, 12), "0000000003e8");
}

TEST(TypeId, TimesOutsideTheRangeOfAUuidGiveItsFirstOrLastTimeAndSoStillSort) {
  const std::array<std::uint8_t, kUuidRandomBytes> zeros = {};
  const std::int64_t last = (std::int64_t{1} << 48) * 1000 - 1;
  EXPECT_EQ(hex(make_uuid_v7(last, zeros)).substr(0, 12), "ffffffffffff");
  EXPECT_EQ(make_uuid_v7(last + 1, zeros), make_uuid_v7(last, zeros));
  EXPECT_EQ(make_uuid_v7(std::numeric_limits<std::int64_t>::max(), zeros), make_uuid_v7(last, zeros));
  EXPECT_EQ(make_uuid_v7(-1, zeros), make_uuid_v7(0, zeros));
  EXPECT_EQ(make_uuid_v7(std::numeric_limits<std::int64_t>::min(), zeros), make_uuid_v7(0, zeros));
  EXPECT_LT(make_uuid_v7(last - 1000, zeros), make_uuid_v7(last, zeros));
}

TEST(TypeId, TheLongestPrefixHasRoomAndALongerOneGivesNoText) {
  const Uuid uuid = from_hex("0190f5fb1c2d7abc8def0123456789ab");
  const std::string longest(kMaxTypeIdPrefix, 'p');
  EXPECT_EQ(format_type_id(longest, uuid).size(), kMaxTypeIdPrefix + 1 + kTypeIdSuffix);
  EXPECT_TRUE(format_type_id(longest + "p", uuid).empty());
}

// The official test vectors, if they are present.
std::string read_vectors(const char* file) {
  std::ifstream in(std::filesystem::path(ESCROWGRID_TYPEID_VECTORS) / file);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// The values of every `"key": "value"` in document order.
std::vector<std::string> values_of(const std::string& json, const std::string& key) {
  std::vector<std::string> values;
  const std::string opening = '"' + key + "\": \"";
  for (std::size_t at = json.find(opening); at != std::string::npos; at = json.find(opening, at)) {
    at += opening.size();
    values.push_back(json.substr(at, json.find('"', at) - at));
  }
  return values;
}

TEST(TypeId, TheOfficialValidVectorsAreParsedAndFormatted) {
  const std::string json = read_vectors("valid.json");
  if (json.empty()) {
    GTEST_SKIP() << "the official vectors are not present";
  }
  const std::vector<std::string> texts = values_of(json, "typeid");
  const std::vector<std::string> prefixes = values_of(json, "prefix");
  const std::vector<std::string> uuids = values_of(json, "uuid");
  ASSERT_GE(texts.size(), 9U);
  ASSERT_EQ(texts.size(), prefixes.size());
  ASSERT_EQ(texts.size(), uuids.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    std::string uuid = uuids[i];
    std::erase(uuid, '-');
    const std::optional<TypeId> parsed = parse_type_id(texts[i]);
    ASSERT_TRUE(parsed) << texts[i];
    EXPECT_EQ(parsed->prefix, prefixes[i]);
    EXPECT_EQ(hex(parsed->uuid), uuid);
    EXPECT_EQ(format_type_id(prefixes[i], from_hex(uuid)).view(), texts[i]);
  }
}

TEST(TypeId, TheOfficialInvalidVectorsAreNotParsed) {
  const std::string json = read_vectors("invalid.json");
  if (json.empty()) {
    GTEST_SKIP() << "the official vectors are not present";
  }
  const std::vector<std::string> texts = values_of(json, "typeid");
  ASSERT_GE(texts.size(), 15U);
  for (const std::string& text : texts) {
    EXPECT_FALSE(parse_type_id(text)) << text;
  }
}

}  // namespace
}  // namespace escrowgrid::core
