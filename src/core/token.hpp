// Tokens of API keys: "eg_", 30 random base62 characters (178 bits), and a CRC-32 of these as 6 base62 characters. The
// checksum is not secret. It lets secret scanners recognise a leaked token.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/digest.hpp"
#include "core/fixed_text.hpp"

namespace escrowgrid::core {

inline constexpr std::string_view kTokenPrefix = "eg_";
inline constexpr std::size_t kTokenRandomCharacters = 30;
inline constexpr std::size_t kTokenChecksumCharacters = 6;
inline constexpr std::size_t kTokenBytes = kTokenPrefix.size() + kTokenRandomCharacters + kTokenChecksumCharacters;
inline constexpr std::size_t kTokenHintBytes = 4;
// Random bytes from 248 to 255 are discarded, because they would make some characters more likely than others. So a
// token needs 31 bytes on average; this is twice as many.
inline constexpr std::size_t kTokenRandomBytes = 64;
inline constexpr std::size_t kMaxTokenBytes = 200;  // for all tokens, including those of another form

using TokenText = FixedText<kTokenBytes>;
using KeyHashText = FixedText<kDigestBytes * 2>;

// Makes a token. Absent in the rare case that too many of the random bytes had to be discarded.
[[nodiscard]] std::optional<TokenText> make_token(std::span<const std::uint8_t, kTokenRandomBytes> random) noexcept;

// Whether the text can be a token: it starts with "eg_" and has the right length and checksum, or it has another form.
// Tokens of another form belong to keys that were imported from another system.
[[nodiscard]] bool is_plausible_token(std::string_view token) noexcept;

// The hash that is stored instead of the token: SHA-256 of the whole token in lower-case hexadecimal digits.
[[nodiscard]] KeyHashText hash_token(std::string_view token);

[[nodiscard]] bool is_key_hash(std::string_view text) noexcept;

// Compares texts of the same length in a time that does not depend on where they differ. Texts of different lengths are
// unequal without a comparison.
[[nodiscard]] bool equals_in_constant_time(std::string_view a, std::string_view b) noexcept;

// CRC-32 as in ISO 3309 and zlib.
[[nodiscard]] std::uint32_t crc32(std::string_view bytes) noexcept;

enum class KeyStatus : std::uint8_t { kValid, kNotFound, kRevoked, kExpired, kForbiddenAddress };

[[nodiscard]] std::string_view key_status_name(KeyStatus status) noexcept;

}  // namespace escrowgrid::core
