// Compares a table in the catalog with the layout.
#pragma once

#include "pg/direct/cached_table.hpp"

namespace escrowgrid::pg::direct {

// Whether the table begins with the layout's columns, none of them dropped or of another type. None may have a type
// modifier, which would round or refuse values.
[[nodiscard]] bool has_expected_columns(const layout::Table& table, TupleDesc desc);

// Whether the index can be used to find rows by these columns. It has to be a valid unique btree without a predicate,
// not deferrable, and it has to compare as the extension does (text bytewise, int4). An index with another collation or
// operator class orders the values differently, so a scan of it would miss rows.
[[nodiscard]] bool is_key_index(Relation index, const layout::KeyColumns& key);

// Whether the table has child tables. pg_class.relhassubclass is only a hint: it stays when the last child is gone.
[[nodiscard]] bool has_children(Oid relation_id, const FormData_pg_class& form);

// Whether row-level security applies to the owner of positions, with whose rights the extension works. It applies if
// another role owns the table, or if it is forced.
[[nodiscard]] bool applies_row_security(Oid relation_id);

// Whether the index can be used already. An index that was built over broken HOT chains may miss row versions that
// older snapshots see (pg_index.indcheckxmin). Like the planner, do not use it while this backend may have such a
// snapshot.
[[nodiscard]] bool is_usable_now(Relation index);

}  // namespace escrowgrid::pg::direct
