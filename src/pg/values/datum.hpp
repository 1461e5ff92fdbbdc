// Values across the border: Postgres datums as views and plain structs, and back.
// Views point into memory of the current memory context or of the argument itself.
#pragma once

#include "core/digest.hpp"
#include "core/hash_chain.hpp"
#include "core/json_limits.hpp"
#include "core/money.hpp"
#include "core/type_id.hpp"
#include "pg/border/postgres.hpp"

namespace escrowgrid::pg {

using TextView = std::optional<std::string_view>;

[[nodiscard]] std::string_view text_view(Datum value);
[[nodiscard]] Datum text_datum(std::string_view text);

// numeric as PostgreSQL prints it, and from text of ours.
[[nodiscard]] std::string_view numeric_text(Datum value);
[[nodiscard]] Datum numeric_datum(core::Amount amount, int decimals);

// Microseconds since the Unix epoch. `to_micros` maps what core::kMaxTime rules out, infinity
// included, to a value beyond it.
[[nodiscard]] core::Micros to_micros(TimestampTz at);
[[nodiscard]] TimestampTz to_timestamp(core::Micros micros);
[[nodiscard]] core::Micros clock_micros();

[[nodiscard]] core::Digest stored_digest(Datum value);
[[nodiscard]] core::Salt stored_salt(Datum value);
// For verification, which reports what does not fit instead of failing. No digest is all ones, and all zeros
// is what stands before the first.
inline constexpr core::Digest kNoDigest = [] {
  core::Digest ones{};
  ones.fill(0xFF);
  return ones;
}();
[[nodiscard]] core::Digest found_digest(Datum value);
[[nodiscard]] core::Salt found_salt(Datum value);
[[nodiscard]] Datum bytes_datum(std::span<const std::uint8_t> bytes);

// A stored jsonb as text.
[[nodiscard]] std::string_view jsonb_text(Datum value);

void fill_random(std::span<std::uint8_t> bytes);

// A new id for a record that came to be at `at`.
[[nodiscard]] core::TypeIdText make_id(std::string_view prefix, core::Micros at);

// Arguments of a SQL function; absent for NULL.
[[nodiscard]] inline bool has_argument(FunctionCallInfo fcinfo, int index) {
  return index < PG_NARGS() && !PG_ARGISNULL(index);
}
[[nodiscard]] TextView text_argument(FunctionCallInfo fcinfo, int index);
[[nodiscard]] TextView numeric_argument(FunctionCallInfo fcinfo, int index);
// A jsonb argument as text. Numbers too long to be written out (1e131071 is 131 kB) are refused before that.
[[nodiscard]] bool read_jsonb_argument(FunctionCallInfo fcinfo, int index, std::string_view name, TextView& out,
                                       core::Refusal& why);
// The same, raising.
[[nodiscard]] TextView jsonb_argument(FunctionCallInfo fcinfo, int index, std::string_view name);
[[nodiscard]] std::optional<std::int32_t> int_argument(FunctionCallInfo fcinfo, int index);
[[nodiscard]] std::optional<core::Micros> time_argument(FunctionCallInfo fcinfo, int index);

// The elements of an array of text (TEXTOID) or numeric (NUMERICOID, as text), NULLs as absent.
[[nodiscard]] std::span<const TextView> array_elements(Datum array, Oid element_type);
[[nodiscard]] std::span<const TextView> array_argument(FunctionCallInfo fcinfo, int index, Oid element_type);

// Adds a composite to the result set that InitMaterializedSRF() made.
void put_composite(FunctionCallInfo fcinfo, Datum composite);

}  // namespace escrowgrid::pg
