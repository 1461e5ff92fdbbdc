// The constraints that a row has to pass before it is written, and the values that users' columns get by default.
#pragma once

#include "pg/direct/write_row.hpp"

namespace escrowgrid::pg::direct {

// NOT NULL and CHECK constraints. The expressions that are kept, and those that the call prepares, only answer "every
// constraint holds". If they do not, PostgreSQL's ExecConstraints() evaluates all of them again and raises the error.
void check_constraints(WriteCall& call, WriteTarget& target, TupleTableSlot* slot);

// Fills in users' columns as an INSERT fills in columns that it does not name: with their defaults, or with NULL if the
// column's domain accepts it.
void fill_columns(WriteCall& call, WriteTarget& target, TupleTableSlot* slot);

}  // namespace escrowgrid::pg::direct
