// What a row has to pass before it is written, and the values that users' columns take by themselves.
#pragma once

#include "pg/direct_write.hpp"

namespace escrowgrid::pg::direct {

// NOT NULL and CHECK constraints. What is kept of them is a short cut to "all hold" and nothing else: in every other
// case PostgreSQL's own ExecConstraints() decides, with expressions that it prepares for this call.
void check_constraints(Call& call, Target& target, TupleTableSlot* slot);

// Defaults of users' columns, and domains that have to accept NULL, as INSERT fills in a column that nobody names.
void fill_columns(Call& call, Target& target, TupleTableSlot* slot);

}  // namespace escrowgrid::pg::direct
