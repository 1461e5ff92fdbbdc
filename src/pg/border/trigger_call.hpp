// The call of a trigger function, checked against the calls that the function is made for.
#pragma once

#include "pg/border/postgres.hpp"

namespace escrowgrid::pg {

struct TriggerCall {
  TriggerData* data;

  [[nodiscard]] bool is_insert() const { return TRIGGER_FIRED_BY_INSERT(data->tg_event); }
  [[nodiscard]] bool is_update() const { return TRIGGER_FIRED_BY_UPDATE(data->tg_event); }
  [[nodiscard]] bool is_delete() const { return TRIGGER_FIRED_BY_DELETE(data->tg_event); }
  [[nodiscard]] bool is_row() const { return TRIGGER_FIRED_FOR_ROW(data->tg_event); }
  [[nodiscard]] TupleDesc desc() const { return RelationGetDescr(data->tg_relation); }
  [[nodiscard]] const char* table() const { return RelationGetRelationName(data->tg_relation); }

  // The new row of an INSERT or UPDATE, and the old row of an UPDATE or DELETE.
  [[nodiscard]] HeapTuple new_row() const { return is_update() ? data->tg_newtuple : data->tg_trigtuple; }
  [[nodiscard]] HeapTuple old_row() const { return data->tg_trigtuple; }

  // The operation's name in SQL.
  [[nodiscard]] const char* operation() const;
  // Whether an UPDATE names the column in its SET list.
  [[nodiscard]] bool sets_column(const char* name) const;
};

// The call, or an internal error when the function was not called as a trigger on a table of ours.
[[nodiscard]] TriggerCall require_trigger(FunctionCallInfo fcinfo);

// Whether session_replication_role is replica. Rows then come complete from another server: triggers may refuse them,
// but must not record them again.
[[nodiscard]] bool is_replica_role();

// ZE501 for an operation that a table does not allow.
[[noreturn]] void raise_immutable(const TriggerCall& call, std::initializer_list<std::string_view> message,
                                  std::string_view hint);

}  // namespace escrowgrid::pg
