#include "pg/direct/write_plan.hpp"

#include "pg/direct/plan_expressions.hpp"
#include "pg/direct/plan_triggers.hpp"
#include "pg/direct/shape.hpp"
#include "pg/identity/owner.hpp"
#include "pg/values/memory.hpp"

extern "C" {
#include "access/genam.h"
#include "access/sysattr.h"
#include "catalog/pg_am.h"
#include "nodes/makefuncs.h"
#include "nodes/parsenodes.h"
#include "rewrite/prs2lock.h"
}

namespace escrowgrid::pg::direct {

namespace {

// Users' columns that an INSERT does not leave NULL, or whose domain may refuse NULL.
std::span<const int> find_filled_columns(const layout::Table& table, TupleDesc desc) {
  const std::span<int> out = make_array<int>(layout::kMostColumns);
  std::size_t count = 0;
  for (int i = static_cast<int>(table.columns.size()); i < desc->natts; ++i) {
    const FormData_pg_attribute* column = TupleDescAttr(desc, i);
    if (column->attisdropped || column->attgenerated != '\0') {
      continue;
    }
    if (column->atthasdef || column->attidentity != '\0' || get_typtype(column->atttypid) == TYPTYPE_DOMAIN ||
        get_typdefault(column->atttypid) != nullptr) {
      out[count++] = i + 1;
    }
  }
  return out.first(count);
}

// A generated column among the extension's own would replace the value that is written.
bool has_generated_column(const layout::Table& table, TupleDesc desc) {
  for (int i = 0; i < static_cast<int>(table.columns.size()); ++i) {
    const FormData_pg_attribute* column = TupleDescAttr(desc, i);
    if (column->attgenerated != '\0' || column->attidentity != '\0') {
      return true;
    }
  }
  return false;
}

AclMode needed_rights(const layout::Table& table) {
  return layout::is_updated_by_transitions(table) ? ACL_SELECT | ACL_INSERT | ACL_UPDATE : ACL_INSERT;
}

Obstacle table_obstacle(const CachedTable& cached, const FormData_pg_class& form, bool has_rules) {
  const layout::Table& table = *cached.layout;
  if (form.relkind != RELKIND_RELATION || form.relam != HEAP_TABLE_AM_OID || form.relispartition) {
    return Obstacle::kNotAPlainTable;
  }
  if (has_children(cached.relation_id, form)) {
    return Obstacle::kChildren;
  }
  if (!has_expected_columns(table, cached.desc) || has_generated_column(table, cached.desc)) {
    return Obstacle::kColumns;
  }
  if (applies_row_security(cached.relation_id)) {
    return Obstacle::kRowSecurity;
  }
  if (!cached.is_readable) {
    return cached.has_key_indexes ? Obstacle::kUnreadable : Obstacle::kKeyIndex;
  }
  if (has_rules) {
    return Obstacle::kRule;
  }
  // SPI then raises the right error.
  const AclMode rights = needed_rights(table);
  const bool has_rights = pg_class_aclmask(cached.relation_id, tables_owner(), rights, ACLMASK_ALL) == rights;
  return has_rights ? Obstacle::kNone : Obstacle::kPrivileges;
}

// The range table entry of an INSERT or UPDATE. PostgreSQL reads the updated columns from it: a trigger may be for some
// columns only, and an index on none of them is told that its new entry repeats an older one.
RangeTblEntry* make_range_table_entry(const layout::Table& table, Oid relation_id) {
  RangeTblEntry* entry = makeNode(RangeTblEntry);
  entry->rtekind = RTE_RELATION;
  entry->relid = relation_id;
  entry->relkind = RELKIND_RELATION;
  entry->rellockmode = RowExclusiveLock;
#if PG_VERSION_NUM >= 160000
#error "PostgreSQL 16 keeps rights and columns in RTEPermissionInfo; direct writing has to be brought along first"
#endif
  entry->requiredPerms = needed_rights(table);
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const int number = static_cast<int>(i) + 1 - FirstLowInvalidHeapAttributeNumber;
    if (table.columns[i].change == layout::Change::kByTransition) {
      entry->updatedCols = bms_add_member(entry->updatedCols, number);
    }
    entry->insertedCols = bms_add_member(entry->insertedCols, number);
    entry->selectedCols = bms_add_member(entry->selectedCols, number);
  }
  return entry;
}

std::span<IndexInfo*> keep_index_infos(const CachedTable& cached) {
  const std::size_t count = cached.index_ids.size();
  const std::span<IndexInfo*> infos = make_array<IndexInfo*>(count);
  for (std::size_t i = 0; i < count; ++i) {
    Relation index = index_open(cached.index_ids[i], AccessShareLock);
    infos[i] = keep_index_info(index);
    index_close(index, AccessShareLock);
    if (infos[i] == nullptr) {
      return {};
    }
  }
  return infos;
}

WritePlan* build(const OpenTable& open) {
  const CachedTable& cached = *open.cached;
  const layout::Table& table = *cached.layout;
  const FormData_pg_class form = *open.relation->rd_rel;
  const bool has_rules = open.relation->rd_rules != nullptr;
  TriggerDesc* triggers = CopyTriggerDesc(open.relation->trigdesc);
  auto* plan = make<WritePlan>();
  plan->verdict.obstacle = table_obstacle(cached, form, has_rules);
  if (plan->verdict.obstacle != Obstacle::kNone) {
    return plan;
  }
  plan->entry = make_range_table_entry(table, cached.relation_id);
  plan->checks = keep_checks(cached.desc);
  plan->index_infos = keep_index_infos(cached);
  plan->filled_columns = find_filled_columns(table, cached.desc);
  const TupleConstr* constraints = cached.desc->constr;
  const bool runs_users_expressions = plan->checks.other_count != 0 || plan->index_infos.empty() ||
                                      !plan->filled_columns.empty() ||
                                      (constraints != nullptr && constraints->has_generated_stored);
  const TriggerJudgement judged = judge_triggers(table, cached.relation_id, triggers, runs_users_expressions);
  plan->verdict = judged.verdict;
  plan->triggers = judged.queued;
  plan->runs_users_code = runs_users_expressions || plan->triggers != nullptr;
  return plan;
}

}  // namespace

