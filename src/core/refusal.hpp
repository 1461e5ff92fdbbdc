// A refusal is a value: which rule said no, what was compared, what to do about it.
// The shell turns it into a PostgreSQL error in one place (pg/report).
#pragma once

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

// Longer caller-supplied text is cut to this many bytes wherever an error repeats it.
inline constexpr std::size_t kMaxEchoBytes = 120;

// At most `limit` bytes of `text`, never splitting a UTF-8 sequence.
[[nodiscard]] std::string_view clip(std::string_view text, std::size_t limit = kMaxEchoBytes) noexcept;

class Refusal {
 public:
  // Starts over: message and hint empty, DETAIL with the RFC 9457 members type, title and status.
  Refusal& begin(Condition condition) noexcept;
  Refusal& message(std::initializer_list<std::string_view> parts) noexcept;
  Refusal& hint(std::initializer_list<std::string_view> parts) noexcept;

  // Members of the DETAIL object: what was compared. A value that no longer fits is left out whole.
  Refusal& with(std::string_view key, std::string_view value) noexcept;
  Refusal& with_number(std::string_view key, std::int64_t value) noexcept;
  Refusal& with_null(std::string_view key) noexcept;
  // `json` must be one complete JSON value.
  Refusal& with_json(std::string_view key, std::string_view json) noexcept;

  [[nodiscard]] Condition condition() const noexcept { return condition_; }
  [[nodiscard]] const char* message() const noexcept { return message_.c_str(); }
  [[nodiscard]] const char* detail() const noexcept { return detail_.c_str(); }
  [[nodiscard]] const char* hint() const noexcept { return hint_.c_str(); }

 private:
  Condition condition_ = Condition::kInvalidParameter;
  FixedText<640> message_;
  FixedText<4096> detail_;
  FixedText<640> hint_;
};

static_assert(std::is_trivially_destructible_v<Refusal>);

// Appends `text` as a JSON string, quotes included; false when it does not fit.
template <std::size_t N>
bool append_json_string(FixedText<N>& out, std::string_view text) noexcept {
  constexpr std::string_view kHex = "0123456789abcdef";
  bool fits = out.append('"');
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      fits = fits && out.append('\\') && out.append(c);
    } else if (byte < 0x20) {
      fits = fits && out.append("\\u00") && out.append(kHex[byte >> 4]) && out.append(kHex[byte & 15]);
    } else {
      fits = fits && out.append(c);
    }
  }
  return fits && out.append('"');
}

}  // namespace escrowgrid::core
