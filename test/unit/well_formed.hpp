// Checks for tests: whether text is valid UTF-8 (RFC 3629), and whether it is one complete JSON value (RFC 8259). They
// use nothing of the core.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace escrowgrid::test {

inline bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto first = static_cast<std::uint8_t>(text[at]);
    std::size_t more = 0;
    if (first >= 0xC2 && first <= 0xDF) {
      more = 1;
    } else if (first >= 0xE0 && first <= 0xEF) {
      more = 2;
    } else if (first >= 0xF0 && first <= 0xF4) {
      more = 3;
    } else if (first >= 0x80) {
      return false;
    }
    if (at + more >= text.size()) {
      return false;
    }
    for (std::size_t i = 1; i <= more; ++i) {
      if ((static_cast<std::uint8_t>(text[at + i]) & 0xC0U) != 0x80U) {
        return false;
      }
    }
    at += more + 1;
  }
  return true;
}

class JsonReader {
 public:
  explicit JsonReader(std::string_view text) : text_(text) {}

  bool is_complete_value() {
    skip_space();
    return value() && (skip_space(), at_ == text_.size());
  }

 private:
  [[nodiscard]] char next() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take(char c) {
    if (next() != c || at_ == text_.size()) {
      return false;
    }
    ++at_;
    return true;
  }
  void skip_space() {
    while (next() == ' ' || next() == '\t' || next() == '\n' || next() == '\r') {
      ++at_;
    }
  }
  bool literal(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) {
      return false;
    }
    at_ += word.size();
    return true;
  }
  bool digits() {
    const std::size_t start = at_;
    while (next() >= '0' && next() <= '9') {
      ++at_;
    }
    return at_ > start;
  }
  bool number() {
    take('-');
    if (!take('0') && !digits()) {
      return false;
    }
    if (take('.') && !digits()) {
      return false;
    }
    if (next() == 'e' || next() == 'E') {
      ++at_;
      static_cast<void>(take('+') || take('-'));
      return digits();
    }
    return true;
  }
  bool escape() {
    if (take('u')) {
      for (int i = 0; i < 4; ++i, ++at_) {
        if (std::string_view("0123456789abcdefABCDEF").find(next()) == std::string_view::npos) {
          return false;
        }
      }
      return true;
    }
    const bool is_known = at_ < text_.size() && std::string_view("\"\\/bfnrt").find(next()) != std::string_view::npos;
    ++at_;
    return is_known;
  }
  bool string() {
    if (!take('"')) {
      return false;
    }
    while (at_ < text_.size() && next() != '"') {
      if (static_cast<std::uint8_t>(next()) < 0x20) {
        return false;
      }
      if (take('\\')) {
        if (!escape()) {
          return false;
        }
      } else {
        ++at_;
      }
    }
    return take('"');
  }
  // The elements of an array, or the members of an object, up to `close`.
  bool list(char close, bool has_names) {
    skip_space();
    if (take(close)) {
      return true;
    }
    do {
      skip_space();
      if (has_names && !(string() && (skip_space(), take(':')))) {
        return false;
      }
      skip_space();
      if (!value()) {
        return false;
      }
      skip_space();
    } while (take(','));
    return take(close);
  }
  bool value() {
    if (take('{')) {
      return list('}', true);
    }
    if (take('[')) {
      return list(']', false);
    }
    return next() == '"' ? string() : literal("true") || literal("false") || literal("null") || number();
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

inline bool is_json(std::string_view text) {
  return is_utf8(text) && JsonReader(text).is_complete_value();
}

}  // namespace escrowgrid::test
