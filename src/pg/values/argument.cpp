#include "pg/values/argument.hpp"

#include "core/json_limits.hpp"
#include "pg/border/report.hpp"

namespace escrowgrid::pg {

namespace {

// Whether the number is too long to print: more than kMaxJsonDigits before or after the point.
bool is_overlong(Numeric number) {
  constexpr int kDigits = static_cast<int>(core::kMaxJsonDigits);
  const Datum value = NumericGetDatum(number);
  if (DatumGetInt32(DirectFunctionCall1(numeric_scale, value)) > kDigits) {
    return true;
  }
  static_assert(core::kMaxJsonDigits == 100);
  const Datum bound =
      DirectFunctionCall3(numeric_in, CStringGetDatum("1e100"), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
  const Datum magnitude = DirectFunctionCall1(numeric_abs, value);
  return DatumGetInt32(DirectFunctionCall2(numeric_cmp, magnitude, bound)) >= 0;
}

bool has_overlong_number(Jsonb* json) {
  JsonbIterator* iterator = JsonbIteratorInit(&json->root);
  JsonbValue value;
  for (JsonbIteratorToken token = JsonbIteratorNext(&iterator, &value, false); token != WJB_DONE;
       token = JsonbIteratorNext(&iterator, &value, false)) {
    const bool is_scalar = token == WJB_VALUE || token == WJB_ELEM;
    if (is_scalar && value.type == jbvNumeric && is_overlong(value.val.numeric)) {
      return true;
    }
  }
  return false;
}

}  // namespace

TextView text_argument(FunctionCallInfo fcinfo, int index) {
  return has_argument(fcinfo, index) ? TextView(text_view(PG_GETARG_DATUM(index))) : std::nullopt;
}

TextView numeric_argument(FunctionCallInfo fcinfo, int index) {
  return has_argument(fcinfo, index) ? TextView(numeric_text(PG_GETARG_DATUM(index))) : std::nullopt;
}

bool read_jsonb_argument(FunctionCallInfo fcinfo, int index, std::string_view name, TextView& out, core::Refusal& why) {
  out = std::nullopt;
  if (!has_argument(fcinfo, index)) {
    return true;
  }
  if (has_overlong_number(DatumGetJsonbP(PG_GETARG_DATUM(index)))) {
    core::refuse_json_number(name, why);
    return false;
  }
  out = jsonb_text(PG_GETARG_DATUM(index));
  return true;
}

TextView jsonb_argument(FunctionCallInfo fcinfo, int index, std::string_view name) {
  TextView text;
  core::Refusal why;
  if (!read_jsonb_argument(fcinfo, index, name, text, why)) {
    raise(why);
  }
  return text;
}

std::optional<std::int32_t> int_argument(FunctionCallInfo fcinfo, int index) {
  return has_argument(fcinfo, index) ? std::optional(PG_GETARG_INT32(index)) : std::nullopt;
}

std::optional<core::Micros> time_argument(FunctionCallInfo fcinfo, int index) {
  return has_argument(fcinfo, index) ? std::optional(to_micros(PG_GETARG_TIMESTAMPTZ(index))) : std::nullopt;
}

std::span<const TextView> array_argument(FunctionCallInfo fcinfo, int index, Oid element_type) {
  return has_argument(fcinfo, index) ? array_elements(PG_GETARG_DATUM(index), element_type)
                                     : std::span<const TextView>();
}

}  // namespace escrowgrid::pg