const WritePlan& plan_of(const OpenTable& table) {
  CachedTable& cached = *table.cached;
  if (cached.plan == nullptr) {
    MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "escrowgrid write plan", ALLOCSET_SMALL_SIZES);
    MemoryContext outer = MemoryContextSwitchTo(memory);
    WritePlan* plan = build(table);
    MemoryContextSwitchTo(outer);
    // The plan is complete, so it may outlive the call.
    MemoryContextSetParent(memory, cached.memory);
    cached.plan = plan;
  }
  return *cached.plan;
}

const char* describe(const Verdict& verdict) {
  switch (verdict.obstacle) {
    case Obstacle::kNone:
      return nullptr;
    case Obstacle::kNotAPlainTable:
      return "it is not a plain heap table";
    case Obstacle::kColumns:
      return "it does not begin with the extension's columns, one of these is generated, or it has more than 32";
    case Obstacle::kKeyIndex:
      return "one of its keys has no usable unique index";
    case Obstacle::kUnreadable:
      return "the owner of positions may not read all of it";
    case Obstacle::kChildren:
      return "it has child tables";
    case Obstacle::kRule:
      return "it has a rule";
    case Obstacle::kRowSecurity:
      return "its row security applies to the owner of positions";
    case Obstacle::kPrivileges:
      return "the owner of positions may not write to it";
    case Obstacle::kBeforeTrigger:
      return psprintf("trigger \"%s\" runs before each row", verdict.object);
    case Obstacle::kStatementTrigger:
      return psprintf("trigger \"%s\" runs for each statement", verdict.object);
    case Obstacle::kTransitionTable:
      return psprintf("trigger \"%s\" has a transition table", verdict.object);
  }
  return nullptr;
}

}  // namespace escrowgrid::pg::direct
