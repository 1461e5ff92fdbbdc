// The hash chain over a position's events: canonical bytes in, one SHA-256 link out.
//
//   hash = SHA-256( version byte || previous hash || field || field || ... )
//
// A field is a 4-byte big-endian length and that many bytes; NULL is the length 0xFFFFFFFF and
// nothing after it. Text is UTF-8, times are int64 microseconds since the Unix epoch (8 bytes,
// big-endian), counts likewise, amounts their canonical decimal text. The first event's previous
// hash is 32 zero bytes, and it binds the position's immutable columns as well.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/digest.hpp"
#include "core/lifecycle.hpp"
#include "core/money.hpp"

namespace escrowgrid::core {

using Micros = std::int64_t;  // microseconds since the Unix epoch

inline constexpr std::uint8_t kChainVersion = 1;
inline constexpr std::size_t kSaltBytes = 16;
using Salt = std::array<std::uint8_t, kSaltBytes>;

// What never changes about a position.
struct PositionTerms {
  std::string_view id;
  std::string_view institution_id;
  std::string_view asset_id;
  std::string_view holder_reference;
  CurrencyUnit currency{};
  Amount amount;
  std::optional<std::string_view> external_reference;
  std::optional<Micros> expires_at;
};

// What an event says beyond the move itself. Reason and metadata enter the chain only as a salted
// digest, so that they can be erased later without breaking it.
struct EventContent {
  std::optional<std::string_view> reason;
  std::optional<std::string_view> metadata;  // canonical JSON text
  std::optional<std::string_view> api_key_id;
  Salt salt{};

  [[nodiscard]] bool is_salted() const noexcept { return reason.has_value() || metadata.has_value(); }
};

struct EventLink {
  Digest previous{};
  std::int32_t seq = 1;
  std::optional<State> from;
  State to = State::kCreated;
  std::optional<Amount> moved;
  Micros at = 0;
  std::optional<std::string_view> api_key_id = std::nullopt;
  std::optional<Digest> content = std::nullopt;  // content_digest(), which outlives an erasure of what it covers
};

// Lays out canonical bytes; also what an independent verifier has to reproduce. Their number has no limit but memory. A
// field of 4294967295 bytes or more has no length that could be written: it is refused with std::length_error.
class CanonicalBytes {
 public:
  CanonicalBytes();
  void raw(std::span<const std::uint8_t> bytes);
  void text(std::optional<std::string_view> value);
  void integer(std::optional<std::int64_t> value);
  void digest(const std::optional<Digest>& value);

  [[nodiscard]] std::span<const std::uint8_t> bytes() const noexcept { return bytes_; }

 private:
  void field(std::span<const std::uint8_t> value);
  void null();
  std::vector<std::uint8_t> bytes_;
};

// SHA-256(salt || reason field || metadata field); none when there is neither.
[[nodiscard]] std::optional<Digest> content_digest(const EventContent& content);

// The link for one event of the position.
[[nodiscard]] Digest link_event(const PositionTerms& terms, const EventLink& link);

}  // namespace escrowgrid::core
