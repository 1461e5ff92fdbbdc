#include "core/refusal.hpp"

#include <array>

namespace escrowgrid::core {

namespace {

constexpr std::array kConditions = {
#define ESCROWGRID_ERROR(name, sqlstate, condition, http, title) ConditionInfo{sqlstate, condition, http, title},
#include "core/errors.def"
#undef ESCROWGRID_ERROR
};

}  // namespace

const ConditionInfo& describe(Condition condition) noexcept {
  return kConditions[static_cast<std::size_t>(condition)];
}

std::string_view clip(std::string_view text, std::size_t limit) noexcept {
  if (text.size() <= limit) {
    return text;
  }
  // Step back over UTF-8 continuation bytes (10xxxxxx) to the start of the sequence that would be cut.
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0U) == 0x80U) {
    --limit;
  }
  return text.substr(0, limit);
}

Refusal& Refusal::begin(Condition condition) noexcept {
  const ConditionInfo& info = describe(condition);
  condition_ = condition;
  message_.clear();
  hint_.clear();
  detail_.clear();
  detail_.append(R"({"type": "urn:escrowgrid:error:)");
  detail_.append(info.name);
  detail_.append(R"(", "title": )");
  append_json_string(detail_, info.title);
  detail_.append(R"(, "status": )");
  detail_.append(number_text(info.http_status).view());
  detail_.append('}');
  return *this;
}

Refusal& Refusal::message(std::initializer_list<std::string_view> parts) noexcept {
  for (const std::string_view part : parts) {
    message_.append(clip(part, kMaxEchoBytes * 2));
  }
  return *this;
}

Refusal& Refusal::hint(std::initializer_list<std::string_view> parts) noexcept {
  for (const std::string_view part : parts) {
    hint_.append(clip(part, kMaxEchoBytes * 4));
  }
  return *this;
}

Refusal& Refusal::with_json(std::string_view key, std::string_view json) noexcept {
  const std::size_t whole = detail_.size();
  detail_.truncate(whole - 1);  // reopen the object
  const bool fits = detail_.append(", ") && append_json_string(detail_, key) && detail_.append(": ") &&
                    detail_.append(json) && detail_.append('}');
  if (!fits) {
    detail_.truncate(whole - 1);
    detail_.append('}');
  }
  return *this;
}

Refusal& Refusal::with(std::string_view key, std::string_view value) noexcept {
  // Escaping turns one byte into six at the worst.
  FixedText<kMaxEchoBytes * 6 + 2> quoted;
  append_json_string(quoted, clip(value));
  return with_json(key, quoted.view());
}

Refusal& Refusal::with_number(std::string_view key, std::int64_t value) noexcept {
  return with_json(key, number_text(value).view());
}

Refusal& Refusal::with_null(std::string_view key) noexcept {
  return with_json(key, "null");
}

}  // namespace escrowgrid::core
