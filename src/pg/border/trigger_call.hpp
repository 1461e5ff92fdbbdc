// What a trigger function was called with, checked against what it was made for.
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

  // The row as it will be (INSERT, UPDATE), as it was (UPDATE, DELETE).
  [[nodiscard]] HeapTuple new_row() const { return is_update() ? data->tg_newtuple : data->tg_trigtuple; }
  [[nodiscard]] HeapTuple old_row() const { return data->tg_trigtuple; }

  // The operation's name in SQL.
  [[nodiscard]] const char* operation() const;
  // Whether an UPDATE names the column in its SET list.
  [[nodiscard]] bool sets_column(const char* name) const;
};

// The call, or an internal error when the function was not called as a trigger on a table of ours.
[[nodiscard]] TriggerCall require_trigger(FunctionCallInfo fcinfo);

// In the replica role rows arrive complete from elsewhere: they may be refused but never recorded anew.
[[nodiscard]] bool is_replica_role();

// ZE501 for an operation that a table does not allow.
[[noreturn]] void raise_immutable(const TriggerCall& call, std::initializer_list<std::string_view> message,
                                  std::string_view hint);

}  // namespace escrowgrid::pg
