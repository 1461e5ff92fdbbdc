// Text of bounded length that needs no heap. The core returns such texts to code in src/pg, where a PostgreSQL error is
// a longjmp that skips destructors. So these types must not need a destructor.
//
// Text is never cut silently. Each way to build a text says what happens when something does not fit:
//   joined(), of()     everything fits, because the type of the result has room for the longest possible parts
//   try_append()       nothing is appended, and the caller must look at the result
//   append_clipped()   the text is cut, and an ellipsis shows that; only for text that people read
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>

namespace escrowgrid::core {

inline constexpr std::string_view kEllipsis = "\xE2\x80\xA6";  // U+2026

// The longest prefix of `text` that has at most `limit` bytes and does not end inside a UTF-8 sequence.
[[nodiscard]] constexpr std::string_view utf8_prefix(std::string_view text, std::size_t limit) noexcept {
  constexpr std::size_t kMostContinuationBytes = 3;
  if (text.size() <= limit) {
    return text;
  }
  std::size_t end = limit;
  // Step back over UTF-8 continuation bytes (10xxxxxx) to the start of the sequence that would be cut.
  while (end > 0 && limit - end < kMostContinuationBytes && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
    --end;
  }
  return text.substr(0, end);
}

template <std::size_t Capacity>
class FixedText {
 public:
  static constexpr std::size_t kCapacity = Capacity;

  // Does not initialise the bytes: a refusal has kilobytes of text, and a call that succeeds must not pay for them.
  FixedText() noexcept { bytes_[0] = '\0'; }

  // The first `used` characters of an array that is not larger than the text.
  template <std::size_t N>
  requires(N <= Capacity) [[nodiscard]] static FixedText
      of(const std::array<char, N>& characters, std::size_t used = N) noexcept {
    FixedText out;
    out.size_ = std::min(used, N);
    std::memcpy(out.bytes_.data(), characters.data(), out.size_);
    out.bytes_[out.size_] = '\0';
    return out;
  }

  // Appends `text` and returns true. If it does not fit, appends nothing and returns false.
  [[nodiscard]] bool try_append(std::string_view text) noexcept {
    if (text.size() > Capacity - size_) {
      return false;
    }
    if (!text.empty()) {
      std::memcpy(bytes_.data() + size_, text.data(), text.size());
    }
    size_ += text.size();
    bytes_[size_] = '\0';
    return true;
  }

  // Appends as much of `text` as fits. If that is not all of it, the result ends with an ellipsis. If there is no room
  // for the ellipsis, it replaces the end of the text that was there before.
  void append_clipped(std::string_view text) noexcept {
    static_assert(Capacity >= kEllipsis.size());
    if (try_append(text)) {
      return;
    }
    constexpr std::size_t kRoom = Capacity - kEllipsis.size();
    if (size_ <= kRoom) {
      static_cast<void>(try_append(utf8_prefix(text, kRoom - size_)));
    } else {
      truncate(utf8_prefix(view(), kRoom).size());
    }
    static_cast<void>(try_append(kEllipsis));  // there is room: both branches leave at most kRoom bytes
  }

  void truncate(std::size_t size) noexcept {
    if (size < size_) {
      size_ = size;
      bytes_[size_] = '\0';
    }
  }

  void clear() noexcept { truncate(0); }

  [[nodiscard]] std::string_view view() const noexcept { return {bytes_.data(), size_}; }
  [[nodiscard]] const char* c_str() const noexcept { return bytes_.data(); }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

 private:
  std::array<char, Capacity + 1> bytes_;
  std::size_t size_ = 0;
};

// The parts that joined() accepts are string literals and FixedTexts. kPartBytes is the largest number of bytes of a
// part.
template <std::size_t N>
[[nodiscard]] constexpr std::string_view part_view(const char (&literal)[N]) noexcept {
  return {literal, N - 1};
}
template <std::size_t N>
[[nodiscard]] std::string_view part_view(const FixedText<N>& text) noexcept {
  return text.view();
}
template <typename Part>
inline constexpr std::size_t kPartBytes = Part::kCapacity;
template <std::size_t N>
inline constexpr std::size_t kPartBytes<char[N]> = N - 1;

// Joins all parts. The result always has room, because its capacity is the sum of the largest sizes of the parts.
template <typename... Parts>
[[nodiscard]] auto joined(const Parts&... parts) noexcept {
  FixedText<(kPartBytes<Parts> + ...)> out;
  (static_cast<void>(out.try_append(part_view(parts))), ...);
  return out;
}

// The first `Limit` bytes of `text`, or a few less so that no UTF-8 sequence is cut, and an ellipsis if text is
// missing.
template <std::size_t Limit>
[[nodiscard]] FixedText<Limit + kEllipsis.size()> clipped_to(std::string_view text) noexcept {
  FixedText<Limit + kEllipsis.size()> out;
  const std::string_view shown = utf8_prefix(text, Limit);
  static_cast<void>(out.try_append(shown));
  static_cast<void>(out.try_append(shown.size() < text.size() ? kEllipsis : std::string_view()));
  return out;
}

// A number in decimal digits.
using NumberText = FixedText<20>;
static_assert(std::numeric_limits<std::int64_t>::digits10 + 2 == NumberText::kCapacity, "a sign and 19 digits");
[[nodiscard]] inline NumberText number_text(std::int64_t value) noexcept {
  std::array<char, NumberText::kCapacity> digits{};
  const char* end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  return NumberText::of(digits, static_cast<std::size_t>(end - digits.data()));
}

// Lower-case hexadecimal digits.
template <std::size_t N>
[[nodiscard]] FixedText<2 * N> hex_digits(const std::array<std::uint8_t, N>& bytes) noexcept {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::array<char, 2 * N> digits{};
  for (std::size_t i = 0; i < N; ++i) {
    digits[2 * i] = kHex[bytes[i] >> 4U];
    digits[2 * i + 1] = kHex[bytes[i] & 15U];
  }
  return FixedText<2 * N>::of(digits);
}

}  // namespace escrowgrid::core
