// A refusal is a value that says why a request is refused: the condition, a message, the compared values and a hint.
// pg/border/report.cpp turns it into a PostgreSQL error.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <type_traits>

#include "core/fixed_text.hpp"

namespace escrowgrid::core {

enum class Condition : std::uint8_t {
#define ESCROWGRID_ERROR(name, sqlstate, condition, http, title) name,
#include "core/errors.def"
#undef ESCROWGRID_ERROR
};

struct ConditionInfo {
  const char* sqlstate;
  const char* name;
  int http_status;
  const char* title;
};

[[nodiscard]] const ConditionInfo& describe(Condition condition) noexcept;

// An error repeats at most this many bytes of a text that the caller passed. An ellipsis follows if the text is longer.
inline constexpr std::size_t kMaxEchoBytes = 120;
using EchoText = FixedText<kMaxEchoBytes + kEllipsis.size()>;
[[nodiscard]] inline EchoText echo(std::string_view text) noexcept {
  return clipped_to<kMaxEchoBytes>(text);
}

// At most `limit` bytes of `text`, without a part of a UTF-8 sequence at the end. Nothing shows that text is missing,
// so use echo() in an error.
[[nodiscard]] std::string_view clip(std::string_view text, std::size_t limit = kMaxEchoBytes) noexcept;

class Refusal {
 public:
  // The room for the members of DETAIL. There is room for "truncated" beyond that.
  static constexpr std::size_t kDetailBytes = 4096;

  // Starts again with an empty message and hint, and a DETAIL with the members type, title and status of RFC 9457.
  Refusal& begin(Condition condition) noexcept;
  // A part that is too long, and a message or hint that is too long, is cut and ends with an ellipsis.
  Refusal& message(std::initializer_list<std::string_view> parts) noexcept;
  Refusal& hint(std::initializer_list<std::string_view> parts) noexcept;

  // Add a member to the JSON object in DETAIL, usually a value that was compared. A text longer than kMaxEchoBytes is
  // cut and ends with an ellipsis. A member for which there is no room is omitted, and the member "truncated": true is
  // added.
  Refusal& with(std::string_view key, std::string_view value) noexcept;
  Refusal& with_number(std::string_view key, std::int64_t value) noexcept;
  Refusal& with_null(std::string_view key) noexcept;
  // `json` must be a complete JSON value.
  Refusal& with_json(std::string_view key, std::string_view json) noexcept;

  [[nodiscard]] Condition condition() const noexcept { return condition_; }
  [[nodiscard]] const char* message() const noexcept { return message_.c_str(); }
  [[nodiscard]] const char* detail() const noexcept { return detail_.c_str(); }
  [[nodiscard]] const char* hint() const noexcept { return hint_.c_str(); }

 private:
  static constexpr std::string_view kTruncated = R"(, "truncated": true)";

  Condition condition_ = Condition::kInvalidParameter;
  bool is_truncated_ = false;
  FixedText<640> message_;
  FixedText<kDetailBytes + kTruncated.size() + 1> detail_;  // one more byte for the closing brace
  FixedText<640> hint_;
};

static_assert(std::is_trivially_destructible_v<Refusal>);

// The largest size of a text of `bytes` bytes as a JSON string: two quotes, and six bytes for each escaped byte.
[[nodiscard]] constexpr std::size_t json_string_bytes(std::size_t bytes) noexcept {
  return bytes * 6 + 2;
}

// Appends `text` as a JSON string with its quotes and returns true. If it does not fit, appends nothing and returns
// false.
template <std::size_t N>
[[nodiscard]] bool append_json_string(FixedText<N>& out, std::string_view text) noexcept {
  const std::size_t before = out.size();
  bool fits = out.try_append("\"");
  while (fits && !text.empty()) {
    const auto* stop = std::find_if(
        text.begin(), text.end(), [](char c) { return c == '"' || c == '\\' || static_cast<std::uint8_t>(c) < 0x20; });
    const auto plain = static_cast<std::size_t>(stop - text.begin());
    fits = out.try_append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (fits && !text.empty()) {
      const auto byte = static_cast<std::uint8_t>(text.front());
      fits = byte < 0x20 ? out.try_append("\\u00") && out.try_append(hex_digits(std::array{byte}).view())
                         : out.try_append("\\") && out.try_append(text.substr(0, 1));
      text.remove_prefix(1);
    }
  }
  fits = fits && out.try_append("\"");
  if (!fits) {
    out.truncate(before);
  }
  return fits;
}

}  // namespace escrowgrid::core
