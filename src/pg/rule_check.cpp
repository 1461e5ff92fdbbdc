#include "pg/rule_check.hpp"

#include "pg/config.hpp"
#include "pg/report.hpp"
#include "pg/store_policy.hpp"

namespace escrowgrid::pg {

namespace {

std::optional<core::Policy> parse_policy(const std::optional<Datum>& config) {
  if (!config) {
    return std::nullopt;
  }
  core::Refusal why;
  const std::optional<core::Policy> policy = core::read_policy(policy_members(*config), why);
  if (!policy) {
    raise(why);  // set by hand, past the checks of escrow_set_policy
  }
  return policy;
}

struct Rules {
  core::RuleSet set;
  store::PolicyName name;
};

Rules load_rules(std::string_view asset_id) {
  const std::optional<store::AssetTemplate> found = store::find_asset_template(asset_id);
  if (!found) {
    raise_not_found("asset", asset_id);
  }
  core::Refusal why;
  const std::optional<core::TemplateTerms> terms =
      core::read_template_terms({.code = found->code,
                                 .vertical = found->vertical,
                                 .region = found->region,
                                 .config = template_members(found->config)},
                                why);
  if (!terms) {
    raise(why);  // inserted by hand, past the checks of escrow_create_asset_template
  }
  const store::PolicyName name = {.institution_id = found->institution_id, .region = found->region};
  return {.set = {.terms = *terms, .policy = parse_policy(store::find_policy(name))}, .name = name};
}

}  // namespace

void judge(const CreationCase& creation, Exposure exposure, core::RuleReport& report) {
  const core::PositionTerms& terms = creation.terms;
  Rules rules = load_rules(terms.asset_id);
  core::Amount open;
  if (rules.set.policy && rules.set.policy->open_limit(terms.currency.code)) {
    if (exposure == Exposure::kLocked) {
      // Whoever held the lock may have changed the policy or added to the sum.
      rules.set.policy = parse_policy(store::lock_policy(rules.name));
    }
    open = store::sum_open(rules.name, terms.currency.code);
  }
  const bool reads_metadata = rules.set.policy && !rules.set.policy->required_metadata.items().empty();
  core::judge_creation(
      rules.set,
      {.amount = terms.amount,
       .currency = terms.currency,
       .expires_at = terms.expires_at,
       .now = creation.now,
       .metadata_keys = reads_metadata ? metadata_keys(creation.metadata) : std::span<const std::string_view>(),
       .open_amount = open},
      report);
}

void judge(const core::PositionSnapshot& position, const core::TransitionRequest& request, core::RuleReport& report) {
  const Rules rules = load_rules(position.terms.asset_id);
  const bool reads_metadata = rules.set.policy && !rules.set.policy->required_metadata.items().empty();
  core::judge_transition(
      rules.set,
      {.position = &position,
       .request = &request,
       .metadata_keys = reads_metadata ? metadata_keys(request.content.metadata) : std::span<const std::string_view>()},
      report);
}

bool check_rules(const CreationCase& creation, core::Refusal& why) {
  core::RuleReport report;
  judge(creation, Exposure::kLocked, report);
  if (!report.all_passed()) {
    report.refuse(why);
    return false;
  }
  return true;
}

bool check_rules(const core::PositionSnapshot& position, const core::TransitionRequest& request, core::Refusal& why) {
  core::RuleReport report;
  judge(position, request, report);
  if (!report.all_passed()) {
    report.refuse(why);
    why.with("position_id", position.terms.id).with_number("version", position.version);
    return false;
  }
  return true;
}

}  // namespace escrowgrid::pg
