#include "core/refusal.hpp"

#include <algorithm>
#include <array>

namespace escrowgrid::core {

namespace {

constexpr std::array kConditions = {
#define ESCROWGRID_ERROR(name, sqlstate, condition, http, title) ConditionInfo{sqlstate, condition, http, title},
#include "core/errors.def"
#undef ESCROWGRID_ERROR
};

// The size of the longest DETAIL that begin() makes.
constexpr std::size_t longest_beginning() noexcept {
  std::size_t longest = 0;
  for (const ConditionInfo& info : kConditions) {
    longest =
        std::max(longest, std::string_view(info.name).size() + json_string_bytes(std::string_view(info.title).size()));
  }
  constexpr std::string_view kAround = R"({"type": "urn:escrowgrid:error:", "title": , "status": })";
  return kAround.size() + longest + NumberText::kCapacity;
}

// Appends at most `limit` bytes of a part, and an ellipsis if it is longer.
template <std::size_t N>
void append_part(FixedText<N>& out, std::string_view part, std::size_t limit) noexcept {
  const std::string_view shown = utf8_prefix(part, limit);
  out.append_clipped(shown);
  if (shown.size() < part.size()) {
    out.append_clipped(kEllipsis);
  }
}

}  // namespace

// The index is valid: Condition and kConditions are generated from the same lines of errors.def.
const ConditionInfo& describe(Condition condition) noexcept {
  return kConditions[static_cast<std::size_t>(condition)];
}

std::string_view clip(std::string_view text, std::size_t limit) noexcept {
  return utf8_prefix(text, limit);
}

Refusal& Refusal::begin(Condition condition) noexcept {
  const ConditionInfo& info = describe(condition);
  condition_ = condition;
  is_truncated_ = false;
  message_.clear();
  hint_.clear();
  detail_.clear();
  static_assert(longest_beginning() <= kDetailBytes);
  static_cast<void>(detail_.try_append(R"({"type": "urn:escrowgrid:error:)") && detail_.try_append(info.name) &&
                    detail_.try_append(R"(", "title": )") && append_json_string(detail_, info.title) &&
                    detail_.try_append(R"(, "status": )") && detail_.try_append(number_text(info.http_status).view()) &&
                    detail_.try_append("}"));
  return *this;
}

Refusal& Refusal::message(std::initializer_list<std::string_view> parts) noexcept {
  for (const std::string_view part : parts) {
    append_part(message_, part, kMaxEchoBytes * 2);
  }
  return *this;
}

Refusal& Refusal::hint(std::initializer_list<std::string_view> parts) noexcept {
  for (const std::string_view part : parts) {
    append_part(hint_, part, kMaxEchoBytes * 4);
  }
  return *this;
}

Refusal& Refusal::with_json(std::string_view key, std::string_view json) noexcept {
  if (detail_.empty()) {
    begin(condition_);
  }
  const std::size_t end = detail_.size() - 1;  // the index of the closing brace
  detail_.truncate(end);
  const std::size_t most = kDetailBytes + (is_truncated_ ? kTruncated.size() : 0);
  const bool fits = detail_.try_append(", ") && append_json_string(detail_, key) && detail_.try_append(": ") &&
                    detail_.try_append(json) && detail_.size() <= most;
  if (!fits) {
    detail_.truncate(end);
    // There is room: without "truncated", at most kDetailBytes are used.
    static_cast<void>(is_truncated_ || detail_.try_append(kTruncated));
    is_truncated_ = true;
  }
  static_cast<void>(detail_.try_append("}"));
  return *this;
}

Refusal& Refusal::with(std::string_view key, std::string_view value) noexcept {
  FixedText<json_string_bytes(EchoText::kCapacity)> quoted;
  static_cast<void>(append_json_string(quoted, echo(value).view()));  // fits: the capacity is its bound
  return with_json(key, quoted.view());
}

Refusal& Refusal::with_number(std::string_view key, std::int64_t value) noexcept {
  return with_json(key, number_text(value).view());
}

Refusal& Refusal::with_null(std::string_view key) noexcept {
  return with_json(key, "null");
}

}  // namespace escrowgrid::core
