#include "pg/direct/plan_expressions.hpp"

#include "pg/values/memory.hpp"

extern "C" {
#include "access/transam.h"
#include "catalog/index.h"
#include "catalog/pg_am.h"
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
}

namespace escrowgrid::pg::direct {

namespace {

bool is_users(Oid id) {
  return id >= FirstUnpinnedObjectId;
}

// Only tests of single columns. A test of a whole row keeps state in the memory of a statement.
bool tests_columns_for_null(List* predicate) {
  ListCell* cell = nullptr;
  foreach (cell, predicate) {
    const auto* test = static_cast<NullTest*>(lfirst(cell));
    if (!IsA(test, NullTest) || test->argisrow || !IsA(test->arg, Var) ||
        reinterpret_cast<const Var*>(test->arg)->varattno <= 0) {
      return false;
    }
  }
  return true;
}

// A user's operator class compares values by the user's functions.
bool has_users_operator_class(Relation index) {
  const int keys = IndexRelationGetNumberOfKeyAttributes(index);
  return std::any_of(index->rd_opfamily, index->rd_opfamily + keys, is_users);
}

}  // namespace

extern "C" {

static bool is_users_function(Oid function, void* /*context*/) {
  return is_users(function);
}

// True ends the walk: something was found that cannot be kept.
static bool find_unkeepable(Node* node, void* context) {
  if (node == nullptr) {
    return false;
  }
  switch (nodeTag(node)) {
    case T_Var:
    case T_Const:
    case T_FuncExpr:
    case T_OpExpr:
    case T_DistinctExpr:
    case T_NullIfExpr:
    case T_ScalarArrayOpExpr:
    case T_BoolExpr:
    case T_CaseExpr:
    case T_CaseWhen:
    case T_CaseTestExpr:
    case T_CoalesceExpr:
    case T_NullTest:
    case T_BooleanTest:
    case T_RelabelType:
    case T_CoerceViaIO:
    case T_ArrayExpr:
    case T_List:
      break;
    default:
      return true;
  }
  const bool has_type = !IsA(node, List) && !IsA(node, CaseWhen);
  if (has_type && (is_users(exprType(node)) || check_functions_in_node(node, is_users_function, context))) {
    return true;
  }
#if PG_VERSION_NUM >= 160000
  return expression_tree_walker(node, find_unkeepable, context);
#else
  // PostgreSQL 15 declares the walker without its argument types, which C allows and C++ does not.
  return expression_tree_walker(node, reinterpret_cast<bool (*)()>(reinterpret_cast<void (*)()>(find_unkeepable)),
                                context);
#endif
}

}  // extern "C"

bool can_be_kept(Node* expression) {
  return !find_unkeepable(expression, nullptr);
}

Checks keep_checks(TupleDesc desc) {
  const auto count = static_cast<std::size_t>(desc->constr == nullptr ? 0 : desc->constr->num_check);
  const std::span<Check> all = make_array<Check>(count);
  Checks checks = {.all = all, .other_count = 0, .context = CreateStandaloneExprContext()};
  for (std::size_t i = 0; i < count; ++i) {
    all[i].text = desc->constr->check[i].ccbin;
    auto* check = static_cast<Expr*>(stringToNode(all[i].text));
    // Judge the expression before it is planned. Planning may inline a user's function, and then nothing shows that it
    // was there.
    if (can_be_kept(reinterpret_cast<Node*>(check))) {
      all[i].kept = ExecInitExpr(expression_planner(check), nullptr);
    } else {
      ++checks.other_count;
    }
  }
  return checks;
}

IndexInfo* keep_index_info(Relation index) {
  // GIN and others cache the state of a statement in IndexInfo. Ours outlives the statement, so only btrees qualify.
  if (index->rd_rel->relam != BTREE_AM_OID || index->rd_index->indisexclusion || has_users_operator_class(index)) {
    return nullptr;
  }
  IndexInfo* info = BuildIndexInfo(index);
  // PostgreSQL plans an index's expressions when it reads them, so an inlined function cannot be seen here. Expressions
  // are therefore never kept. A predicate that tests columns for NULL is kept: the index of the expiry sweep has one,
  // and it has to be fast.
  if (info->ii_Expressions != NIL || !tests_columns_for_null(info->ii_Predicate)) {
    return nullptr;
  }
  if (info->ii_Predicate != NIL) {
    info->ii_PredicateState = ExecInitQual(info->ii_Predicate, nullptr);
  }
  return info;
}

}  // namespace escrowgrid::pg::direct
