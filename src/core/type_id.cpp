#include "core/type_id.hpp"

#include <algorithm>

namespace escrowgrid::core {

namespace {

constexpr std::string_view kAlphabet = "0123456789abcdefghjkmnpqrstvwxyz";
static_assert(kTypeIdSuffix * 5 == sizeof(Uuid) * 8 + 2,
              "26 digits of 5 bits are the 128 bits of a UUID and 2 zero bits");
static_assert(TypeIdText::kCapacity == kMaxTypeIdPrefix + 1 + kTypeIdSuffix);

std::optional<unsigned> digit_value(char c) noexcept {
  const std::size_t at = kAlphabet.find(c);
  return at == std::string_view::npos ? std::nullopt : std::optional(static_cast<unsigned>(at));
}

// 26 digits of 5 bits are 130 bits. The first 2 bits must be zero, so the first digit is at most 7.
std::optional<Uuid> decode_suffix(std::string_view suffix) noexcept {
  if (suffix.size() != kTypeIdSuffix || suffix.front() > '7') {
    return std::nullopt;
  }
  Uuid uuid{};
  unsigned buffer = 0;
  int bits = -2;  // the first 2 of the 130 bits are not part of the UUID
  std::size_t at = 0;
  for (const char c : suffix) {
    const std::optional<unsigned> digit = digit_value(c);
    if (!digit) {
      return std::nullopt;
    }
    buffer = (buffer << 5U) | *digit;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      uuid[at++] = static_cast<std::uint8_t>(buffer >> static_cast<unsigned>(bits));
      buffer &= (1U << static_cast<unsigned>(bits)) - 1U;
    }
  }
  return uuid;
}

}  // namespace

Uuid make_uuid_v7(std::int64_t unix_micros, std::span<const std::uint8_t, kUuidRandomBytes> random) noexcept {
  constexpr std::int64_t kLastMicros = (std::int64_t{1} << 48) * 1000 - 1;
  const auto micros = static_cast<std::uint64_t>(std::clamp<std::int64_t>(unix_micros, 0, kLastMicros));
  const std::uint64_t millis = micros / 1000;
  const std::uint64_t fraction = (micros % 1000) * 4096 / 1000;  // 12 bits
  Uuid uuid{};
  for (std::size_t i = 0; i < 6; ++i) {
    uuid[i] = static_cast<std::uint8_t>(millis >> (40U - 8U * i));
  }
  std::copy(random.begin(), random.end(), uuid.begin() + 6);
  uuid[6] = static_cast<std::uint8_t>(0x70U | (fraction >> 8U));
  uuid[7] = static_cast<std::uint8_t>(fraction);
  uuid[8] = static_cast<std::uint8_t>(0x80U | (uuid[8] & 0x3FU));
  return uuid;
}

bool is_valid_type_id_prefix(std::string_view prefix) noexcept {
  if (prefix.empty()) {
    return true;
  }
  const auto is_allowed = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
  return prefix.size() <= kMaxTypeIdPrefix && prefix.front() != '_' && prefix.back() != '_' &&
         std::all_of(prefix.begin(), prefix.end(), is_allowed);
}

TypeIdText format_type_id(std::string_view prefix, const Uuid& uuid) noexcept {
  TypeIdText out;
  if (!is_valid_type_id_prefix(prefix)) {
    return out;
  }
  std::array<char, kTypeIdSuffix> suffix{};
  std::size_t at = 0;
  unsigned buffer = 0;
  unsigned bits = 2;  // the 130 bits begin with 2 zero bits
  for (const std::uint8_t byte : uuid) {
    buffer = (buffer << 8U) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      suffix[at++] = kAlphabet[(buffer >> bits) & 31U];
    }
    buffer &= (1U << bits) - 1U;
  }
  // Everything fits, because a valid prefix has at most kMaxTypeIdPrefix characters.
  static_cast<void>(out.try_append(prefix) && out.try_append(prefix.empty() ? "" : "_") &&
                    out.try_append({suffix.data(), suffix.size()}));
  return out;
}

std::optional<TypeId> parse_type_id(std::string_view text) noexcept {
  const std::size_t separator = text.rfind('_');
  const bool has_separator = separator != std::string_view::npos;
  const std::string_view prefix = has_separator ? text.substr(0, separator) : std::string_view();
  if ((has_separator && prefix.empty()) || !is_valid_type_id_prefix(prefix)) {
    return std::nullopt;
  }
  const std::optional<Uuid> uuid = decode_suffix(has_separator ? text.substr(separator + 1) : text);
  if (!uuid) {
    return std::nullopt;
  }
  return TypeId{.prefix = prefix, .uuid = *uuid};
}

}  // namespace escrowgrid::core
