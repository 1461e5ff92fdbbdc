#include "pg/direct_table.hpp"

extern "C" {
#include "access/genam.h"
#include "catalog/index.h"
#include "catalog/pg_am.h"
#include "catalog/pg_constraint.h"
#include "executor/executor.h"
#include "rewrite/prs2lock.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/relcache.h"
}

namespace escrowgrid::pg::direct {

namespace {

struct Column {
  const char* name;
  Oid type;
};

struct Shape {
  const char* name;
  std::span<const Column> columns;         // the first of the table, in this order
  std::array<std::array<int, 2>, 2> keys;  // column numbers of each Key; 0 for none
};

constexpr std::array kPositionColumns = {
    Column{"id", TEXTOID},
    Column{"institution_id", TEXTOID},
    Column{"asset_id", TEXTOID},
    Column{"holder_reference", TEXTOID},
    Column{"currency", TEXTOID},
    Column{"amount", NUMERICOID},
    Column{"state", TEXTOID},
    Column{"external_reference", TEXTOID},
    Column{"created_at", TIMESTAMPTZOID},
    Column{"updated_at", TIMESTAMPTZOID},
    Column{"released_amount", NUMERICOID},
    Column{"refunded_amount", NUMERICOID},
    Column{"expires_at", TIMESTAMPTZOID},
    Column{"due_at", TIMESTAMPTZOID},
    Column{"version", INT4OID},
    Column{"head_hash", BYTEAOID},
};
constexpr std::array kEventColumns = {
    Column{"id", TEXTOID},
    Column{"position_id", TEXTOID},
    Column{"from_state", TEXTOID},
    Column{"to_state", TEXTOID},
    Column{"reason", TEXTOID},
    Column{"at", TIMESTAMPTZOID},
    Column{"metadata", JSONBOID},
    Column{"created_at", TIMESTAMPTZOID},
    Column{"institution_id", TEXTOID},
    Column{"seq", INT4OID},
    Column{"amount", NUMERICOID},
    Column{"api_key_id", TEXTOID},
    Column{"salt", BYTEAOID},
    Column{"hash", BYTEAOID},
};
constexpr std::array kLedgerColumns = {
    Column{"id", TEXTOID},
    Column{"kind", TEXTOID},
    Column{"position_id", TEXTOID},
    Column{"at", TIMESTAMPTZOID},
    Column{"previous_state", TEXTOID},
    Column{"new_state", TEXTOID},
    Column{"payload", JSONBOID},
    Column{"created_at", TIMESTAMPTZOID},
    Column{"institution_id", TEXTOID},
    Column{"request_id", TEXTOID},
};
constexpr std::array kAuditColumns = {
    Column{"id", TEXTOID},
    Column{"occurred_at", TIMESTAMPTZOID},
    Column{"created_at", TIMESTAMPTZOID},
    Column{"api_key_id", TEXTOID},
    Column{"institution_id", TEXTOID},
    Column{"method", TEXTOID},
    Column{"path", TEXTOID},
    Column{"action", TEXTOID},
    Column{"resource_type", TEXTOID},
    Column{"resource_id", TEXTOID},
    Column{"payload", JSONBOID},
    Column{"outcome", TEXTOID},
    Column{"error", JSONBOID},
    Column{"status_code", INT4OID},
    Column{"request_id", TEXTOID},
    Column{"client_ip", INETOID},
    Column{"db_role", TEXTOID},
};
constexpr std::array kAssetColumns = {
    Column{"id", TEXTOID},
    Column{"institution_id", TEXTOID},
    Column{"template_id", TEXTOID},
};
constexpr std::array kTemplateColumns = {
    Column{"id", TEXTOID},       Column{"institution_id", TEXTOID}, Column{"code", TEXTOID},    Column{"name", TEXTOID},
    Column{"vertical", TEXTOID}, Column{"region", TEXTOID},         Column{"config", JSONBOID},
};
constexpr std::array kPolicyColumns = {
    Column{"id", TEXTOID},
    Column{"institution_id", TEXTOID},
    Column{"region", TEXTOID},
    Column{"config", JSONBOID},
};
constexpr std::array kKeyColumns = {
    Column{"id", TEXTOID},
    Column{"institution_id", TEXTOID},
    Column{"key_hash", TEXTOID},
    Column{"label", TEXTOID},
    Column{"role", TEXTOID},
    Column{"created_at", TIMESTAMPTZOID},
    Column{"revoked_at", TIMESTAMPTZOID},
    Column{"expires_at", TIMESTAMPTZOID},
    Column{"allowed_cidrs", CIDRARRAYOID},
};

constexpr std::array<Shape, kTables> kShapes = {{
    {"positions", kPositionColumns, {{{1, 0}, {0, 0}}}},
    {"position_events", kEventColumns, {{{1, 0}, {2, 10}}}},
    {"ledger_events", kLedgerColumns, {{{1, 0}, {0, 0}}}},
    {"audit_events", kAuditColumns, {{{1, 0}, {0, 0}}}},
    {"assets", kAssetColumns, {{{1, 0}, {0, 0}}}},
    {"asset_templates", kTemplateColumns, {{{1, 0}, {0, 0}}}},
    {"institution_policies", kPolicyColumns, {{{1, 0}, {2, 3}}}},
    {"api_keys", kKeyColumns, {{{1, 0}, {3, 0}}}},
}};

std::array<Table, kTables> tables;

bool has_expected_columns(const Shape& shape, TupleDesc desc) {
  if (desc->natts > kMostColumns || static_cast<std::size_t>(desc->natts) < shape.columns.size()) {
    return false;
  }
  for (std::size_t i = 0; i < shape.columns.size(); ++i) {
    const FormData_pg_attribute* found = TupleDescAttr(desc, i);
    if (found->attisdropped || found->atttypid != shape.columns[i].type ||
        std::strcmp(NameStr(found->attname), shape.columns[i].name) != 0) {
      return false;
    }
  }
  return true;
}

// What is beyond the columns that the store fills has to be content with NULL.
bool has_fillable_columns(const Shape& shape, TupleDesc desc) {
  for (int i = 0; i < desc->natts; ++i) {
    const FormData_pg_attribute* column = TupleDescAttr(desc, i);
    const bool is_ours = static_cast<std::size_t>(i) < shape.columns.size();
    if (column->attgenerated != '\0' || column->attidentity != '\0') {
      return false;
    }
    if (!is_ours && !column->attisdropped && (column->attnotnull || column->atthasdef)) {
      return false;
    }
  }
  return true;
}

// --- triggers -----------------------------------------------------------------------------------------

// The extension's own triggers: what they check of raw DML is true of the store's writes. A user's trigger that
// calls one of these functions has another name, and runs.
bool is_own_trigger(const Trigger* trigger) {
  return std::string_view(trigger->tgname).starts_with("escrowgrid_") &&
         get_func_namespace(trigger->tgfoid) == get_namespace_oid(kSchema, false);
}

bool names_columns(Datum array, std::initializer_list<const char*> names, Oid relation) {
  ArrayType* numbers = DatumGetArrayTypeP(array);
  if (ARR_DIMS(numbers)[0] != static_cast<int>(names.size())) {
    return false;
  }
  const auto* number = reinterpret_cast<const std::int16_t*>(ARR_DATA_PTR(numbers));
  for (const char* name : names) {
    if (get_attnum(relation, name) != *number++) {
      return false;
    }
  }
  return true;
}

// What a transition changes of a position.
constexpr std::array kMutableColumns = {"state",  "released_amount", "refunded_amount", "updated_at",
                                        "due_at", "version",         "head_hash"};

bool includes_mutable_column(Datum array, Oid relation) {
  ArrayType* numbers = DatumGetArrayTypeP(array);
  const auto* number = reinterpret_cast<const std::int16_t*>(ARR_DATA_PTR(numbers));
  for (int i = 0; i < ARR_DIMS(numbers)[0]; ++i) {
    for (const char* name : kMutableColumns) {
      if (get_attnum(relation, name) == number[i]) {
        return true;
      }
    }
  }
  return false;
}

// A foreign key whose check is proven without running it:
// - from events and ledger to their position: this transaction has just inserted or updated that row, so it is
//   there, and locked against deletion until commit;
// - from positions to their asset: the creation locks the asset's row with the lock that the check would take;
//   a transition does not change the columns;
// - from a user's table to columns of ours that never change: nothing that is written here can break it.
bool is_proven_foreign_key(const Trigger* trigger, Oid relation) {
  HeapTuple tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(trigger->tgconstraint));
  if (!HeapTupleIsValid(tuple)) {
    return false;
  }
  const auto* constraint = reinterpret_cast<Form_pg_constraint>(GETSTRUCT(tuple));
  bool is_null = false;
  const Datum from = SysCacheGetAttr(CONSTROID, tuple, Anum_pg_constraint_conkey, &is_null);
  const Datum to = SysCacheGetAttr(CONSTROID, tuple, Anum_pg_constraint_confkey, &is_null);
  const Oid schema = get_namespace_oid(kSchema, false);
  bool is_proven = false;
  if (trigger->tgfoid == F_RI_FKEY_CHECK_INS || trigger->tgfoid == F_RI_FKEY_CHECK_UPD) {
    const Oid positions = get_relname_relid("positions", schema);
    const Oid assets = get_relname_relid("assets", schema);
    is_proven = relation == positions
                    ? constraint->confrelid == assets &&
                          names_columns(from, {"institution_id", "asset_id"}, relation) &&
                          names_columns(to, {"institution_id", "id"}, assets)
                    : constraint->confrelid == positions && names_columns(from, {"position_id"}, relation) &&
                          names_columns(to, {"id"}, positions);
  } else {
    is_proven = constraint->confrelid == relation && !includes_mutable_column(to, relation);
  }
  ReleaseSysCache(tuple);
  return is_proven;
}

bool has_only_known_triggers(Relation relation) {
  const TriggerDesc* triggers = relation->trigdesc;
  if (triggers == nullptr) {
    return true;
  }
  for (int i = 0; i < triggers->numtriggers; ++i) {
    const Trigger* trigger = &triggers->triggers[i];
    const bool is_known =
        trigger->tgisinternal ? is_proven_foreign_key(trigger, RelationGetRelid(relation)) : is_own_trigger(trigger);
    if (!is_known) {
      return false;
    }
  }
  return true;
}

// --- resolving -----------------------------------------------------------------------------------------

bool is_index_on(Relation index, const std::array<int, 2>& columns) {
  const FormData_pg_index* form = index->rd_index;
  const int wanted = columns[1] == 0 ? 1 : 2;
  const bool fits = form->indisunique && form->indisvalid && form->indimmediate && form->indisready &&
                    form->indnkeyatts == wanted && index->rd_rel->relam == BTREE_AM_OID &&
                    RelationGetIndexExpressions(index) == NIL && RelationGetIndexPredicate(index) == NIL;
  if (!fits) {
    return false;
  }
  for (int i = 0; i < wanted; ++i) {
    if (form->indkey.values[i] != columns[static_cast<std::size_t>(i)]) {
      return false;
    }
  }
  return true;
}

// False when a key has no index.
bool resolve_indexes(const Shape& shape, Relation relation, Table& table) {
  table.index_count = 0;
  table.key_ids.fill(InvalidOid);
  List* ids = RelationGetIndexList(relation);
  if (list_length(ids) > kMostIndexes) {
    return false;
  }
  auto** infos = static_cast<IndexInfo**>(palloc(sizeof(IndexInfo*) * kMostIndexes));
  ListCell* cell = nullptr;
  foreach (cell, ids) {
    Relation index = index_open(lfirst_oid(cell), AccessShareLock);
    infos[table.index_count] = BuildIndexInfo(index);
    table.index_ids[static_cast<std::size_t>(table.index_count)] = lfirst_oid(cell);
    ++table.index_count;
    // Other access methods keep what belongs to the moment in the index's description, which is kept for longer here.
    table.has_btrees_only = table.has_btrees_only && index->rd_rel->relam == BTREE_AM_OID;
    for (std::size_t key = 0; key < table.key_ids.size(); ++key) {
      if (shape.keys[key][0] != 0 && is_index_on(index, shape.keys[key])) {
        table.key_ids[key] = lfirst_oid(cell);
      }
    }
    index_close(index, AccessShareLock);
  }
  table.result->ri_NumIndices = table.index_count;
  table.result->ri_IndexRelationInfo = infos;
  table.result->ri_IndexRelationDescs = static_cast<Relation*>(palloc0(sizeof(Relation) * kMostIndexes));
  for (std::size_t key = 0; key < table.key_ids.size(); ++key) {
    if (shape.keys[key][0] != 0 && !OidIsValid(table.key_ids[key])) {
      return false;
    }
  }
  return true;
}

void build(const Shape& shape, Table& table, Relation relation) {
  MemoryContext outer = MemoryContextSwitchTo(table.memory);
  table.desc = CreateTupleDescCopyConstr(RelationGetDescr(relation));
  table.estate = CreateExecutorState();
  table.result = makeNode(ResultRelInfo);
  InitResultRelInfo(table.result, relation, 0, nullptr, 0);
  table.result->ri_TrigDesc = nullptr;  // has_only_known_triggers() says why none of them has to run
  table.is_readable = relation->rd_rel->relkind == RELKIND_RELATION && relation->rd_rel->relam == HEAP_TABLE_AM_OID &&
                      !relation->rd_rel->relhassubclass && has_expected_columns(shape, RelationGetDescr(relation)) &&
                      resolve_indexes(shape, relation, table);
  table.is_writable = table.is_readable && table.has_btrees_only &&
                      has_fillable_columns(shape, RelationGetDescr(relation)) && has_only_known_triggers(relation) &&
                      relation->rd_rules == nullptr && !relation->rd_rel->relforcerowsecurity &&
                      !relation->rd_rel->relispartition;
  MemoryContextSwitchTo(outer);
}

void resolve(Name name, Table& table) {
  const Shape& shape = kShapes[static_cast<std::size_t>(name)];
  if (table.memory != nullptr) {
    // Whoever is still at work with it further up keeps it until the transaction ends.
    MemoryContextSetParent(table.memory, TopTransactionContext);
  }
  table = Table();
  table.memory = AllocSetContextCreate(CacheMemoryContext, "escrowgrid table", ALLOCSET_SMALL_SIZES);
  const Oid schema = get_namespace_oid(kSchema, true);
  table.relation_id = OidIsValid(schema) ? get_relname_relid(shape.name, schema) : InvalidOid;
  if (!OidIsValid(table.relation_id)) {
    return;
  }
  Relation relation = table_open(table.relation_id, AccessShareLock);
  table.is_current = true;  // until the callback says otherwise, maybe while this builds
  build(shape, table, relation);
  table_close(relation, AccessShareLock);
}

}  // namespace

