// Reading: records as documents, lists page by page, and positions as of a time.
#include "pg/store/documents.hpp"
#include "core/parameters.hpp"
#include "pg/border/boundary.hpp"
#include "pg/border/report.hpp"
#include "pg/service/authentication.hpp"
#include "pg/store/positions.hpp"
#include "pg/table/session.hpp"
#include "pg/values/argument.hpp"
#include "pg/values/result.hpp"

namespace escrowgrid::pg {

namespace {

Datum get_document(FunctionCallInfo fcinfo, store::Document document, const char* kind) {
  const Session session = open_session();
  const Caller caller = require_caller(session.owner, core::Right::kRead, "escrow_get");
  core::Refusal why;
  const TextView id = text_argument(fcinfo, 0);
  if (!core::require_text({.parameter = "id", .max_bytes = core::kMaxIdBytes}, id, why)) {
    raise(why);
  }
  const std::optional<Datum> found = store::read_document(document, *id, caller.institution_id);
  if (!found) {
    raise_not_found(kind, *id);
  }
  close_session(session);
  return *found;
}

store::Page page_arguments(FunctionCallInfo fcinfo, const Caller& caller, int after_id, int max_count) {
  const std::optional<std::int32_t> count = int_argument(fcinfo, max_count);
  if (!count || *count < 1 || *count > store::kMaxPage) {
    core::Refusal why;
    why.begin(core::Condition::kInvalidParameter)
        .message({"max_count must be from 1 to 1000"})
        .hint({"Read page by page: pass the last id of a page as after_id of the next."})
        .with("parameter", "max_count");
    count ? why.with_number("value", *count) : why.with_null("value");
    raise(why);
  }
  return {.tenant = caller.institution_id, .after_id = text_argument(fcinfo, after_id), .max_count = *count};
}

// What all lists have in common: the result set, the session, the caller and the page.
template <typename List>
Datum list_page(FunctionCallInfo fcinfo, int after_id, int max_count, List list) {
  InitMaterializedSRF(fcinfo, 0);
  const Session session = open_session();
  const Caller caller = require_caller(session.owner, core::Right::kRead, "escrow_list");
  list(page_arguments(fcinfo, caller, after_id, max_count));
  close_session(session);
  return 0;
}

Datum get_institution(FunctionCallInfo fcinfo) {
  return get_document(fcinfo, store::Document::kInstitution, "institution");
}

Datum get_asset_template(FunctionCallInfo fcinfo) {
  return get_document(fcinfo, store::Document::kAssetTemplate, "asset template");
}

Datum get_asset(FunctionCallInfo fcinfo) {
  return get_document(fcinfo, store::Document::kAsset, "asset");
}

Datum get_position(FunctionCallInfo fcinfo) {
  return get_document(fcinfo, store::Document::kPosition, "position");
}

Datum list_institutions(FunctionCallInfo fcinfo) {
  enum { kAfterId, kMaxCount };
  return list_page(fcinfo, kAfterId, kMaxCount,
                   [=](const store::Page& page) { store::list_institutions(fcinfo, page); });
}

Datum list_asset_templates(FunctionCallInfo fcinfo) {
  enum { kInstitutionId, kAfterId, kMaxCount };
  return list_page(fcinfo, kAfterId, kMaxCount, [=](const store::Page& page) {
    store::list_asset_templates(fcinfo, text_argument(fcinfo, kInstitutionId), page);
  });
}

Datum list_assets(FunctionCallInfo fcinfo) {
  enum { kInstitutionId, kTemplateId, kAfterId, kMaxCount };
  return list_page(fcinfo, kAfterId, kMaxCount, [=](const store::Page& page) {
    store::list_assets(
        fcinfo,
        {.institution_id = text_argument(fcinfo, kInstitutionId), .template_id = text_argument(fcinfo, kTemplateId)},
        page);
  });
}

Datum list_positions(FunctionCallInfo fcinfo) {
  enum { kInstitutionId, kAssetId, kHolder, kState, kAfterId, kMaxCount };
  return list_page(fcinfo, kAfterId, kMaxCount, [=](const store::Page& page) {
    const TextView state = text_argument(fcinfo, kState);
    core::Refusal why;
    if (state && !core::require_state("state", state, why)) {
      raise(why);
    }
    store::list_positions(fcinfo,
                          {.institution_id = text_argument(fcinfo, kInstitutionId),
                           .asset_id = text_argument(fcinfo, kAssetId),
                           .holder_reference = text_argument(fcinfo, kHolder),
                           .state = state},
                          page);
  });
}

Datum list_ledger_events(FunctionCallInfo fcinfo) {
  enum { kInstitutionId, kPositionId, kAfterId, kMaxCount };
  return list_page(fcinfo, kAfterId, kMaxCount, [=](const store::Page& page) {
    store::list_ledger_events(
        fcinfo,
        {.institution_id = text_argument(fcinfo, kInstitutionId), .position_id = text_argument(fcinfo, kPositionId)},
        page);
  });
}

Datum list_audit_events(FunctionCallInfo fcinfo) {
  enum { kInstitutionId, kAction, kAfterId, kMaxCount };
  return list_page(fcinfo, kAfterId, kMaxCount, [=](const store::Page& page) {
    store::list_audit_events(
        fcinfo, {.institution_id = text_argument(fcinfo, kInstitutionId), .action = text_argument(fcinfo, kAction)},
        page);
  });
}

Datum position_at(FunctionCallInfo fcinfo) {
  TupleDesc desc = require_row_type(fcinfo);
  const Session session = open_session();
  const Caller caller = require_caller(session.owner, core::Right::kRead, "escrow_position_at");
  core::Refusal why;
  const TextView id = text_argument(fcinfo, 0);
  const std::optional<core::Micros> at = time_argument(fcinfo, 1);
  if (!core::require_text({.parameter = "position_id", .max_bytes = core::kMaxIdBytes}, id, why)) {
    raise(why);
  }
  if (!at) {
    why.begin(core::Condition::kInvalidParameter)
        .message({"at must not be null"})
        .hint({"Pass the time as of which the position is wanted."})
        .with("parameter", "at");
    raise(why);
  }
  if (!store::find_position_institution(*id, caller.institution_id, Sight::kCaller)) {
    raise_not_found("position", *id);
  }
  const core::Micros bounded = std::clamp<core::Micros>(*at, 0, core::kMaxTime);
  const std::optional<Datum> row = store::read_position_at(*id, bounded, desc);
  close_session(session);
  if (!row) {
    PG_RETURN_NULL();  // the position did not exist yet
  }
  return *row;
}

}  // namespace

ESCROWGRID_FUNCTION(escrow_get_institution, get_institution);
ESCROWGRID_FUNCTION(escrow_get_asset_template, get_asset_template);
ESCROWGRID_FUNCTION(escrow_get_asset, get_asset);
ESCROWGRID_FUNCTION(escrow_get_position, get_position);
ESCROWGRID_FUNCTION(escrow_list_institutions, list_institutions);
ESCROWGRID_FUNCTION(escrow_list_asset_templates, list_asset_templates);
ESCROWGRID_FUNCTION(escrow_list_assets, list_assets);
ESCROWGRID_FUNCTION(escrow_list_positions, list_positions);
ESCROWGRID_FUNCTION(escrow_list_ledger_events, list_ledger_events);
ESCROWGRID_FUNCTION(escrow_list_audit_events, list_audit_events);
ESCROWGRID_FUNCTION(escrow_position_at, position_at);

}  // namespace escrowgrid::pg
