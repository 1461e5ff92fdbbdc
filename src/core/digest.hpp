// SHA-256. No other hash function is used, and no other file of the core hashes with OpenSSL.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

namespace escrowgrid::core {

inline constexpr std::size_t kDigestBytes = 32;
using Digest = std::array<std::uint8_t, kDigestBytes>;

// Throws std::runtime_error when the cryptographic library fails. It fails only when SHA-256 is unavailable or when it
// is out of memory.
[[nodiscard]] Digest sha256(std::span<const std::uint8_t> bytes);

[[nodiscard]] inline std::span<const std::uint8_t> text_bytes(std::string_view text) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// The hash of all parts, one after the other. The parts are not copied, so their length has no limit.
[[nodiscard]] Digest sha256_of_parts(std::initializer_list<std::span<const std::uint8_t>> parts);

}  // namespace escrowgrid::core
