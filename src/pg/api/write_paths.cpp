// Which way the rows of a move are written, table by table, and why.
#include "pg/border/boundary.hpp"
#include "pg/direct/write_plan.hpp"
#include "pg/store/session.hpp"

namespace escrowgrid::pg {

namespace {

struct MoveTable {
  direct::Name name;
  const char* table_name;
};
constexpr std::array kMoveTables = {
    MoveTable{direct::Name::kPositions, "positions"}, MoveTable{direct::Name::kPositionEvents, "position_events"},
    MoveTable{direct::Name::kLedgerEvents, "ledger_events"}, MoveTable{direct::Name::kAuditEvents, "audit_events"}};

// The table's own obstacle in words; null when it has none.
const char* own_reason(direct::Name name) {
  const direct::Open table = direct::open_any(name, AccessShareLock);
  if (!table) {
    return "it does not exist";
  }
  const char* reason = direct::describe(direct::plan_of(name, table).verdict);
  direct::close(table);
  return reason;
}

void put_path(FunctionCallInfo fcinfo, const char* table_name, const char* reason) {
  auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  std::array<Datum, 3> values = {text_datum(table_name), text_datum(reason == nullptr ? "direct" : "ordinary"),
                                 reason == nullptr ? 0 : text_datum(reason)};
  std::array<bool, 3> nulls = {false, false, reason == nullptr};
  tuplestore_putvalues(result->setResult, result->setDesc, values.data(), nulls.data());
}

// The rows of a move go the same way, all of them: one table with an obstacle takes the others along.
Datum write_paths(FunctionCallInfo fcinfo) {
  InitMaterializedSRF(fcinfo, 0);
  const store::Session session = store::open();
  static_cast<void>(require_caller(session.owner, core::Right::kAdminister, "escrow_write_paths"));
  std::array<const char*, kMoveTables.size()> reasons{};
  const char* leader = nullptr;
  for (std::size_t i = 0; i < kMoveTables.size(); ++i) {
    reasons[i] = own_reason(kMoveTables[i].name);
    if (reasons[i] != nullptr && leader == nullptr) {
      leader = kMoveTables[i].table_name;
    }
  }
  for (std::size_t i = 0; i < kMoveTables.size(); ++i) {
    const char* reason = reasons[i];
    if (reason == nullptr && leader != nullptr) {
      reason = psprintf("its rows are written together with those of %s", leader);
    }
    if (debug_write_path() == WritePath::kOrdinary) {
      reason = "escrowgrid.debug_write_path is ordinary";
    }
    put_path(fcinfo, kMoveTables[i].table_name, reason);
  }
  store::close(session);
  return 0;
}

}  // namespace

ESCROWGRID_FUNCTION(escrow_write_paths, write_paths);

}  // namespace escrowgrid::pg
