#include "pg/store/audit_events.hpp"
#include "pg/table/own_write.hpp"
#include "pg/table/statement.hpp"
#include "pg/table/writes.hpp"
#include "pg/values/json_object.hpp"

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

// For each column of the table, which of the values goes there; 0 for none.
constexpr std::array<std::uint8_t, 14> kEventSources = {1, 2, 5, 6, 8, 9, 10, 9, 3, 4, 7, 11, 12, 13};
constexpr std::array<std::uint8_t, 10> kLedgerSources = {1, 2, 3, 5, 6, 7, 8, 5, 4, 9};
constexpr std::array<std::uint8_t, 17> kAuditSources = {1, 2, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 16, 11, 12, 13, 14};

struct RecordTable {
  OwnWrite note;
  Statement* insert;
  std::span<const std::uint8_t> sources;
};
const std::array<RecordTable, kRecordKinds.size()> kRecordTables = {{
    {OwnWrite::kEvent, &insert_event, kEventSources},
    {OwnWrite::kLedgerEvent, &insert_ledger, kLedgerSources},
    {OwnWrite::kAuditEvent, &insert_audit, kAuditSources},
}};

const RecordTable& table_of(RecordKind kind) {
  return kRecordTables[static_cast<std::size_t>(kind)];
}

void insert_by_spi(const Origin& origin, RecordKind kind, const NewRecord& record) {
  const RecordTable& table = table_of(kind);
  begin_own_write(table.note, record.id);
  const std::uint64_t rows = execute_writing(origin, *table.insert, record.values);
  end_own_write();
  if (rows != 1) {
    invalidate_plan(*table.insert);
    ereport(ERROR,
            (errcode(ERRCODE_TRIGGERED_ACTION_EXCEPTION), errmsg("a record was suppressed by a trigger or a rule"),
             errhint("Every transition must leave its event, ledger and audit rows; "
                     "remove the trigger or rule that drops one.")));
  }
}

direct::NewRow row_of(RecordKind kind, const NewRecord& record) {
  direct::NewRow row;
  int column = 0;
  for (const std::uint8_t source : table_of(kind).sources) {
    ++column;
    if (source != 0) {
      row.set(column, record.values.value(source));
    }
  }
  return row;
}

void insert_directly(Writes& writes, RecordKind kind, std::span<const NewRecord> records) {
  direct::refresh_target(writes.call, writes.target(kind));
  if (records.size() == 1) {
    direct::insert(writes.call, writes.target(kind), row_of(kind, records.front()));
    return;
  }
  auto* rows = static_cast<direct::NewRow*>(palloc(sizeof(direct::NewRow) * std::max<std::size_t>(records.size(), 1)));
  for (std::size_t i = 0; i < records.size(); ++i) {
    rows[i] = row_of(kind, records[i]);
  }
  direct::insert_many(writes.call, writes.target(kind), {rows, records.size()});
}

void write_all(const Origin& origin, RecordKind kind, std::span<const NewRecord> records) {
  if (writes_directly(origin)) {
    insert_directly(*origin.writes, kind, records);
    return;
  }
  for (const NewRecord& record : records) {
    insert_by_spi(origin, kind, record);
  }
}

// Writes the record, or keeps it while a batch collects.
void put(const Origin& origin, RecordKind kind, const NewRecord& record) {
  if (origin.writes != nullptr && origin.writes->waiting_for(kind).count < origin.writes->waiting_most) {
    Waiting& waiting = origin.writes->waiting_for(kind);
    new (&waiting.records[waiting.count++]) NewRecord(record);
  } else {
    write_all(origin, kind, {&record, 1});
  }
}

std::string_view copied(const core::TypeIdText& id) {
  return {pnstrdup(id.c_str(), id.size()), id.size()};
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
  const std::string_view id = copied(make_id("ple", decision.at));
  NewRecord event = {.id = id, .values = {}};
  Bindings& values = event.values;
  values.text(id)
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
  put(origin, RecordKind::kEvent, event);
  return id;
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
  const std::string_view id = copied(make_id("led", entry.at));
  NewRecord ledger = {.id = id, .values = {}};
  ledger.values.text(id)
      .text(entry.kind)
      .text(entry.position_id)
      .text(entry.institution_id)
      .time(entry.at)
      .text(entry.previous_state)
      .text(entry.new_state)
      .jsonb(entry.payload)
      .text(origin.claims.request_id);
  put(origin, RecordKind::kLedgerEvent, ledger);
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
  const std::string_view id = copied(make_id("aud", entry.at));
  NewRecord audit = {.id = id, .values = {}};
  audit.values.text(id)
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
  put(origin, RecordKind::kAuditEvent, audit);
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

void begin_records(Origin& origin, std::size_t most) {
  for (Waiting& waiting : origin.writes->waiting) {
    waiting = {.records = static_cast<NewRecord*>(palloc(sizeof(NewRecord) * most)), .count = 0};
  }
  origin.writes->waiting_most = most;
}

void write_records(Origin& origin) {
  for (const RecordKind kind : kRecordKinds) {
    Waiting& waiting = origin.writes->waiting_for(kind);
    write_all(origin, kind, {waiting.records, waiting.count});
    waiting.count = 0;
  }
  CommandCounterIncrement();
}

}  // namespace escrowgrid::pg::store
