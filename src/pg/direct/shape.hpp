// Whether a table of the catalog is as the layout says.
#pragma once

#include "pg/direct/cached_table.hpp"

namespace escrowgrid::pg::direct {

// Whether the table begins with these columns, none dropped or of another type. A type modifier would round or refuse
// values, so there is none either.
[[nodiscard]] bool has_expected_columns(const layout::Table& table, TupleDesc desc);

// Whether the index finds the rows of these key columns: a btree, unique at once and complete, that compares as the
// extension does (bytewise text, int4). An index on the same columns with another collation or operator class orders
// them differently, and a scan of it would miss rows.
[[nodiscard]] bool is_key_index(Relation index, const layout::KeyColumns& key);

// Whether the table has child tables. pg_class.relhassubclass is only a hint: it stays when the last child is gone.
[[nodiscard]] bool has_children(Oid relation_id, const FormData_pg_class& form);

// Whether row-level security applies to the owner of positions, whose rights the extension works with: it does where
// another role owns the table, and where it is forced.
[[nodiscard]] bool applies_row_security(Oid relation_id);

// An index built over broken HOT chains may miss row versions that older snapshots see (pg_index.indcheckxmin). The
// planner leaves it alone until no such snapshot is left in this backend; so does this path.
[[nodiscard]] bool is_usable_now(Relation index);

}  // namespace escrowgrid::pg::direct
