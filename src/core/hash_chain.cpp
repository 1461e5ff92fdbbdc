#include "core/hash_chain.hpp"

#include <stdexcept>

namespace escrowgrid::core {

namespace {

constexpr std::uint32_t kNullLength = 0xFFFFFFFFU;
// The canonical bytes of an event fit into this, except with unusually long references. More is allocated when needed.
constexpr std::size_t kUsualBytes = 512;

template <std::size_t Width>
std::array<std::uint8_t, Width> big_endian(std::uint64_t value) noexcept {
  std::array<std::uint8_t, Width> out{};
  for (std::size_t i = 0; i < Width; ++i) {
    out[Width - 1 - i] = static_cast<std::uint8_t>(value >> (8U * i));
  }
  return out;
}

}  // namespace

CanonicalBytes::CanonicalBytes() {
  bytes_.reserve(kUsualBytes);
}

void CanonicalBytes::raw(std::span<const std::uint8_t> bytes) {
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
}

void CanonicalBytes::field(std::span<const std::uint8_t> value) {
  if (value.size() >= kNullLength) {
    throw std::length_error("a field of 4 GB or more has no canonical bytes");
  }
  raw(big_endian<4>(value.size()));
  raw(value);
}

void CanonicalBytes::null() {
  raw(big_endian<4>(kNullLength));
}

void CanonicalBytes::text(std::optional<std::string_view> value) {
  value ? field(text_bytes(*value)) : null();
}

void CanonicalBytes::integer(std::optional<std::int64_t> value) {
  value ? field(big_endian<8>(static_cast<std::uint64_t>(*value))) : null();
}

void CanonicalBytes::digest(const std::optional<Digest>& value) {
  value ? field(*value) : null();
}

std::optional<Digest> content_digest(const EventContent& content) {
  if (!content.is_salted()) {
    return std::nullopt;
  }
  CanonicalBytes out;
  out.raw(content.salt);
  out.text(content.reason);
  out.text(content.metadata);
  return sha256(out.bytes());
}

Digest link_event(const PositionTerms& terms, const EventLink& link) {
  CanonicalBytes out;
  out.raw(std::array{kChainVersion});
  out.raw(link.previous);
  out.text(terms.id);
  out.integer(link.seq);
  out.text(link.from ? std::optional(state_name(*link.from)) : std::nullopt);
  out.text(state_name(link.to));
  const AmountText moved = link.moved.value_or(Amount()).text(0);
  out.text(link.moved ? std::optional(moved.view()) : std::nullopt);
  out.integer(link.at);
  out.text(link.api_key_id);
  out.digest(link.content);
  if (!link.from) {
    out.text(terms.institution_id);
    out.text(terms.asset_id);
    out.text(terms.holder_reference);
    out.text(terms.currency.code);
    out.text(terms.amount.text(0).view());
    out.text(terms.external_reference);
    out.integer(terms.expires_at);
  }
  return sha256(out.bytes());
}

}  // namespace escrowgrid::core
