#include "pg/store/policies.hpp"

#include "pg/store/audit_events.hpp"
#include "pg/table/statement.hpp"
#include "pg/values/json_object.hpp"

namespace escrowgrid::pg::store {

namespace {

Statement select_asset_template = {
    "SELECT a.institution_id, t.code, t.vertical, t.region, t.config FROM escrowgrid.assets AS a"
    " JOIN escrowgrid.asset_templates AS t ON t.id OPERATOR(pg_catalog.=) a.template_id"
    " WHERE a.id OPERATOR(pg_catalog.=) $1"};

#define ESCROWGRID_POLICY_ROW                  \
  " FROM escrowgrid.institution_policies AS y" \
  " WHERE y.institution_id OPERATOR(pg_catalog.=) $1 AND y.region OPERATOR(pg_catalog.=) $2"

Statement select_policy = {"SELECT y.config" ESCROWGRID_POLICY_ROW};
Statement select_policy_for_update = {"SELECT y.config" ESCROWGRID_POLICY_ROW " FOR NO KEY UPDATE OF y"};

Statement select_open = {
    "SELECT COALESCE(pg_catalog.sum(p.amount OPERATOR(pg_catalog.-) p.released_amount OPERATOR(pg_catalog.-)"
    "  p.refunded_amount), 0)"
    " FROM escrowgrid.positions AS p"
    " JOIN escrowgrid.assets AS a ON a.id OPERATOR(pg_catalog.=) p.asset_id"
    " JOIN escrowgrid.asset_templates AS t ON t.id OPERATOR(pg_catalog.=) a.template_id"
    " WHERE p.institution_id OPERATOR(pg_catalog.=) $1 AND t.region OPERATOR(pg_catalog.=) $2"
    " AND p.currency OPERATOR(pg_catalog.=) $3"
    " AND p.state OPERATOR(pg_catalog.=) ANY (ARRAY['CREATED', 'FUNDED', 'PARTIALLY_RELEASED'])"};

// Two sessions that set a policy take turns, so that each records what it replaced.
Statement lock_institution = {
    "SELECT 1 FROM escrowgrid.institutions AS i WHERE i.id OPERATOR(pg_catalog.=) $1 FOR NO KEY UPDATE OF i"};

Statement upsert_row = {
    "INSERT INTO escrowgrid.institution_policies AS y (id, institution_id, region, config, created_at, updated_at)"
    " VALUES ($1, $2, $3, $4, $5, $5)"
    " ON CONFLICT ON CONSTRAINT institution_policies_institution_id_region_key"
    " DO UPDATE SET config = EXCLUDED.config, updated_at = EXCLUDED.updated_at RETURNING y"};

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
  return result_value(0, 1);
}

}  // namespace

std::optional<AssetTemplate> find_asset_template(std::string_view asset_id) {
  Bindings values;
  values.text(asset_id);
  if (execute(select_asset_template, values, Sight::kFresh) != 1) {
    return std::nullopt;
  }
  AssetTemplate found;
  found.institution_id = text_view(result_value(0, 1).value_or(0));
  found.code = text_view(result_value(0, 2).value_or(0));
  found.vertical = text_view(result_value(0, 3).value_or(0));
  found.region = text_view(result_value(0, 4).value_or(0));
  found.config = result_value(0, 5).value_or(0);
  return found;
}

bool RuleRows::find(std::string_view asset_id, const Places* hint) {
  constexpr std::array kNames = {direct::Name::kAssets, direct::Name::kAssetTemplates, direct::Name::kPolicies};
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    tables_[i] = direct::open(kNames[i], AccessShareLock);
    if (!tables_[i]) {
      close();
      return false;
    }
  }
  if (!find_rows(asset_id, hint)) {
    close();
    return false;
  }
  return true;
}

namespace {

enum AssetColumn : std::uint8_t { kAssetId = 1, kAssetTemplate = 3 };
enum TemplateColumn : std::uint8_t { kTemplateId = 1, kTemplateInstitution, kCode, kVertical = 5, kRegion, kConfig };
enum PolicyColumn : std::uint8_t { kPolicyInstitution = 2, kPolicyRegion, kPolicyConfig };

}  // namespace

