#include "pg/direct/cached_table.hpp"

#include "pg/direct/shape.hpp"
#include "pg/identity/owner.hpp"
#include "pg/values/memory.hpp"

extern "C" {
#include "access/genam.h"
#include "catalog/pg_am.h"
#include "nodes/makefuncs.h"
#include "storage/lmgr.h"
#include "utils/inval.h"
#include "utils/relcache.h"
}

namespace escrowgrid::pg::direct {

namespace {

// By layout::TableId; null until the first use.
std::array<CachedTable*, layout::kTables.size()> published;

// Counts invalidations, so that an entry whose table changes while it is built is not published as current.
std::uint64_t changes = 0;

std::span<const Oid> copy_index_ids(List* ids) {
  const auto count = static_cast<std::size_t>(list_length(ids));
  const std::span<Oid> out = make_array<Oid>(count);
  for (std::size_t i = 0; i < count; ++i) {
    out[i] = list_nth_oid(ids, static_cast<int>(i));
  }
  return out;
}

// Finds the index of each key. False when there is none that can be used now.
bool find_key_indexes(const layout::Table& table, CachedTable& cached) {
  bool may_change = false;
  for (const Oid id : cached.index_ids) {
    Relation index = index_open(id, AccessShareLock);
    for (std::size_t key = 0; key < cached.key_ids.size(); ++key) {
      const layout::KeyColumns& wanted = layout::key_columns(table, static_cast<layout::WhichKey>(key));
      if (wanted.count == 0 || OidIsValid(cached.key_ids[key]) || !is_key_index(index, wanted)) {
        continue;
      }
      if (is_usable_now(index)) {
        cached.key_ids[key] = id;
      } else {
        may_change = true;
      }
    }
    index_close(index, AccessShareLock);
  }
  for (std::size_t key = 0; key < cached.key_ids.size(); ++key) {
    const layout::KeyColumns& wanted = layout::key_columns(table, static_cast<layout::WhichKey>(key));
    if (wanted.count != 0 && !OidIsValid(cached.key_ids[key])) {
      // Such an index becomes usable as time passes, and PostgreSQL sends no invalidation then. So the next call looks
      // again.
      cached.is_current = cached.is_current && !may_change;
      return false;
    }
  }
  return true;
}

CachedTable* build(const layout::Table& table, Relation relation) {
  // The entry belongs to the call until it is complete, so an error frees it.
  MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "escrowgrid table", ALLOCSET_SMALL_SIZES);
  MemoryContext outer = MemoryContextSwitchTo(memory);
  const std::uint64_t changes_before = changes;
  auto* cached = make<CachedTable>();
  static std::uint64_t last_number = 0;
  cached->layout = &table;
  cached->number = ++last_number;
  cached->memory = memory;
  cached->relation_id = RelationGetRelid(relation);
  // Any catalog lookup may rebuild the relcache entry. So copy what is needed first, and judge the copies.
  const FormData_pg_class form = *relation->rd_rel;
  cached->desc = CreateTupleDescCopyConstr(RelationGetDescr(relation));
  cached->index_ids = copy_index_ids(RelationGetIndexList(relation));
  const bool is_parent = has_children(cached->relation_id, form);
  // PostgreSQL sends no invalidation when a table loses its last child. So the next call looks again.
  cached->is_current = !is_parent;
  cached->has_key_indexes = form.relkind == RELKIND_RELATION && form.relam == HEAP_TABLE_AM_OID &&
                            has_expected_columns(table, cached->desc) && find_key_indexes(table, *cached);
  cached->is_readable = cached->has_key_indexes && !is_parent && !applies_row_security(cached->relation_id) &&
                        pg_class_aclcheck(cached->relation_id, tables_owner(), ACL_SELECT) == ACLCHECK_OK;
  cached->is_lockable = cached->is_readable &&
                        pg_class_aclcheck(cached->relation_id, tables_owner(), ACL_SELECT_FOR_UPDATE) == ACLCHECK_OK;
  cached->is_current = cached->is_current && changes == changes_before;
  MemoryContextSwitchTo(outer);
  return cached;
}

// Callers further up the stack may still have the old entry open. Then it is freed when the last of them closes it.
void free_if_unused(CachedTable* cached) {
  if (cached->is_retired && cached->users == 0) {
    MemoryContextDelete(cached->memory);
  }
}

void retire(CachedTable* cached) {
  cached->is_retired = true;
  free_if_unused(cached);
}

// The entries that callers have open. An error skips close(), so the abort of a subtransaction closes what was opened
// in it.
struct Use {
  CachedTable* cached;
  SubTransactionId subtransaction;
};
Use* uses = nullptr;
std::size_t use_count = 0;
std::size_t use_room = 0;

void begin_use(CachedTable* cached) {
  if (use_count == use_room) {
    const std::size_t room = std::max<std::size_t>(2 * use_room, 32);
    MemoryContext outer = MemoryContextSwitchTo(TopMemoryContext);
    const std::span<Use> larger = make_array<Use>(room);
    MemoryContextSwitchTo(outer);
    std::copy_n(uses, use_count, larger.begin());
    if (uses != nullptr) {
      pfree(uses);
    }
    uses = larger.data();
    use_room = room;
  }
  uses[use_count++] = {.cached = cached, .subtransaction = GetCurrentSubTransactionId()};
  ++cached->users;
}

void end_use(CachedTable* cached) {
  std::size_t at = use_count;
  while (at > 0 && uses[at - 1].cached != cached) {
    --at;
  }
  if (at == 0) {
    return;  // an abort has ended it already
  }
  --at;
  std::copy(uses + at + 1, uses + use_count, uses + at);
  --use_count;
  --cached->users;
  free_if_unused(cached);
}

// Ends the uses that began in the subtransaction or in one nested in it, which has a greater id.
void end_uses_since(SubTransactionId subtransaction) {
  while (use_count > 0 && uses[use_count - 1].subtransaction >= subtransaction) {
    end_use(uses[use_count - 1].cached);
  }
}

bool is_usable(const CachedTable* cached) {
  return cached != nullptr && cached->is_current && cached->is_whole;
}

// Opens the table by its published entry. Returns nothing if taking the lock shows that the table has changed.
OpenTable open_published(CachedTable* cached, LOCKMODE mode) {
  const Oid id = cached->relation_id;
  // Taking the lock processes invalidations. These may mark the entry, but never free it.
  LockRelationOid(id, mode);
  if (is_usable(cached)) {
    return {.cached = cached, .relation = table_open(id, NoLock)};
  }
  UnlockRelationOid(id, mode);
  return {};
}

}  // namespace

