// Kept SPI plans: SQL text is constant, values are bound, nothing is ever assembled.
// Only the store includes this.
#pragma once

#include "pg/border/postgres.hpp"
#include "pg/values/datum.hpp"

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
  static constexpr std::size_t kMost = 20;

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
  Bindings& jsonb(const std::optional<Datum>& value) { return value ? add(JSONBOID, *value) : add_null(JSONBOID); }
  // jsonb, from text that PostgreSQL printed.
  Bindings& json(const TextView& value);
  Bindings& text_array(std::span<const TextView> values);
  // cidr[], as it came.
  Bindings& cidrs(const std::optional<Datum>& value) {
    return value ? add(CIDRARRAYOID, *value) : add_null(CIDRARRAYOID);
  }
  Bindings& number(std::int64_t value) { return add(INT8OID, Int64GetDatum(value)); }
  Bindings& null_bytes() { return add_null(BYTEAOID); }
  Bindings& address(const std::optional<Datum>& value) { return value ? add(INETOID, *value) : add_null(INETOID); }

  // What $place is; absent for NULL.
  [[nodiscard]] std::optional<Datum> value(std::size_t place) const {
    return nulls_[place - 1] == 'n' ? std::nullopt : std::optional(values_[place - 1]);
  }

 private:
  friend std::uint64_t execute(Statement& statement, const Bindings& bindings, Sight sight, long limit);
  friend std::uint64_t execute_and_queue(Statement& statement, const Bindings& bindings);
  friend class RowStream;

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

// The same for a statement that writes, with a fresh snapshot; its AFTER triggers wait in the level of PostgreSQL's
// trigger queue that the caller has begun.
std::uint64_t execute_and_queue(Statement& statement, const Bindings& bindings);

// Marks the kept plan as invalid, so that its next use plans anew. A rule DO INSTEAD NOTHING leaves a plan without any
// table, and so PostgreSQL has nothing to tell such a plan when the rule is gone. (Freeing it would not do: a call
// further up the stack may be executing it.)
void invalidate_plan(Statement& statement);

// The rows of a statement, in portions, so that memory does not grow with their number. What a row points
// to lives until the next one is asked for.
class RowStream {
 public:
  RowStream(Statement& statement, const Bindings& bindings, Sight sight);
  // Whether there is one more row.
  [[nodiscard]] bool next();
  // Column `index` (from 1) of the row; absent for NULL.
  [[nodiscard]] std::optional<Datum> value(int index) const {
    const auto at = static_cast<std::size_t>(index - 1);
    return nulls_[at] ? std::nullopt : std::optional(values_[at]);
  }
  // Columns as they are found, constraints or not: NULL is empty, zero, or kNoDigest.
  [[nodiscard]] std::string_view text(int index) const {
    const std::optional<Datum> found = value(index);
    return found ? text_view(*found) : std::string_view();
  }
  [[nodiscard]] TextView optional_text(int index) const { return value(index) ? TextView(text(index)) : std::nullopt; }
  [[nodiscard]] std::int32_t integer(int index) const { return DatumGetInt32(value(index).value_or(0)); }
  [[nodiscard]] std::int64_t number(int index) const { return DatumGetInt64(value(index).value_or(0)); }
  [[nodiscard]] core::Micros time(int index) const {
    const std::optional<Datum> found = value(index);
    return found ? to_micros(DatumGetTimestampTz(*found)) : 0;
  }
  [[nodiscard]] std::optional<core::Micros> optional_time(int index) const {
    return value(index) ? std::optional(time(index)) : std::nullopt;
  }
  [[nodiscard]] core::Digest digest(int index) const {
    const std::optional<Datum> found = value(index);
    return found ? found_digest(*found) : kNoDigest;
  }
  // Where to put what belongs to the row.
  [[nodiscard]] MemoryContext memory() const { return memory_; }
  void close();

 private:
  static constexpr long kPortion = 1000;
  static constexpr std::size_t kMostColumns = 24;

  Portal portal_;
  SPITupleTable* table_ = nullptr;
  std::uint64_t next_ = 0;
  MemoryContext memory_;
  std::array<Datum, kMostColumns> values_{};
  std::array<bool, kMostColumns> nulls_{};
};

static_assert(std::is_trivially_destructible_v<RowStream>);

// Column `index` (from 1) of row `row` (from 0) of the last result; absent for NULL.
[[nodiscard]] std::optional<Datum> result_value(std::uint64_t row, int index);

}  // namespace escrowgrid::pg
