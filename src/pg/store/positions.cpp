#include "pg/border/report.hpp"
#include "pg/store/position_row.hpp"
#include "pg/store/session.hpp"
#include "pg/table/own_write.hpp"
#include "pg/table/statement.hpp"
#include "pg/table/writes.hpp"

namespace escrowgrid::pg::store {

namespace {

#define ESCROWGRID_POSITION_BY_ID                                                  \
  "SELECT p.* FROM escrowgrid.positions AS p WHERE p.id OPERATOR(pg_catalog.=) $1" \
  " AND ($2 IS NULL OR p.institution_id OPERATOR(pg_catalog.=) $2)"

Statement select_position = {ESCROWGRID_POSITION_BY_ID};
Statement select_position_for_update = {ESCROWGRID_POSITION_BY_ID " FOR NO KEY UPDATE OF p"};

// A second statement, because a join would take the event from the snapshot before a wait for the lock.
Statement select_last_event = {
    "SELECT e.hash FROM escrowgrid.position_events AS e"
    " WHERE e.position_id OPERATOR(pg_catalog.=) $1 AND e.seq OPERATOR(pg_catalog.=) $2"};

Statement update_row = {
    "UPDATE escrowgrid.positions AS p SET state = $2, released_amount = $3, refunded_amount = $4, updated_at = $5,"
    " due_at = $6, version = $7, head_hash = $8 WHERE p.id OPERATOR(pg_catalog.=) $1 RETURNING p"};

Statement insert_row = {
    "INSERT INTO escrowgrid.positions AS p (id, institution_id, asset_id, holder_reference, currency, amount,"
    " external_reference, expires_at, created_at, state, released_amount, refunded_amount, updated_at, due_at,"
    " version, head_hash)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $9, $13, $14, $15) RETURNING p"};

Statement select_head = {
    "SELECT p.institution_id, p.version, p.head_hash FROM escrowgrid.positions AS p"
    " WHERE p.id OPERATOR(pg_catalog.=) $1"};

Statement select_any = {"SELECT 1 FROM escrowgrid.positions AS p LIMIT 1"};

[[noreturn]] void raise_altered(std::string_view position_id) {
  core::Refusal why;
  why.begin(core::Condition::kImmutableRecord)
      .message({"position \"", position_id, "\" was not written as decided"})
      .hint({"A trigger or rule on escrowgrid.positions changes or suppresses the row; remove it."})
      .with("position_id", position_id);
  raise(why);
}

bool fetch_position(Statement& statement, std::string_view id, const TextView& institution_id,
                    core::PositionSnapshot& out) {
  Bindings values;
  values.text(id).text(institution_id);
  if (execute(statement, values, Sight::kFresh) != 1) {
    return false;
  }
  out = to_snapshot(read_position_row(SPI_tuptable->vals[0], SPI_tuptable->tupdesc), 0);
  read_last_event(out);
  return true;
}

Datum write_position(const Origin& origin, Statement& statement, const Bindings& values,
                     const core::PositionTerms& terms, const core::Decision& decision) {
  const std::string_view head_hash(reinterpret_cast<const char*>(decision.hash.data()), decision.hash.size());
  begin_own_write(OwnWrite::kPosition, terms.id, head_hash);
  if (decision.from) {
    note_own_update(head_hash);
  }
  const std::uint64_t rows = execute_writing(origin, statement, values);
  end_own_write();
  if (rows != 1) {
    invalidate_plan(statement);
    raise_altered(terms.id);
  }
  const Datum row = result_value(0, 1).value_or(0);
  HeapTupleHeader header = DatumGetHeapTupleHeader(row);
  HeapTupleData tuple{};
  tuple.t_len = HeapTupleHeaderGetDatumLength(header);
  tuple.t_data = header;
  TupleDesc desc = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(header), HeapTupleHeaderGetTypMod(header));
  const PositionRow stored = read_position_row(&tuple, desc);
  const bool is_new = !decision.from.has_value();
  const bool is_as_decided = matches(to_snapshot(stored, terms.currency.exponent), terms, decision) &&
                             (!is_new || stored.created_at == decision.at);
  ReleaseTupleDesc(desc);
  if (!is_as_decided) {
    raise_altered(terms.id);
  }
  return row;
}

}  // namespace

