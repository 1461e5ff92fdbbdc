#include "pg/json_object.hpp"

extern "C" {
#include "lib/stringinfo.h"
#include "utils/json.h"
}

namespace escrowgrid::pg {

JsonObject::JsonObject() : out_(makeStringInfo()) {
  appendStringInfoChar(out_, '{');
}

void JsonObject::append(std::string_view raw) {
  appendBinaryStringInfo(out_, raw.data(), static_cast<int>(raw.size()));
}

void JsonObject::append_string(std::string_view text) {
  escape_json(out_, pnstrdup(text.data(), text.size()));
}

void JsonObject::begin_member(const char* key) {
  if (!is_empty_) {
    append(", ");
  }
  is_empty_ = false;
  append_string(key);
  append(": ");
}

JsonObject& JsonObject::text(const char* key, const TextView& value) {
  begin_member(key);
  if (value) {
    append_string(*value);
  } else {
    append("null");
  }
  return *this;
}

JsonObject& JsonObject::amount(const char* key, const std::optional<core::Amount>& value, int decimals) {
  begin_member(key);
  append(value ? value->text(decimals).view() : std::string_view("null"));
  return *this;
}

JsonObject& JsonObject::integer(const char* key, std::int64_t value) {
  begin_member(key);
  appendStringInfo(out_, INT64_FORMAT, value);
  return *this;
}

JsonObject& JsonObject::texts(const char* key, std::span<const TextView> values) {
  begin_member(key);
  append("[");
  for (std::size_t i = 0; i < values.size(); ++i) {
    append(i == 0 ? "" : ", ");
    append_string(values[i].value_or(std::string_view()));
  }
  append("]");
  return *this;
}

JsonObject& JsonObject::json(const char* key, const TextView& value) {
  begin_member(key);
  append(value.value_or("null"));
  return *this;
}

std::string_view JsonObject::view() {
  if (!is_closed_) {
    append("}");
    is_closed_ = true;
  }
  return {out_->data, static_cast<std::size_t>(out_->len)};
}

}  // namespace escrowgrid::pg
