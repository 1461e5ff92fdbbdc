// Limits on the JSON that callers attach to records.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "core/refusal.hpp"

namespace escrowgrid::core {

inline constexpr std::size_t kMaxJsonBytes = 65536;  // of JSON text as PostgreSQL prints jsonb
inline constexpr std::size_t kMaxJsonDepth = 10;     // nested objects and arrays, the outermost included
inline constexpr std::size_t kMaxJsonDigits = 100;   // of one number, written without an exponent

struct JsonMeasure {
  std::size_t bytes = 0;
  std::size_t depth = 0;
  std::size_t digits = 0;  // of the longest number
  bool is_object = false;
};

// Measures JSON text that PostgreSQL has already accepted; any other bytes are measured without harm.
[[nodiscard]] JsonMeasure measure_json(std::string_view text) noexcept;

// An object within the limits, or absent.
[[nodiscard]] bool check_json_object(std::string_view parameter, const std::optional<std::string_view>& text,
                                     Refusal& why) noexcept;

// The refusal for a number too long to be written out at all, such as 1e131071.
void refuse_json_number(std::string_view parameter, Refusal& why) noexcept;

}  // namespace escrowgrid::core
