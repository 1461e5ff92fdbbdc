#include "pg/direct/cached_table.hpp"

#include "pg/direct/shape.hpp"
#include "pg/service/authentication.hpp"

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

// By Name; null until the first use.
std::array<Kept*, kTables> published;

// Counts invalidations, so that an entry whose table changes while it is built is not published as current.
std::uint64_t changes = 0;

std::span<const Oid> copy_index_ids(List* ids) {
  const auto count = static_cast<std::size_t>(list_length(ids));
  auto* out = static_cast<Oid*>(palloc(sizeof(Oid) * std::max<std::size_t>(count, 1)));
  for (std::size_t i = 0; i < count; ++i) {
    out[i] = list_nth_oid(ids, static_cast<int>(i));
  }
  return {out, count};
}

// Finds the index of each key. False when there is none that can be used now.
bool find_key_indexes(const Shape& shape, Kept& table) {
  bool may_change = false;
  for (const Oid id : table.index_ids) {
    Relation index = index_open(id, AccessShareLock);
    for (std::size_t key = 0; key < table.key_ids.size(); ++key) {
      if (shape.keys[key][0] == 0 || OidIsValid(table.key_ids[key]) || !is_key_index(index, shape, shape.keys[key])) {
        continue;
      }
      if (is_usable_now(index)) {
        table.key_ids[key] = id;
      } else {
        may_change = true;
      }
    }
    index_close(index, AccessShareLock);
  }
  for (std::size_t key = 0; key < table.key_ids.size(); ++key) {
    if (shape.keys[key][0] != 0 && !OidIsValid(table.key_ids[key])) {
      // Time alone makes such an index usable, and no invalidation tells of that: look again at the next call.
      table.is_current = table.is_current && !may_change;
      return false;
    }
  }
  return true;
}

Kept* build(const Shape& shape, Relation relation) {
  // Until it is complete the entry belongs to the call, and an error frees it.
  MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "escrowgrid table", ALLOCSET_SMALL_SIZES);
  MemoryContext outer = MemoryContextSwitchTo(memory);
  const std::uint64_t changes_before = changes;
  auto* table = new (palloc(sizeof(Kept))) Kept();
  table->memory = memory;
  table->relation_id = RelationGetRelid(relation);
  // The relcache entry may be rebuilt by any catalog lookup. Take copies first, then judge by the copies.
  const FormData_pg_class form = *relation->rd_rel;
  table->desc = CreateTupleDescCopyConstr(RelationGetDescr(relation));
  table->index_ids = copy_index_ids(RelationGetIndexList(relation));
  const bool is_parent = has_children(table->relation_id, form);
  // PostgreSQL does not tell a table that its last child is gone: look again at the next call.
  table->is_current = !is_parent;
  table->has_key_indexes = form.relkind == RELKIND_RELATION && form.relam == HEAP_TABLE_AM_OID &&
                           has_expected_columns(shape, table->desc) && find_key_indexes(shape, *table);
  table->is_readable = table->has_key_indexes && !is_parent && !applies_row_security(table->relation_id) &&
                       pg_class_aclcheck(table->relation_id, tables_owner(), ACL_SELECT) == ACLCHECK_OK;
  table->is_lockable =
      table->is_readable && pg_class_aclcheck(table->relation_id, tables_owner(), ACL_SELECT_FOR_UPDATE) == ACLCHECK_OK;
  table->is_current = table->is_current && changes == changes_before;
  MemoryContextSwitchTo(outer);
  return table;
}

// Callers further up the stack may still have the old entry open. It is then freed when the last of them closes it.
void free_if_unused(Kept* table) {
  if (table->is_retired && table->users == 0) {
    MemoryContextDelete(table->memory);
  }
}

void retire(Kept* table) {
  table->is_retired = true;
  free_if_unused(table);
}

// Who has which entry open. An error skips close(); the end of the subtransaction then closes what was opened in it.
struct Use {
  Kept* table;
  SubTransactionId subtransaction;
};
Use* uses = nullptr;
std::size_t use_count = 0;
std::size_t use_room = 0;

