#include "pg/values/datum.hpp"

#include "core/parameters.hpp"
#include "pg/values/memory.hpp"

namespace escrowgrid::pg {

namespace {

constexpr core::Micros kEpochShift =
    static_cast<core::Micros>(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY * USECS_PER_SEC;

template <typename Bytes>
Bytes require_bytes(BytesView found) {
  Bytes bytes{};
  if (found.size() != bytes.size()) {
    ereport(ERROR,
            (errcode(ERRCODE_CHECK_VIOLATION), errmsg("a stored hash or salt must have %zu bytes", bytes.size())));
  }
  std::copy(found.begin(), found.end(), bytes.begin());
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
  if (micros == PG_INT64_MIN) {
    return DT_NOBEGIN;
  }
  return micros > core::kMaxTime ? DT_NOEND : micros - kEpochShift;
}

core::Micros clock_micros() {
  return to_micros(GetCurrentTimestamp());
}

BytesView bytes_view(Datum value) {
  const bytea* packed = DatumGetByteaPP(value);
  return {reinterpret_cast<const std::uint8_t*>(VARDATA_ANY(packed)),
          static_cast<std::size_t>(VARSIZE_ANY_EXHDR(packed))};
}

Datum bytes_datum(BytesView bytes) {
  auto* out = static_cast<bytea*>(palloc(VARHDRSZ + bytes.size()));
  SET_VARSIZE(out, VARHDRSZ + bytes.size());
  std::memcpy(VARDATA(out), bytes.data(), bytes.size());
  return PointerGetDatum(out);
}

core::Digest require_digest(BytesView bytes) {
  return require_bytes<core::Digest>(bytes);
}

core::Salt require_salt(BytesView bytes) {
  return require_bytes<core::Salt>(bytes);
}

std::string_view jsonb_text(Datum value) {
  Jsonb* json = DatumGetJsonbP(value);
  return JsonbToCString(nullptr, &json->root, static_cast<int>(VARSIZE(json)));
}

Datum jsonb_datum(std::string_view text) {
  return DirectFunctionCall1(jsonb_in, CStringGetDatum(pnstrdup(text.data(), text.size())));
}

std::span<const TextView> array_elements(Datum array, Oid element_type) {
  Datum* values = nullptr;
  bool* nulls = nullptr;
  int count = 0;
  // Both element types are of variable length and aligned like integers.
  deconstruct_array(DatumGetArrayTypeP(array), element_type, -1, false, TYPALIGN_INT, &values, &nulls, &count);
  const std::span<TextView> elements = make_array<TextView>(static_cast<std::size_t>(count));
  const auto view = element_type == NUMERICOID ? numeric_text : text_view;
  for (std::size_t i = 0; i < elements.size(); ++i) {
    elements[i] = nulls[i] ? std::nullopt : TextView(view(values[i]));
  }
  return elements;
}

Datum text_array_datum(std::span<const TextView> values) {
  const std::span<Datum> elements = make_array<Datum>(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    elements[i] = text_datum(values[i].value_or(std::string_view()));
  }
  return PointerGetDatum(
      construct_array(elements.data(), static_cast<int>(elements.size()), TEXTOID, -1, false, TYPALIGN_INT));
}

}  // namespace escrowgrid::pg