// A key has one row that a snapshot sees. So a row with the right key that the latest snapshot sees is the row,
// wherever it was found.
bool RuleRows::find_at(std::string_view asset_id, const Places& hint, Snapshot now) {
  return hint.has_policy && direct::fetch(tables_[0], hint.asset, now, *asset_) && asset_->text(kAssetId) == asset_id &&
         direct::fetch(tables_[1], hint.asset_template, now, *template_) &&
         template_->text(kTemplateId) == asset_->text(kAssetTemplate) &&
         direct::fetch(tables_[2], hint.policy, now, *policy_) &&
         policy_->text(kPolicyInstitution) == template_->text(kTemplateInstitution) &&
         policy_->text(kPolicyRegion) == template_->text(kRegion);
}

bool RuleRows::find_rows(std::string_view asset_id, const Places* hint) {
  Snapshot now = direct::latest_snapshot();
  asset_.emplace(tables_[0]);
  template_.emplace(tables_[1]);
  policy_.emplace(tables_[2]);
  if (hint != nullptr && find_at(asset_id, *hint, now)) {
    places_ = *hint;
    return true;
  }
  for (direct::Row* row : {&*asset_, &*template_, &*policy_}) {
    row->clear();
  }
  if (!direct::find(tables_[0], direct::Key::kId, direct::TextKey{.first = asset_id}, now, *asset_) ||
      !direct::find(tables_[1], direct::Key::kId, direct::TextKey{.first = asset_->text(kAssetTemplate)}, now,
                    *template_)) {
    return false;
  }
  const direct::TextKey name = {.first = template_->text(kTemplateInstitution), .second = template_->text(kRegion)};
  places_ = {.asset = asset_->place(), .asset_template = template_->place()};
  if (direct::find(tables_[2], direct::Key::kSecond, name, now, *policy_)) {
    places_.policy = policy_->place();
    places_.has_policy = true;
  }
  return true;
}

AssetTemplate RuleRows::asset_template() const {
  return {.institution_id = template_->text(kTemplateInstitution),
          .code = template_->text(kCode),
          .vertical = template_->text(kVertical),
          .region = template_->text(kRegion),
          .config = template_->value(kConfig).value_or(0)};
}

std::optional<Datum> RuleRows::policy() const {
  return places_.has_policy ? policy_->value(kPolicyConfig) : std::nullopt;
}

void RuleRows::close() {
  for (std::optional<direct::Row>* row : {&asset_, &template_, &policy_}) {
    if (*row) {
      (*row)->clear();
      row->reset();
    }
  }
  for (direct::Open& table : tables_) {
    if (table) {
      direct::close(table);
      table = {};
    }
  }
}

std::optional<Datum> find_policy(const PolicyName& name) {
  return find_one(select_policy, name, Sight::kLatest);
}

std::optional<Datum> lock_policy(const PolicyName& name) {
  return find_one(select_policy_for_update, name, Sight::kFresh);
}

core::Amount sum_open(const PolicyName& name, std::string_view currency) {
  Bindings values = name_bindings(name);
  values.text(currency);
  execute(select_open, values, Sight::kLatest);
  // The sum of many positions may exceed what one of them may hold.
  const core::ParsedAmount sum = core::parse_amount(numeric_text(result_value(0, 1).value_or(0)));
  return sum.defect == core::AmountDefect::kNone ? sum.amount : core::Amount::max();
}

Datum upsert_policy(const Origin& origin, const PolicyName& name, std::string_view config) {
  Bindings institution;
  institution.text(name.institution_id);
  execute(lock_institution, institution, Sight::kFresh);
  const std::optional<Datum> old = find_one(select_policy, name, Sight::kLatest);
  const TextView old_config = old ? TextView(jsonb_text(*old)) : std::nullopt;
  const core::Micros at = clock_micros();
  const core::TypeIdText id = make_id("pol", at);
  Bindings values;
  values.text(id.view()).text(name.institution_id).text(name.region).json(config).time(at);
  if (execute(upsert_row, values, Sight::kFresh) != 1) {
    ereport(ERROR, (errcode(ERRCODE_TRIGGERED_ACTION_EXCEPTION), errmsg("a row was suppressed by a trigger or a rule"),
                    errhint("Remove the trigger or rule on escrowgrid.institution_policies that drops it.")));
  }
  const Datum row = SPI_datumTransfer(result_value(0, 1).value_or(0), false, -1);
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
  return document ? std::optional(SPI_datumTransfer(*document, false, -1)) : std::nullopt;
}

void list_policies(FunctionCallInfo fcinfo, const TextView& institution_id) {
  Bindings values;
  values.text(institution_id);
  const std::uint64_t rows = execute(select_policies, values, Sight::kCaller);
  for (std::uint64_t i = 0; i < rows; ++i) {
    put_composite(fcinfo, result_value(i, 1).value_or(0));
  }
}

}  // namespace escrowgrid::pg::store
