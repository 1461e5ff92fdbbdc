// The guard against dropping the extension, its schema or its owner's objects while positions exist. It is an event
// trigger at the start of the command. At the end of the command the trigger itself would have been dropped.
#include "core/refusal.hpp"
#include "pg/border/boundary.hpp"
#include "pg/border/report.hpp"
#include "pg/border/settings.hpp"
#include "pg/store/positions.hpp"
#include "pg/table/session.hpp"

extern "C" {
#include "commands/event_trigger.h"
#include "nodes/parsenodes.h"
}

namespace escrowgrid::pg {

namespace {

bool is_ours(const char* name) {
  return std::strcmp(name, kSchema) == 0;  // extension and schema have the same name
}

// DROP EXTENSION a, b; DROP SCHEMA a, b.
bool drops_ours(const DropStmt* drop) {
  if (drop->removeType != OBJECT_EXTENSION && drop->removeType != OBJECT_SCHEMA) {
    return false;
  }
  ListCell* cell = nullptr;
  foreach (cell, drop->objects) {
    if (is_ours(strVal(lfirst(cell)))) {
      return true;
    }
  }
  return false;
}

bool drops_owned_by_owner(const DropOwnedStmt* drop) {
  ListCell* cell = nullptr;
  foreach (cell, drop->roles) {
    if (get_rolespec_oid(static_cast<RoleSpec*>(lfirst(cell)), true) == tables_owner()) {
      return true;
    }
  }
  return false;
}

// Taking a table out of the extension is the first half of dropping it.
bool takes_out_member(const AlterExtensionContentsStmt* alter) {
  return alter->action < 0 && is_ours(alter->extname);
}

bool endangers_records(const Node* command) {
  switch (nodeTag(command)) {
    case T_DropStmt:
      return drops_ours(reinterpret_cast<const DropStmt*>(command));
    case T_DropOwnedStmt:
      return drops_owned_by_owner(reinterpret_cast<const DropOwnedStmt*>(command));
    case T_AlterExtensionContentsStmt:
      return takes_out_member(reinterpret_cast<const AlterExtensionContentsStmt*>(command));
    default:
      return false;
  }
}

Datum guard_drop(FunctionCallInfo fcinfo) {
  if (!CALLED_AS_EVENT_TRIGGER(fcinfo)) {
    elog(ERROR, "escrowgrid: event trigger function was not called by an event trigger");
  }
  const auto* data = reinterpret_cast<EventTriggerData*>(fcinfo->context);
  if (is_drop_allowed() || !endangers_records(data->parsetree)) {
    return PointerGetDatum(nullptr);
  }
  const Session session = open_session();
  const bool has_positions = store::has_positions();
  close_session(session);
  if (has_positions) {
    core::Refusal why;
    why.begin(core::Condition::kImmutableRecord)
        .message({"escrowgrid cannot be dropped while it holds positions"})
        .hint({"Take a backup. Then SET escrowgrid.allow_drop = on as a superuser."})
        .with("command", GetCommandTagName(data->tag));
    raise(why);
  }
  return PointerGetDatum(nullptr);
}

}  // namespace

ESCROWGRID_FUNCTION(escrowgrid_guard_drop, guard_drop);

}  // namespace escrowgrid::pg
