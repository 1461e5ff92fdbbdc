// Kept SPI plans: SQL text is constant, values are bound, nothing is ever assembled.
// Only the store includes this.
#pragma once

#include "pg/datum.hpp"
#include "pg/postgres.hpp"

// A timestamptz column as ISO 8601 in UTC, whatever the session's settings.
#define ESCROWGRID_UTC(column) \
  "pg_catalog.to_char(pg_catalog.timezone('UTC', " column "), 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
#define ESCROWGRID_UTC_MEMBER(key, column) " '" key "', " ESCROWGRID_UTC(column)

namespace escrowgrid::pg {

// Which rows a statement sees.
enum class Sight : std::uint8_t {
  kCaller,  // what the calling query sees; for STABLE functions, and nothing is written
  kFresh,   // a new snapshot, as VOLATILE functions get; in REPEATABLE READ still the transaction's
  kLatest,  // all that is committed now, at every isolation level; nothing is written
};

struct Statement {
  const char* sql = nullptr;
  SPIPlanPtr plan = nullptr;  // prepared at first use, kept for the life of the backend
};

// Values for $1, $2, ... in order, each with its type.
class Bindings {
 public:
  Bindings& text(const TextView& value) { return value ? add(TEXTOID, text_datum(*value)) : add_null(TEXTOID); }
  Bindings& amount(const std::optional<core::Amount>& value, int decimals) {
    return value ? add(NUMERICOID, numeric_datum(*value, decimals)) : add_null(NUMERICOID);
  }
  Bindings& time(const std::optional<core::Micros>& value) {
    return value ? add(TIMESTAMPTZOID, TimestampTzGetDatum(to_timestamp(*value))) : add_null(TIMESTAMPTZOID);
  }
  Bindings& integer(const std::optional<std::int32_t>& value) {
    return value ? add(INT4OID, Int32GetDatum(*value)) : add_null(INT4OID);
  }
  Bindings& bytes(std::span<const std::uint8_t> value) { return add(BYTEAOID, bytes_datum(value)); }
  // jsonb, from text that PostgreSQL printed.
  Bindings& json(const TextView& value);
  Bindings& text_array(std::span<const TextView> values);
  // cidr[], as it came.
  Bindings& cidrs(const std::optional<Datum>& value) {
    return value ? add(CIDRARRAYOID, *value) : add_null(CIDRARRAYOID);
  }
  Bindings& null_bytes() { return add_null(BYTEAOID); }

 private:
  friend std::uint64_t execute(Statement& statement, const Bindings& bindings, Sight sight, long limit);

  static constexpr std::size_t kMost = 20;

  Bindings& add(Oid type, Datum value) { return put(type, value, ' '); }
  Bindings& add_null(Oid type) { return put(type, 0, 'n'); }
  Bindings& put(Oid type, Datum value, char null) {
    Assert(count_ < kMost);
    types_[count_] = type;
    values_[count_] = value;
    nulls_[count_] = null;
    ++count_;
    return *this;
  }

  std::array<Oid, kMost> types_{};
  std::array<Datum, kMost> values_{};
  std::array<char, kMost> nulls_{};
  std::size_t count_ = 0;
};

static_assert(std::is_trivially_destructible_v<Bindings>);

// Runs the statement inside an open SPI session and returns the number of rows; SPI_tuptable has them.
// `limit` 0 is none.
std::uint64_t execute(Statement& statement, const Bindings& bindings, Sight sight, long limit = 0);

// Column `index` (from 1) of row `row` (from 0) of the last result; absent for NULL.
[[nodiscard]] std::optional<Datum> result_value(std::uint64_t row, int index);

}  // namespace escrowgrid::pg
