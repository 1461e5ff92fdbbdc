// A row to be written: values by column name, of the type that the layout says.
#pragma once

#include "pg/layout/column_name.hpp"
#include "pg/values/datum.hpp"

namespace escrowgrid::pg::layout {

// Values in the order of the table's columns. A column that is not set is NULL in a new row and keeps its value in an
// update.
struct RowValues {
  std::array<Datum, kMostColumns> values{};
  std::array<bool, kMostColumns> nulls{};
  std::uint32_t given = 0;  // a bit for each column that was set

  RowValues() { nulls.fill(true); }
  [[nodiscard]] bool is_given(std::size_t place) const { return (given >> place & 1U) != 0; }
  void put(std::size_t place, Datum value) {
    values[place] = value;
    nulls[place] = false;
    given |= 1U << place;
  }
  void put_null(std::size_t place) {
    nulls[place] = true;
    given |= 1U << place;
  }
};
static_assert(kMostColumns <= 32);

template <const Table& kTable>
class RowColumns {
 public:
  template <ColumnName kName>
  RowColumns& set(std::string_view value) requires(kColumn<kTable, kName>.type == Type::kText) {
    return put<kName>(text_datum(value));
  }
  template <ColumnName kName>
  RowColumns& set(std::int32_t value) requires(kColumn<kTable, kName>.type == Type::kInteger) {
    return put<kName>(Int32GetDatum(value));
  }
  template <ColumnName kName>
  RowColumns& set(std::int64_t value) requires(kColumn<kTable, kName>.type == Type::kBigint) {
    return put<kName>(Int64GetDatum(value));
  }
  // Times are microseconds since the Unix epoch.
  template <ColumnName kName>
  RowColumns& set(core::Micros value) requires(kColumn<kTable, kName>.type == Type::kTime) {
    return put<kName>(TimestampTzGetDatum(to_timestamp(value)));
  }
  template <ColumnName kName>
  RowColumns& set(BytesView value) requires(kColumn<kTable, kName>.type == Type::kBytes) {
    return put<kName>(bytes_datum(value));
  }
  template <ColumnName kName>
  RowColumns& set(std::span<const TextView> value) requires(kColumn<kTable, kName>.type == Type::kTextArray) {
    return put<kName>(text_array_datum(value));
  }
  // An amount, written with as many decimals as its currency has.
  template <ColumnName kName>
  RowColumns& set(core::Amount value, int decimals) requires(kColumn<kTable, kName>.type == Type::kNumeric) {
    return put<kName>(numeric_datum(value, decimals));
  }
  // Types that the core does not know: jsonb, inet, cidr[].
  template <ColumnName kName>
  RowColumns& set_datum(Datum value) requires(kColumn<kTable, kName>.type == Type::kJsonb ||
                                              kColumn<kTable, kName>.type == Type::kAddress ||
                                              kColumn<kTable, kName>.type == Type::kNetworks) {
    return put<kName>(value);
  }

  // The same for nullable columns; an absent value becomes NULL.
  template <ColumnName kName, typename Value>
  RowColumns& set(const std::optional<Value>& value) requires(kColumn<kTable, kName>.nulls == Nulls::kAllowed) {
    return value ? set<kName>(*value) : put_null<kName>();
  }
  template <ColumnName kName>
  RowColumns& set(const std::optional<core::Amount>& value,
                  int decimals) requires(kColumn<kTable, kName>.nulls == Nulls::kAllowed) {
    return value ? set<kName>(*value, decimals) : put_null<kName>();
  }
  template <ColumnName kName>
  RowColumns& set_datum(const std::optional<Datum>& value) requires(kColumn<kTable, kName>.nulls == Nulls::kAllowed) {
    return value ? set_datum<kName>(*value) : put_null<kName>();
  }

  [[nodiscard]] const RowValues& values() const { return values_; }

 private:
  template <ColumnName kName>
  RowColumns& put(Datum value) {
    values_.put(kPlace<kTable, kName>, value);
    return *this;
  }
  template <ColumnName kName>
  RowColumns& put_null() {
    values_.put_null(kPlace<kTable, kName>);
    return *this;
  }
  RowValues values_;
};

static_assert(std::is_trivially_destructible_v<RowValues>);

}  // namespace escrowgrid::pg::layout
