// A row that was read: values by column name, as the type that the layout says.
#pragma once

#include "pg/layout/column_name.hpp"
#include "pg/values/datum.hpp"

namespace escrowgrid::pg::layout {

constexpr bool is_read_as_datum(Type type) {
  return type == Type::kTextArray || type == Type::kJsonb || type == Type::kAddress || type == Type::kNetworks;
}

namespace detail {

template <Type kType>
[[nodiscard]] auto read(Datum value) {
  if constexpr (kType == Type::kText) {
    return text_view(value);
  } else if constexpr (kType == Type::kBoolean) {
    return DatumGetBool(value);
  } else if constexpr (kType == Type::kSmallint) {
    return DatumGetInt16(value);
  } else if constexpr (kType == Type::kInteger) {
    return DatumGetInt32(value);
  } else if constexpr (kType == Type::kBigint) {
    return static_cast<std::int64_t>(DatumGetInt64(value));
  } else if constexpr (kType == Type::kNumeric) {
    return numeric_text(value);  // read by core::parse_amount()
  } else if constexpr (kType == Type::kTime) {
    return to_micros(DatumGetTimestampTz(value));
  } else if constexpr (kType == Type::kBytes) {
    return bytes_view(value);
  } else {
    return value;
  }
}

}  // namespace detail

// Views point into the row, which has to outlive them.
template <const Table& kTable>
class RowView {
 public:
  // Arrays in the order of the table's columns.
  RowView(const Datum* values, const bool* nulls) : values_(values), nulls_(nulls) {}

  // The value; absent for NULL.
  template <ColumnName kName>
  [[nodiscard]] auto find() const {
    constexpr std::size_t kAt = kPlace<kTable, kName>;
    constexpr Type kType = kColumn<kTable, kName>.type;
    using Value = decltype(detail::read<kType>(Datum{}));
    return nulls_[kAt] ? std::nullopt : std::optional<Value>(detail::read<kType>(values_[kAt]));
  }
  // The value of a NOT NULL column. A superuser who tampers with rows may have dropped the constraint; a NULL then
  // reads as an empty text, no bytes, or 0. Types that are read as datums (jsonb, arrays) have no such value: use
  // find().
  template <ColumnName kName>
  [[nodiscard]] auto get() const
      requires(kColumn<kTable, kName>.nulls == Nulls::kForbidden && !is_read_as_datum(kColumn<kTable, kName>.type)) {
    constexpr std::size_t kAt = kPlace<kTable, kName>;
    constexpr Type kType = kColumn<kTable, kName>.type;
    using Value = decltype(detail::read<kType>(Datum{}));
    return nulls_[kAt] ? Value{} : detail::read<kType>(values_[kAt]);
  }
  template <ColumnName kName>
  [[nodiscard]] bool is_null() const {
    return nulls_[kPlace<kTable, kName>];
  }

 private:
  const Datum* values_;
  const bool* nulls_;
};

}  // namespace escrowgrid::pg::layout
