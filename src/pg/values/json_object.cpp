#include "pg/values/json_object.hpp"

namespace escrowgrid::pg {

namespace {

JsonbValue string_value(std::string_view text) {
  JsonbValue value{};
  value.type = jbvString;
  value.val.string.val = const_cast<char*>(text.data());  // only read
  value.val.string.len = static_cast<int>(text.size());
  return value;
}

JsonbValue numeric_value(Datum number) {
  JsonbValue value{};
  value.type = jbvNumeric;
  value.val.numeric = DatumGetNumeric(number);
  return value;
}

}  // namespace

JsonObject::JsonObject() {
  pushJsonbValue(&state_, WJB_BEGIN_OBJECT, nullptr);
}

void JsonObject::put_key(const char* key) {
  JsonbValue value = string_value(key);
  pushJsonbValue(&state_, WJB_KEY, &value);
}

void JsonObject::put_null() {
  JsonbValue value{};
  value.type = jbvNull;
  pushJsonbValue(&state_, WJB_VALUE, &value);
}

JsonObject& JsonObject::text(const char* key, const TextView& value) {
  put_key(key);
  if (!value) {
    put_null();
    return *this;
  }
  JsonbValue string = string_value(*value);
  pushJsonbValue(&state_, WJB_VALUE, &string);
  return *this;
}

JsonObject& JsonObject::amount(const char* key, const std::optional<core::Amount>& value, int decimals) {
  put_key(key);
  if (!value) {
    put_null();
    return *this;
  }
  JsonbValue number = numeric_value(numeric_datum(*value, decimals));
  pushJsonbValue(&state_, WJB_VALUE, &number);
  return *this;
}

JsonObject& JsonObject::integer(const char* key, std::int64_t value) {
  put_key(key);
  JsonbValue number = numeric_value(NumericGetDatum(int64_to_numeric(value)));
  pushJsonbValue(&state_, WJB_VALUE, &number);
  return *this;
}

JsonObject& JsonObject::texts(const char* key, std::span<const TextView> values) {
  put_key(key);
  pushJsonbValue(&state_, WJB_BEGIN_ARRAY, nullptr);
  for (const TextView& text : values) {
    JsonbValue string = string_value(text.value_or(std::string_view()));
    pushJsonbValue(&state_, WJB_ELEM, &string);
  }
  pushJsonbValue(&state_, WJB_END_ARRAY, nullptr);
  return *this;
}

JsonObject& JsonObject::json(const char* key, const TextView& value) {
  put_key(key);
  if (!value) {
    put_null();
    return *this;
  }
  Jsonb* parsed = DatumGetJsonbP(jsonb_datum(*value));
  JsonbValue container{};
  container.type = jbvBinary;
  container.val.binary.data = &parsed->root;
  container.val.binary.len = static_cast<int>(VARSIZE(parsed) - VARHDRSZ);
  pushJsonbValue(&state_, WJB_VALUE, &container);
  return *this;
}

Datum JsonObject::datum() {
  return PointerGetDatum(JsonbValueToJsonb(pushJsonbValue(&state_, WJB_END_OBJECT, nullptr)));
}

}  // namespace escrowgrid::pg
