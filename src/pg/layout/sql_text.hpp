// SQL text that is derived from the layout when the module is compiled. Every name and operator is qualified, because
// the caller's search_path may be in force. The alias of the table is r.
#pragma once

#include "pg/layout/column_name.hpp"

namespace escrowgrid::pg::layout {

// A text that is put together at compile time. A text that exceeds the capacity does not compile.
class SqlText {
 public:
  static constexpr std::size_t kCapacity = 2048;
  constexpr SqlText& add(std::string_view text) {
    for (const char c : text) {
      bytes_[size_++] = c;
    }
    return *this;
  }
  constexpr SqlText& add_number(std::size_t number) {
    if (number >= 10) {
      add_number(number / 10);
    }
    const char digit = static_cast<char>('0' + number % 10);
    return add({&digit, 1});
  }
  [[nodiscard]] constexpr const char* c_str() const { return bytes_.data(); }
  [[nodiscard]] constexpr std::string_view view() const { return {bytes_.data(), size_}; }

 private:
  std::array<char, kCapacity + 1> bytes_{};
  std::size_t size_ = 0;
};

// The text that kMake returns, in an array of exactly its size.
template <auto kMake>
inline constexpr auto kText = [] {
  constexpr SqlText kFull = kMake();
  std::array<char, kFull.view().size() + 1> out{};
  std::copy(kFull.view().begin(), kFull.view().end(), out.begin());
  return out;
}();

// "r.id, r.state, …": the first `count` columns in the layout's order.
constexpr SqlText column_list(const Table& table, std::size_t count) {
  SqlText out;
  std::string_view separator;
  for (const Column& column : table.columns.first(count)) {
    out.add(separator).add("r.").add(column.name);
    separator = ", ";
  }
  return out;
}

// INSERT of the first `count` columns; $n is column n.
constexpr SqlText insert_text(const Table& table, std::size_t count, std::string_view tail) {
  SqlText out;
  out.add("INSERT INTO escrowgrid.").add(table.name).add(" AS r (");
  std::string_view separator;
  for (const Column& column : table.columns.first(count)) {
    out.add(separator).add(column.name);
    separator = ", ";
  }
  out.add(") VALUES (");
  separator = {};
  for (std::size_t i = 1; i <= count; ++i) {
    out.add(separator).add("$").add_number(i);
    separator = ", ";
  }
  return out.add(")").add(tail);
}

// The WHERE clause on a key. Its columns are compared with $1 and, if there are two, $2. If the table has tenants, the
// next parameter is the tenant that the row has to belong to; NULL stands for any tenant.
constexpr SqlText where_text(const Table& table, WhichKey which) {
  const Key& key = table.key(which);
  SqlText out;
  out.add(" WHERE r.").add(key.first).add(" OPERATOR(pg_catalog.=) $1");
  std::size_t parameters = 1;
  if (!key.second.empty()) {
    out.add(" AND r.").add(key.second).add(" OPERATOR(pg_catalog.=) $2");
    ++parameters;
  }
  if (table.has("institution_id")) {
    out.add(" AND ($").add_number(parameters + 1).add("::pg_catalog.text IS NULL OR r.institution_id");
    out.add(" OPERATOR(pg_catalog.=) $").add_number(parameters + 1).add(")");
  }
  return out;
}

// SELECT of the first `count` columns from `source`, which has columns of these names.
constexpr SqlText select_from_text(const Table& table, std::size_t count, std::string_view source,
                                   std::string_view tail) {
  SqlText out;
  out.add("SELECT ").add(column_list(table, count).view()).add(" FROM ").add(source).add(" AS r");
  return out.add(tail);
}

// SELECT of the first `count` columns of the table's rows.
constexpr SqlText select_all_text(const Table& table, std::size_t count, std::string_view tail) {
  SqlText source;
  source.add("escrowgrid.").add(table.name);
  return select_from_text(table, count, source.view(), tail);
}

// SELECT of the first `count` columns by a key.
constexpr SqlText select_text(const Table& table, std::size_t count, WhichKey which, std::string_view tail) {
  SqlText condition = where_text(table, which);
  return select_all_text(table, count, condition.add(tail).view());
}

// UPDATE by primary key ($1) of the columns that a transition changes: $2, $3 and so on.
constexpr SqlText update_text(const Table& table) {
  SqlText out;
  out.add("UPDATE escrowgrid.").add(table.name).add(" AS r SET ");
  std::string_view separator;
  std::size_t parameter = 1;
  for (const Column& column : table.columns) {
    if (column.change == Change::kByTransition) {
      out.add(separator).add(column.name).add(" = $").add_number(++parameter);
      separator = ", ";
    }
  }
  out.add(" WHERE r.").add(table.primary.first).add(" OPERATOR(pg_catalog.=) $1");
  return out.add(" RETURNING r");
}

}  // namespace escrowgrid::pg::layout
