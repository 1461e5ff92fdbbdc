#include "pg/rule_check.hpp"

#include "core/parameters.hpp"
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

Rules parse_rules(const store::AssetTemplate& found, const std::optional<Datum>& policy) {
  core::Refusal why;
  const std::optional<core::TemplateTerms> terms = core::read_template_terms({.code = found.code,
                                                                              .vertical = found.vertical,
                                                                              .region = found.region,
                                                                              .config = template_members(found.config)},
                                                                             why);
  if (!terms) {
    raise(why);  // inserted by hand, past the checks of escrow_create_asset_template
  }
  return {.set = {.terms = *terms, .policy = parse_policy(policy)},
          .name = {.institution_id = found.institution_id, .region = found.region}};
}

// Parsed rules, kept while the rows they were parsed from are the same versions. The rows are looked up on each call:
// a cache that waits to be told goes stale under REPEATABLE READ.
struct KeptRules {
  core::FixedText<core::kMaxIdBytes> asset_id;
  store::RuleRows::Version version;
  MemoryContext memory = nullptr;
  bool is_filled = false;
  CallNumber call = 0;  // the call that looked last
  Rules rules;
};
constexpr std::size_t kKept = 32;
std::array<KeptRules, kKept> kept_rules;

std::string_view copied(std::string_view text) {
  return {pnstrdup(text.data(), text.size()), text.size()};
}

void fill(KeptRules& kept, std::string_view asset_id, const store::RuleRows& rows) {
  kept.is_filled = false;
  if (kept.memory == nullptr) {
    kept.memory = AllocSetContextCreate(CacheMemoryContext, "escrowgrid rules", ALLOCSET_SMALL_SIZES);
  }
  MemoryContextReset(kept.memory);
  MemoryContext outer = MemoryContextSwitchTo(kept.memory);
  store::AssetTemplate found = rows.asset_template();
  found.institution_id = copied(found.institution_id);
  found.region = copied(found.region);
  found.config = PointerGetDatum(PG_DETOAST_DATUM_COPY(found.config));
  std::optional<Datum> policy = rows.policy();
  if (policy) {
    policy = PointerGetDatum(PG_DETOAST_DATUM_COPY(*policy));
  }
  kept.rules = parse_rules(found, policy);
  MemoryContextSwitchTo(outer);
  kept.asset_id.clear();
  kept.asset_id.append(asset_id);
  kept.version = rows.version();
  kept.is_filled = true;
}

const Rules& load_rules(std::string_view asset_id, CallNumber call) {
  KeptRules& kept = kept_rules[std::hash<std::string_view>()(asset_id) % kKept];
  const bool is_known = kept.is_filled && kept.asset_id.view() == asset_id;
  if (is_known && call != 0 && kept.call == call) {
    return kept.rules;
  }
  store::RuleRows rows;
  if (rows.find(asset_id, is_known ? &kept.version : nullptr)) {
    if (!is_known || !(kept.version == rows.version())) {
      fill(kept, asset_id, rows);
    }
    kept.call = call;
    rows.close();
    return kept.rules;
  }
  const std::optional<store::AssetTemplate> found = store::find_asset_template(asset_id);
  if (!found) {
    raise_not_found("asset", asset_id);
  }
  auto* rules = static_cast<Rules*>(palloc(sizeof(Rules)));
  return *new (rules) Rules(
      parse_rules(*found, store::find_policy({.institution_id = found->institution_id, .region = found->region})));
}

}  // namespace

CallNumber next_call_number() {
  static CallNumber last = 0;
  return ++last;
}

void judge(const CreationCase& creation, Exposure exposure, core::RuleReport& report) {
  const core::PositionTerms& terms = creation.terms;
  const Rules& rules = load_rules(terms.asset_id, 0);
  const core::RuleSet* set = &rules.set;
  core::RuleSet locked;
  core::Amount open;
  if (set->policy && set->policy->open_limit(terms.currency.code)) {
    if (exposure == Exposure::kLocked) {
      // Whoever held the lock may have changed the policy or added to the sum.
      locked = {.terms = set->terms, .policy = parse_policy(store::lock_policy(rules.name))};
      set = &locked;
    }
    open = store::sum_open(rules.name, terms.currency.code);
  }
  const bool reads_metadata = set->policy && !set->policy->required_metadata.items().empty();
  core::judge_creation(
      *set,
      {.amount = terms.amount,
       .currency = terms.currency,
       .expires_at = terms.expires_at,
       .now = creation.now,
       .metadata_keys = reads_metadata ? metadata_keys(creation.metadata) : std::span<const std::string_view>(),
       .open_amount = open},
      report);
}

void judge(const core::PositionSnapshot& position, const core::TransitionRequest& request, CallNumber call,
           core::RuleReport& report) {
  const Rules& rules = load_rules(position.terms.asset_id, call);
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

bool check_rules(const core::PositionSnapshot& position, const core::TransitionRequest& request, CallNumber call,
                 core::Refusal& why) {
  core::RuleReport report;
  judge(position, request, call, report);
  if (!report.all_passed()) {
    report.refuse(why);
    why.with("position_id", position.terms.id).with_number("version", position.version);
    return false;
  }
  return true;
}

}  // namespace escrowgrid::pg