extern "C" {

static void on_relation_change(Datum /*arg*/, Oid relation_id) {
  for (Table& table : tables) {
    const std::span<const Oid> indexes(table.index_ids.data(), static_cast<std::size_t>(table.index_count));
    if (relation_id == InvalidOid || relation_id == table.relation_id ||
        std::find(indexes.begin(), indexes.end(), relation_id) != indexes.end()) {
      table.is_current = false;
    }
  }
}

}  // extern "C"

Open open(Name name, LOCKMODE mode) {
  Table& table = tables[static_cast<std::size_t>(name)];
  while (true) {
    if (!table.is_current) {
      resolve(name, table);
    }
    if (!OidIsValid(table.relation_id)) {
      return {};
    }
    Relation relation = table_open(table.relation_id, mode);
    if (!table.is_current) {  // the lock waited for whoever changed it
      table_close(relation, mode);
      continue;
    }
    if (!table.is_readable || (mode >= RowExclusiveLock && !table.is_writable)) {
      table_close(relation, mode);
      return {};
    }
    return {.table = &table, .relation = relation};
  }
}

void close(const Open& open) {
  table_close(open.relation, NoLock);
}

void watch_tables() {
  CacheRegisterRelcacheCallback(on_relation_change, 0);
}

}  // namespace escrowgrid::pg::direct
