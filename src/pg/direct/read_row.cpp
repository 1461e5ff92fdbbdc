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

// Ids are compared bytewise; so are all columns that rows are found by.
constexpr Oid kBytewise = C_COLLATION_OID;

void set_text(ScanKeyData& key, int place, std::string_view value) {
  ScanKeyEntryInitialize(&key, 0, static_cast<AttrNumber>(place), BTEqualStrategyNumber, TEXTOID, kBytewise, F_TEXTEQ,
                         text_datum(value));
}

bool find_by(const Open& open, Key key, std::span<ScanKeyData> keys, Snapshot snapshot, Row& out) {
  Relation index = index_open(open.table->key_ids[static_cast<std::size_t>(key)], AccessShareLock);
  IndexScanDesc scan = index_beginscan(open.relation, index, snapshot, static_cast<int>(keys.size()), 0);
  index_rescan(scan, keys.data(), static_cast<int>(keys.size()), nullptr, 0);
  const bool is_found = index_getnext_slot(scan, ForwardScanDirection, out.slot());
  if (is_found) {
    slot_getallattrs(out.slot());
  }
  index_endscan(scan);
  index_close(index, NoLock);
  return is_found;
}

// A table may have been truncated or rewritten since the place was noted.
bool is_within(const Open& open, const ItemPointerData& tid) {
  return ItemPointerGetBlockNumber(&tid) < RelationGetNumberOfBlocks(open.relation);
}

}  // namespace

// The slot has the table's own copy of the descriptor, which nobody counts: after an error it is just memory.
Row::Row(const Open& open) : slot_(MakeSingleTupleTableSlot(open.table->desc, &TTSOpsBufferHeapTuple)) {}

std::optional<Datum> Row::value(int column) const {
  return slot_->tts_isnull[column - 1] ? std::nullopt : std::optional(slot_->tts_values[column - 1]);
}

std::string_view Row::text(int column) const {
  const std::optional<Datum> found = value(column);
  return found ? text_view(*found) : std::string_view();
}

TextView Row::optional_text(int column) const {
  return value(column) ? TextView(text(column)) : std::nullopt;
}

std::optional<core::Micros> Row::time(int column) const {
  const std::optional<Datum> found = value(column);
  return found ? std::optional(to_micros(DatumGetTimestampTz(*found))) : std::nullopt;
}

void Row::clear() {
  ExecClearTuple(slot_);
}

bool find(const Open& open, Key key, const TextKey& value, Snapshot snapshot, Row& out) {
  std::array<ScanKeyData, 2> keys{};
  set_text(keys[0], 1, value.first);
  if (value.second) {
    set_text(keys[1], 2, *value.second);
  }
  return find_by(open, key, std::span(keys).first(value.second ? 2 : 1), snapshot, out);
}

bool find(const Open& open, Key key, std::string_view first, std::int32_t second, Snapshot snapshot, Row& out) {
  std::array<ScanKeyData, 2> keys{};
  set_text(keys[0], 1, first);
  ScanKeyEntryInitialize(&keys[1], 0, 2, BTEqualStrategyNumber, INT4OID, InvalidOid, F_INT4EQ, Int32GetDatum(second));
  return find_by(open, key, keys, snapshot, out);
}

bool fetch(const Open& open, const ItemPointerData& place, Snapshot snapshot, Row& out) {
  ItemPointerData tid = place;
  if (!ItemPointerIsValid(&tid) || !is_within(open, tid) ||
      !table_tuple_fetch_row_version(open.relation, &tid, snapshot, out.slot())) {
    return false;
  }
  slot_getallattrs(out.slot());
  return true;
}

Snapshot latest_snapshot() {
  // GetLatestSnapshot() refuses in parallel mode; a catalog snapshot for no catalog at all is taken anew as well.
  return IsInParallelMode() ? GetCatalogSnapshot(InvalidOid) : GetLatestSnapshot();
}

void push_snapshot() {
  PushActiveSnapshot(GetTransactionSnapshot());
}

void pop_snapshot() {
  PopActiveSnapshot();
}

}  // namespace escrowgrid::pg::direct
