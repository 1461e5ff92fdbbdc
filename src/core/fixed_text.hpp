// Text of bounded length without a heap: the core hands results to a shell whose
// errors are longjmps, so nothing that crosses over may need a destructor.
#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace escrowgrid::core {

template <std::size_t Capacity>
class FixedText {
 public:
  // Leaves the bytes uninitialised on purpose: refusals carry kilobytes that a success never touches.
  FixedText() noexcept { bytes_[0] = '\0'; }

  // Appends all of `text`, or nothing when it does not fit; says which.
  bool append(std::string_view text) noexcept {
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

  bool append(char c) noexcept { return append(std::string_view(&c, 1)); }

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

// A number in decimal digits.
[[nodiscard]] inline FixedText<20> number_text(std::int64_t value) noexcept {
  std::array<char, 20> digits{};
  const char* end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  FixedText<20> out;
  out.append({digits.data(), static_cast<std::size_t>(end - digits.data())});
  return out;
}

}  // namespace escrowgrid::core
