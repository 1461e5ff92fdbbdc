// Dry runs: each rule, whether it passes, and the values that were compared. Nothing is locked or written.
#include "core/parameters.hpp"
#include "pg/api/move_arguments.hpp"
#include "pg/border/boundary.hpp"
#include "pg/border/report.hpp"
#include "pg/service/authentication.hpp"
#include "pg/service/moves.hpp"
#include "pg/service/rules.hpp"
#include "pg/store/assets.hpp"
#include "pg/store/currencies.hpp"
#include "pg/store/positions.hpp"
#include "pg/table/session.hpp"
#include "pg/values/json_object.hpp"
#include "pg/values/result.hpp"

namespace escrowgrid::pg {

namespace {

// Puts a row (rule, passed, sqlstate, condition, compared) for each rule asked.
class Explanation {
 public:
  explicit Explanation(FunctionCallInfo fcinfo) : fcinfo_(fcinfo) {}

  void passed(std::string_view rule, std::string_view compared) { put(rule, nullptr, compared); }
  void failed(std::string_view rule, const core::Refusal& why) {
    put(rule, &core::describe(why.condition()), why.detail());
  }
  // Returns whether the rule has passed, so that the caller can leave out rules that make no sense after a failure.
  bool ask(std::string_view rule, bool is_passed, const core::Refusal& why, std::string_view compared) {
    is_passed ? passed(rule, compared) : failed(rule, why);
    return is_passed;
  }
  void report(const core::RuleReport& report) {
    const core::ConditionInfo& violation = core::describe(core::Condition::kPolicyViolation);
    for (const core::RuleOutcome& outcome : report.outcomes()) {
      put(outcome.rule, outcome.passed ? nullptr : &violation, outcome.compared.view());
    }
  }

 private:
  void put(std::string_view rule, const core::ConditionInfo* failure, std::string_view compared) {
    std::array<std::optional<Datum>, 5> columns = {text_datum(rule), BoolGetDatum(failure == nullptr), std::nullopt,
                                                   std::nullopt, jsonb_datum(compared)};
    if (failure != nullptr) {
      columns[2] = text_datum(failure->sqlstate);
      columns[3] = text_datum(failure->name);
    }
    put_row(fcinfo_, columns);
  }

  FunctionCallInfo fcinfo_;
};

static_assert(std::is_trivially_destructible_v<Explanation>);

std::string_view facts_of(const core::PositionSnapshot& position, const core::TransitionRequest& request) {
  const int decimals = position.terms.currency.exponent;
  JsonObject facts;
  facts.text("state", core::state_name(position.state))
      .integer("version", position.version)
      .text("to_state", core::state_name(request.to))
      .amount("amount", request.amount, decimals)
      .amount("held", position.held(), decimals);
  return jsonb_text(facts.datum());
}

void explain(Explanation& out, const Caller& caller, const core::TransitionInput& input) {
  core::Refusal why;
  const std::optional<core::TransitionRequest> request = core::read_transition(input, why);
  if (!out.ask("input", request.has_value(), why, "{}")) {
    return;
  }
  core::PositionSnapshot position;
  const bool is_found = store::read_position(*input.position_id, caller.institution_id, position);
  if (!is_found) {
    core::refuse_not_found("position", *input.position_id, why);
  }
  if (!out.ask("found", is_found, why, "{}")) {
    return;
  }
  const core::Micros now = clock_micros();
  const std::string_view facts = facts_of(position, *request);
  for (const core::TransitionCheck& check : core::transition_checks()) {
    const bool is_passed = check.passes(position, *request, now, why);
    out.ask(check.name, is_passed, why, facts);
  }
  core::RuleReport report;
  judge(position, *request, CallNumber{0}, report);
  out.report(report);
}

void explain(Explanation& out, const Caller& caller, const core::CreationInput& input) {
  core::Refusal why;
  const std::optional<core::Amount> amount = core::read_creation(input, why);
  if (!out.ask("input", amount.has_value(), why, "{}")) {
    return;
  }
  const TextView institution_id = store::find_asset_institution(*input.asset_id, caller.institution_id);
  if (!institution_id) {
    core::refuse_not_found("asset", *input.asset_id, why);
  }
  if (!out.ask("found", institution_id.has_value(), why, "{}")) {
    return;
  }
  const std::optional<int> exponent = store::find_exponent(*input.currency);
  if (!exponent) {
    core::refuse_unknown_currency("currency", *input.currency, why);
  }
  if (!out.ask("currency", exponent.has_value(), why, "{}")) {
    return;
  }
  const core::Micros now = clock_micros();
  const core::PositionTerms terms = terms_of(
      input, {.id = "pos_preview", .institution_id = *institution_id, .amount = *amount, .exponent = *exponent});
  JsonObject facts;
  facts.amount("amount", terms.amount, *exponent)
      .text("currency", terms.currency.code)
      .integer("currency_decimals", *exponent);
  const std::string_view compared = jsonb_text(facts.datum());
  for (const core::CreationCheck& check : core::creation_checks()) {
    const bool is_passed = check.passes(terms, now, why);
    out.ask(check.name, is_passed, why, compared);
  }
  core::RuleReport report;
  judge({.terms = terms, .metadata = input.metadata, .now = now}, Exposure::kLooked, report);
  out.report(report);
}

template <typename Input>
Datum explain_call(FunctionCallInfo fcinfo, const char* action) {
  InitMaterializedSRF(fcinfo, 0);
  const Session session = open_session();
  const Caller caller = require_caller(session.owner, core::Right::kWrite, action);
  Explanation out(fcinfo);
  core::Refusal why;
  Input input;
  if (read_input(fcinfo, input, why)) {
    explain(out, caller, input);
  } else {
    out.failed("input", why);
  }
  close_session(session);
  return 0;
}

Datum explain_transition(FunctionCallInfo fcinfo) {
  return explain_call<core::TransitionInput>(fcinfo, "escrow_explain_transition");
}

Datum explain_create_position(FunctionCallInfo fcinfo) {
  return explain_call<core::CreationInput>(fcinfo, "escrow_explain_create_position");
}

}  // namespace

ESCROWGRID_FUNCTION(escrow_explain_transition, explain_transition);
ESCROWGRID_FUNCTION(escrow_explain_create_position, explain_create_position);

}  // namespace escrowgrid::pg
