#include "pg/direct/plan_triggers.hpp"

#include "pg/values/memory.hpp"

extern "C" {
#include "catalog/pg_constraint.h"
#include "catalog/pg_trigger.h"
#include "utils/fmgroids.h"
}

namespace escrowgrid::pg::direct {

namespace {

// Whether this is one of the extension's own triggers for INSERT and UPDATE. The rows that the extension writes have
// passed what these triggers check of raw DML. A user's trigger that calls one of their functions has another name, so
// it runs.
bool is_own_trigger(const Trigger& trigger) {
  struct Own {
    std::string_view trigger;
    std::string_view function;
  };
  constexpr std::array<Own, 3> kOwn = {{{"escrowgrid_decide", "decide_position"},
                                        {"escrowgrid_record", "record_position"},
                                        {"escrowgrid_check", "check_record"}}};
  const char* function = get_func_name(trigger.tgfoid);
  return function != nullptr && get_func_namespace(trigger.tgfoid) == get_namespace_oid(kSchema, false) &&
         std::any_of(kOwn.begin(), kOwn.end(),
                     [&](const Own& own) { return own.trigger == trigger.tgname && own.function == function; });
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

// Whether all of these columns are the extension's own and never change. A user's column may change with any update; a
// generated column may change although nobody sets it.
bool never_change(Datum array, const layout::Table& table) {
  ArrayType* numbers = DatumGetArrayTypeP(array);
  const std::span<const std::int16_t> columns(reinterpret_cast<const std::int16_t*>(ARR_DATA_PTR(numbers)),
                                              static_cast<std::size_t>(ARR_DIMS(numbers)[0]));
  return std::all_of(columns.begin(), columns.end(), [&](std::int16_t number) {
    const auto place = static_cast<std::size_t>(number) - 1;
    return number >= 1 && place < table.columns.size() && table.columns[place].change == layout::Change::kNever;
  });
}

// A foreign key whose check is proven without running it:
// - from events and ledger to their position: this transaction has just inserted or updated that row, so it is
//   there, and locked against deletion until commit;
// - from positions to their asset: the creation locks the asset's row with the lock that the check would take, and a
//   transition does not change the columns. (A lock does not hold back a DELETE by this transaction itself, so with
//   users' expressions on positions, which are evaluated between lock and insert, the check is queued.)
// - from a user's table to columns of ours that never change: nothing that is written here can break it.
bool is_proven_foreign_key(const layout::Table& table, Oid relation, const Trigger& trigger,
                           bool runs_users_expressions) {
  HeapTuple tuple = SearchSysCacheCopy1(CONSTROID, ObjectIdGetDatum(trigger.tgconstraint));
  if (!HeapTupleIsValid(tuple)) {
    return false;
  }
  const auto* constraint = reinterpret_cast<Form_pg_constraint>(GETSTRUCT(tuple));
  bool is_null = false;
  const Datum from = SysCacheGetAttr(CONSTROID, tuple, Anum_pg_constraint_conkey, &is_null);
  if (is_null) {
    return false;
  }
  const Datum to = SysCacheGetAttr(CONSTROID, tuple, Anum_pg_constraint_confkey, &is_null);
  if (is_null) {
    return false;  // the constraint is no foreign key: the recheck of a deferrable unique one has a trigger, too
  }
  const Oid schema = get_namespace_oid(kSchema, false);
  if (trigger.tgfoid == F_RI_FKEY_CHECK_INS || trigger.tgfoid == F_RI_FKEY_CHECK_UPD) {
    const Oid positions = get_relname_relid("positions", schema);
    const Oid assets = get_relname_relid("assets", schema);
    return relation == positions
               ? !runs_users_expressions && constraint->confrelid == assets &&
                     names_columns(from, {"institution_id", "asset_id"}, relation) &&
                     names_columns(to, {"institution_id", "id"}, assets)
               : constraint->confrelid == positions && names_columns(from, {"position_id"}, relation) &&
                     names_columns(to, {"id"}, positions);
  }
  return constraint->confrelid == relation && never_change(to, table);
}

bool is_harmless(const layout::Table& table, Oid relation_id, const Trigger& trigger, bool runs_users_expressions) {
  const bool is_caused = (trigger.tgtype & written_events(table)) != 0;
  if (!is_caused || trigger.tgenabled == TRIGGER_DISABLED) {
    return true;
  }
  return trigger.tgisinternal ? is_proven_foreign_key(table, relation_id, trigger, runs_users_expressions)
                              : is_own_trigger(trigger);
}

Obstacle obstacle_of(const Trigger& trigger) {
  if (trigger.tgnewtable != nullptr || trigger.tgoldtable != nullptr) {
    return Obstacle::kTransitionTable;
  }
  if (!TRIGGER_FOR_ROW(trigger.tgtype)) {
    return Obstacle::kStatementTrigger;
  }
  return TRIGGER_FOR_AFTER(trigger.tgtype) ? Obstacle::kNone : Obstacle::kBeforeTrigger;
}

}  // namespace

std::int16_t written_events(const layout::Table& table) {
  return layout::is_updated_by_transitions(table) ? TRIGGER_TYPE_INSERT | TRIGGER_TYPE_UPDATE : TRIGGER_TYPE_INSERT;
}

TriggerJudgement judge_triggers(const layout::Table& table, Oid relation_id, TriggerDesc* copy,
                                bool runs_users_expressions) {
  if (copy == nullptr) {
    return {};
  }
  auto* queued = make<TriggerDesc>();
  queued->triggers = copy->triggers;  // what is kept moves to the front
  for (const Trigger& trigger : std::span(copy->triggers, static_cast<std::size_t>(copy->numtriggers))) {
    if (is_harmless(table, relation_id, trigger, runs_users_expressions)) {
      continue;
    }
    if (const Obstacle obstacle = obstacle_of(trigger); obstacle != Obstacle::kNone) {
      return {.verdict = {.obstacle = obstacle, .object = trigger.tgname}};
    }
    queued->trig_insert_after_row = queued->trig_insert_after_row || TRIGGER_FOR_INSERT(trigger.tgtype);
    queued->trig_update_after_row = queued->trig_update_after_row || TRIGGER_FOR_UPDATE(trigger.tgtype);
    queued->triggers[queued->numtriggers++] = trigger;
  }
  return {.verdict = {}, .queued = queued->numtriggers == 0 ? nullptr : queued};
}

}  // namespace escrowgrid::pg::direct
