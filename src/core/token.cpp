#include "core/token.hpp"

#include <openssl/crypto.h>

#include <algorithm>

namespace escrowgrid::core {

namespace {

constexpr std::uint32_t kBase = 62;
constexpr std::string_view kBase62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

FixedText<kTokenChecksumCharacters> checksum(std::string_view random_part) noexcept {
  std::array<char, kTokenChecksumCharacters> digits{};
  std::uint32_t rest = crc32(random_part);
  for (std::size_t i = digits.size(); i > 0; --i) {
    digits[i - 1] = kBase62[rest % kBase];
    rest /= kBase;
  }
  return FixedText<kTokenChecksumCharacters>::of(digits);
}

}  // namespace

std::uint32_t crc32(std::string_view bytes) noexcept {
  constexpr std::uint32_t kPolynomial = 0xEDB88320U;
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? kPolynomial : 0U);
    }
  }
  return ~crc;
}

std::optional<TokenText> make_token(std::span<const std::uint8_t, kTokenRandomBytes> random) noexcept {
  constexpr std::size_t kUnbiased = 256 - 256 % kBase;
  std::array<char, kTokenRandomCharacters> drawn{};
  std::size_t count = 0;
  for (const std::uint8_t byte : random) {
    if (byte < kUnbiased && count < drawn.size()) {
      drawn[count++] = kBase62[byte % kBase];
    }
  }
  if (count < drawn.size()) {
    return std::nullopt;
  }
  TokenText token;
  static_assert(TokenText::kCapacity == kTokenPrefix.size() + kTokenRandomCharacters + kTokenChecksumCharacters);
  const std::string_view random_part(drawn.data(), drawn.size());
  static_cast<void>(token.try_append(kTokenPrefix) && token.try_append(random_part) &&
                    token.try_append(checksum(random_part).view()));
  return token;
}

bool is_plausible_token(std::string_view token) noexcept {
  if (token.empty() || token.size() > kMaxTokenBytes) {
    return false;
  }
  if (!token.starts_with(kTokenPrefix)) {
    return true;
  }
  if (token.size() != kTokenBytes) {
    return false;
  }
  const std::string_view random_part = token.substr(kTokenPrefix.size(), kTokenRandomCharacters);
  return checksum(random_part).view() == token.substr(kTokenPrefix.size() + kTokenRandomCharacters);
}

KeyHashText hash_token(std::string_view token) {
  return hex_digits(sha256(text_bytes(token)));
}

bool is_key_hash(std::string_view text) noexcept {
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return text.size() == kDigestBytes * 2 && std::all_of(text.begin(), text.end(), is_hex);
}

bool equals_in_constant_time(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string_view key_status_name(KeyStatus status) noexcept {
  switch (status) {
    case KeyStatus::kValid:
      return "VALID";
    case KeyStatus::kNotFound:
      return "NOT_FOUND";
    case KeyStatus::kRevoked:
      return "REVOKED";
    case KeyStatus::kExpired:
      return "EXPIRED";
    case KeyStatus::kForbiddenAddress:
      return "FORBIDDEN_ADDRESS";
  }
  return {};
}

}  // namespace escrowgrid::core
