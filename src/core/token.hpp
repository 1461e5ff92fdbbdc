// API key tokens: "eg_", 30 base62 characters of randomness (178 bits), 6 base62 characters of CRC32.
// The checksum lets a scanner tell a leaked token from look-alikes; it is no secret.
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
// Twice what is needed on average: bytes that would bias the choice are thrown away.
inline constexpr std::size_t kTokenRandomBytes = 64;
inline constexpr std::size_t kMaxTokenBytes = 200;  // of any token, the original system's included

using TokenText = FixedText<kTokenBytes>;
using KeyHashText = FixedText<kDigestBytes * 2>;

// A new token; none in the rare case that too few of the random bytes could be used.
[[nodiscard]] std::optional<TokenText> make_token(std::span<const std::uint8_t, kTokenRandomBytes> random) noexcept;

// Whether the text can be a token at all: of our form with the right checksum, or of any other form.
[[nodiscard]] bool is_plausible_token(std::string_view token) noexcept;

// What is stored: lower-case hex SHA-256 of the whole token.
[[nodiscard]] KeyHashText hash_token(std::string_view token);

[[nodiscard]] bool is_key_hash(std::string_view text) noexcept;

// Takes the same time wherever the texts differ; texts of different length differ at once.
[[nodiscard]] bool equals_in_constant_time(std::string_view a, std::string_view b) noexcept;

// CRC-32 as in ISO 3309 and zlib.
[[nodiscard]] std::uint32_t crc32(std::string_view bytes) noexcept;

enum class KeyStatus : std::uint8_t { kValid, kNotFound, kRevoked, kExpired, kForbiddenAddress };

[[nodiscard]] std::string_view key_status_name(KeyStatus status) noexcept;

}  // namespace escrowgrid::core
