#include "pg/direct_write.hpp"

extern "C" {
#include "access/genam.h"
#include "access/heapam.h"
#include "catalog/index.h"
#include "executor/executor.h"
}

namespace escrowgrid::pg::direct {

namespace {

// The slot with these values; constraints are checked.
TupleTableSlot* store_checked(const Target& target, TupleTableSlot* slot, const NewRow& row) {
  const Table& table = *target.open.table;
  ExecClearTuple(slot);
  const auto count = static_cast<std::size_t>(table.desc->natts);
  std::copy_n(row.values.begin(), count, slot->tts_values);
  std::copy_n(row.nulls.begin(), count, slot->tts_isnull);
  ExecStoreVirtualTuple(slot);
  slot->tts_tableOid = table.relation_id;
  if (RelationGetDescr(target.open.relation)->constr != nullptr) {
    ExecConstraints(table.result, slot, table.estate);
  }
  return slot;
}

void insert_index_entries(Target& target, TupleTableSlot* slot) {
  Table& table = *target.open.table;
  if (!target.has_indexes) {
    for (std::size_t i = 0; i < static_cast<std::size_t>(table.index_count); ++i) {
      table.result->ri_IndexRelationDescs[i] = index_open(table.index_ids[i], RowExclusiveLock);
    }
    target.has_indexes = true;
  }
  if (table.index_count > 0) {
#if PG_VERSION_NUM >= 160000
    list_free(ExecInsertIndexTuples(table.result, slot, table.estate, false, false, nullptr, NIL, false));
#else
    list_free(ExecInsertIndexTuples(table.result, slot, table.estate, false, false, nullptr, NIL));
#endif
  }
  ResetPerTupleExprContext(table.estate);
}

[[noreturn]] void raise_changed_meanwhile() {
  ereport(ERROR,
          (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE), errmsg("could not serialize access due to concurrent update")));
}

}  // namespace

std::optional<Target> open_target(Name name) {
  Target target = {.open = open(name, RowExclusiveLock)};
  if (!target.open) {
    return std::nullopt;
  }
  target.slot = MakeSingleTupleTableSlot(target.open.table->desc, &TTSOpsVirtual);
  Table& table = *target.open.table;
  table.result->ri_RelationDesc = target.open.relation;
  // Whatever an error left behind the last time.
  ResetPerTupleExprContext(table.estate);
  return target;
}

void close_target(const Target& target) {
  const Table& table = *target.open.table;
  for (std::size_t i = 0; target.has_indexes && i < static_cast<std::size_t>(table.index_count); ++i) {
    index_close(table.result->ri_IndexRelationDescs[i], NoLock);
  }
  close(target.open);
}

void insert(Target& target, const NewRow& row) {
  TupleTableSlot* slot = store_checked(target, target.slot, row);
  table_tuple_insert(target.open.relation, slot, GetCurrentCommandId(true), 0, nullptr);
  insert_index_entries(target, slot);
}

void insert_many(Target& target, std::span<const NewRow> rows) {
  constexpr std::size_t kPortion = 250;
  const std::size_t most = std::min(rows.size(), kPortion);
  auto** slots = static_cast<TupleTableSlot**>(palloc(sizeof(TupleTableSlot*) * std::max<std::size_t>(most, 1)));
  for (std::size_t i = 0; i < most; ++i) {
    slots[i] = MakeSingleTupleTableSlot(target.open.table->desc, &TTSOpsVirtual);
  }
  for (std::size_t begin = 0; begin < rows.size(); begin += kPortion) {
    const std::size_t count = std::min(kPortion, rows.size() - begin);
    for (std::size_t i = 0; i < count; ++i) {
      store_checked(target, slots[i], rows[begin + i]);
    }
    table_multi_insert(target.open.relation, slots, static_cast<int>(count), GetCurrentCommandId(true), 0, nullptr);
    for (std::size_t i = 0; i < count; ++i) {
      insert_index_entries(target, slots[i]);
    }
  }
}

bool update(Target& target, const Row& found, Hold hold, const NewRow& row) {
#ifdef USE_ASSERT_CHECKING
  if (hold == Hold::kNone) {
    return false;  // an assertion of heap_update() does not want callers who would not wait
  }
#endif
  Table& table = *target.open.table;
  CheckCmdReplicaIdentity(target.open.relation, CMD_UPDATE);
  TupleTableSlot* slot = store_checked(target, target.slot, row);
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
  const TM_Result result =
      table_tuple_update(target.open.relation, &tid, slot, GetCurrentCommandId(true), GetActiveSnapshot(),
                         InvalidSnapshot, hold == Hold::kLocked, &failure, &mode, &indexes);
  if (result != TM_Ok) {
    ResetPerTupleExprContext(table.estate);
    return false;
  }
  if (needs_entries()) {
    insert_index_entries(target, slot);
  }
  ResetPerTupleExprContext(table.estate);
  return true;
}

Datum composite(const Target& target, const NewRow& row) {
  NewRow copy = row;
  return HeapTupleGetDatum(heap_form_tuple(target.open.table->desc, copy.values.data(), copy.nulls.data()));
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
    case TM_BeingModified:
    case TM_WouldBlock:
      break;
  }
  elog(ERROR, "escrowgrid: unexpected result %d of locking a row", static_cast<int>(result));
}

}  // namespace escrowgrid::pg::direct
