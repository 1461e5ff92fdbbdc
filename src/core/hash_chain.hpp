// The hash chain over a position's events. Each event has a hash over its canonical bytes:
//
//   hash = SHA-256( version byte || previous hash || field || field || ... )
//
// A field is a 4-byte big-endian length, followed by that many bytes. NULL is the length 0xFFFFFFFF without any bytes.
// Text is UTF-8. Times are int64 microseconds since the Unix epoch, and counts are int64; both are 8 bytes, big-endian.
// Amounts are their canonical decimal text. For the first event, the previous hash is 32 zero bytes, and the canonical
// bytes also contain the position's immutable columns.
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

// The columns of a position that never change.
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

// The part of an event that the caller adds to the move. The event's hash contains only a salted digest of reason and
// metadata, so that they can be erased later without breaking the chain.
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
  std::optional<Digest> content = std::nullopt;  // from content_digest(); kept when the content is erased
};

// Builds canonical bytes. An independent verifier has to build the same ones. Nothing is ever cut: the bytes are on the
// heap, and a field of 4294967295 bytes or more, whose length does not fit into 4 bytes, is refused with
// std::length_error.
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

// SHA-256(salt || reason field || metadata field); absent for an event without reason and metadata.
[[nodiscard]] std::optional<Digest> content_digest(const EventContent& content);

// The hash of one event of the position.
[[nodiscard]] Digest link_event(const PositionTerms& terms, const EventLink& link);

}  // namespace escrowgrid::core
