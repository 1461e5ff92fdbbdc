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
  if (type == layout::Type::kText) {
    // All texts that rows are found by are compared bytewise.
    ScanKeyEntryInitialize(&key, 0, place, BTEqualStrategyNumber, TEXTOID, C_COLLATION_OID, F_TEXTEQ, value);
  } else {
    ScanKeyEntryInitialize(&key, 0, place, BTEqualStrategyNumber, INT4OID, InvalidOid, F_INT4EQ, value);
  }
}

// A table may have been truncated or rewritten since the place was noted.
bool is_within(const OpenTable& table, const ItemPointerData& tid) {
  return ItemPointerGetBlockNumber(&tid) < RelationGetNumberOfBlocks(table.relation);
}

}  // namespace

// The slot has the entry's copy of the descriptor, which is not reference-counted, so an error leaves no reference
// behind.
Row::Row(const OpenTable& table) : slot_(MakeSingleTupleTableSlot(table.cached->desc, &TTSOpsBufferHeapTuple)) {}

void Row::clear() {
  ExecClearTuple(slot_);
}

bool find(const OpenTable& table, layout::KeyName key, const KeyValues& values, Snapshot snapshot, Row& out) {
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

}  // namespace escrowgrid::pg::direct
