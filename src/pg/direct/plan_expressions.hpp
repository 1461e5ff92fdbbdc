// Decides which expressions may stay prepared from call to call.
#pragma once

#include "pg/direct/write_plan.hpp"

namespace escrowgrid::pg::direct {

// Whether the expression may stay prepared until PostgreSQL reports that a function has changed. It may if it consists
// of columns, constants and PostgreSQL's own operators and functions. A user's function may be inlined or keep plans of
// its own, a domain's constraints are compiled into the expression, and some nodes keep state in the context of a
// statement. An expression with one of these is prepared by each call.
[[nodiscard]] bool can_be_kept(Node* expression);

// The CHECK constraints of `desc`; those that can be kept are prepared in the current memory context.
[[nodiscard]] Checks keep_checks(TupleDesc desc);

// The IndexInfo for writing to the index, with its predicate prepared; null if it cannot be kept.
[[nodiscard]] IndexInfo* keep_index_info(Relation index);

}  // namespace escrowgrid::pg::direct
