// Reading: documents and pages.
#include "core/parameters.hpp"
#include "pg/boundary.hpp"
#include "pg/identity.hpp"
#include "pg/report.hpp"
#include "pg/store_read.hpp"

namespace escrowgrid::pg {

namespace {

Datum get_document(FunctionCallInfo fcinfo, store::Document document, const char* kind) {
  static_cast<void>(require_root());
  core::Refusal why;
  const TextView id = text_argument(fcinfo, 0);
  if (!core::require_text({.parameter = "id", .max_bytes = core::kMaxIdBytes}, id, why)) {
    raise(why);
  }
  const std::optional<Datum> found = store::read_document(document, *id);
  if (!found) {
    raise_not_found(kind, *id);
  }
  return *found;
}

store::Page page_arguments(FunctionCallInfo fcinfo, int after_id, int max_count) {
  static_cast<void>(require_root());
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
  return {.after_id = text_argument(fcinfo, after_id), .max_count = *count};
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
  store::list_institutions(fcinfo, page_arguments(fcinfo, kAfterId, kMaxCount));
  return 0;
}

Datum list_asset_templates(FunctionCallInfo fcinfo) {
  enum { kInstitutionId, kAfterId, kMaxCount };
  const store::Page page = page_arguments(fcinfo, kAfterId, kMaxCount);
  store::list_asset_templates(fcinfo, text_argument(fcinfo, kInstitutionId), page);
  return 0;
}

Datum list_assets(FunctionCallInfo fcinfo) {
  enum { kInstitutionId, kTemplateId, kAfterId, kMaxCount };
  const store::Page page = page_arguments(fcinfo, kAfterId, kMaxCount);
  store::list_assets(
      fcinfo,
      {.institution_id = text_argument(fcinfo, kInstitutionId), .template_id = text_argument(fcinfo, kTemplateId)},
      page);
  return 0;
}

Datum list_positions(FunctionCallInfo fcinfo) {
  enum { kInstitutionId, kAssetId, kHolder, kState, kAfterId, kMaxCount };
  const store::Page page = page_arguments(fcinfo, kAfterId, kMaxCount);
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
  return 0;
}

Datum list_ledger_events(FunctionCallInfo fcinfo) {
  enum { kInstitutionId, kPositionId, kAfterId, kMaxCount };
  const store::Page page = page_arguments(fcinfo, kAfterId, kMaxCount);
  store::list_ledger_events(
      fcinfo,
      {.institution_id = text_argument(fcinfo, kInstitutionId), .position_id = text_argument(fcinfo, kPositionId)},
      page);
  return 0;
}

Datum list_audit_events(FunctionCallInfo fcinfo) {
  enum { kInstitutionId, kAction, kAfterId, kMaxCount };
  const store::Page page = page_arguments(fcinfo, kAfterId, kMaxCount);
  store::list_audit_events(
      fcinfo, {.institution_id = text_argument(fcinfo, kInstitutionId), .action = text_argument(fcinfo, kAction)},
      page);
  return 0;
}

Datum health(FunctionCallInfo fcinfo) {
  static_cast<void>(require_root());
  return store::read_health(fcinfo);
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
ESCROWGRID_FUNCTION(escrow_health, health);

}  // namespace escrowgrid::pg
