// SHA-256, by OpenSSL. (token.cpp also uses OpenSSL, to compare in constant time.)
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace escrowgrid::core {

inline constexpr std::size_t kDigestBytes = 32;
using Digest = std::array<std::uint8_t, kDigestBytes>;

// Throws std::runtime_error when the cryptographic library fails, which it does only when
// SHA-256 is unavailable or memory has run out.
[[nodiscard]] Digest sha256(std::span<const std::uint8_t> bytes);

}  // namespace escrowgrid::core
