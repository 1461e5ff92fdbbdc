#include "pg/direct/write_row.hpp"

#include "pg/border/settings.hpp"
#include "pg/direct/check_row.hpp"

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

TupleTableSlot* make_slot(const Target& target) {
  // WHEN conditions of triggers may name system columns, which a virtual row does not have.
  const TupleTableSlotOps* kind = target.plan->triggers == nullptr ? &TTSOpsVirtual : &TTSOpsBufferHeapTuple;
  return MakeSingleTupleTableSlot(target.open.table->desc, kind);
}

// The row in the slot, complete and checked.
void fill_slot(Call& call, Target& target, TupleTableSlot* slot, const NewRow& row, CmdType command) {
  const Kept& table = *target.open.table;
  ExecClearTuple(slot);
  const auto count = static_cast<std::size_t>(table.desc->natts);
  std::copy_n(row.values.begin(), count, slot->tts_values);
  std::copy_n(row.nulls.begin(), count, slot->tts_isnull);
  if (command == CMD_INSERT && !target.plan->filled_columns.empty()) {
    fill_columns(call, target, slot);
  }
  ExecStoreVirtualTuple(slot);
  slot->tts_tableOid = table.relation_id;
  const TupleConstr* constraints = RelationGetDescr(target.open.relation)->constr;
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

void open_indexes(Call& call, Target& target) {
  const std::span<IndexInfo*> infos = target.plan->index_infos;
  target.has_indexes = true;
  MemoryContext outer = MemoryContextSwitchTo(call.estate->es_query_cxt);
  if (infos.empty()) {
    ExecOpenIndices(target.result, false);
  } else {
    auto** relations = static_cast<Relation*>(palloc(sizeof(Relation) * infos.size()));
    for (std::size_t i = 0; i < infos.size(); ++i) {
      relations[i] = index_open(target.open.table->index_ids[i], RowExclusiveLock);
    }
    target.result->ri_NumIndices = static_cast<int>(infos.size());
    target.result->ri_IndexRelationDescs = relations;
    target.result->ri_IndexRelationInfo = infos.data();
  }
  MemoryContextSwitchTo(outer);
}

// The indexes whose uniqueness has to be checked again later come back.
List* insert_index_entries(Call& call, Target& target, TupleTableSlot* slot, bool is_update) {
  if (!target.has_indexes) {
    open_indexes(call, target);
  }
  if (target.result->ri_NumIndices == 0) {
    return NIL;
  }
  // ExecInsertIndexTuples() writes to the kept IndexInfo. If it raises, is_whole stays false and the next call builds a
  // new entry.
  Kept& table = *target.open.table;
  table.is_whole = false;
#if PG_VERSION_NUM >= 160000
  List* rechecks = ExecInsertIndexTuples(target.result, slot, call.estate, is_update, false, nullptr, NIL, false);
#else
  List* rechecks = ExecInsertIndexTuples(target.result, slot, call.estate, is_update, false, nullptr, NIL);
#endif
  table.is_whole = true;
  return rechecks;
}

void finish_insert(Call& call, Target& target, TupleTableSlot* slot) {
  List* rechecks = insert_index_entries(call, target, slot, false);
  ExecARInsertTriggers(call.estate, target.result, slot, rechecks, nullptr);
  list_free(rechecks);
}

// PostgreSQL's functions below us hold the relcache's own descriptor across catalog lookups, which may replace it. A
// descriptor that is pinned is not freed then. The executor's slots pin it for a statement; ours have a copy.
TupleDesc pin_descriptor(const Target& target) {
  TupleDesc desc = RelationGetDescr(target.open.relation);
  PinTupleDesc(desc);
  return desc;
}

[[noreturn]] void raise_changed_meanwhile() {
  ereport(ERROR,
          (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE), errmsg("could not serialize access due to concurrent update")));
}

// The error of an UPDATE whose own evaluation has changed the row.
[[noreturn]] void raise_changed_by_itself() {
  ereport(ERROR, (errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
                  errmsg("tuple to be updated was already modified by an operation triggered by the current command"),
                  errhint("Consider using an AFTER trigger instead of a BEFORE trigger to propagate changes to other "
                          "rows.")));
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

}  // namespace

Call begin_call() {
  AfterTriggerBeginQuery();
  return {};
}

void finish_call(Call& call) {
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

void restrict_search_path(Call& call) {
  if (call.settings_level == 0) {
    call.settings_level = NewGUCNestLevel();
    set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
                      false);
  }
}

std::optional<Target> open_target(Call& call, Name name) {
  Target target = {.name = name, .open = open_any(name, RowExclusiveLock)};
  if (!target.open) {
    return std::nullopt;
  }
  target.plan = &plan_of(name, target.open);
  if (target.plan->verdict.obstacle != Obstacle::kNone) {
    close(target.open);
    return std::nullopt;
  }
  if (call.estate == nullptr) {
    call.estate = CreateExecutorState();
  }
  call.runs_users_code = call.runs_users_code || target.plan->runs_users_code;
  MemoryContext outer = MemoryContextSwitchTo(call.estate->es_query_cxt);
  // Nobody opens relations by this range table; it only tells which columns are updated.
  call.estate->es_range_table = lappend(call.estate->es_range_table, target.plan->entry);
  target.result = makeNode(ResultRelInfo);
  target.result->ri_RangeTableIndex = static_cast<Index>(list_length(call.estate->es_range_table));
  target.result->ri_RelationDesc = target.open.relation;
  if (TriggerDesc* triggers = target.plan->triggers) {
    const auto count = static_cast<std::size_t>(triggers->numtriggers);
    target.result->ri_TrigDesc = triggers;
    target.result->ri_TrigFunctions = static_cast<FmgrInfo*>(palloc0(sizeof(FmgrInfo) * count));
    target.result->ri_TrigWhenExprs = static_cast<ExprState**>(palloc0(sizeof(ExprState*) * count));
    call.has_queue = true;
  }
  target.slot = make_slot(target);
  MemoryContextSwitchTo(outer);
  return target;
}

