// Which way the rows of a move are written, table by table, and why.
#include "pg/border/boundary.hpp"
#include "pg/service/authentication.hpp"
#include "pg/table/session.hpp"
#include "pg/table/writes.hpp"
#include "pg/values/result.hpp"

namespace escrowgrid::pg {

namespace {

// The rows of a move go the same way, all of them: one table that needs SPI takes the others along.
Datum write_paths(FunctionCallInfo fcinfo) {
  InitMaterializedSRF(fcinfo, 0);
  const Session session = open_session();
  static_cast<void>(require_caller(session.owner, core::Right::kAdminister, "escrow_write_paths"));
  std::array<const char*, kMoveTables.size()> reasons{};
  const layout::Table* leader = nullptr;
  for (std::size_t i = 0; i < kMoveTables.size(); ++i) {
    reasons[i] = reason_for_spi(*kMoveTables[i]);
    if (reasons[i] != nullptr && leader == nullptr) {
      leader = kMoveTables[i];
    }
  }
  for (std::size_t i = 0; i < kMoveTables.size(); ++i) {
    const char* reason = reasons[i];
    if (reason == nullptr && leader != nullptr) {
      reason = psprintf("its rows are written together with those of %s", leader->name.data());
    }
    put_row(fcinfo, std::array<std::optional<Datum>, 3>{
                        text_datum(kMoveTables[i]->name), text_datum(reason == nullptr ? "direct" : "ordinary"),
                        reason == nullptr ? std::nullopt : std::optional(text_datum(reason))});
  }
  close_session(session);
  return 0;
}

}  // namespace

ESCROWGRID_FUNCTION(escrow_write_paths, write_paths);

}  // namespace escrowgrid::pg
