#include "pg/store/rule_rows.hpp"

namespace escrowgrid::pg::store {

bool RuleRows::find(std::string_view asset_id, const Places* hint) {
  const View view =
      begin_view(Sight::kLatest, {&layout::kAssets, &layout::kAssetTemplates, &layout::kInstitutionPolicies});
  bool is_found = hint != nullptr && find_at(view, asset_id, *hint);
  if (!is_found) {
    close();
    is_found = find_by_keys(view, asset_id);
  }
  end_view(view);
  if (!is_found) {
    close();
  }
  return is_found;
}

// A snapshot shows at most one row with a given key. So if the latest snapshot shows a row with this key, it is the
// right one, wherever it was found.
bool RuleRows::find_at(const View& view, std::string_view asset_id, const Places& hint) {
  if (!hint.has_policy || !asset_.fetch(view, layout::kAssets, hint.asset) ||
      !template_.fetch(view, layout::kAssetTemplates, hint.asset_template) ||
      !policy_.fetch(view, layout::kInstitutionPolicies, hint.policy)) {
    return false;
  }
  const auto asset = asset_.as<layout::kAssets>();
  const auto terms = template_.as<layout::kAssetTemplates>();
  const auto policy = policy_.as<layout::kInstitutionPolicies>();
  has_policy_ = asset.get<"id">() == asset_id && terms.get<"id">() == asset.get<"template_id">() &&
                policy.get<"institution_id">() == terms.get<"institution_id">() &&
                policy.get<"region">() == terms.get<"region">();
  return has_policy_;
}

bool RuleRows::find_by_keys(const View& view, std::string_view asset_id) {
  if (!asset_.find(view, layout::kAssets, asset_id, std::nullopt) ||
      !template_.find(view, layout::kAssetTemplates, asset_.as<layout::kAssets>().get<"template_id">(), std::nullopt)) {
    return false;
  }
  const auto terms = template_.as<layout::kAssetTemplates>();
  has_policy_ =
      policy_.find(view, layout::kInstitutionPolicies, WhichKey::kSecondary,
                   {text_datum(terms.get<"institution_id">()), text_datum(terms.get<"region">())}, std::nullopt);
  return true;
}

RuleRows::Places RuleRows::places() const {
  return {.asset = asset_.place(),
          .asset_template = template_.place(),
          .policy = policy_.place(),
          .has_policy = has_policy_};
}

AssetTemplate RuleRows::asset_template() const {
  const auto row = template_.as<layout::kAssetTemplates>();
  const std::optional<Datum> config = row.find<"config">();
  if (!config) {
    ereport(ERROR, (errcode(ERRCODE_NOT_NULL_VIOLATION), errmsg("the config of an asset template is NULL")));
  }
  return {.institution_id = row.get<"institution_id">(),
          .code = row.get<"code">(),
          .vertical = row.get<"vertical">(),
          .region = row.get<"region">(),
          .config = *config};
}

std::optional<Datum> RuleRows::policy() const {
  return has_policy_ ? policy_.as<layout::kInstitutionPolicies>().find<"config">() : std::nullopt;
}

void RuleRows::close() {
  asset_.close();
  template_.close();
  policy_.close();
  has_policy_ = false;
}

}  // namespace escrowgrid::pg::store
