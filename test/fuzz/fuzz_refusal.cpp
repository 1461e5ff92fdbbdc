// A refusal may repeat any text: its DETAIL is valid JSON, its texts are valid UTF-8, and an ellipsis shows every cut.
#include "../unit/well_formed.hpp"
#include "check.hpp"
#include "core/rules.hpp"

using namespace escrowgrid::core;
using escrowgrid::test::is_json;
using escrowgrid::test::is_utf8;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (!is_utf8(text)) {
    ESCROWGRID_CHECK(clip(text).size() <= kMaxEchoBytes && echo(text).view().starts_with(clip(text)));
    return 0;
  }
  const std::string_view half = clip(text, size / 2);
  Refusal why;
  why.begin(Condition::kNotFound).message({half, "\"", text, "\""}).hint({text, half, text});
  why.with("value", text).with(half, half).with_number("size", static_cast<std::int64_t>(size));
  ESCROWGRID_CHECK(is_json(why.detail()) && is_utf8(why.message()) && is_utf8(why.hint()) && is_utf8(half));
  ESCROWGRID_CHECK((echo(text).view() == text) == (size <= kMaxEchoBytes));

  const std::array<MetadataRule, 2> keys = {
      {{.state = State::kCreated, .key = text}, {.state = State::kCreated, .key = half}}};
  RuleSet rules;
  rules.terms.currency = text;
  rules.policy.emplace();
  for (std::size_t i = 0; i < kMaxPolicyEntries; ++i) {
    ESCROWGRID_CHECK(rules.policy->required_metadata.add(keys[i % keys.size()]));
  }
  RuleReport report;
  CreationFacts facts;
  facts.currency.code = half;
  judge_creation(rules, facts, report);
  for (const RuleOutcome& outcome : report.outcomes()) {
    ESCROWGRID_CHECK(is_json(outcome.compared.view()));
  }
  report.refuse(why);
  ESCROWGRID_CHECK(is_json(why.detail()));
  return 0;
}
