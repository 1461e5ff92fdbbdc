// Institutions, asset templates, assets.
#include "core/json_limits.hpp"
#include "core/parameters.hpp"
#include "core/template_terms.hpp"
#include "pg/border/boundary.hpp"
#include "pg/border/report.hpp"
#include "pg/service/authentication.hpp"
#include "pg/service/institution_check.hpp"
#include "pg/store/assets.hpp"
#include "pg/store/currencies.hpp"
#include "pg/table/session.hpp"
#include "pg/values/argument.hpp"
#include "pg/values/json_members.hpp"

namespace escrowgrid::pg {

namespace {

void refuse_null_array(const char* parameter) {
  core::Refusal why;
  why.begin(core::Condition::kInvalidParameter)
      .message({parameter, " must not be null"})
      .hint({"Pass an array of codes."})
      .with("parameter", parameter)
      .with_null("value");
  raise(why);
}

// The currency of the terms has to exist, and the limits must not have more decimals than it.
void require_terms_currency(const core::TemplateTerms& terms) {
  if (!terms.currency) {
    return;
  }
  core::Refusal why;
  const std::optional<int> exponent = store::lock_exponent(*terms.currency);
  if (!exponent) {
    core::refuse_unknown_currency("config", *terms.currency, why);
    raise(why);
  }
  const core::CurrencyUnit unit = {.code = *terms.currency, .exponent = *exponent};
  if ((terms.min_amount && !core::require_currency_decimals("minAmount", *terms.min_amount, unit, why)) ||
      (terms.max_amount && !core::require_currency_decimals("maxAmount", *terms.max_amount, unit, why))) {
    raise(why);
  }
}

Datum create_institution(FunctionCallInfo fcinfo) {
  enum { kName, kRegions, kVerticals };
  const Session session = open_session();
  const Caller caller = require_caller(session.owner, core::Right::kAdminister, "escrow_create_institution");
  core::Refusal why;
  const TextView name = text_argument(fcinfo, kName);
  if (!core::require_text({.parameter = "name", .max_bytes = core::kMaxNameBytes}, name, why)) {
    raise(why);
  }
  if (!has_argument(fcinfo, kRegions)) {
    refuse_null_array("regions");
  }
  if (!has_argument(fcinfo, kVerticals)) {
    refuse_null_array("verticals");
  }
  const std::span<const TextView> regions = array_argument(fcinfo, kRegions, TEXTOID);
  const std::span<const TextView> verticals = array_argument(fcinfo, kVerticals, TEXTOID);
  if (!core::require_regions(regions, why) || !core::require_verticals(verticals, why)) {
    raise(why);
  }
  const Datum row = store::insert_institution(store::origin_of(caller, "escrow_create_institution"),
                                              {.name = *name, .regions = regions, .verticals = verticals});
  close_session(session);
  return row;
}

Datum create_asset_template(FunctionCallInfo fcinfo) {
  enum { kCode, kName, kVertical, kRegion, kConfig, kInstitutionId };
  const Session session = open_session();
  const Caller caller = require_caller(session.owner, core::Right::kWrite, "escrow_create_asset_template");
  core::Refusal why;
  const TextView code = text_argument(fcinfo, kCode);
  const TextView name = text_argument(fcinfo, kName);
  const TextView vertical = text_argument(fcinfo, kVertical);
  const TextView region = text_argument(fcinfo, kRegion);
  const TextView config = jsonb_argument(fcinfo, kConfig, "config");
  // A key may name its own institution. Any other id is treated as if it did not exist (require_institution).
  const TextView named = text_argument(fcinfo, kInstitutionId);
  const TextView institution_id = named ? named : caller.institution_id;
  const bool valid = core::require_text({.parameter = "code", .max_bytes = core::kMaxCodeBytes}, code, why) &&
                     core::require_text({.parameter = "name", .max_bytes = core::kMaxNameBytes}, name, why) &&
                     core::require_vertical(vertical, why) && core::require_region(region, why) &&
                     core::require_json_object("config", config, why);
  if (!valid) {
    raise(why);
  }
  const std::optional<core::TemplateTerms> terms = core::read_template_terms(
      {.code = *code, .vertical = *vertical, .region = *region, .config = template_members(PG_GETARG_DATUM(kConfig))},
      why);
  if (!terms) {
    raise(why);
  }
  const store::Institution institution = require_institution(caller, institution_id);
  require_within("region", institution.regions, *region);
  require_within("vertical", institution.verticals, *vertical);
  require_terms_currency(*terms);
  const Datum row = store::insert_template(store::origin_of(caller, "escrow_create_asset_template"),
                                           {.institution_id = *institution_id,
                                            .code = *code,
                                            .name = *name,
                                            .vertical = *vertical,
                                            .region = *region,
                                            .config = *config});
  close_session(session);
  return row;
}

Datum create_asset(FunctionCallInfo fcinfo) {
  enum { kTemplateId, kLabel, kMetadata };
  const Session session = open_session();
  const Caller caller = require_caller(session.owner, core::Right::kWrite, "escrow_create_asset");
  core::Refusal why;
  const TextView template_id = text_argument(fcinfo, kTemplateId);
  const TextView label = text_argument(fcinfo, kLabel);
  const TextView metadata = jsonb_argument(fcinfo, kMetadata, "metadata");
  if (!core::require_text({.parameter = "template_id", .max_bytes = core::kMaxIdBytes}, template_id, why) ||
      !core::require_text({.parameter = "label", .max_bytes = core::kMaxNameBytes}, label, why) ||
      !core::check_json_object("metadata", metadata, why)) {
    raise(why);
  }
  const TextView institution_id = store::find_template_institution(*template_id, caller.institution_id);
  if (!institution_id) {
    raise_not_found("asset template", *template_id);
  }
  const Datum row = store::insert_asset(
      store::origin_of(caller, "escrow_create_asset"),
      {.institution_id = *institution_id, .template_id = *template_id, .label = *label, .metadata = metadata});
  close_session(session);
  return row;
}

}  // namespace

ESCROWGRID_FUNCTION(escrow_create_institution, create_institution);
ESCROWGRID_FUNCTION(escrow_create_asset_template, create_asset_template);
ESCROWGRID_FUNCTION(escrow_create_asset, create_asset);

}  // namespace escrowgrid::pg
