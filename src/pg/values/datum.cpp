#include "pg/values/datum.hpp"

#include "core/parameters.hpp"
#include "pg/border/report.hpp"

namespace escrowgrid::pg {

namespace {

constexpr core::Micros kEpochShift =
    static_cast<core::Micros>(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY * USECS_PER_SEC;

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

// Random bytes cost a system call or two, so they are drawn for many ids at once.
struct RandomPool {
  std::array<std::uint8_t, 4096> bytes{};
  std::size_t left = 0;
  int owner = 0;
};
RandomPool random_pool;

// Whether the bytea has the size of `out`, which it fills then.
template <typename Bytes>
bool read_bytes(Datum value, Bytes& out) {
  const bytea* packed = DatumGetByteaPP(value);
  if (VARSIZE_ANY_EXHDR(packed) != out.size()) {
    return false;
  }
  std::memcpy(out.data(), VARDATA_ANY(packed), out.size());
  return true;
}

template <typename Bytes>
Bytes stored_bytes(Datum value) {
  Bytes bytes{};
  if (!read_bytes(value, bytes)) {
    ereport(ERROR,
            (errcode(ERRCODE_CHECK_VIOLATION), errmsg("a stored hash or salt must have %zu bytes", bytes.size())));
  }
  return bytes;
}

}  // namespace

std::string_view text_view(Datum value) {
  const text* packed = DatumGetTextPP(value);
  return {VARDATA_ANY(packed), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(packed))};
}

Datum text_datum(std::string_view text) {
  return PointerGetDatum(cstring_to_text_with_len(text.data(), static_cast<int>(text.size())));
}

std::string_view numeric_text(Datum value) {
  return DatumGetCString(DirectFunctionCall1(numeric_out, value));
}

Datum numeric_datum(core::Amount amount, int decimals) {
  const int scale = std::max(decimals, amount.decimals());
  core::Int128 units = amount.units();
  for (int i = scale; i < core::kMaxDecimals; ++i) {
    units /= 10;
  }
  // Nearly every amount fits into 64 bits in its currency's minor unit.
  if (scale <= core::kMaxDecimals && units <= PG_INT64_MAX && units >= PG_INT64_MIN) {
    return NumericGetDatum(int64_div_fast_to_numeric(static_cast<std::int64_t>(units), scale));
  }
  const core::AmountText text = amount.text(decimals);
  return DirectFunctionCall3(numeric_in, CStringGetDatum(text.c_str()), ObjectIdGetDatum(InvalidOid),
                             Int32GetDatum(-1));
}

core::Micros to_micros(TimestampTz at) {
  if (TIMESTAMP_IS_NOBEGIN(at)) {
    return PG_INT64_MIN;
  }
  return at > core::kMaxTime - kEpochShift ? core::kMaxTime + 1 : at + kEpochShift;
}

TimestampTz to_timestamp(core::Micros micros) {
  return micros - kEpochShift;
}

core::Micros clock_micros() {
  return to_micros(GetCurrentTimestamp());
}

core::Digest stored_digest(Datum value) {
  return stored_bytes<core::Digest>(value);
}

core::Salt stored_salt(Datum value) {
  return stored_bytes<core::Salt>(value);
}

core::Digest found_digest(Datum value) {
  core::Digest digest = kNoDigest;
  read_bytes(value, digest);
  return digest;
}

core::Salt found_salt(Datum value) {
  core::Salt salt{};
  read_bytes(value, salt);
  return salt;
}

Datum bytes_datum(std::span<const std::uint8_t> bytes) {
  auto* out = static_cast<bytea*>(palloc(VARHDRSZ + bytes.size()));
  SET_VARSIZE(out, VARHDRSZ + bytes.size());
  std::memcpy(VARDATA(out), bytes.data(), bytes.size());
  return PointerGetDatum(out);
}

std::string_view jsonb_text(Datum value) {
  Jsonb* json = DatumGetJsonbP(value);
  return JsonbToCString(nullptr, &json->root, static_cast<int>(VARSIZE(json)));
}

void fill_random(std::span<std::uint8_t> bytes) {
  RandomPool& pool = random_pool;
  // A backend must never go on with what the postmaster drew before it forked.
  if (pool.owner != MyProcPid) {
    pool.owner = MyProcPid;
    pool.left = 0;
  }
  Assert(bytes.size() <= pool.bytes.size());
  if (pool.left < bytes.size()) {
    pool.left = 0;
    if (!pg_strong_random(pool.bytes.data(), pool.bytes.size())) {
      ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not generate random bytes")));
    }
    pool.left = pool.bytes.size();
  }
  pool.left -= bytes.size();
  std::uint8_t* drawn = pool.bytes.data() + pool.left;
  std::copy_n(drawn, bytes.size(), bytes.begin());
  std::fill_n(drawn, bytes.size(), std::uint8_t{0});  // what was given out is not kept
}

core::TypeIdText make_id(std::string_view prefix, core::Micros at) {
  std::array<std::uint8_t, core::kUuidRandomBytes> random{};
  fill_random(random);
  return core::format_type_id(prefix, core::make_uuid_v7(at, random));
}

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

std::span<const TextView> array_elements(Datum array, Oid element_type) {
  Datum* values = nullptr;
  bool* nulls = nullptr;
  int count = 0;
  // Both element types are of variable length and aligned like integers.
  deconstruct_array(DatumGetArrayTypeP(array), element_type, -1, false, TYPALIGN_INT, &values, &nulls, &count);
  auto* elements = static_cast<TextView*>(palloc(sizeof(TextView) * static_cast<std::size_t>(std::max(count, 1))));
  for (int i = 0; i < count; ++i) {
    const auto view = element_type == NUMERICOID ? numeric_text : text_view;
    new (&elements[i]) TextView(nulls[i] ? std::nullopt : TextView(view(values[i])));
  }
  return {elements, static_cast<std::size_t>(count)};
}

std::span<const TextView> array_argument(FunctionCallInfo fcinfo, int index, Oid element_type) {
  return has_argument(fcinfo, index) ? array_elements(PG_GETARG_DATUM(index), element_type)
                                     : std::span<const TextView>();
}

void put_composite(FunctionCallInfo fcinfo, Datum composite) {
  auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  HeapTupleHeader header = DatumGetHeapTupleHeader(composite);
  HeapTupleData tuple{};
  tuple.t_len = HeapTupleHeaderGetDatumLength(header);
  tuple.t_data = header;
  tuplestore_puttuple(result->setResult, &tuple);
}

}  // namespace escrowgrid::pg