void check_permissions(const Call& call) {
  if (ExecutorCheckPerms_hook != nullptr) {
    ExecCheckRTPerms(call.estate->es_range_table, true);
  }
}

void close_target(Target& target) {
  for (int i = 0; target.has_indexes && i < target.result->ri_NumIndices; ++i) {
    Relation index = target.result->ri_IndexRelationDescs[i];
#if PG_VERSION_NUM >= 170000
    index_insert_cleanup(index, target.result->ri_IndexRelationInfo[i]);
#endif
    index_close(index, NoLock);
  }
  ExecClearTuple(target.slot);
  close(target.open);
}

void refresh_target(Call& call, Target& target) {
  if (!call.runs_users_code || (target.open.table->is_current && target.open.table->is_whole)) {
    return;
  }
  const Name name = target.name;
  const char* table = pstrdup(RelationGetRelationName(target.open.relation));
  close_target(target);
  const std::optional<Target> opened = open_target(call, name);
  if (!opened) {
    ereport(ERROR,
            (errcode(ERRCODE_OBJECT_IN_USE), errmsg("table \"%s\" was changed by the call that writes to it", table),
             errhint("A trigger, constraint or default on the tables of positions changes their definition.")));
  }
  target = *opened;
}

namespace {

void insert_row(Call& call, Target& target, const NewRow& row) {
  TupleDesc pinned = pin_descriptor(target);
  fill_slot(call, target, target.slot, row, CMD_INSERT);
  table_tuple_insert(target.open.relation, target.slot, GetCurrentCommandId(true), 0, nullptr);
  finish_insert(call, target, target.slot);
  ReleaseTupleDesc(pinned);
  ResetPerTupleExprContext(call.estate);
}

}  // namespace

void insert(Call& call, Target& target, const NewRow& row) {
  if (!call.runs_users_code) {
    insert_row(call, target, row);
    return;
  }
  // Users' code sees what was written before this row, as it would in a statement of its own.
  CommandCounterIncrement();
  push_snapshot();
  insert_row(call, target, row);
  pop_snapshot();
}

void insert_many(Call& call, Target& target, std::span<const NewRow> rows) {
  if (call.runs_users_code) {
    for (const NewRow& row : rows) {
      insert(call, target, row);
    }
    return;
  }
  const auto count = rows.size();
  auto** slots = static_cast<TupleTableSlot**>(palloc(sizeof(TupleTableSlot*) * std::max<std::size_t>(count, 1)));
  TupleDesc pinned = pin_descriptor(target);
  for (std::size_t i = 0; i < count; ++i) {
    slots[i] = make_slot(target);
    fill_slot(call, target, slots[i], rows[i], CMD_INSERT);
  }
  table_multi_insert(target.open.relation, slots, static_cast<int>(count), GetCurrentCommandId(true), 0, nullptr);
  for (std::size_t i = 0; i < count; ++i) {
    finish_insert(call, target, slots[i]);
    ExecClearTuple(slots[i]);
  }
  ReleaseTupleDesc(pinned);
  ResetPerTupleExprContext(call.estate);
}

bool update(Call& call, Target& target, const Row& found, Hold hold, const NewRow& row) {
  if (hold == Hold::kUnlocked && !skips_probe() && !is_free(found)) {
    return false;
  }
  TupleDesc pinned = pin_descriptor(target);
  CheckCmdReplicaIdentity(target.open.relation, CMD_UPDATE);
  fill_slot(call, target, target.slot, row, CMD_UPDATE);
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
  // The command of the snapshot, not the current one: a change that this call's own constraints made in between is an
  // error, as in an UPDATE. Asking for the current one marks it as used.
  static_cast<void>(GetCurrentCommandId(true));
  const TM_Result result = table_tuple_update(target.open.relation, &tid, target.slot, snapshot->curcid, snapshot,
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

Datum composite(const Target& target) {
  slot_getallattrs(target.slot);
  return HeapTupleGetDatum(heap_form_tuple(target.open.table->desc, target.slot->tts_values, target.slot->tts_isnull));
}

bool lock(const Open& open, Row& row, LockTupleMode mode) {
  ItemPointerData tid = row.slot()->tts_tid;
  row.clear();
  auto flags = static_cast<std::uint8_t>(TUPLE_LOCK_FLAG_LOCK_UPDATE_IN_PROGRESS);
  if (!IsolationUsesXactSnapshot()) {
    flags |= TUPLE_LOCK_FLAG_FIND_LAST_VERSION;
  }
  TM_FailureData failure{};
  const TM_Result result = table_tuple_lock(open.relation, &tid, GetActiveSnapshot(), row.slot(),
                                            GetCurrentCommandId(false), mode, LockWaitBlock, flags, &failure);
  switch (result) {
    case TM_Ok:
      slot_getallattrs(row.slot());
      return true;
    case TM_Updated:
      raise_changed_meanwhile();
    case TM_Deleted:
      if (IsolationUsesXactSnapshot()) {
        raise_changed_meanwhile();
      }
      return false;
    case TM_SelfModified:
    case TM_Invisible:
      raise_changed_by_itself();
    case TM_BeingModified:
    case TM_WouldBlock:
      break;
  }
  elog(ERROR, "escrowgrid: unexpected result %d of locking a row", static_cast<int>(result));
}

}  // namespace escrowgrid::pg::direct
