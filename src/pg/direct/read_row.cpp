#include "pg/direct/read_row.hpp"

extern "C" {
#include "access/genam.h"
#include "access/skey.h"
#include "catalog/pg_collation.h"
#include "executor/tuptable.h"
#include "storage/bufmgr.h"
#include "utils/fmgroids.h"
}

namespace escrowgrid::pg::direct {

namespace {

void set_key(ScanKeyData& key, AttrNumber place, layout::Type type, Datum value) {
  switch (type) {
    case layout::Type::kText:
      // All texts that rows are found by are compared bytewise.
      ScanKeyEntryInitialize(&key, 0, place, BTEqualStrategyNumber, TEXTOID, C_COLLATION_OID, F_TEXTEQ, value);
      return;
    case layout::Type::kInteger:
      ScanKeyEntryInitialize(&key, 0, place, BTEqualStrategyNumber, INT4OID, InvalidOid, F_INT4EQ, value);
      return;
    case layout::Type::kBigint:
      ScanKeyEntryInitialize(&key, 0, place, BTEqualStrategyNumber, INT8OID, InvalidOid, F_INT8EQ, value);
      return;
    default:
      elog(ERROR, "escrowgrid: no key has a column of type %d", static_cast<int>(type));
  }
}

// A table may have been truncated or rewritten since the place was noted.
bool is_within(const OpenTable& table, const ItemPointerData& tid) {
  return ItemPointerGetBlockNumber(&tid) < RelationGetNumberOfBlocks(table.relation);
}

[[noreturn]] void raise_changed_meanwhile() {
  ereport(ERROR,
          (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE), errmsg("could not serialize access due to concurrent update")));
}

}  // namespace

// The slot has the entry's copy of the descriptor, which is not reference-counted, so an error leaves no reference
// behind.
Row::Row(const OpenTable& table) : slot_(MakeSingleTupleTableSlot(table.cached->desc, &TTSOpsBufferHeapTuple)) {}

void Row::clear() {
  ExecClearTuple(slot_);
}

bool find(const OpenTable& table, layout::WhichKey key, const layout::KeyValues& values, Snapshot snapshot, Row& out) {
  const layout::KeyColumns& columns = layout::key_columns(*table.cached->layout, key);
  std::array<ScanKeyData, 2> keys{};
  set_key(keys[0], 1, columns.types[0], values[0]);
  if (columns.count == 2) {
    set_key(keys[1], 2, columns.types[1], values[1]);
  }
  Relation index = index_open(table.cached->key_ids[static_cast<std::size_t>(key)], AccessShareLock);
  IndexScanDesc scan = index_beginscan(table.relation, index, snapshot, columns.count, 0);
  index_rescan(scan, keys.data(), columns.count, nullptr, 0);
  const bool is_found = index_getnext_slot(scan, ForwardScanDirection, out.slot());
  if (is_found) {
    slot_getallattrs(out.slot());
  }
  index_endscan(scan);
  index_close(index, NoLock);
  return is_found;
}

bool fetch(const OpenTable& table, const ItemPointerData& place, Snapshot snapshot, Row& out) {
  ItemPointerData tid = place;
  if (!ItemPointerIsValid(&tid) || !is_within(table, tid) ||
      !table_tuple_fetch_row_version(table.relation, &tid, snapshot, out.slot())) {
    return false;
  }
  slot_getallattrs(out.slot());
  return true;
}

Snapshot latest_snapshot() {
  // GetLatestSnapshot() raises an error in parallel mode. GetCatalogSnapshot() takes a new snapshot too if it is given
  // no catalog.
  return IsInParallelMode() ? GetCatalogSnapshot(InvalidOid) : GetLatestSnapshot();
}

void push_snapshot() {
  PushActiveSnapshot(GetTransactionSnapshot());
}

void pop_snapshot() {
  PopActiveSnapshot();
}

// The error that an UPDATE raises when its own evaluation has changed the row.
void raise_changed_by_itself() {
  ereport(ERROR, (errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
                  errmsg("tuple to be updated was already modified by an operation triggered by the current command"),
                  errhint("Consider using an AFTER trigger instead of a BEFORE trigger to propagate changes to other "
                          "rows.")));
}

bool lock(const OpenTable& table, Row& row, LockTupleMode mode) {
  ItemPointerData tid = row.slot()->tts_tid;
  row.clear();
  auto flags = static_cast<std::uint8_t>(TUPLE_LOCK_FLAG_LOCK_UPDATE_IN_PROGRESS);
  if (!IsolationUsesXactSnapshot()) {
    flags |= TUPLE_LOCK_FLAG_FIND_LAST_VERSION;
  }
  TM_FailureData failure{};
  const TM_Result result = table_tuple_lock(table.relation, &tid, GetActiveSnapshot(), row.slot(),
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
