#include "pg/direct/write_row.hpp"

#include "pg/border/settings.hpp"
#include "pg/direct/check_row.hpp"
#include "pg/values/memory.hpp"

extern "C" {
#include "access/genam.h"
#include "access/heapam.h"
#include "catalog/index.h"
#include "executor/executor.h"
#include "executor/nodeModifyTable.h"
#include "storage/bufmgr.h"
}

namespace escrowgrid::pg::direct {

namespace {

TupleTableSlot* make_slot(const WriteTarget& target) {
  // WHEN conditions of triggers may refer to system columns, which a virtual slot does not have.
  const TupleTableSlotOps* kind = target.plan->triggers == nullptr ? &TTSOpsVirtual : &TTSOpsBufferHeapTuple;
  return MakeSingleTupleTableSlot(target.table.cached->desc, kind);
}

// Puts the row into the slot, completes it and checks its constraints.
void fill_slot(WriteCall& call, WriteTarget& target, TupleTableSlot* slot, const layout::RowValues& row,
               CmdType command) {
  const CachedTable& cached = *target.table.cached;
  ExecClearTuple(slot);
  const auto count = static_cast<std::size_t>(cached.desc->natts);
  std::copy_n(row.values.begin(), count, slot->tts_values);
  std::copy_n(row.nulls.begin(), count, slot->tts_isnull);
  if (command == CMD_INSERT && !target.plan->filled_columns.empty()) {
    fill_columns(call, target, slot);
  }
  ExecStoreVirtualTuple(slot);
  slot->tts_tableOid = cached.relation_id;
  const TupleConstr* constraints = RelationGetDescr(target.table.relation)->constr;
  if (constraints != nullptr && constraints->has_generated_stored) {
    ExecComputeStoredGenerated(target.result, call.estate, slot, command);
  }
  if (target.plan->triggers != nullptr || !target.plan->filled_columns.empty()) {
    ExecMaterializeSlot(slot);
  }
  if (constraints != nullptr) {
    check_constraints(call, target, slot);
  }
}

void open_indexes(WriteCall& call, WriteTarget& target) {
  const std::span<IndexInfo*> infos = target.plan->index_infos;
  target.has_indexes = true;
  MemoryContext outer = MemoryContextSwitchTo(call.estate->es_query_cxt);
  if (infos.empty()) {
    ExecOpenIndices(target.result, false);
  } else {
    const std::span<Relation> relations = make_array<Relation>(infos.size());
    for (std::size_t i = 0; i < infos.size(); ++i) {
      relations[i] = index_open(target.table.cached->index_ids[i], RowExclusiveLock);
    }
    target.result->ri_NumIndices = static_cast<int>(infos.size());
    target.result->ri_IndexRelationDescs = relations.data();
    target.result->ri_IndexRelationInfo = infos.data();
  }
  MemoryContextSwitchTo(outer);
}

// Returns the indexes whose uniqueness has to be checked again later.
List* insert_index_entries(WriteCall& call, WriteTarget& target, TupleTableSlot* slot, bool is_update) {
  if (!target.has_indexes) {
    open_indexes(call, target);
  }
  if (target.result->ri_NumIndices == 0) {
    return NIL;
  }
  // ExecInsertIndexTuples() writes to the kept IndexInfo. If it raises, is_whole stays false and the next call builds a
  // new entry.
  CachedTable& cached = *target.table.cached;
  cached.is_whole = false;
#if PG_VERSION_NUM >= 160000
  List* rechecks = ExecInsertIndexTuples(target.result, slot, call.estate, is_update, false, nullptr, NIL, false);
#else
  List* rechecks = ExecInsertIndexTuples(target.result, slot, call.estate, is_update, false, nullptr, NIL);
#endif
  cached.is_whole = true;
  return rechecks;
}

void finish_insert(WriteCall& call, WriteTarget& target, TupleTableSlot* slot) {
  List* rechecks = insert_index_entries(call, target, slot, false);
  ExecARInsertTriggers(call.estate, target.result, slot, rechecks, nullptr);
  list_free(rechecks);
}

// PostgreSQL's functions below hold the relcache's descriptor across catalog lookups, which may replace it. A pinned
// descriptor is not freed then. In a statement the executor's slots pin it; our slots have a copy, so it is pinned
// here.
TupleDesc pin_descriptor(const WriteTarget& target) {
  TupleDesc desc = RelationGetDescr(target.table.relation);
  PinTupleDesc(desc);
  return desc;
}

// Whether nobody else has changed or locked the row. A lock of this transaction alone is no obstacle.
bool is_free(const Row& found) {
  const auto* slot = reinterpret_cast<BufferHeapTupleTableSlot*>(found.slot());
  HeapTuple tuple = slot->base.tuple;
  LockBuffer(slot->buffer, BUFFER_LOCK_SHARE);
  bool is_free = HeapTupleSatisfiesUpdate(tuple, GetCurrentCommandId(false), slot->buffer) == TM_Ok;
  if (!is_free) {
    const HeapTupleHeaderData* header = tuple->t_data;
    is_free = (header->t_infomask & HEAP_XMAX_IS_MULTI) == 0 && HEAP_XMAX_IS_LOCKED_ONLY(header->t_infomask) &&
              TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetRawXmax(header));
  }
  LockBuffer(slot->buffer, BUFFER_LOCK_UNLOCK);
  return is_free;
}

// The row found, with the columns that are given changed.
layout::RowValues changed_row(const CachedTable& cached, const Row& found, const layout::RowValues& changes) {
  layout::RowValues row = changes;
  for (std::size_t i = 0; i < static_cast<std::size_t>(cached.desc->natts); ++i) {
    if (!changes.is_given(i)) {
      row.values[i] = found.slot()->tts_values[i];
      // A dropped column's value goes with the next update, as in the executor.
      row.nulls[i] = found.slot()->tts_isnull[i] || TupleDescAttr(cached.desc, i)->attisdropped;
    }
  }
  return row;
}

}  // namespace

