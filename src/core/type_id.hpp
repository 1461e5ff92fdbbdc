// TypeIDs (version 0.3 of their specification): a lower-case prefix, "_", and a UUID as 26 digits of Crockford's
// base32. New ids contain a UUIDv7 (RFC 9562), so they sort by the time at which they were made.
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

// Makes a UUIDv7 from microseconds since the Unix epoch. The microseconds within the millisecond go into rand_a (RFC
// 9562, method 3), so that ids made within one millisecond sort by time, too. A UUIDv7 has 48 bits for milliseconds.
// Times before 1970 become 1970, and times after the year 10889 become its last representable time.
[[nodiscard]] Uuid make_uuid_v7(std::int64_t unix_micros,
                                std::span<const std::uint8_t, kUuidRandomBytes> random) noexcept;

[[nodiscard]] bool is_valid_type_id_prefix(std::string_view prefix) noexcept;

// With an empty prefix the result is the suffix without "_". With an invalid prefix it is empty.
[[nodiscard]] TypeIdText format_type_id(std::string_view prefix, const Uuid& uuid) noexcept;

[[nodiscard]] std::optional<TypeId> parse_type_id(std::string_view text) noexcept;

}  // namespace escrowgrid::core
