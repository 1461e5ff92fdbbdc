#include "pg/store/move_records.hpp"

#include "pg/store/audit_events.hpp"
#include "pg/store/ledger_events.hpp"
#include "pg/table/writes.hpp"
#include "pg/values/json_object.hpp"
#include "pg/values/memory.hpp"
#include "pg/values/random.hpp"

namespace escrowgrid::pg::store {

namespace {

std::string_view append_event(const Origin& origin, const core::PositionTerms& terms, const core::Decision& decision,
                              const core::EventContent& content) {
  const std::string_view id = copied(make_id("ple", decision.at).view());
  layout::RowColumns<layout::kPositionEvents> row;
  row.set<"id">(id)
      .set<"position_id">(terms.id)
      .set<"from_state">(decision.from ? TextView(core::state_name(*decision.from)) : std::nullopt)
      .set<"to_state">(core::state_name(decision.to))
      .set<"reason">(content.reason)
      .set<"at">(decision.at)
      .set_datum<"metadata">(content.metadata ? std::optional(jsonb_datum(*content.metadata)) : std::nullopt)
      .set<"created_at">(decision.at)
      .set<"institution_id">(terms.institution_id)
      .set<"seq">(decision.version)
      .set<"amount">(decision.moved, terms.currency.exponent)
      .set<"api_key_id">(origin.caller.api_key_id)
      .set<"salt">(content.is_salted() ? std::optional<BytesView>(content.salt) : std::nullopt)
      .set<"hash">(decision.hash);
  insert_record(origin.writes, layout::kPositionEvents, row.values());
  return id;
}

// Neither payload repeats reason or metadata. Only the event has them, so that there is only one place to erase.
Datum ledger_payload(std::string_view event_id, const core::PositionTerms& terms, const core::Decision& decision) {
  const int decimals = terms.currency.exponent;
  JsonObject payload;
  payload.text("eventId", event_id).integer("seq", decision.version);
  if (!decision.from) {
    payload.text("assetId", terms.asset_id)
        .text("holderReference", terms.holder_reference)
        .amount("amount", terms.amount, decimals);
  } else {
    payload.amount("amount", decision.moved, decimals)
        .amount("releasedAmount", decision.released, decimals)
        .amount("refundedAmount", decision.refunded, decimals);
  }
  return payload.text("currency", terms.currency.code).datum();
}

Datum audit_payload(std::string_view event_id, const Origin& origin, const core::PositionTerms& terms,
                    const core::Decision& decision) {
  const int decimals = terms.currency.exponent;
  JsonObject payload;
  payload.text("eventId", event_id);
  if (!decision.from) {
    payload.text("institutionId", terms.institution_id)
        .text("assetId", terms.asset_id)
        .amount("amount", terms.amount, decimals);
  } else {
    payload.text("fromState", core::state_name(*decision.from))
        .text("toState", core::state_name(decision.to))
        .amount("amount", decision.moved, decimals);
  }
  payload.text("currency", terms.currency.code);
  if (origin.claims.traceparent) {
    payload.text("traceparent", origin.claims.traceparent);
  }
  return payload.datum();
}

}  // namespace

std::string_view record_move(const Origin& origin, const core::PositionTerms& terms, const core::Decision& decision,
                             const core::EventContent& content) {
  const std::string_view event_id = append_event(origin, terms, decision, content);
  append_ledger(origin, {.kind = decision.from ? "POSITION_STATE_CHANGED" : "POSITION_CREATED",
                         .institution_id = terms.institution_id,
                         .position_id = terms.id,
                         .previous_state = decision.from ? TextView(core::state_name(*decision.from)) : std::nullopt,
                         .new_state = core::state_name(decision.to),
                         .payload = ledger_payload(event_id, terms, decision),
                         .at = decision.at});
  append_audit(origin, {.action = decision.from ? "POSITION_TRANSITIONED" : "POSITION_CREATED",
                        .institution_id = terms.institution_id,
                        .resource_type = "position",
                        .resource_id = terms.id,
                        .payload = audit_payload(event_id, origin, terms, decision),
                        .status_code = decision.from ? 200 : 201,
                        .at = decision.at});
  return event_id;
}

}  // namespace escrowgrid::pg::store
