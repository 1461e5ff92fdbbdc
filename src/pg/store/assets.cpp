#include "pg/store/assets.hpp"

#include "pg/store/audit_events.hpp"
#include "pg/store/ledger_events.hpp"
#include "pg/store/tenant.hpp"
#include "pg/table/find.hpp"
#include "pg/table/spi_write.hpp"
#include "pg/table/writes.hpp"
#include "pg/values/json_object.hpp"
#include "pg/values/memory.hpp"
#include "pg/values/random.hpp"

namespace escrowgrid::pg::store {

namespace {

// A new template or asset leaves an audit row, and a ledger row with the same kind and payload.
void record_made(const Origin& origin, const AuditEntry& entry) {
  append_ledger(origin, {.kind = entry.action,
                         .institution_id = entry.institution_id.value_or(std::string_view()),
                         .position_id = std::nullopt,
                         .previous_state = std::nullopt,
                         .new_state = std::nullopt,
                         .payload = entry.payload.value_or(0),
                         .at = entry.at});
  append_audit(origin, entry);
}

}  // namespace

TextView find_template_institution(std::string_view id, const TextView& institution_id) {
  return find_tenant<layout::kAssetTemplates>(id, institution_id, Sight::kFresh);
}

TextView find_asset_institution(std::string_view id, const TextView& institution_id) {
  return find_tenant<layout::kAssets>(id, institution_id, Sight::kFresh);
}

TextView lock_asset_institution(Writes& writes, std::string_view id, const TextView& institution_id) {
  FoundRow row;
  if (!find_referred(writes, layout::kAssets, id, institution_id, row)) {
    return std::nullopt;
  }
  const std::string_view owner = copied(row.as<layout::kAssets>().get<"institution_id">());
  row.close();
  return owner;
}

Datum insert_template(const Origin& origin, const NewTemplate& asset_template) {
  const core::Micros at = clock_micros();
  const core::TypeIdText id = make_id("tmpl", at);
  layout::RowColumns<layout::kAssetTemplates> made;
  made.set<"id">(id.view())
      .set<"institution_id">(asset_template.institution_id)
      .set<"code">(asset_template.code)
      .set<"name">(asset_template.name)
      .set<"vertical">(asset_template.vertical)
      .set<"region">(asset_template.region)
      .set_datum<"config">(jsonb_datum(asset_template.config))
      .set<"created_at">(at)
      .set<"updated_at">(at);
  const Datum row = insert_outside_moves(layout::kAssetTemplates, made.values());
  JsonObject payload;
  payload.text("templateId", id.view())
      .text("code", asset_template.code)
      .text("name", asset_template.name)
      .text("vertical", asset_template.vertical)
      .text("region", asset_template.region)
      .json("config", asset_template.config);
  record_made(origin, {.action = "TEMPLATE_CREATED",
                       .institution_id = asset_template.institution_id,
                       .resource_type = "asset_template",
                       .resource_id = id.view(),
                       .payload = payload.datum(),
                       .status_code = 201,
                       .at = at});
  return row;
}

Datum insert_asset(const Origin& origin, const NewAsset& asset) {
  const core::Micros at = clock_micros();
  const core::TypeIdText id = make_id("ast", at);
  layout::RowColumns<layout::kAssets> made;
  made.set<"id">(id.view())
      .set<"institution_id">(asset.institution_id)
      .set<"template_id">(asset.template_id)
      .set<"label">(asset.label)
      .set_datum<"metadata">(asset.metadata ? std::optional(jsonb_datum(*asset.metadata)) : std::nullopt)
      .set<"created_at">(at)
      .set<"updated_at">(at);
  const Datum row = insert_outside_moves(layout::kAssets, made.values());
  JsonObject payload;
  payload.text("assetId", id.view())
      .text("templateId", asset.template_id)
      .text("label", asset.label)
      .json("metadata", asset.metadata);
  record_made(origin, {.action = "ASSET_CREATED",
                       .institution_id = asset.institution_id,
                       .resource_type = "asset",
                       .resource_id = id.view(),
                       .payload = payload.datum(),
                       .status_code = 201,
                       .at = at});
  return row;
}

}  // namespace escrowgrid::pg::store
