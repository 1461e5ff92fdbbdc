// A row that was read: values by column name, as the type that the layout says.
#pragma once

#include "pg/layout/column_name.hpp"
#include "pg/values/datum.hpp"

namespace escrowgrid::pg::layout {

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
  // The value of a NOT NULL column. If the constraint has been dropped and the value is NULL, it reads as an empty
  // text, no bytes, or 0.
  template <ColumnName kName>
  [[nodiscard]] auto get() const requires(kColumn<kTable, kName>.nulls == Nulls::kForbidden) {
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
