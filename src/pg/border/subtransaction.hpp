// Runs code whose errors must not end the caller's transaction.
#pragma once

#include "pg/border/postgres.hpp"

namespace escrowgrid::pg {

// Runs `body(argument)` in a subtransaction. Returns null when the body succeeds; its writes are kept. When it raises
// an error about the data at hand (a constraint, a trigger, a refusal), the subtransaction is rolled back and the error
// comes back, in the current memory context. Other errors are raised again: the caller's transaction has to end when
// the query is cancelled, the server shuts down, memory runs out, or the transaction cannot be serialized.
[[nodiscard]] ErrorData* run_in_subtransaction(void (*body)(void* argument), void* argument);

}  // namespace escrowgrid::pg
