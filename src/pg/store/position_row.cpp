#include "pg/store/position_row.hpp"

namespace escrowgrid::pg::store {

namespace {

core::Amount require_amount(std::string_view text) {
  const core::ParsedAmount parsed = core::parse_amount(text);
  if (parsed.defect != core::AmountDefect::kNone) {
    ereport(ERROR, (errcode(ERRCODE_CHECK_VIOLATION), errmsg("an amount of a position is out of range")));
  }
  return parsed.amount;
}

}  // namespace

core::PositionTerms to_terms(const PositionView& row, core::Amount amount) {
  return {.id = row.get<"id">(),
          .institution_id = row.get<"institution_id">(),
          .asset_id = row.get<"asset_id">(),
          .holder_reference = row.get<"holder_reference">(),
          .currency = {.code = row.get<"currency">(), .exponent = 0},
          .amount = amount,
          .external_reference = row.find<"external_reference">(),
          .expires_at = row.find<"expires_at">()};
}

core::PositionSnapshot to_snapshot(const PositionView& row) {
  const std::optional<core::State> state = core::parse_state(row.get<"state">());
  if (!state || row.is_null<"head_hash">()) {
    ereport(ERROR, (errcode(ERRCODE_CHECK_VIOLATION), errmsg("a position lacks a known state or its head_hash")));
  }
  core::PositionSnapshot snapshot;
  snapshot.terms = to_terms(row, require_amount(row.get<"amount">()));
  snapshot.state = *state;
  snapshot.released = require_amount(row.get<"released_amount">());
  snapshot.refunded = require_amount(row.get<"refunded_amount">());
  snapshot.version = row.get<"version">();
  snapshot.updated_at = row.get<"updated_at">();
  snapshot.head_hash = require_digest(row.get<"head_hash">());
  return snapshot;
}

void set_decided(PositionColumns& row, const core::PositionTerms& terms, const core::Decision& decision) {
  const int decimals = terms.currency.exponent;
  row.set<"state">(core::state_name(decision.to))
      .set<"released_amount">(decision.released, decimals)
      .set<"refunded_amount">(decision.refunded, decimals)
      .set<"updated_at">(decision.at)
      .set<"due_at">(decision.due_at)
      .set<"version">(decision.version)
      .set<"head_hash">(decision.hash);
}

PositionColumns new_position(const core::PositionTerms& terms, const core::Decision& decision) {
  PositionColumns row;
  row.set<"id">(terms.id)
      .set<"institution_id">(terms.institution_id)
      .set<"asset_id">(terms.asset_id)
      .set<"holder_reference">(terms.holder_reference)
      .set<"currency">(terms.currency.code)
      .set<"amount">(terms.amount, terms.currency.exponent)
      .set<"external_reference">(terms.external_reference)
      .set<"expires_at">(terms.expires_at)
      .set<"created_at">(decision.at);
  set_decided(row, terms, decision);
  return row;
}

}  // namespace escrowgrid::pg::store
