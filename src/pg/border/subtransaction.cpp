#include "pg/border/subtransaction.hpp"

#include "pg/border/boundary.hpp"

extern "C" {
#include "utils/resowner.h"
}

namespace escrowgrid::pg {

namespace {

// Whether an error with this SQLSTATE is about the data at hand.
bool is_about_data(int sqlstate) {
  if (sqlstate == ERRCODE_LOCK_NOT_AVAILABLE) {
    return false;  // each further attempt would wait for lock_timeout again
  }
  switch (ERRCODE_TO_CATEGORY(sqlstate)) {
    case ERRCODE_TO_CATEGORY(ERRCODE_T_R_SERIALIZATION_FAILURE):
    case ERRCODE_TO_CATEGORY(ERRCODE_INSUFFICIENT_RESOURCES):
    case ERRCODE_TO_CATEGORY(ERRCODE_QUERY_CANCELED):
    case ERRCODE_TO_CATEGORY(ERRCODE_SYSTEM_ERROR):
    case ERRCODE_TO_CATEGORY(ERRCODE_INTERNAL_ERROR):
      return false;
    default:
      return true;
  }
}

}  // namespace

ErrorData* run_in_subtransaction(void (*body)(void* argument), void* argument) {
  MemoryContext memory = CurrentMemoryContext;
  ResourceOwner owner = CurrentResourceOwner;
  ErrorData* volatile error = nullptr;
  BeginInternalSubTransaction(nullptr);
  MemoryContextSwitchTo(memory);
  PG_TRY();
  {
    contain_exceptions([body, argument] { body(argument); });
    ReleaseCurrentSubTransaction();
  }
  PG_CATCH();
  {
    MemoryContextSwitchTo(memory);
    error = CopyErrorData();
    FlushErrorState();
    RollbackAndReleaseCurrentSubTransaction();
  }
  PG_END_TRY();
  MemoryContextSwitchTo(memory);
  CurrentResourceOwner = owner;
  // The subtransaction has been rolled back in any case: an open one would outlive the error.
  if (error != nullptr && !is_about_data(error->sqlerrcode)) {
    ReThrowError(error);
  }
  return error;
}

}  // namespace escrowgrid::pg
