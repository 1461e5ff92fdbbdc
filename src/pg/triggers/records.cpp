// Triggers that keep records as they are: append-only tables, columns that never change, currencies in use.
#include "core/checkpoint.hpp"
#include "core/hash_chain.hpp"
#include "pg/border/boundary.hpp"
#include "pg/border/report.hpp"
#include "pg/border/trigger_call.hpp"
#include "pg/layout/tuple_row.hpp"
#include "pg/service/authentication.hpp"
#include "pg/store/currencies.hpp"
#include "pg/store/event_content.hpp"
#include "pg/store/positions.hpp"
#include "pg/table/own_write.hpp"
#include "pg/table/session.hpp"

namespace escrowgrid::pg {

namespace {

std::optional<Datum> column(const TriggerCall& call, HeapTuple row, const char* name) {
  const int number = layout::column_number(call.table(), name, call.desc());
  bool is_null = false;
  const Datum value = heap_getattr(row, number, call.desc(), &is_null);
  return is_null ? std::nullopt : std::optional(value);
}

TextView text_column(const TriggerCall& call, HeapTuple row, const char* name) {
  const std::optional<Datum> value = column(call, row, name);
  return value ? TextView(text_view(*value)) : std::nullopt;
}

bool same_value(const TriggerCall& call, int number) {
  const char* before = SPI_getvalue(call.old_row(), call.desc(), number);
  const char* after = SPI_getvalue(call.new_row(), call.desc(), number);
  return before == nullptr || after == nullptr ? before == after : std::strcmp(before, after) == 0;
}

// A row of an append-only table that the extension does not write itself must come from a restore, and must fit its
// position: an event's seq is at most the position's version, and the event with that seq has the position's head hash.
void require_position(const TriggerCall& call, std::string_view position_id, bool is_event) {
  const Session session = open_session();
  const std::optional<store::PositionHead> head = store::find_head(position_id);
  if (!head) {
    // Replication and a parallel restore load tables independently, so an event may arrive before its position. It has
    // no effect until the position is there with the same head.
    if (is_replica_role()) {
      close_session(session);
      return;
    }
    raise_not_found("position", position_id);
  }
  if (text_column(call, call.new_row(), "institution_id") != head->institution_id) {
    raise_immutable(call, {"the record's institution is not that of position \"", position_id, "\""},
                    "Insert records only to restore a dump.");
  }
  if (is_event) {
    const layout::TupleRow<layout::kPositionEvents> event(call.new_row(), call.desc());
    const std::int32_t seq = event.get<"seq">();
    const bool is_head = seq == head->version;
    const bool is_ahead = seq > head->version && !is_replica_role();
    if (is_ahead || (is_head && (event.is_null<"hash">() || require_digest(event.get<"hash">()) != head->head_hash))) {
      raise_immutable(call, {"the event does not belong to the history of position \"", position_id, "\""},
                      "Events are written by transitions. Insert them only to restore a dump.");
    }
  }
  close_session(session);
}

// Whether the table has every column that the layout's table had in the first release.
bool has_columns_of(const layout::Table& table, TupleDesc desc) {
  const auto columns = table.columns.first(table.first_count());
  return std::all_of(columns.begin(), columns.end(),
                     [&](const layout::Column& column) { return SPI_fnumber(desc, column.name.data()) > 0; });
}

// The kind of record that the table holds. It is recognised by its columns, because a partition has another name.
const layout::Table& record_table(const TriggerCall& call) {
  for (const layout::Table* table : {&layout::kPositionEvents, &layout::kLedgerEvents, &layout::kAuditEvents}) {
    if (has_columns_of(*table, call.desc())) {
      return *table;
    }
  }
  elog(ERROR, "escrowgrid: table %s does not have the columns of any record", call.table());
}

Datum check_record(FunctionCallInfo fcinfo) {
  const TriggerCall call = require_trigger(fcinfo);
  const TextView id = text_column(call, call.new_row(), "id");
  const layout::Table& table = record_table(call);
  if (!id || take_own_write(OwnWrite::kRow, table, *id)) {
    return PointerGetDatum(call.new_row());  // a NULL id fails its constraint
  }
  static_cast<void>(require_root(call.operation()));
  const TextView position_id =
      table.has("position_id") ? text_column(call, call.new_row(), "position_id") : std::nullopt;
  if (position_id) {
    require_position(call, *position_id, table.id == layout::TableId::kPositionEvents);
  }
  return PointerGetDatum(call.new_row());
}

bool is_purge(const TriggerCall& call) {
  if (!call.is_delete() || SPI_fnumber(call.desc(), "institution_id") <= 0) {
    return false;
  }
  const TextView institution_id = text_column(call, call.old_row(), "institution_id");
  return institution_id && is_purging(*institution_id);
}

// The digest that replaces reason and metadata of this event when they are erased.
std::optional<core::Digest> digest_of_content(const TriggerCall& call) {
  const layout::TupleRow<layout::kPositionEvents> event(call.old_row(), call.desc());
  return core::content_digest(store::content_of(event.view()));
}

// Whether the update is an erasure by escrow_redact_event(), here or on the publisher: the content is removed, its
// digest is set, and nothing else changes.
bool is_erasure(const TriggerCall& call) {
  if (!call.is_update() || SPI_fnumber(call.desc(), "content_digest") <= 0) {
    return false;
  }
  const TextView id = text_column(call, call.old_row(), "id");
  if (!is_replica_role() && !(id && take_own_write(OwnWrite::kErasure, layout::kPositionEvents, *id))) {
    return false;
  }
  const std::optional<core::Digest> expected = digest_of_content(call);
  const std::optional<Datum> digest = column(call, call.new_row(), "content_digest");
  if (!expected || !digest || require_digest(bytes_view(*digest)) != *expected) {
    return false;
  }
  for (int number = 1; number <= call.desc()->natts; ++number) {
    const std::string_view name = NameStr(TupleDescAttr(call.desc(), number - 1)->attname);
    const bool is_content = name == "reason" || name == "metadata" || name == "salt" || name == "content_digest";
    if (!is_content && !same_value(call, number)) {
      return false;
    }
  }
  return true;  // a constraint of the table makes sure that reason, metadata and salt are NULL
}

Datum refuse_change(FunctionCallInfo fcinfo) {
  const TriggerCall call = require_trigger(fcinfo);
  if (call.is_row()) {
    if (is_purge(call)) {
      return PointerGetDatum(call.old_row());
    }
    if (is_erasure(call)) {
      return PointerGetDatum(call.new_row());
    }
  }
  raise_immutable(call, {call.operation(), " on table ", call.table(), " is not allowed"},
                  "Its rows are evidence. End a position by CANCELLED or EXPIRED, and leave records as they are.");
}

// Checkpoints and their heads come from escrow_checkpoint() or from a restore, and only root may do either. A
// checkpoint's hash has to follow from its row. escrow_verify() checks whether its heads give its root.
Datum check_checkpoint(FunctionCallInfo fcinfo) {
  const TriggerCall call = require_trigger(fcinfo);
  static_cast<void>(require_root(call.operation()));
  if (!call.is_row()) {
    return PointerGetDatum(nullptr);
  }
  const layout::TupleRow<layout::kCheckpoints> row(call.new_row(), call.desc());
  const auto digest = [](const std::optional<BytesView>& bytes) {
    return bytes ? require_digest(*bytes) : core::Digest{};
  };
  const core::Checkpoint facts = {.id = row.get<"id">(),
                                  .number = row.get<"number">(),
                                  .position_count = row.get<"position_count">(),
                                  .root = digest(row.find<"root_hash">()),
                                  .previous = digest(row.find<"previous_hash">()),
                                  .at = row.get<"created_at">()};
  if (digest(row.find<"hash">()) != core::checkpoint_hash(facts)) {
    raise_immutable(call, {"the checkpoint's hash does not follow from its row"},
                    "Checkpoints are made by escrow_checkpoint(). Insert them only to restore a dump.");
  }
  return PointerGetDatum(call.new_row());
}

// Its arguments are the columns that must not change.
Datum keep_columns(FunctionCallInfo fcinfo) {
  const TriggerCall call = require_trigger(fcinfo);
  const Trigger* trigger = call.data->tg_trigger;
  for (int i = 0; i < trigger->tgnargs; ++i) {
    const char* name = trigger->tgargs[i];
    if (!same_value(call, layout::column_number(call.table(), name, call.desc()))) {
      raise_immutable(call, {"column \"", name, "\" of table ", call.table(), " cannot be changed"},
                      "Create a new record instead.");
    }
  }
  return PointerGetDatum(call.new_row());
}

// Built-in currencies never change; others only while no position uses them.
Datum guard_currency(FunctionCallInfo fcinfo) {
  const TriggerCall call = require_trigger(fcinfo);
  HeapTuple row = call.is_insert() ? call.new_row() : call.old_row();
  const std::string_view code = text_column(call, row, "code").value_or("");
  const bool was_builtin = !call.is_insert() && DatumGetBool(column(call, row, "builtin").value_or(0));
  const bool is_builtin = !call.is_delete() && DatumGetBool(column(call, call.new_row(), "builtin").value_or(0));
  if (was_builtin || is_builtin) {
    raise_immutable(call, {"currency ", code, call.is_insert() ? " cannot be added as built-in" : " is built in"},
                    "Add codes of your own with builtin = false.");
  }
  if (!call.is_insert()) {
    const Session session = open_session();
    if (store::is_currency_used(code)) {
      raise_immutable(call, {"currency ", code, " is in use"},
                      "Use a new code. Positions hold this one, so its meaning cannot change.");
    }
    close_session(session);
  }
  return PointerGetDatum(call.is_delete() ? call.old_row() : call.new_row());
}

}  // namespace

ESCROWGRID_FUNCTION(escrowgrid_check_record, check_record);
ESCROWGRID_FUNCTION(escrowgrid_refuse_change, refuse_change);
ESCROWGRID_FUNCTION(escrowgrid_check_checkpoint, check_checkpoint);
ESCROWGRID_FUNCTION(escrowgrid_keep_columns, keep_columns);
ESCROWGRID_FUNCTION(escrowgrid_guard_currency, guard_currency);

}  // namespace escrowgrid::pg