WriteCall begin_call() {
  AfterTriggerBeginQuery();
  return {};
}

void finish_call(WriteCall& call) {
  if (call.has_queue) {
    // Triggers see all that the call has written.
    CommandCounterIncrement();
    if (call.estate == nullptr) {
      call.estate = CreateExecutorState();
    }
    push_snapshot();
    AfterTriggerEndQuery(call.estate);
    pop_snapshot();
    ExecResetTupleTable(call.estate->es_tupleTable, false);
    ExecCloseResultRelations(call.estate);
  } else {
    AfterTriggerEndQuery(call.estate);  // with nothing to run
  }
  if (call.estate != nullptr) {
    FreeExecutorState(call.estate);
  }
  if (call.settings_level != 0) {
    AtEOXact_GUC(true, call.settings_level);
  }
  call = {};
}

void restrict_search_path(WriteCall& call) {
  if (call.settings_level == 0) {
    call.settings_level = NewGUCNestLevel();
    set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
                      false);
  }
}

std::optional<WriteTarget> open_target(WriteCall& call, const layout::Table& table) {
  WriteTarget target = {.table = open(table, RowExclusiveLock)};
  if (!target.table) {
    return std::nullopt;
  }
  target.plan = &plan_of(target.table);
  if (target.plan->verdict.obstacle != Obstacle::kNone) {
    close(target.table);
    return std::nullopt;
  }
  if (call.estate == nullptr) {
    call.estate = CreateExecutorState();
  }
  call.runs_users_code = call.runs_users_code || target.plan->runs_users_code;
  MemoryContext outer = MemoryContextSwitchTo(call.estate->es_query_cxt);
  // No relation is opened by this range table. It only tells which columns are updated.
  call.estate->es_range_table = lappend(call.estate->es_range_table, target.plan->entry);
  target.result = makeNode(ResultRelInfo);
  target.result->ri_RangeTableIndex = static_cast<Index>(list_length(call.estate->es_range_table));
  target.result->ri_RelationDesc = target.table.relation;
  if (TriggerDesc* triggers = target.plan->triggers) {
    const auto count = static_cast<std::size_t>(triggers->numtriggers);
    target.result->ri_TrigDesc = triggers;
    target.result->ri_TrigFunctions = make_array<FmgrInfo>(count).data();
    target.result->ri_TrigWhenExprs = make_array<ExprState*>(count).data();
    call.has_queue = true;
  }
  target.slot = make_slot(target);
  MemoryContextSwitchTo(outer);
  return target;
}

void check_permissions(const WriteCall& call) {
  if (ExecutorCheckPerms_hook != nullptr) {
    ExecCheckRTPerms(call.estate->es_range_table, true);
  }
}

void close_target(WriteTarget& target) {
  for (int i = 0; target.has_indexes && i < target.result->ri_NumIndices; ++i) {
    Relation index = target.result->ri_IndexRelationDescs[i];
#if PG_VERSION_NUM >= 170000
    index_insert_cleanup(index, target.result->ri_IndexRelationInfo[i]);
#endif
    index_close(index, NoLock);
  }
  ExecClearTuple(target.slot);
  close(target.table);
}

