// Which expressions may stay prepared from call to call.
#pragma once

#include "pg/direct/write_plan.hpp"

namespace escrowgrid::pg::direct {

// Whether the prepared expression stays right until a function changes, which PostgreSQL tells. It does when it is
// made of columns, constants, operators and functions that PostgreSQL comes with. A user's function may be inlined or
// keep plans of its own, a domain's constraints are compiled in, and some nodes keep state in the context of a
// statement: an expression with one of these is prepared anew by each call.
[[nodiscard]] bool can_be_kept(Node* expression);

// The CHECK constraints of `desc`; those that can be kept are prepared in the current memory context.
[[nodiscard]] Checks keep_checks(TupleDesc desc);

// What PostgreSQL knows of the index for writing to it, with its expressions prepared; null when that cannot be kept.
[[nodiscard]] IndexInfo* keep_index_info(Relation index);

}  // namespace escrowgrid::pg::direct
