#include "pg/direct_trigger.hpp"

#include "pg/direct_shape.hpp"

extern "C" {
#include "catalog/pg_constraint.h"
#include "catalog/pg_trigger.h"
#include "utils/fmgroids.h"
}

namespace escrowgrid::pg::direct {

namespace {

// The extension's own triggers for INSERT and UPDATE. What they check of raw DML is true of the store's writes. A
// user's trigger that calls one of their functions has another name, and runs.
bool is_own_trigger(const Trigger& trigger) {
  constexpr std::array<std::string_view, 3> kOwn = {"escrowgrid_decide", "escrowgrid_record", "escrowgrid_check"};
  return std::find(kOwn.begin(), kOwn.end(), trigger.tgname) != kOwn.end() &&
         get_func_namespace(trigger.tgfoid) == get_namespace_oid(kSchema, false);
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

bool includes_mutable_column(Datum array, Oid relation) {
  ArrayType* numbers = DatumGetArrayTypeP(array);
  const auto* number = reinterpret_cast<const std::int16_t*>(ARR_DATA_PTR(numbers));
  for (int i = 0; i < ARR_DIMS(numbers)[0]; ++i) {
    for (const char* name : kMutablePositionColumns) {
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
bool is_proven_foreign_key(const Trigger& trigger, Oid relation) {
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
               ? constraint->confrelid == assets && names_columns(from, {"institution_id", "asset_id"}, relation) &&
                     names_columns(to, {"institution_id", "id"}, assets)
               : constraint->confrelid == positions && names_columns(from, {"position_id"}, relation) &&
                     names_columns(to, {"id"}, positions);
  }
  return constraint->confrelid == relation && !includes_mutable_column(to, relation);
}

bool is_harmless(Name name, Oid relation_id, const Trigger& trigger) {
  const bool is_caused = (trigger.tgtype & written_events(name)) != 0;
  if (!is_caused || trigger.tgenabled == TRIGGER_DISABLED) {
    return true;
  }
  return trigger.tgisinternal ? is_proven_foreign_key(trigger, relation_id) : is_own_trigger(trigger);
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

std::int16_t written_events(Name name) {
  return name == Name::kPositions ? TRIGGER_TYPE_INSERT | TRIGGER_TYPE_UPDATE : TRIGGER_TYPE_INSERT;
}

TriggerJudgement judge_triggers(Name name, Oid relation_id, TriggerDesc* copy) {
  if (copy == nullptr) {
    return {};
  }
  auto* queued = static_cast<TriggerDesc*>(palloc0(sizeof(TriggerDesc)));
  queued->triggers = copy->triggers;  // what is kept moves to the front
  for (const Trigger& trigger : std::span(copy->triggers, static_cast<std::size_t>(copy->numtriggers))) {
    if (is_harmless(name, relation_id, trigger)) {
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