void refresh_target(WriteCall& call, WriteTarget& target) {
  if (!call.runs_users_code || (target.table.cached->is_current && target.table.cached->is_whole)) {
    return;
  }
  const layout::Table& table = *target.table.cached->layout;
  close_target(target);
  const std::optional<WriteTarget> opened = open_target(call, table);
  if (!opened) {
    ereport(ERROR, (errcode(ERRCODE_OBJECT_IN_USE),
                    errmsg("table \"%s\" was changed by the call that writes to it", table.name.data()),
                    errhint("Remove the trigger, constraint or default that changes the definition of the table.")));
  }
  target = *opened;
}

namespace {

void insert_row(WriteCall& call, WriteTarget& target, const layout::RowValues& row) {
  TupleDesc pinned = pin_descriptor(target);
  fill_slot(call, target, target.slot, row, CMD_INSERT);
  table_tuple_insert(target.table.relation, target.slot, GetCurrentCommandId(true), 0, nullptr);
  finish_insert(call, target, target.slot);
  ReleaseTupleDesc(pinned);
  ResetPerTupleExprContext(call.estate);
}

}  // namespace

void insert(WriteCall& call, WriteTarget& target, const layout::RowValues& row) {
  if (!call.runs_users_code) {
    insert_row(call, target, row);
    return;
  }
  // Users' code has to see what was written before this row, as it does in a statement.
  CommandCounterIncrement();
  push_snapshot();
  insert_row(call, target, row);
  pop_snapshot();
}

void insert_many(WriteCall& call, WriteTarget& target, std::span<const layout::RowValues> rows) {
  if (call.runs_users_code) {
    for (const layout::RowValues& row : rows) {
      insert(call, target, row);
    }
    return;
  }
  const auto count = rows.size();
  const std::span<TupleTableSlot*> slots = make_array<TupleTableSlot*>(count);
  TupleDesc pinned = pin_descriptor(target);
  for (std::size_t i = 0; i < count; ++i) {
    slots[i] = make_slot(target);
    fill_slot(call, target, slots[i], rows[i], CMD_INSERT);
  }
  table_multi_insert(target.table.relation, slots.data(), static_cast<int>(count), GetCurrentCommandId(true), 0,
                     nullptr);
  for (std::size_t i = 0; i < count; ++i) {
    finish_insert(call, target, slots[i]);
    ExecClearTuple(slots[i]);
  }
  ReleaseTupleDesc(pinned);
  ResetPerTupleExprContext(call.estate);
}

bool update(WriteCall& call, WriteTarget& target, const Row& found, RowLock lock, const layout::RowValues& changes) {
  if (lock == RowLock::kNotHeld && !skips_probe() && !is_free(found)) {
    return false;
  }
  TupleDesc pinned = pin_descriptor(target);
  CheckCmdReplicaIdentity(target.table.relation, CMD_UPDATE);
  fill_slot(call, target, target.slot, changed_row(*target.table.cached, found, changes), CMD_UPDATE);
  TM_FailureData failure{};
  LockTupleMode mode = LockTupleNoKeyExclusive;
#if PG_VERSION_NUM >= 160000
  TU_UpdateIndexes indexes = TU_None;
  const auto needs_entries = [&] { return indexes != TU_None; };
#else
  bool indexes = false;
  const auto needs_entries = [&] { return indexes; };
#endif
  ItemPointerData tid = found.slot()->tts_tid;
  Snapshot snapshot = GetActiveSnapshot();
  // Pass the snapshot's command id and not the current one. If this call's own constraints have changed the row in
  // between, that is an error then, as in an UPDATE. GetCurrentCommandId(true) is called to mark the current one as
  // used.
  static_cast<void>(GetCurrentCommandId(true));
  const TM_Result result = table_tuple_update(target.table.relation, &tid, target.slot, snapshot->curcid, snapshot,
                                              InvalidSnapshot, true, &failure, &mode, &indexes);
  if (result == TM_SelfModified) {
    raise_changed_by_itself();
  }
  if (result != TM_Ok) {
    ReleaseTupleDesc(pinned);
    ResetPerTupleExprContext(call.estate);
    return false;
  }
  List* rechecks = needs_entries() ? insert_index_entries(call, target, target.slot, true) : NIL;
  ExecARUpdateTriggers(call.estate, target.result, nullptr, nullptr, &tid, nullptr, target.slot, rechecks, nullptr,
                       false);
  list_free(rechecks);
  ReleaseTupleDesc(pinned);
  ResetPerTupleExprContext(call.estate);
  return true;
}

Datum composite(const WriteTarget& target) {
  slot_getallattrs(target.slot);
  return HeapTupleGetDatum(
      heap_form_tuple(target.table.cached->desc, target.slot->tts_values, target.slot->tts_isnull));
}

}  // namespace escrowgrid::pg::direct
