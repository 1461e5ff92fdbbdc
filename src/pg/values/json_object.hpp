// Builds a JSON object as jsonb, without printing and parsing it as text. The texts that are given must live until
// datum() is called.
#pragma once

#include "pg/values/datum.hpp"

namespace escrowgrid::pg {

class JsonObject {
 public:
  JsonObject();
  JsonObject& text(const char* key, const TextView& value);
  JsonObject& amount(const char* key, const std::optional<core::Amount>& value, int decimals);
  JsonObject& integer(const char* key, std::int64_t value);
  JsonObject& texts(const char* key, std::span<const TextView> values);
  // `value` is the text of one JSON object or array.
  JsonObject& json(const char* key, const TextView& value);
  // The finished jsonb. Call it once, after all members have been added.
  [[nodiscard]] Datum datum();

 private:
  void put_key(const char* key);
  void put_null();
  JsonbParseState* state_ = nullptr;
};

static_assert(std::is_trivially_destructible_v<JsonObject>);

}  // namespace escrowgrid::pg
