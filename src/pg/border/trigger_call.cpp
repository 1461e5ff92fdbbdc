#include "pg/border/trigger_call.hpp"

#include "core/refusal.hpp"
#include "pg/border/report.hpp"

extern "C" {
#include "access/sysattr.h"
#include "nodes/bitmapset.h"
}

namespace escrowgrid::pg {

const char* TriggerCall::operation() const {
  if (is_insert()) {
    return "INSERT";
  }
  if (is_update()) {
    return "UPDATE";
  }
  return is_delete() ? "DELETE" : "TRUNCATE";
}

bool TriggerCall::sets_column(const char* name) const {
  const int number = SPI_fnumber(desc(), name);
  return bms_is_member(number - FirstLowInvalidHeapAttributeNumber, data->tg_updatedcols);
}

TriggerCall require_trigger(FunctionCallInfo fcinfo) {
  if (!CALLED_AS_TRIGGER(fcinfo)) {
    elog(ERROR, "escrowgrid: trigger function was not called by a trigger");
  }
  const TriggerCall call = {.data = reinterpret_cast<TriggerData*>(fcinfo->context)};
  if (RelationGetNamespace(call.data->tg_relation) != get_namespace_oid(kSchema, false)) {
    elog(ERROR, "escrowgrid: trigger function is only for tables of schema %s", kSchema);
  }
  return call;
}

bool is_replica_role() {
  return SessionReplicationRole == SESSION_REPLICATION_ROLE_REPLICA;
}

void raise_immutable(const TriggerCall& call, std::initializer_list<std::string_view> message, std::string_view hint) {
  core::Refusal why;
  why.begin(core::Condition::kImmutableRecord)
      .message(message)
      .hint({hint})
      .with("table", call.table())
      .with("operation", call.operation());
  raise(why);
}

}  // namespace escrowgrid::pg
