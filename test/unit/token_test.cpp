#include "core/token.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "core/access.hpp"

namespace escrowgrid::core {
namespace {

std::array<std::uint8_t, kTokenRandomBytes> bytes_from(std::uint8_t seed) {
  std::array<std::uint8_t, kTokenRandomBytes> out{};
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<std::uint8_t>(seed + i * 7);
  }
  return out;
}

TEST(Token, Crc32OfTheDigits1To9AndOfNoBytesAreThePublishedValues) {
  EXPECT_EQ(crc32("123456789"), 0xCBF43926U);
  EXPECT_EQ(crc32(""), 0U);
}

TEST(Token, AMadeTokenHasTheDocumentedFormAndIsPlausible) {
  std::set<std::string> seen;
  for (int seed = 0; seed < 256; ++seed) {
    const std::optional<TokenText> token = make_token(bytes_from(static_cast<std::uint8_t>(seed)));
    ASSERT_TRUE(token);
    EXPECT_EQ(token->size(), 39U);
    EXPECT_TRUE(token->view().starts_with("eg_"));
    EXPECT_TRUE(is_plausible_token(token->view()));
    seen.emplace(token->view());
  }
  EXPECT_GT(seen.size(), 60U);  // the bytes repeat modulo 62
}

TEST(Token, RandomBytesFrom248To255AreNotUsedForAToken) {
  std::array<std::uint8_t, kTokenRandomBytes> all_high{};
  all_high.fill(255);
  EXPECT_FALSE(make_token(all_high));
  std::fill_n(all_high.begin(), kTokenRandomCharacters - 1, std::uint8_t{0});
  EXPECT_FALSE(make_token(all_high));
  all_high.back() = 247;
  EXPECT_TRUE(make_token(all_high));
}

TEST(Token, ATokenWithOneWrongCharacterOrAWrongLengthIsNotPlausible) {
  const std::string token(make_token(bytes_from(3))->view());
  for (std::size_t i = 3; i < token.size(); ++i) {
    std::string slip = token;
    slip[i] = slip[i] == 'x' ? 'y' : 'x';
    EXPECT_FALSE(is_plausible_token(slip)) << i;
  }
  EXPECT_FALSE(is_plausible_token(token + "0"));
  EXPECT_FALSE(is_plausible_token("eg_"));
  EXPECT_FALSE(is_plausible_token(""));
  EXPECT_FALSE(is_plausible_token(std::string(kMaxTokenBytes + 1, 'a')));
  EXPECT_TRUE(is_plausible_token("ak_0123456789abcdef"));  // tokens of another form have no checksum
}

TEST(Token, TheStoredHashIsTheHexSha256OfTheWholeToken) {
  EXPECT_EQ(hash_token("abc").view(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_TRUE(is_key_hash(hash_token("x").view()));
  EXPECT_FALSE(is_key_hash("BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"));
  EXPECT_FALSE(is_key_hash("ba78"));
}

TEST(Token, TheConstantTimeComparisonAcceptsOnlyEqualTexts) {
  EXPECT_TRUE(equals_in_constant_time("abc", "abc"));
  EXPECT_FALSE(equals_in_constant_time("abc", "abd"));
  EXPECT_FALSE(equals_in_constant_time("abc", "ab"));
  EXPECT_TRUE(equals_in_constant_time("", ""));
}

TEST(Access, EachRoleHasExactlyItsRightsAndRootIsNotARoleOfKeys) {
  EXPECT_TRUE(may(Role::kRoot, Right::kAdminister));
  EXPECT_TRUE(may(Role::kRoot, Right::kWrite));
  EXPECT_FALSE(may(Role::kAdmin, Right::kAdminister));
  EXPECT_TRUE(may(Role::kAdmin, Right::kWrite));
  EXPECT_FALSE(may(Role::kReadOnly, Right::kWrite));
  EXPECT_TRUE(may(Role::kReadOnly, Right::kRead));
  EXPECT_EQ(parse_key_role("root"), std::nullopt);
  EXPECT_EQ(parse_key_role("admin"), Role::kAdmin);
}

}  // namespace
}  // namespace escrowgrid::core
