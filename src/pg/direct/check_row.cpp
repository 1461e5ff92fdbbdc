#include "pg/direct/check_row.hpp"

#include "pg/values/memory.hpp"

extern "C" {
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "parser/parse_coerce.h"
#include "rewrite/rewriteHandler.h"
}

namespace escrowgrid::pg::direct {

namespace {

bool has_forbidden_null(TupleDesc desc, const TupleTableSlot* slot) {
  for (int i = 0; i < desc->natts; ++i) {
    if (slot->tts_isnull[i] && TupleDescAttr(desc, i)->attnotnull) {
      return true;
    }
  }
  return false;
}

// Prepares the constraints that are not kept. Like the executor, this prepares all of them before the first is
// evaluated.
void prepare_others(WriteCall& call, WriteTarget& target) {
  const std::span<const Check> all = target.plan->checks.all;
  MemoryContext outer = MemoryContextSwitchTo(call.estate->es_query_cxt);
  const std::span<ExprState*> prepared = make_array<ExprState*>(all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].kept == nullptr) {
      prepared[i] = ExecPrepareExpr(static_cast<Expr*>(stringToNode(all[i].text)), call.estate);
    }
  }
  MemoryContextSwitchTo(outer);
  target.checks = prepared.data();
}

// An error may leave a kept expression half evaluated. is_whole then stays false, and the entry is not used again. A
// constraint of this row may call functions that evaluate the same expressions in the same context, so the row is put
// into the context each time.
bool passes_kept(CachedTable& cached, ExprState* check, ExprContext* context, TupleTableSlot* slot) {
  cached.is_whole = false;
  context->ecxt_scantuple = slot;
  const bool passes = ExecCheck(check, context);
  context->ecxt_scantuple = nullptr;
  cached.is_whole = true;
  return passes;
}

// Whether all constraints hold. They are evaluated in the executor's order, so the first one that raises an error is
// the same.
bool passes_checks(WriteCall& call, WriteTarget& target, TupleTableSlot* slot) {
  CachedTable& cached = *target.table.cached;
  const Checks& checks = target.plan->checks;
  if (!cached.is_whole) {
    return false;
  }
  ExprContext* context = nullptr;
  if (checks.other_count != 0) {
    if (target.checks == nullptr) {
      prepare_others(call, target);
    }
    context = GetPerTupleExprContext(call.estate);
    context->ecxt_scantuple = slot;
  }
  ResetExprContext(checks.context);
  bool passes = true;
  for (std::size_t i = 0; passes && i < checks.all.size(); ++i) {
    ExprState* kept = checks.all[i].kept;
    passes = kept != nullptr ? passes_kept(cached, kept, checks.context, slot) : ExecCheck(target.checks[i], context);
  }
  return passes;
}

Expr* value_expression(Relation relation, int column) {
  const FormData_pg_attribute* attribute = TupleDescAttr(RelationGetDescr(relation), column - 1);
  const Oid type = attribute->atttypid;
  const Oid collation = attribute->attcollation;
  const bool by_value = attribute->attbyval;
  const std::int16_t length = attribute->attlen;
  if (Node* expression = build_column_default(relation, column)) {
    return reinterpret_cast<Expr*>(expression);
  }
  auto* null = reinterpret_cast<Node*>(makeConst(type, -1, collation, length, 0, true, by_value));
  return reinterpret_cast<Expr*>(
      coerce_to_domain(null, InvalidOid, -1, type, COERCION_IMPLICIT, COERCE_IMPLICIT_CAST, -1, false));
}

void prepare_fills(WriteCall& call, WriteTarget& target) {
  MemoryContext outer = MemoryContextSwitchTo(call.estate->es_query_cxt);
  const std::span<const int> columns = target.plan->filled_columns;
  const std::span<ExprState*> fills = make_array<ExprState*>(columns.size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    fills[i] = ExecPrepareExpr(value_expression(target.table.relation, columns[i]), call.estate);
  }
  MemoryContextSwitchTo(outer);
  target.fills = fills.data();
}

}  // namespace

void check_constraints(WriteCall& call, WriteTarget& target, TupleTableSlot* slot) {
  slot_getallattrs(slot);
  if (has_forbidden_null(target.table.cached->desc, slot) || !passes_checks(call, target, slot)) {
    ExecConstraints(target.result, slot, call.estate);
  }
}

void fill_columns(WriteCall& call, WriteTarget& target, TupleTableSlot* slot) {
  if (target.fills == nullptr) {
    prepare_fills(call, target);
  }
  const std::span<const int> columns = target.plan->filled_columns;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const auto at = static_cast<std::size_t>(columns[i] - 1);
    slot->tts_values[at] =
        ExecEvalExprSwitchContext(target.fills[i], GetPerTupleExprContext(call.estate), &slot->tts_isnull[at]);
  }
}

}  // namespace escrowgrid::pg::direct
