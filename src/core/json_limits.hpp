// Limits on the JSON that callers attach to records.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "core/refusal.hpp"

namespace escrowgrid::core {

inline constexpr std::size_t kMaxJsonBytes = 65536;  // size of the text that PostgreSQL prints for a jsonb value
inline constexpr std::size_t kMaxJsonDepth = 10;     // levels of objects and arrays, including the outermost
inline constexpr std::size_t kMaxJsonDigits = 100;   // digits of one number, written without an exponent

struct JsonMeasure {
  std::size_t bytes = 0;
  std::size_t depth = 0;
  std::size_t digits = 0;  // digits of the longest number
  bool is_object = false;
};

// Measures JSON text that PostgreSQL has accepted. For other text the result means nothing, but the call is safe.
[[nodiscard]] JsonMeasure measure_json(std::string_view text) noexcept;

// Checks that the text is absent or a JSON object within the limits.
[[nodiscard]] bool check_json_object(std::string_view parameter, const std::optional<std::string_view>& text,
                                     Refusal& why) noexcept;

// Makes the refusal for a number that is too long to be printed, such as 1e131071.
void refuse_json_number(std::string_view parameter, Refusal& why) noexcept;

}  // namespace escrowgrid::core
