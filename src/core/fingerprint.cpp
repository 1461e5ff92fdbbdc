#include "core/fingerprint.hpp"

#include <algorithm>
#include <vector>

#include "core/parameters.hpp"

namespace escrowgrid::core {

namespace {

using OptionalText = std::optional<std::string_view>;

// Adds the amount in canonical form, because 1, 1.0 and 1.00 are the same request. Text that is not an amount is added
// as it is.
void add_amount(CanonicalBytes& out, const OptionalText& amount) {
  if (!amount) {
    out.text(std::nullopt);
    return;
  }
  const ParsedAmount parsed = parse_amount(*amount);
  out.text(parsed.defect == AmountDefect::kNone ? parsed.amount.text(0).view() : *amount);
}

void add_transition(CanonicalBytes& out, const TransitionInput& input) {
  out.text(input.to_state);
  out.text(input.content.reason);
  out.text(input.content.metadata);
  out.text(input.expected_state);
  out.integer(input.expected_version);
}

bool refuse_batch(std::string_view parameter, std::string_view message, std::string_view hint, Refusal& why) {
  why.begin(Condition::kInvalidParameter).message({message}).hint({hint}).with("parameter", parameter);
  return false;
}

bool has_null(std::span<const OptionalText> values) {
  return std::any_of(values.begin(), values.end(), [](const OptionalText& v) { return !v; });
}

bool check_distinct(std::span<const OptionalText> ids, Refusal& why) {
  std::vector<std::string_view> sorted;
  sorted.reserve(ids.size());
  for (const OptionalText& id : ids) {
    sorted.push_back(id.value_or(std::string_view()));
  }
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice == sorted.end()) {
    return true;
  }
  refuse_batch("position_ids", "position_ids contains an id twice", "Pass each id once.", why);
  why.with("value", *twice);
  return false;
}

}  // namespace

Digest fingerprint(const CreationInput& input) {
  CanonicalBytes out;
  out.text("create_position");
  out.text(input.asset_id);
  out.text(input.holder_reference);
  out.text(input.currency);
  add_amount(out, input.amount);
  out.text(input.external_reference);
  out.integer(input.expires_at);
  out.text(input.metadata);
  return sha256(out.bytes());
}

Digest fingerprint(const TransitionInput& input) {
  CanonicalBytes out;
  out.text("transition");
  out.text(input.position_id);
  add_amount(out, input.amount);
  add_transition(out, input);
  return sha256(out.bytes());
}

Digest fingerprint(const BatchInput& input) {
  CanonicalBytes out;
  out.text("transition_batch");
  out.integer(static_cast<std::int64_t>(input.position_ids.size()));
  for (const OptionalText& id : input.position_ids) {
    out.text(id);
  }
  out.integer(static_cast<std::int64_t>(input.amounts.size()));
  for (const OptionalText& amount : input.amounts) {
    add_amount(out, amount);
  }
  add_transition(out, input.each);
  return sha256(out.bytes());
}

bool check_batch(const BatchInput& input, Refusal& why) {
  static_assert(kMaxBatch == 10'000, "the message names it");
  if (input.position_ids.empty() || input.position_ids.size() > kMaxBatch) {
    return refuse_batch("position_ids", "position_ids must contain from 1 to 10000 ids",
                        "Split a larger batch into several calls.", why);
  }
  if (has_null(input.position_ids)) {
    return refuse_batch("position_ids", "position_ids must not contain nulls", "Pass an id in each element.", why);
  }
  if (!input.amounts.empty() && input.amounts.size() != input.position_ids.size()) {
    return refuse_batch("amounts", "amounts must have one element for each position",
                        "Pass one amount for each position, or omit amounts.", why);
  }
  if (has_null(input.amounts)) {
    return refuse_batch("amounts", "amounts must not contain nulls",
                        "Pass one amount for each position, or omit amounts.", why);
  }
  return check_distinct(input.position_ids, why);
}

}  // namespace escrowgrid::core