Session open() {
  const Session session = {.owner = enter_owner()};
  if (SPI_connect() != SPI_OK_CONNECT) {
    elog(ERROR, "escrowgrid: could not open a session with the server's SQL interface");
  }
  return session;
}

void close(Session session) {
  SPI_finish();
  leave_owner(session.owner);
}

Origin origin_of(const Caller& caller, std::string_view path) {
  return {.caller = caller, .claims = request_claims(), .path = path};
}

bool lock_position(std::string_view id, const TextView& institution_id, core::PositionSnapshot& out) {
  return fetch_position(select_position_for_update, id, institution_id, out);
}

bool read_position(std::string_view id, const TextView& institution_id, core::PositionSnapshot& out) {
  return fetch_position(select_position, id, institution_id, out);
}

void read_last_event(core::PositionSnapshot& position) {
  Bindings values;
  values.text(position.terms.id).integer(position.version);
  const bool is_found = execute(select_last_event, values, Sight::kFresh) == 1;
  const std::optional<Datum> hash = is_found ? result_value(0, 1) : std::nullopt;
  position.last_event_hash = hash ? std::optional(stored_digest(*hash)) : std::nullopt;
  position.terms.currency.exponent = require_exponent(position.terms);
}

Datum update_position(const Origin& origin, const core::PositionTerms& terms, const core::Decision& decision) {
  const int decimals = terms.currency.exponent;
  Bindings values;
  values.text(terms.id)
      .text(core::state_name(decision.to))
      .amount(decision.released, decimals)
      .amount(decision.refunded, decimals)
      .time(decision.at)
      .time(decision.due_at)
      .integer(decision.version)
      .bytes(decision.hash);
  return write_position(origin, update_row, values, terms, decision);
}

Datum insert_position(const Origin& origin, const core::PositionTerms& terms, const core::Decision& decision) {
  const int decimals = terms.currency.exponent;
  Bindings values;
  values.text(terms.id)
      .text(terms.institution_id)
      .text(terms.asset_id)
      .text(terms.holder_reference)
      .text(terms.currency.code)
      .amount(terms.amount, decimals)
      .text(terms.external_reference)
      .time(terms.expires_at)
      .time(decision.at)
      .text(core::state_name(decision.to))
      .amount(decision.released, decimals)
      .amount(decision.refunded, decimals)
      .time(decision.due_at)
      .integer(decision.version)
      .bytes(decision.hash);
  if (writes_directly(origin)) {
    return insert_position_direct(*origin.writes, values);
  }
  return write_position(origin, insert_row, values, terms, decision);
}

bool has_positions() {
  const Bindings none;
  return execute(select_any, none, Sight::kFresh) != 0;
}

std::optional<PositionHead> find_head(std::string_view position_id) {
  if (const direct::Open positions = direct::open(direct::Name::kPositions, AccessShareLock)) {
    enum { kInstitutionId = 2, kVersion = 15, kHeadHash = 16 };
    direct::Row row(positions);
    std::optional<PositionHead> found;
    direct::push_snapshot();
    if (direct::find(positions, direct::Key::kId, direct::TextKey{.first = position_id}, GetActiveSnapshot(), row)) {
      const std::string_view institution_id = row.text(kInstitutionId);
      found = PositionHead{.institution_id = std::string_view(pnstrdup(institution_id.data(), institution_id.size()),
                                                              institution_id.size()),
                           .version = DatumGetInt32(row.value(kVersion).value_or(0)),
                           .head_hash = stored_digest(row.value(kHeadHash).value_or(0))};
      row.clear();
    }
    direct::pop_snapshot();
    direct::close(positions);
    return found;
  }
  Bindings values;
  values.text(position_id);
  if (execute(select_head, values, Sight::kFresh) != 1) {
    return std::nullopt;
  }
  PositionHead head;
  const std::optional<Datum> institution = result_value(0, 1);
  head.institution_id = text_view(institution.value_or(0));
  head.version = DatumGetInt32(result_value(0, 2).value_or(0));
  head.head_hash = stored_digest(result_value(0, 3).value_or(0));
  return head;
}

}  // namespace escrowgrid::pg::store
