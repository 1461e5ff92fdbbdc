#include "pg/direct_write.hpp"

#include "pg/direct_check.hpp"
#include "pg/guc.hpp"

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
  const std::span<IndexInfo* const> infos = target.plan->index_infos;
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
    target.result->ri_IndexRelationInfo = const_cast<IndexInfo**>(infos.data());
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
  // Kept IndexInfo is used below. Should an error leave it half changed, it is not used again.
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
    if (call.estate == nullptr) {
      call.estate = CreateExecutorState();
    }
    // Triggers see all that the call has written.
    CommandCounterIncrement();
    push_snapshot();
    AfterTriggerEndQuery(call.estate);
    pop_snapshot();
    ExecCloseResultRelations(call.estate);
    ExecResetTupleTable(call.estate->es_tupleTable, false);
  } else {
    AfterTriggerEndQuery(call.estate);  // with nothing to run
  }
  if (call.estate != nullptr) {
    FreeExecutorState(call.estate);
  }
  call = {};
}

std::optional<Target> open_target(Call& call, Name name) {
  Target target = {.open = open_any(name, RowExclusiveLock)};
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
#if PG_VERSION_NUM < 160000
    ExecCheckRTPerms(call.estate->es_range_table, true);
#endif
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

void insert(Call& call, Target& target, const NewRow& row) {
  fill_slot(call, target, target.slot, row, CMD_INSERT);
  table_tuple_insert(target.open.relation, target.slot, GetCurrentCommandId(true), 0, nullptr);
  finish_insert(call, target, target.slot);
  ResetPerTupleExprContext(call.estate);
}

void insert_many(Call& call, Target& target, std::span<const NewRow> rows) {
  constexpr std::size_t kPortion = 250;
  const std::size_t most = std::min(rows.size(), kPortion);
  auto** slots = static_cast<TupleTableSlot**>(palloc(sizeof(TupleTableSlot*) * std::max<std::size_t>(most, 1)));
  for (std::size_t i = 0; i < most; ++i) {
    slots[i] = make_slot(target);
  }
  for (std::size_t begin = 0; begin < rows.size(); begin += kPortion) {
    const std::size_t count = std::min(kPortion, rows.size() - begin);
    for (std::size_t i = 0; i < count; ++i) {
      fill_slot(call, target, slots[i], rows[begin + i], CMD_INSERT);
    }
    table_multi_insert(target.open.relation, slots, static_cast<int>(count), GetCurrentCommandId(true), 0, nullptr);
    for (std::size_t i = 0; i < count; ++i) {
      finish_insert(call, target, slots[i]);
    }
    ResetPerTupleExprContext(call.estate);
  }
  for (std::size_t i = 0; i < most; ++i) {
    ExecClearTuple(slots[i]);
  }
}

bool update(Call& call, Target& target, const Row& found, Hold hold, const NewRow& row) {
  if (hold == Hold::kUnlocked && !skips_probe() && !is_free(found)) {
    return false;
  }
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
    ResetPerTupleExprContext(call.estate);
    return false;
  }
  List* rechecks = needs_entries() ? insert_index_entries(call, target, target.slot, true) : NIL;
  ExecARUpdateTriggers(call.estate, target.result, nullptr, nullptr, &tid, nullptr, target.slot, rechecks, nullptr,
                       false);
  list_free(rechecks);
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
