// Triggers that keep records as they are: append-only tables, columns that never change, currencies in use.
#include "pg/boundary.hpp"
#include "pg/own_write.hpp"
#include "pg/report.hpp"
#include "pg/store.hpp"
#include "pg/trigger_call.hpp"

namespace escrowgrid::pg {

namespace {

std::optional<Datum> column(const TriggerCall& call, HeapTuple row, const char* name) {
  const int number = SPI_fnumber(call.desc(), name);
  if (number <= 0) {
    elog(ERROR, "escrowgrid: table %s has no column \"%s\"", call.table(), name);
  }
  bool is_null = false;
  const Datum value = heap_getattr(row, number, call.desc(), &is_null);
  return is_null ? std::nullopt : std::optional(value);
}

TextView text_column(const TriggerCall& call, HeapTuple row, const char* name) {
  const std::optional<Datum> value = column(call, row, name);
  return value ? TextView(text_view(*value)) : std::nullopt;
}

// A row of an append-only table that the extension did not write itself is a restore's. It must belong
// to its position: no event beyond the position's version, and the last one with the head's hash.
void require_position(const TriggerCall& call, std::string_view position_id, bool is_event) {
  const store::Session session = store::open();
  const std::optional<store::PositionHead> head = store::find_head(position_id);
  if (!head) {
    raise_not_found("position", position_id);
  }
  if (text_column(call, call.new_row(), "institution_id") != head->institution_id) {
    raise_immutable(call, {"the record names another institution than position \"", position_id, "\" has"},
                    "Insert records only as a restore of what was dumped.");
  }
  if (is_event) {
    const std::int32_t seq = DatumGetInt32(column(call, call.new_row(), "seq").value_or(0));
    const std::optional<Datum> hash = column(call, call.new_row(), "hash");
    const bool is_head = seq == head->version;
    if (seq > head->version || (is_head && (!hash || stored_digest(*hash) != head->head_hash))) {
      raise_immutable(call, {"the event does not belong to the history of position \"", position_id, "\""},
                      "Events are written by transitions; insert them only as a restore of what was dumped.");
    }
  }
  store::close(session);
}

Datum check_record(FunctionCallInfo fcinfo) {
  const TriggerCall call = require_trigger(fcinfo);
  const TextView id = text_column(call, call.new_row(), "id");
  const bool is_event = std::strcmp(call.table(), "position_events") == 0;
  const bool is_ledger = std::strcmp(call.table(), "ledger_events") == 0;
  const Table table = is_event ? Table::kPositionEvents : is_ledger ? Table::kLedgerEvents : Table::kAuditEvents;
  if (!id || is_own_write(table, *id)) {
    return PointerGetDatum(call.new_row());  // a NULL id fails its constraint
  }
  static_cast<void>(require_root(call.operation()));
  const TextView position_id =
      table == Table::kAuditEvents ? std::nullopt : text_column(call, call.new_row(), "position_id");
  if (position_id) {
    require_position(call, *position_id, is_event);
  }
  return PointerGetDatum(call.new_row());
}

Datum refuse_change(FunctionCallInfo fcinfo) {
  const TriggerCall call = require_trigger(fcinfo);
  raise_immutable(call, {call.operation(), " on table ", call.table(), " is not allowed"},
                  "Its rows are evidence: positions end by CANCELLED or EXPIRED, and records stay.");
}

// Arguments: the columns that stay as they were.
Datum keep_columns(FunctionCallInfo fcinfo) {
  const TriggerCall call = require_trigger(fcinfo);
  const Trigger* trigger = call.data->tg_trigger;
  for (int i = 0; i < trigger->tgnargs; ++i) {
    const char* name = trigger->tgargs[i];
    const int number = SPI_fnumber(call.desc(), name);
    const char* before = SPI_getvalue(call.old_row(), call.desc(), number);
    const char* after = SPI_getvalue(call.new_row(), call.desc(), number);
    const bool is_same = before == nullptr || after == nullptr ? before == after : std::strcmp(before, after) == 0;
    if (!is_same) {
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
    const store::Session session = store::open();
    if (store::is_currency_used(code)) {
      raise_immutable(call, {"currency ", code, " is in use"}, "Positions hold it; its meaning cannot change.");
    }
    store::close(session);
  }
  return PointerGetDatum(call.is_delete() ? call.old_row() : call.new_row());
}

}  // namespace

ESCROWGRID_FUNCTION(escrowgrid_check_record, check_record);
ESCROWGRID_FUNCTION(escrowgrid_refuse_change, refuse_change);
ESCROWGRID_FUNCTION(escrowgrid_keep_columns, keep_columns);
ESCROWGRID_FUNCTION(escrowgrid_guard_currency, guard_currency);

}  // namespace escrowgrid::pg
