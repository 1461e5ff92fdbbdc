#include "core/json_limits.hpp"

#include <algorithm>

namespace escrowgrid::core {

namespace {

// The index after the end of the string whose opening quote is at `at`.
std::size_t skip_string(std::string_view text, std::size_t at) noexcept {
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\') {
      ++at;
    }
  }
  return std::min(at + 1, text.size());
}

bool is_number_part(char c) noexcept {
  return (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '+' || c == 'e' || c == 'E';
}

struct NumberSpan {
  std::size_t end;
  std::size_t digits;
};

NumberSpan scan_number(std::string_view text, std::size_t at) noexcept {
  std::size_t digits = 0;
  for (; at < text.size() && is_number_part(text[at]); ++at) {
    digits += text[at] >= '0' && text[at] <= '9' ? 1 : 0;
  }
  return {.end = at, .digits = digits};
}

// The messages below name these numbers.
static_assert(kMaxJsonBytes == 65536 && kMaxJsonDepth == 10 && kMaxJsonDigits == 100);

struct Limit {
  std::string_view what;
  std::string_view unit;
  std::size_t found;
  std::size_t most;
};

bool within(std::string_view parameter, const Limit& limit, Refusal& why) noexcept {
  if (limit.found <= limit.most) {
    return true;
  }
  why.begin(Condition::kInvalidParameter)
      .message({parameter, " ", limit.what})
      .hint({"Store large or deeply nested documents elsewhere and pass a reference to them."})
      .with("parameter", parameter)
      .with_number(limit.unit, static_cast<std::int64_t>(limit.found))
      .with_number("limit", static_cast<std::int64_t>(limit.most));
  return false;
}

}  // namespace

JsonMeasure measure_json(std::string_view text) noexcept {
  JsonMeasure measure;
  measure.bytes = text.size();
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  measure.is_object = first != std::string_view::npos && text[first] == '{';
  std::size_t depth = 0;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (c == '"') {
      at = skip_string(text, at);
      continue;
    }
    if ((c >= '0' && c <= '9') || c == '-') {
      const NumberSpan number = scan_number(text, at);
      measure.digits = std::max(measure.digits, number.digits);
      at = number.end;
      continue;
    }
    if (c == '{' || c == '[') {
      measure.depth = std::max(measure.depth, ++depth);
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
    ++at;
  }
  return measure;
}

bool check_json_object(std::string_view parameter, const std::optional<std::string_view>& text, Refusal& why) noexcept {
  if (!text) {
    return true;
  }
  const JsonMeasure measure = measure_json(*text);
  if (!measure.is_object) {
    why.begin(Condition::kInvalidParameter)
        .message({parameter, " must be a JSON object"})
        .hint({R"(Pass an object such as {"reference": "INV-17"}, or SQL NULL for none.)"})
        .with("parameter", parameter)
        .with("value", *text);
    return false;
  }
  return within(parameter,
                {.what = "is larger than 64 KB", .unit = "bytes", .found = measure.bytes, .most = kMaxJsonBytes},
                why) &&
         within(parameter,
                {.what = "is nested deeper than 10 levels",
                 .unit = "depth",
                 .found = measure.depth,
                 .most = kMaxJsonDepth},
                why) &&
         within(parameter,
                {.what = "contains a number of more than 100 digits",
                 .unit = "digits",
                 .found = measure.digits,
                 .most = kMaxJsonDigits},
                why);
}

void refuse_json_number(std::string_view parameter, Refusal& why) noexcept {
  why.begin(Condition::kInvalidParameter)
      .message({parameter, " contains a number of more than 100 digits"})
      .hint({"Pass such a number as a JSON string."})
      .with("parameter", parameter)
      .with_number("limit", static_cast<std::int64_t>(kMaxJsonDigits));
}

}  // namespace escrowgrid::core
