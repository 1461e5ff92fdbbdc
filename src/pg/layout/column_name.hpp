// Columns named in code as in SQL: row.get<"state">(). A name that the table does not have does not compile.
#pragma once

#include "pg/border/postgres.hpp"
#include "pg/layout/layout.hpp"

namespace escrowgrid::pg::layout {

// A string literal as a template argument.
template <std::size_t kSize>
struct ColumnName {
  std::array<char, kSize> text{};
  consteval ColumnName(const char (&literal)[kSize]) { std::copy_n(literal, kSize, text.begin()); }  // NOLINT: implicit
  [[nodiscard]] constexpr std::string_view view() const { return {text.data(), kSize - 1}; }
};

// The column's place in arrays of values, from 0.
template <const Table& kTable, ColumnName kName>
inline constexpr std::size_t kPlace = [] {
  static_assert(kTable.has(kName.view()), "the table has no column of this name");
  return static_cast<std::size_t>(kTable.number_of(kName.view())) - 1;
}();

template <const Table& kTable, ColumnName kName>
inline constexpr const Column& kColumn = kTable.columns[kPlace<kTable, kName>];

// The values of a key's columns. The second is left out where the key has one column.
using KeyValues = std::array<Datum, 2>;

constexpr Oid oid_of(Type type) {
  switch (type) {
    case Type::kText:
      return TEXTOID;
    case Type::kTextArray:
      return TEXTARRAYOID;
    case Type::kBoolean:
      return BOOLOID;
    case Type::kSmallint:
      return INT2OID;
    case Type::kInteger:
      return INT4OID;
    case Type::kBigint:
      return INT8OID;
    case Type::kNumeric:
      return NUMERICOID;
    case Type::kTime:
      return TIMESTAMPTZOID;
    case Type::kBytes:
      return BYTEAOID;
    case Type::kJsonb:
      return JSONBOID;
    case Type::kAddress:
      return INETOID;
    case Type::kNetworks:
      return CIDRARRAYOID;
  }
  return InvalidOid;
}

}  // namespace escrowgrid::pg::layout
