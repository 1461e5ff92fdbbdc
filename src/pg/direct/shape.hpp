// What the extension expects of its own tables: the columns they begin with, and the keys that rows are found by.
#pragma once

#include "pg/direct/cached_table.hpp"

namespace escrowgrid::pg::direct {

struct Column {
  const char* name;
  Oid type;
};

struct Shape {
  const char* name;
  std::span<const Column> columns;         // the first of the table, in this order
  std::array<std::array<int, 2>, 2> keys;  // column numbers of each Key; 0 for none
};

[[nodiscard]] const Shape& shape_of(Name name);

// What a transition changes of a position.
inline constexpr std::array kMutablePositionColumns = {"state",  "released_amount", "refunded_amount", "updated_at",
                                                       "due_at", "version",         "head_hash"};

// Whether the table begins with these columns, none dropped or of another type. A type modifier would round or refuse
// values, so there is none either.
[[nodiscard]] bool has_expected_columns(const Shape& shape, TupleDesc desc);

// Whether the index finds the rows of these key columns: a btree, unique at once and complete, that compares as the
// extension does (bytewise text, int4). An index on the same columns with another collation or operator class orders
// them differently, and a scan of it would miss rows.
[[nodiscard]] bool is_key_index(Relation index, const Shape& shape, const std::array<int, 2>& columns);

// Whether the table has child tables. pg_class.relhassubclass is only a hint: it stays when the last child is gone.
[[nodiscard]] bool has_children(Oid relation_id, const FormData_pg_class& form);

// Whether row-level security applies to the owner of positions, whose rights the extension works with: it does where
// another role owns the table, and where it is forced.
[[nodiscard]] bool applies_row_security(Oid relation_id);

// An index built over broken HOT chains may miss row versions that older snapshots see (pg_index.indcheckxmin). The
// planner leaves it alone until no such snapshot is left in this backend; so does this path.
[[nodiscard]] bool is_usable_now(Relation index);

}  // namespace escrowgrid::pg::direct
