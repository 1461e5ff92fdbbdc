#include "pg/direct/write_plan.hpp"

#include "pg/direct/plan_expressions.hpp"
#include "pg/direct/plan_triggers.hpp"
#include "pg/direct/shape.hpp"
#include "pg/service/authentication.hpp"

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

// Columns of users that are not NULL when nobody names them, or whose type may refuse NULL.
std::span<const int> find_filled_columns(const Shape& shape, TupleDesc desc) {
  auto* out = static_cast<int*>(palloc(sizeof(int) * kMostColumns));
  std::size_t count = 0;
  for (int i = static_cast<int>(shape.columns.size()); i < desc->natts; ++i) {
    const FormData_pg_attribute* column = TupleDescAttr(desc, i);
    if (column->attisdropped || column->attgenerated != '\0') {
      continue;
    }
    if (column->atthasdef || column->attidentity != '\0' || get_typtype(column->atttypid) == TYPTYPE_DOMAIN ||
        get_typdefault(column->atttypid) != nullptr) {
      out[count++] = i + 1;
    }
  }
  return {out, count};
}

// A generated column among ours would take the place of what is written.
bool has_generated_column(const Shape& shape, TupleDesc desc) {
  for (int i = 0; i < static_cast<int>(shape.columns.size()); ++i) {
    const FormData_pg_attribute* column = TupleDescAttr(desc, i);
    if (column->attgenerated != '\0' || column->attidentity != '\0') {
      return true;
    }
  }
  return false;
}

AclMode needed_rights(Name name) {
  return name == Name::kPositions ? ACL_SELECT | ACL_INSERT | ACL_UPDATE : ACL_INSERT;
}

Obstacle table_obstacle(Name name, const Shape& shape, const Kept& table, const FormData_pg_class& form,
                        bool has_rules) {
  if (form.relkind != RELKIND_RELATION || form.relam != HEAP_TABLE_AM_OID || form.relispartition) {
    return Obstacle::kNotAPlainTable;
  }
  if (has_children(table.relation_id, form)) {
    return Obstacle::kChildren;
  }
  if (!has_expected_columns(shape, table.desc) || has_generated_column(shape, table.desc)) {
    return Obstacle::kColumns;
  }
  if (applies_row_security(table.relation_id)) {
    return Obstacle::kRowSecurity;
  }
  if (!table.is_readable) {
    return table.has_key_indexes ? Obstacle::kUnreadable : Obstacle::kKeyIndex;
  }
  if (has_rules) {
    return Obstacle::kRule;
  }
  // The ordinary way has the right error for it.
  const AclMode rights = needed_rights(name);
  const bool has_rights = pg_class_aclmask(table.relation_id, tables_owner(), rights, ACLMASK_ALL) == rights;
  return has_rights ? Obstacle::kNone : Obstacle::kPrivileges;
}

// What the range table of an INSERT or UPDATE says. PostgreSQL asks for the columns of an update: triggers may be for
// some columns only, and an index on none of these gets the hint that its entry repeats an older one.
RangeTblEntry* make_range_table_entry(Name name, Oid relation_id) {
  RangeTblEntry* entry = makeNode(RangeTblEntry);
  entry->rtekind = RTE_RELATION;
  entry->relid = relation_id;
  entry->relkind = RELKIND_RELATION;
  entry->rellockmode = RowExclusiveLock;
#if PG_VERSION_NUM >= 160000
#error "PostgreSQL 16 keeps rights and columns in RTEPermissionInfo; direct writing has to be brought along first"
#endif
  entry->requiredPerms = needed_rights(name);
  for (const char* column : kMutablePositionColumns) {
    if (name == Name::kPositions) {
      const int number = get_attnum(relation_id, column) - FirstLowInvalidHeapAttributeNumber;
      entry->updatedCols = bms_add_member(entry->updatedCols, number);
    }
  }
  for (std::size_t i = 1; i <= shape_of(name).columns.size(); ++i) {
    const int number = static_cast<int>(i) - FirstLowInvalidHeapAttributeNumber;
    entry->insertedCols = bms_add_member(entry->insertedCols, number);
    entry->selectedCols = bms_add_member(entry->selectedCols, number);
  }
  return entry;
}

std::span<IndexInfo*> keep_index_infos(const Kept& table) {
  const std::size_t count = table.index_ids.size();
  auto** infos = static_cast<IndexInfo**>(palloc(sizeof(IndexInfo*) * std::max<std::size_t>(count, 1)));
  for (std::size_t i = 0; i < count; ++i) {
    Relation index = index_open(table.index_ids[i], AccessShareLock);
    infos[i] = keep_index_info(index);
    index_close(index, AccessShareLock);
    if (infos[i] == nullptr) {
      return {};
    }
  }
  return {infos, count};
}

WritePlan* build(Name name, const Open& open) {
  const Shape& shape = shape_of(name);
  const FormData_pg_class form = *open.relation->rd_rel;
  const bool has_rules = open.relation->rd_rules != nullptr;
  TriggerDesc* triggers = CopyTriggerDesc(open.relation->trigdesc);
  auto* plan = new (palloc(sizeof(WritePlan))) WritePlan();
  plan->verdict.obstacle = table_obstacle(name, shape, *open.table, form, has_rules);
  if (plan->verdict.obstacle != Obstacle::kNone) {
    return plan;
  }
  plan->entry = make_range_table_entry(name, open.table->relation_id);
  plan->checks = keep_checks(open.table->desc);
  plan->index_infos = keep_index_infos(*open.table);
  plan->filled_columns = find_filled_columns(shape, open.table->desc);
  const TupleConstr* constraints = open.table->desc->constr;
  const bool runs_users_expressions = plan->checks.other_count != 0 || plan->index_infos.empty() ||
                                      !plan->filled_columns.empty() ||
                                      (constraints != nullptr && constraints->has_generated_stored);
  const TriggerJudgement judged = judge_triggers(name, open.table->relation_id, triggers, runs_users_expressions);
  plan->verdict = judged.verdict;
  plan->triggers = judged.queued;
  plan->runs_users_code = runs_users_expressions || plan->triggers != nullptr;
  return plan;
}

}  // namespace

const WritePlan& plan_of(Name name, const Open& open) {
  Kept& table = *open.table;
  if (table.plan == nullptr) {
    MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "escrowgrid write plan", ALLOCSET_SMALL_SIZES);
    MemoryContext outer = MemoryContextSwitchTo(memory);
    WritePlan* plan = build(name, open);
    MemoryContextSwitchTo(outer);
    // Complete, so it may outlive the call.
    MemoryContextSetParent(memory, table.memory);
    table.plan = plan;
  }
  return *table.plan;
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
