// A JSON object for ledger and audit payloads, in memory of PostgreSQL's.
#pragma once

#include "pg/datum.hpp"

namespace escrowgrid::pg {

class JsonObject {
 public:
  JsonObject();
  JsonObject& text(const char* key, const TextView& value);
  JsonObject& amount(const char* key, const std::optional<core::Amount>& value, int decimals);
  JsonObject& integer(const char* key, std::int64_t value);
  JsonObject& texts(const char* key, std::span<const TextView> values);
  // `value` is one complete JSON value.
  JsonObject& json(const char* key, const TextView& value);
  [[nodiscard]] std::string_view view();

 private:
  void begin_member(const char* key);
  void append(std::string_view raw);
  void append_string(std::string_view text);
  StringInfo out_;
  bool is_empty_ = true;
  bool is_closed_ = false;
};

static_assert(std::is_trivially_destructible_v<JsonObject>);

}  // namespace escrowgrid::pg
