#include "pg/service/rules.hpp"

#include "core/parameters.hpp"
#include "pg/border/report.hpp"
#include "pg/store/policies.hpp"
#include "pg/store/rule_rows.hpp"
#include "pg/values/json_members.hpp"
#include "pg/values/memory.hpp"

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

// The content that rules are parsed from. Parsed rules are kept together with this content and used again only if the
// rows still have it. (xmin, tid) would not identify a row: VACUUM FULL moves rows, and the rows of one transaction
// share their xmin.
struct RuleSource {
  std::string_view institution_id;
  std::string_view code;
  std::string_view vertical;
  std::string_view region;
  std::string_view config;  // jsonb, as stored but never compressed
  TextView policy;          // likewise
  friend bool operator==(const RuleSource&, const RuleSource&) = default;
};

// The bytes of a jsonb without its header, which may be long or short.
std::string_view jsonb_bytes(Datum value) {
  return text_view(value);
}

RuleSource source_of(const store::AssetTemplate& found, const std::optional<Datum>& policy) {
  return {.institution_id = found.institution_id,
          .code = found.code,
          .vertical = found.vertical,
          .region = found.region,
          .config = jsonb_bytes(found.config),
          .policy = policy ? TextView(jsonb_bytes(*policy)) : std::nullopt};
}

// Parsed rules with what they were parsed from; all of it lives in `memory`.
struct ParsedRules {
  MemoryContext memory = nullptr;
  RuleSource source;
  Rules rules;
  int users = 0;  // how many calls are judging by them; an error leaves this too high
};

struct KeptRules {
  core::FixedText<core::kMaxIdBytes> asset_id;
  store::RuleRows::Places places;
  ParsedRules* parsed = nullptr;
  CallNumber call = 0;  // the call that looked last
};
constexpr std::size_t kKept = 32;
std::array<KeptRules, kKept> kept_rules;

ParsedRules* parse_rows(const store::RuleRows& rows) {
  MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "escrowgrid rules", ALLOCSET_SMALL_SIZES);
  MemoryContext outer = MemoryContextSwitchTo(memory);
  store::AssetTemplate found = rows.asset_template();
  found.institution_id = copied(found.institution_id);
  found.code = copied(found.code);
  found.vertical = copied(found.vertical);
  found.region = copied(found.region);
  found.config = PointerGetDatum(PG_DETOAST_DATUM_COPY(found.config));
  std::optional<Datum> policy = rows.policy();
  if (policy) {
    policy = PointerGetDatum(PG_DETOAST_DATUM_COPY(*policy));
  }
  auto* parsed = make<ParsedRules>();
  parsed->memory = memory;
  parsed->rules = parse_rules(found, policy);
  parsed->source = source_of(found, policy);
  MemoryContextSwitchTo(outer);
  return parsed;
}

// Publishes parsed rules that are complete. A call further up the stack may still be judging by the old ones, if users'
// code runs inside it and has called this. Then the old ones are kept until the transaction ends.
void publish(KeptRules& kept, std::string_view asset_id, ParsedRules* parsed) {
  if (kept.parsed != nullptr && kept.parsed->users == 0) {
    MemoryContextDelete(kept.parsed->memory);
  } else if (kept.parsed != nullptr) {
    MemoryContextSetParent(kept.parsed->memory, TopTransactionContext);
  }
  MemoryContextSetParent(parsed->memory, CacheMemoryContext);
  kept.parsed = parsed;
  kept.asset_id.clear();
  // An id that does not fit stays empty, so the rules are looked up again each time.
  static_cast<void>(kept.asset_id.try_append(asset_id));
}

// The rules of an asset. The rows are looked up on each call, because a cache that depends on invalidations goes stale
// under REPEATABLE READ. Only their parsed form is kept.
ParsedRules& load_rules(std::string_view asset_id, CallNumber call) {
  KeptRules& kept = kept_rules[std::hash<std::string_view>()(asset_id) % kKept];
  const bool is_known = kept.parsed != nullptr && kept.asset_id.view() == asset_id;
  if (is_known && call != 0 && kept.call == call) {
    return *kept.parsed;
  }
  store::RuleRows rows;
  if (!rows.find(asset_id, is_known ? &kept.places : nullptr)) {
    raise_not_found("asset", asset_id);
  }
  if (!is_known || kept.parsed->source != source_of(rows.asset_template(), rows.policy())) {
    publish(kept, asset_id, parse_rows(rows));
  }
  kept.places = rows.places();
  kept.call = call;
  rows.close();
  return *kept.parsed;
}

// Locks the policy that the latest snapshot has just shown, so that creations under an exposure limit take turns.
std::optional<core::Policy> require_locked_policy(const store::PolicyName& name) {
  const std::optional<Datum> config = store::lock_policy(name);
  if (!config && IsolationUsesXactSnapshot()) {
    // The policy was set after this transaction's snapshot, so this transaction cannot lock it.
    ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
                    errmsg("could not serialize access due to a concurrent change of policy"),
                    errhint("Retry the transaction.")));
  }
  return parse_policy(config);  // absent if the policy has just been deleted
}

}  // namespace

void judge(const CreationCase& creation, Exposure exposure, core::RuleReport& report) {
  const core::PositionTerms& terms = creation.terms;
  ParsedRules& parsed = load_rules(terms.asset_id, 0);
  const Rules& rules = parsed.rules;
  ++parsed.users;
  const core::RuleSet* set = &rules.set;
  core::RuleSet locked;
  core::Amount open;
  if (set->policy && set->policy->open_limit(terms.currency.code)) {
    if (exposure == Exposure::kLocked) {
      // The previous holder of the lock may have changed the policy or added to the sum.
      locked = {.terms = set->terms, .policy = require_locked_policy(rules.name)};
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
  --parsed.users;
}

void judge(const core::PositionSnapshot& position, const core::TransitionRequest& request, CallNumber call,
           core::RuleReport& report) {
  const Rules& rules = load_rules(position.terms.asset_id, call).rules;
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