void begin_use(Kept* table) {
  if (use_count == use_room) {
    const std::size_t room = std::max<std::size_t>(2 * use_room, 32);
    uses = static_cast<Use*>(uses == nullptr ? MemoryContextAlloc(TopMemoryContext, sizeof(Use) * room)
                                             : repalloc(uses, sizeof(Use) * room));
    use_room = room;
  }
  uses[use_count++] = {.table = table, .subtransaction = GetCurrentSubTransactionId()};
  ++table->users;
}

void end_use(Kept* table) {
  std::size_t at = use_count;
  while (uses[--at].table != table) {
  }
  std::copy(uses + at + 1, uses + use_count, uses + at);
  --use_count;
  --table->users;
  free_if_unused(table);
}

// Ends the uses that began in the subtransaction or, because ids grow, in one within it.
void end_uses_since(SubTransactionId subtransaction) {
  while (use_count > 0 && uses[use_count - 1].subtransaction >= subtransaction) {
    end_use(uses[use_count - 1].table);
  }
}

bool is_usable(const Kept* table) {
  return table != nullptr && table->is_current && table->is_whole;
}

// Opens the table by the entry that is published. Nothing when there is none, or when taking the lock shows that the
// table has changed.
Open open_published(Kept* table, LOCKMODE mode) {
  const Oid id = table->relation_id;
  // Taking the lock processes invalidations. They mark the entry, and never free it.
  LockRelationOid(id, mode);
  if (is_usable(table)) {
    return {.table = table, .relation = table_open(id, NoLock)};
  }
  UnlockRelationOid(id, mode);
  return {};
}

}  // namespace

extern "C" {

static void on_relation_change(Datum /*arg*/, Oid relation_id) {
  ++changes;
  // Rights are those of the owner of positions, so a change of that table concerns all of them.
  const Kept* positions = published[static_cast<std::size_t>(Name::kPositions)];
  const bool is_positions = positions != nullptr && positions->relation_id == relation_id;
  for (Kept* table : published) {
    if (table != nullptr &&
        (relation_id == InvalidOid || is_positions || relation_id == table->relation_id ||
         std::find(table->index_ids.begin(), table->index_ids.end(), relation_id) != table->index_ids.end())) {
      table->is_current = false;
    }
  }
}

// Of functions: prepared expressions hold their addresses, and the right to execute them was checked when they were
// prepared. Of roles, and of the database's owner: what the tables' owner may do.
static void on_catalog_change(Datum /*arg*/, int /*cache*/, uint32 /*hash*/) {
  ++changes;
  for (Kept* table : published) {
    if (table != nullptr) {
      table->is_current = false;
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

Open open_any(Name name, LOCKMODE mode) {
  Kept*& entry = published[static_cast<std::size_t>(name)];
  Open open;
  if (is_usable(entry)) {
    open = open_published(entry, mode);
  }
  if (!open) {
    // The lock comes first. What is built under it is as good as what the executor reads after locking a table: what
    // may still change then is safe for a writer that started before.
    const Shape& shape = shape_of(name);
    const Oid id = RangeVarGetRelid(makeRangeVar(pstrdup(kSchema), pstrdup(shape.name), -1), mode, true);
    if (!OidIsValid(id)) {
      return {};
    }
    open.relation = table_open(id, NoLock);
    open.table = build(shape, open.relation);
    Kept* old = entry;
    MemoryContextSetParent(open.table->memory, CacheMemoryContext);
    entry = open.table;
    if (old != nullptr) {
      retire(old);
    }
  }
  begin_use(open.table);
  return open;
}

Open open(Name name, LOCKMODE mode) {
  const Open table = open_any(name, mode);
  if (table && !table.table->is_readable) {
    close(table);
    return {};
  }
  return table;
}

void close(const Open& open) {
  table_close(open.relation, NoLock);
  end_use(open.table);
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