extern "C" {

static void on_relation_change(Datum /*arg*/, Oid relation_id) {
  ++changes;
  // All tables are used with the rights of the owner of positions, so a change of positions concerns every entry.
  const CachedTable* positions = published[layout::kPositions.index()];
  const bool is_positions = positions != nullptr && positions->relation_id == relation_id;
  for (CachedTable* cached : published) {
    if (cached != nullptr &&
        (relation_id == InvalidOid || is_positions || relation_id == cached->relation_id ||
         std::find(cached->index_ids.begin(), cached->index_ids.end(), relation_id) != cached->index_ids.end())) {
      cached->is_current = false;
    }
  }
}

// A function, role, role membership or database has changed. Prepared expressions hold addresses of functions, and the
// right to execute a function was checked when the expression was prepared. The other three decide what the tables'
// owner may do.
static void on_catalog_change(Datum /*arg*/, int /*cache*/, uint32 /*hash*/) {
  ++changes;
  for (CachedTable* cached : published) {
    if (cached != nullptr) {
      cached->is_current = false;
    }
  }
}

static void at_subtransaction_end(SubXactEvent event, SubTransactionId subtransaction, SubTransactionId /*parent*/,
                                  void* /*arg*/) {
  if (event == SUBXACT_EVENT_ABORT_SUB) {
    end_uses_since(subtransaction);
  }
}

static void at_transaction_end(XactEvent event, void* /*arg*/) {
  if (event == XACT_EVENT_ABORT || event == XACT_EVENT_PARALLEL_ABORT || event == XACT_EVENT_COMMIT ||
      event == XACT_EVENT_PARALLEL_COMMIT || event == XACT_EVENT_PREPARE) {
    end_uses_since(InvalidSubTransactionId);
  }
}

}  // extern "C"

OpenTable open(const layout::Table& table, LOCKMODE mode) {
  CachedTable*& entry = published[table.index()];
  OpenTable opened;
  if (is_usable(entry)) {
    opened = open_published(entry, mode);
  }
  if (!opened) {
    // Take the lock first. An entry that is built under the lock is as good as what the executor reads after locking a
    // table: PostgreSQL lets nothing change under this lock that would be unsafe for a writer that started before.
    const Oid id = RangeVarGetRelid(makeRangeVar(pstrdup(kSchema), pnstrdup(table.name.data(), table.name.size()), -1),
                                    mode, true);
    if (!OidIsValid(id)) {
      return {};
    }
    opened.relation = table_open(id, NoLock);
    opened.cached = build(table, opened.relation);
    CachedTable* old = entry;
    MemoryContextSetParent(opened.cached->memory, CacheMemoryContext);
    entry = opened.cached;
    if (old != nullptr) {
      retire(old);
    }
  }
  begin_use(opened.cached);
  return opened;
}

OpenTable open_readable(const layout::Table& table, LOCKMODE mode) {
  const OpenTable opened = open(table, mode);
  if (opened && !opened.cached->is_readable) {
    close(opened);
    return {};
  }
  return opened;
}

void close(const OpenTable& table) {
  table_close(table.relation, NoLock);
  end_use(table.cached);
}

std::uint64_t current_entry(const layout::Table& table) {
  const CachedTable* entry = published[table.index()];
  return entry != nullptr && entry->is_current ? entry->number : 0;
}

void watch_tables() {
  CacheRegisterRelcacheCallback(on_relation_change, 0);
  RegisterSubXactCallback(at_subtransaction_end, nullptr);
  RegisterXactCallback(at_transaction_end, nullptr);
  for (const SysCacheIdentifier cache : {PROCOID, AUTHOID, AUTHMEMROLEMEM, DATABASEOID}) {
    CacheRegisterSyscacheCallback(cache, on_catalog_change, 0);
  }
}

}  // namespace escrowgrid::pg::direct
