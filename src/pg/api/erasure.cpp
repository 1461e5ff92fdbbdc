// Erasing an event's content, purging an institution.
#include "pg/store/erasure.hpp"
#include "core/parameters.hpp"
#include "pg/border/boundary.hpp"
#include "pg/border/report.hpp"
#include "pg/service/authentication.hpp"
#include "pg/table/session.hpp"
#include "pg/values/argument.hpp"
#include "pg/values/result.hpp"

namespace escrowgrid::pg {

namespace {

Datum redact_event(FunctionCallInfo fcinfo) {
  const Session session = open_session();
  const Caller caller = require_caller(session.owner, core::Right::kWrite, "escrow_redact_event");
  const TextView event_id = text_argument(fcinfo, 0);
  core::Refusal why;
  if (!core::require_text({.parameter = "event_id", .max_bytes = core::kMaxIdBytes}, event_id, why)) {
    raise(why);
  }
  const std::optional<Datum> row =
      store::erase_content(store::origin_of(caller, "escrow_redact_event"), *event_id, caller.institution_id);
  if (!row) {
    raise_not_found("position event", *event_id);
  }
  close_session(session);
  return *row;
}

void require_confirmed(const TextView& confirm, std::string_view name) {
  if (confirm == name) {
    return;
  }
  core::Refusal why;
  why.begin(core::Condition::kInvalidParameter)
      .message({"confirm does not repeat the institution's name"})
      .hint({"Pass the name of the institution that is to be deleted for good."})
      .with("parameter", "confirm");
  raise(why);
}

void require_nothing_held(std::string_view institution_id, std::int64_t holding) {
  if (holding == 0) {
    return;
  }
  core::Refusal why;
  why.begin(core::Condition::kImmutableRecord)
      .message({"institution \"", institution_id, "\" holds money and cannot be purged"})
      .hint({"Release, cancel or expire its funded positions first."})
      .with("institution_id", institution_id)
      .with_number("positions_holding_money", holding);
  raise(why);
}

Datum purge_institution(FunctionCallInfo fcinfo) {
  TupleDesc desc = require_row_type(fcinfo);
  const Session session = open_session();
  const Caller caller = require_caller(session.owner, core::Right::kAdminister, "escrow_purge_institution");
  const TextView institution_id = text_argument(fcinfo, 0);
  core::Refusal why;
  if (!core::require_text({.parameter = "institution_id", .max_bytes = core::kMaxIdBytes}, institution_id, why)) {
    raise(why);
  }
  const TextView name = store::lock_institution(*institution_id);
  if (!name) {
    raise_not_found("institution", *institution_id);
  }
  require_confirmed(text_argument(fcinfo, 1), *name);
  require_nothing_held(*institution_id, store::lock_positions(*institution_id));
  const store::Purged purged =
      store::purge(store::origin_of(caller, "escrow_purge_institution"), *institution_id, *name);
  const std::array<std::optional<Datum>, 3> columns = {
      Int64GetDatum(purged.positions), Int64GetDatum(purged.position_events), Int64GetDatum(purged.ledger_events)};
  const Datum result = keep_for_caller(form_row(desc, columns));
  close_session(session);
  return result;
}

}  // namespace

ESCROWGRID_FUNCTION(escrow_redact_event, redact_event);
ESCROWGRID_FUNCTION(escrow_purge_institution, purge_institution);

}  // namespace escrowgrid::pg
