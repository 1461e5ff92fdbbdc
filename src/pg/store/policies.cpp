#include "pg/store/policies.hpp"

#include "pg/layout/sql_text.hpp"
#include "pg/store/audit_events.hpp"
#include "pg/store/utc.hpp"
#include "pg/table/find.hpp"
#include "pg/table/spi_write.hpp"
#include "pg/values/json_object.hpp"
#include "pg/values/random.hpp"
#include "pg/values/result.hpp"

namespace escrowgrid::pg::store {

namespace {

#define ESCROWGRID_POLICY_ROW                  \
  " FROM escrowgrid.institution_policies AS y" \
  " WHERE y.institution_id OPERATOR(pg_catalog.=) $1 AND y.region OPERATOR(pg_catalog.=) $2"

Statement select_policy = {"SELECT y.config" ESCROWGRID_POLICY_ROW};
Statement select_policy_for_update = {"SELECT y.config" ESCROWGRID_POLICY_ROW " FOR NO KEY UPDATE OF y"};

Statement select_open = {
    "SELECT COALESCE(pg_catalog.sum(p.amount OPERATOR(pg_catalog.-) p.released_amount OPERATOR(pg_catalog.-)"
    "  p.refunded_amount), 0) AS open_amount"
    " FROM escrowgrid.positions AS p"
    " JOIN escrowgrid.assets AS a ON a.id OPERATOR(pg_catalog.=) p.asset_id"
    " JOIN escrowgrid.asset_templates AS t ON t.id OPERATOR(pg_catalog.=) a.template_id"
    " WHERE p.institution_id OPERATOR(pg_catalog.=) $1 AND t.region OPERATOR(pg_catalog.=) $2"
    " AND p.currency OPERATOR(pg_catalog.=) $3"
    " AND p.state OPERATOR(pg_catalog.=) ANY (ARRAY['CREATED', 'FUNDED', 'PARTIALLY_RELEASED'])"};

// Sessions that set a policy take turns on this lock, so that each records the policy that it has replaced.
Statement lock_institution = {
    "SELECT 1 FROM escrowgrid.institutions AS i WHERE i.id OPERATOR(pg_catalog.=) $1 FOR NO KEY UPDATE OF i"};

constexpr layout::SqlText upsert_text(const layout::Table& table, std::size_t count) {
  return layout::insert_text(table, count,
                             " ON CONFLICT ON CONSTRAINT institution_policies_institution_id_region_key"
                             " DO UPDATE SET config = EXCLUDED.config, updated_at = EXCLUDED.updated_at RETURNING r");
}
StatementForms upsert_row = kForms<layout::kInstitutionPolicies, upsert_text>;

Statement select_document = {
    "SELECT pg_catalog.jsonb_build_object('id', y.id, 'institutionId', y.institution_id, 'region', y.region,"
    " 'config', y.config," ESCROWGRID_UTC_MEMBER("createdAt", "y.created_at") "," ESCROWGRID_UTC_MEMBER(
        "updatedAt", "y.updated_at") ")" ESCROWGRID_POLICY_ROW};

Statement select_policies = {
    "SELECT y FROM escrowgrid.institution_policies AS y"
    " WHERE $1 IS NULL OR y.institution_id OPERATOR(pg_catalog.=) $1 ORDER BY y.institution_id, y.region"};

Bindings name_bindings(const PolicyName& name) {
  Bindings values;
  values.text(name.institution_id).text(name.region);
  return values;
}

std::optional<Datum> find_one(Statement& statement, const PolicyName& name, Sight sight) {
  if (execute(statement, name_bindings(name), sight) != 1) {
    return std::nullopt;
  }
  return result_value(0, 1, JSONBOID);
}

}  // namespace

std::optional<Datum> lock_policy(const PolicyName& name) {
  return find_one(select_policy_for_update, name, Sight::kFresh);
}

core::Amount sum_open(const PolicyName& name, std::string_view currency) {
  Bindings values = name_bindings(name);
  values.text(currency);
  const View view = begin_view(Sight::kLatest, {&layout::kPositions, &layout::kAssets, &layout::kAssetTemplates});
  execute(select_open, values, view.sight);
  end_view(view);
  // The sum of many positions may be greater than the largest amount of one.
  const core::ParsedAmount sum = core::parse_amount(numeric_text(result_value(0, 1, NUMERICOID).value_or(0)));
  return sum.defect == core::AmountDefect::kNone ? sum.amount : core::Amount::max();
}

Datum upsert_policy(const Origin& origin, const PolicyName& name, std::string_view config) {
  Bindings institution;
  institution.text(name.institution_id);
  execute(lock_institution, institution, Sight::kFresh);
  const View view = begin_view(Sight::kLatest, {&layout::kInstitutionPolicies});
  const std::optional<Datum> old = find_one(select_policy, name, view.sight);
  end_view(view);
  const TextView old_config = old ? TextView(jsonb_text(*old)) : std::nullopt;
  const core::Micros at = clock_micros();
  const core::TypeIdText id = make_id("pol", at);
  layout::RowColumns<layout::kInstitutionPolicies> made;
  made.set<"id">(id.view())
      .set<"institution_id">(name.institution_id)
      .set<"region">(name.region)
      .set_datum<"config">(jsonb_datum(config))
      .set<"created_at">(at)
      .set<"updated_at">(at);
  Bindings values;
  Statement& upsert = bind_row(upsert_row, layout::kInstitutionPolicies, made.values(), values);
  require_one_row(execute(upsert, values, Sight::kFresh), layout::kInstitutionPolicies);
  const Datum row = keep_for_caller(result_composite(0));
  JsonObject payload;
  payload.text("region", name.region).json("oldConfig", old_config).json("newConfig", config);
  append_audit(origin, {.action = "POLICY_UPDATED",
                        .institution_id = name.institution_id,
                        .resource_type = "institution_policy",
                        .resource_id = name.region,
                        .payload = payload.datum(),
                        .status_code = 200,
                        .at = at});
  return row;
}

std::optional<Datum> read_policy_document(const PolicyName& name) {
  const std::optional<Datum> document = find_one(select_document, name, Sight::kCaller);
  return document ? std::optional(keep_for_caller(*document)) : std::nullopt;
}

void list_policies(FunctionCallInfo fcinfo, const TextView& institution_id) {
  Bindings values;
  values.text(institution_id);
  const std::uint64_t rows = execute(select_policies, values, Sight::kCaller);
  for (std::uint64_t i = 0; i < rows; ++i) {
    put_composite(fcinfo, result_composite(i));
  }
}

}  // namespace escrowgrid::pg::store
