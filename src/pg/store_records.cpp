#include "pg/json_object.hpp"
#include "pg/own_write.hpp"
#include "pg/records.hpp"
#include "pg/statement.hpp"
#include "pg/store_direct.hpp"

namespace escrowgrid::pg::store {

namespace {

Statement insert_event = {
    "INSERT INTO escrowgrid.position_events (id, position_id, institution_id, seq, from_state, to_state, amount,"
    " reason, at, metadata, api_key_id, salt, hash, created_at)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $9)"};

Statement insert_ledger = {
    "INSERT INTO escrowgrid.ledger_events (id, kind, position_id, institution_id, at, previous_state, new_state,"
    " payload, request_id, created_at)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $5)"};

Statement insert_audit = {
    "INSERT INTO escrowgrid.audit_events (id, occurred_at, created_at, api_key_id, institution_id, method, path,"
    " action, resource_type, resource_id, payload, status_code, request_id, client_ip, db_role, outcome, error)"
    " VALUES ($1, $2, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)"};

// The same without SPI: for each column of the table, which of the values goes there.
constexpr std::array<std::uint8_t, 14> kEventSources = {1, 2, 5, 6, 8, 9, 10, 9, 3, 4, 7, 11, 12, 13};
constexpr std::array<std::uint8_t, 10> kLedgerSources = {1, 2, 3, 5, 6, 7, 8, 5, 4, 9};
constexpr std::array<std::uint8_t, 17> kAuditSources = {1, 2, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 16, 11, 12, 13, 14};

void insert_by_spi(const Origin& origin, OwnWrite kind, std::string_view id, Statement& statement,
                   const Bindings& values) {
  begin_own_write(kind, id);
  const std::uint64_t rows = execute_writing(origin, statement, values);
  end_own_write();
  if (rows != 1) {
    ereport(ERROR,
            (errcode(ERRCODE_TRIGGERED_ACTION_EXCEPTION), errmsg("a record was suppressed by a trigger or a rule"),
             errhint("Every transition must leave its event, ledger and audit rows; "
                     "remove the trigger or rule that drops one.")));
  }
}

// The claimed address, or the connection's own; none for a local socket.
std::optional<Datum> client_address(const RequestClaims& claims) {
  if (claims.client_ip) {
    const std::string_view claimed = *claims.client_ip;
    return DirectFunctionCall1(inet_in, CStringGetDatum(pnstrdup(claimed.data(), claimed.size())));
  }
  LOCAL_FCINFO(call, 0);
  InitFunctionCallInfoData(*call, nullptr, 0, InvalidOid, nullptr, nullptr);
  const Datum address = inet_client_addr(call);
  return call->isnull ? std::nullopt : std::optional(address);
}

std::string_view append_event(const Origin& origin, const core::PositionTerms& terms, const core::Decision& decision,
                              const core::EventContent& content) {
  const core::TypeIdText id = make_id("ple", decision.at);
  Bindings values;
  values.text(id.view())
      .text(terms.id)
      .text(terms.institution_id)
      .integer(decision.version)
      .text(decision.from ? TextView(core::state_name(*decision.from)) : std::nullopt)
      .text(core::state_name(decision.to))
      .amount(decision.moved, terms.currency.exponent)
      .text(content.reason)
      .time(decision.at)
      .json(content.metadata)
      .text(origin.caller.api_key_id);
  if (content.is_salted()) {
    values.bytes(content.salt);
  } else {
    values.null_bytes();
  }
  values.bytes(decision.hash);
  if (writes_directly(origin)) {
    Tables& tables = origin.writes->tables;
    write_direct(*origin.writes, tables.events, tables.waiting_events, values, kEventSources);
  } else {
    insert_by_spi(origin, OwnWrite::kEvent, id.view(), insert_event, values);
  }
  return {pnstrdup(id.c_str(), id.size()), id.size()};
}

// Neither payload repeats reason or metadata: the event alone holds them, so that an erasure has one place.
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

std::string_view refusal_action(core::Condition condition) {
  switch (condition) {
    case core::Condition::kNotAuthenticated:
      return "AUTH_FAILED";
    case core::Condition::kForbidden:
      return "AUTH_FORBIDDEN";
    case core::Condition::kNotFound:
      return "RESOURCE_NOT_FOUND";
    case core::Condition::kConcurrencyConflict:
      return "CONCURRENCY_CONFLICT";
    case core::Condition::kInvalidParameter:
    case core::Condition::kIdempotencyMismatch:
    case core::Condition::kInvalidTransition:
    case core::Condition::kPositionExpired:
    case core::Condition::kPolicyViolation:
    case core::Condition::kInvalidAmount:
    case core::Condition::kInsufficientHeldAmount:
    case core::Condition::kRateLimited:
    case core::Condition::kImmutableRecord:
    case core::Condition::kIntegrityViolation:
      return "VALIDATION_FAILED";
  }
  return "VALIDATION_FAILED";
}

}  // namespace

void append_ledger(const Origin& origin, const LedgerEntry& entry) {
  const core::TypeIdText id = make_id("led", entry.at);
  Bindings values;
  values.text(id.view())
      .text(entry.kind)
      .text(entry.position_id)
      .text(entry.institution_id)
      .time(entry.at)
      .text(entry.previous_state)
      .text(entry.new_state)
      .jsonb(entry.payload)
      .text(origin.claims.request_id);
  if (writes_directly(origin)) {
    Tables& tables = origin.writes->tables;
    write_direct(*origin.writes, tables.ledger, tables.waiting_ledger, values, kLedgerSources);
  } else {
    insert_by_spi(origin, OwnWrite::kLedgerEvent, id.view(), insert_ledger, values);
  }
}

void audit_refusal(const Origin& origin, const core::Refusal& why, const TextView& resource_id) {
  append_audit(origin, {.action = refusal_action(why.condition()),
                        .institution_id = origin.caller.institution_id,
                        .resource_type = "position",
                        .resource_id = resource_id ? TextView(core::clip(*resource_id)) : std::nullopt,
                        .payload = std::nullopt,
                        .error = why.detail(),
                        .status_code = core::describe(why.condition()).http_status,
                        .at = clock_micros()});
}

void append_audit(const Origin& origin, const AuditEntry& entry) {
  const core::TypeIdText id = make_id("aud", entry.at);
  Bindings values;
  values.text(id.view())
      .time(entry.at)
      .text(origin.caller.api_key_id)
      .text(entry.institution_id)
      .text(origin.claims.method.value_or("SQL"))
      .text(origin.claims.path.value_or(origin.path))
      .text(entry.action)
      .text(entry.resource_type)
      .text(entry.resource_id)
      .jsonb(entry.payload)
      .integer(entry.status_code)
      .text(origin.claims.request_id)
      .address(client_address(origin.claims))
      .text(origin.caller.db_role)
      .text(entry.error ? "failure" : "success")
      .json(entry.error);
  if (writes_directly(origin)) {
    Tables& tables = origin.writes->tables;
    write_direct(*origin.writes, tables.audit, tables.waiting_audit, values, kAuditSources);
  } else {
    insert_by_spi(origin, OwnWrite::kAuditEvent, id.view(), insert_audit, values);
  }
}

std::string_view record(const Origin& origin, const core::PositionTerms& terms, const core::Decision& decision,
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
