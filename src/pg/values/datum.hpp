// Values across the border: PostgreSQL's datums as views and plain structs, and back.
// Views point into memory of the current memory context or of the datum itself.
#pragma once

#include "core/digest.hpp"
#include "core/hash_chain.hpp"
#include "core/money.hpp"
#include "pg/border/postgres.hpp"

namespace escrowgrid::pg {

[[nodiscard]] std::string_view text_view(Datum value);
[[nodiscard]] Datum text_datum(std::string_view text);

// numeric as PostgreSQL prints it.
[[nodiscard]] std::string_view numeric_text(Datum value);
[[nodiscard]] Datum numeric_datum(core::Amount amount, int decimals);

// Microseconds since the Unix epoch. -infinity is the smallest integer. Times after core::kMaxTime, and infinity,
// become a value greater than core::kMaxTime, and that becomes infinity again.
[[nodiscard]] core::Micros to_micros(TimestampTz at);
[[nodiscard]] TimestampTz to_timestamp(core::Micros micros);
[[nodiscard]] core::Micros clock_micros();

using BytesView = std::span<const std::uint8_t>;
[[nodiscard]] BytesView bytes_view(Datum value);
[[nodiscard]] Datum bytes_datum(BytesView bytes);

// A stored hash or salt. Another length is an error, because a constraint of the table rules it out.
[[nodiscard]] core::Digest require_digest(BytesView bytes);
[[nodiscard]] core::Salt require_salt(BytesView bytes);

// jsonb as text, and from text that PostgreSQL has printed.
[[nodiscard]] std::string_view jsonb_text(Datum value);
[[nodiscard]] Datum jsonb_datum(std::string_view text);

// The elements of an array of text (TEXTOID) or numeric (NUMERICOID, as text), NULLs as absent.
[[nodiscard]] std::span<const TextView> array_elements(Datum array, Oid element_type);
[[nodiscard]] Datum text_array_datum(std::span<const TextView> values);

}  // namespace escrowgrid::pg
