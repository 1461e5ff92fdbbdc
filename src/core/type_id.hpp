// TypeIDs 0.3: a lower-case prefix, "_", and a UUID in 26 characters of Crockford base32.
// New ids hold a UUIDv7 (RFC 9562), so they sort by the time they were made.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/fixed_text.hpp"

namespace escrowgrid::core {

using Uuid = std::array<std::uint8_t, 16>;

inline constexpr std::size_t kMaxTypeIdPrefix = 63;
inline constexpr std::size_t kTypeIdSuffix = 26;
inline constexpr std::size_t kUuidRandomBytes = 10;

using TypeIdText = FixedText<kMaxTypeIdPrefix + 1 + kTypeIdSuffix>;

struct TypeId {
  std::string_view prefix;  // a view into the parsed text; may be empty
  Uuid uuid{};
};

// UUIDv7 from microseconds since the Unix epoch. The sub-millisecond part goes into rand_a
// (RFC 9562, method 3), so ids made within one millisecond still sort by time. Times that its 48 bits of milliseconds
// cannot hold become the first or the last that they can (1970, 10889), so that ids sort by time then, too.
[[nodiscard]] Uuid make_uuid_v7(std::int64_t unix_micros,
                                std::span<const std::uint8_t, kUuidRandomBytes> random) noexcept;

[[nodiscard]] bool is_valid_type_id_prefix(std::string_view prefix) noexcept;

// An empty prefix gives the suffix alone; an invalid one gives empty text.
[[nodiscard]] TypeIdText format_type_id(std::string_view prefix, const Uuid& uuid) noexcept;

[[nodiscard]] std::optional<TypeId> parse_type_id(std::string_view text) noexcept;

}  // namespace escrowgrid::core
