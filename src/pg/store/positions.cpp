#include "pg/store/positions.hpp"

#include "pg/border/report.hpp"
#include "pg/store/currencies.hpp"
#include "pg/store/tenant.hpp"
#include "pg/values/memory.hpp"
#include "pg/values/result.hpp"

namespace escrowgrid::pg::store {

namespace {

Statement select_any = {"SELECT 1 FROM escrowgrid.positions AS p LIMIT 1"};

Statement select_due = {
    "SELECT p.id, p.due_at FROM escrowgrid.positions AS p WHERE p.due_at OPERATOR(pg_catalog.<=) $1"
    " AND ($2 IS NULL OR p.institution_id OPERATOR(pg_catalog.=) $2)"
    " AND p.due_at OPERATOR(pg_catalog.>=) COALESCE($3, '-infinity')"
    " AND ($3 IS NULL OR p.due_at OPERATOR(pg_catalog.>) $3 OR p.id OPERATOR(pg_catalog.>) $4)"
    " ORDER BY p.due_at, p.id LIMIT $5 FOR NO KEY UPDATE OF p SKIP LOCKED"};

Statement select_due_of = {
    "SELECT p.id, p.due_at FROM escrowgrid.positions AS p WHERE p.id OPERATOR(pg_catalog.=) ANY ($1)"
    " AND p.due_at OPERATOR(pg_catalog.<=) $2 ORDER BY p.due_at, p.id FOR NO KEY UPDATE OF p SKIP LOCKED"};

Statement select_position_at = {
    "SELECT p.id, e.state, p.amount, e.released, e.refunded,"
    " CASE WHEN e.state OPERATOR(pg_catalog.=) ANY (ARRAY['FUNDED', 'PARTIALLY_RELEASED'])"
    "  THEN p.amount OPERATOR(pg_catalog.-) e.released OPERATOR(pg_catalog.-) e.refunded ELSE 0 END,"
    " e.version, e.at"
    " FROM escrowgrid.positions AS p CROSS JOIN LATERAL"
    " (SELECT x.to_state AS state, x.seq AS version, x.at,"
    "  COALESCE(pg_catalog.sum(x.amount) FILTER (WHERE x.to_state OPERATOR(pg_catalog.=)"
    "   ANY (ARRAY['PARTIALLY_RELEASED', 'RELEASED'])) OVER w, 0) AS released,"
    "  COALESCE(pg_catalog.sum(x.amount) FILTER (WHERE x.to_state OPERATOR(pg_catalog.=)"
    "   ANY (ARRAY['CANCELLED', 'EXPIRED'])) OVER w, 0) AS refunded"
    "  FROM escrowgrid.position_events AS x"
    "  WHERE x.position_id OPERATOR(pg_catalog.=) p.id AND x.at OPERATOR(pg_catalog.<=) $2"
    "  WINDOW w AS (ORDER BY x.seq) ORDER BY x.seq DESC LIMIT 1) AS e"
    " WHERE p.id OPERATOR(pg_catalog.=) $1"};

[[noreturn]] void raise_altered(std::string_view position_id) {
  core::Refusal why;
  why.begin(core::Condition::kImmutableRecord)
      .message({"position \"", position_id, "\" was not written as decided"})
      .hint({"Remove the trigger or rule on escrowgrid.positions that changes or suppresses the row."})
      .with("position_id", position_id);
  raise(why);
}

layout::KeyValues event_key(const core::PositionSnapshot& position) {
  return {text_datum(position.terms.id), Int32GetDatum(position.version)};
}

// The hash of an event that was looked up; absent if it was not found. Closes the row.
std::optional<core::Digest> take_hash(bool is_found, FoundRow& event) {
  std::optional<core::Digest> hash;
  if (is_found) {
    hash = require_digest(event.as<layout::kPositionEvents>().get<"hash">());
  }
  event.close();
  return hash;
}

}  // namespace

void PositionToMove::read() {
  snapshot_ = to_snapshot(row_.as<layout::kPositions>());
  FoundRow event;
  const bool is_found = row_.find_related(layout::kPositionEvents, WhichKey::kSecondary, event_key(snapshot_), event);
  snapshot_.last_event_hash = take_hash(is_found, event);
  snapshot_.terms.currency.exponent = require_exponent(snapshot_.terms);
}

bool PositionToMove::find(std::string_view id, const TextView& institution_id) {
  if (!row_.find(id, institution_id)) {
    return false;
  }
  read();
  return true;
}

bool PositionToMove::lock() {
  if (!row_.lock()) {
    return false;
  }
  read();
  return true;
}

std::optional<Datum> PositionToMove::update(const core::Decision& decision) {
  PositionColumns changes;
  set_decided(changes, snapshot_.terms, decision);
  switch (row_.update(changes.values())) {
    case RowToUpdate::Outcome::kWritten:
      return row_.stored();
    case RowToUpdate::Outcome::kContended:
      return std::nullopt;
    case RowToUpdate::Outcome::kAltered:
      break;
  }
  raise_altered(snapshot_.terms.id);
}

Datum insert_position(const Origin& origin, const core::PositionTerms& terms, const core::Decision& decision) {
  const PositionColumns row = new_position(terms, decision);
  const std::optional<Datum> stored = insert_row(*origin.writes, layout::kPositions, row.values());
  if (!stored) {
    raise_altered(terms.id);
  }
  return *stored;
}

bool read_position(std::string_view id, const TextView& institution_id, core::PositionSnapshot& out) {
  const View view = begin_view(Sight::kFresh, {&layout::kPositions});
  FoundRow row;
  const bool is_found = row.find(view, layout::kPositions, id, institution_id);
  end_view(view);
  if (!is_found) {
    return false;
  }
  out = to_snapshot(row.as<layout::kPositions>());
  // Copy the texts, because the row is closed.
  core::PositionTerms& terms = out.terms;
  for (std::string_view* text :
       {&terms.id, &terms.institution_id, &terms.asset_id, &terms.holder_reference, &terms.currency.code}) {
    *text = copied(*text);
  }
  if (terms.external_reference) {
    terms.external_reference = copied(*terms.external_reference);
  }
  row.close();
  complete_snapshot(out);
  return true;
}

void complete_snapshot(core::PositionSnapshot& position) {
  const View view = begin_view(Sight::kFresh, {&layout::kPositionEvents});
  FoundRow event;
  const bool is_found =
      event.find(view, layout::kPositionEvents, WhichKey::kSecondary, event_key(position), std::nullopt);
  position.last_event_hash = take_hash(is_found, event);
  end_view(view);
  position.terms.currency.exponent = require_exponent(position.terms);
}

bool has_positions() {
  const Bindings none;
  return execute(select_any, none, Sight::kFresh) != 0;
}

std::optional<PositionHead> find_head(std::string_view position_id) {
  const View view = begin_view(Sight::kFresh, {&layout::kPositions});
  FoundRow row;
  std::optional<PositionHead> head;
  if (row.find(view, layout::kPositions, position_id, std::nullopt)) {
    const PositionView position = row.as<layout::kPositions>();
    head = PositionHead{.institution_id = copied(position.get<"institution_id">()),
                        .version = position.get<"version">(),
                        .head_hash = require_digest(position.get<"head_hash">())};
    row.close();
  }
  end_view(view);
  return head;
}

TextView find_position_institution(std::string_view id, const TextView& institution_id, Sight sight) {
  return find_tenant<layout::kPositions>(id, institution_id, sight);
}

DueCursor cursor_of(const DuePosition& position) {
  DueCursor cursor;
  cursor.due_at = position.due_at;
  if (!cursor.id.try_append(position.id)) {
    elog(ERROR, "escrowgrid: the id of a position has more than %zu bytes", core::kMaxIdBytes);
  }
  return cursor;
}

namespace {

std::span<const DuePosition> take_due(std::uint64_t rows) {
  const std::span<DuePosition> due = make_array<DuePosition>(rows);
  for (std::uint64_t i = 0; i < rows; ++i) {
    due[i] = {.id = copied(text_view(result_value(i, 1, TEXTOID).value_or(0))),
              .due_at = to_micros(DatumGetTimestampTz(result_value(i, 2, TIMESTAMPTZOID).value_or(0)))};
  }
  SPI_freetuptable(SPI_tuptable);
  return due;
}

}  // namespace

std::span<const DuePosition> lock_due_positions(core::Micros now, const TextView& institution_id,
                                                const DueCursor& cursor, std::int32_t max_count) {
  Bindings values;
  values.time(now).text(institution_id).time(cursor.due_at).text(cursor.id.view()).integer(max_count);
  return take_due(execute(select_due, values, Sight::kFresh));
}

std::span<const DuePosition> lock_due_positions(core::Micros now, std::span<const TextView> ids) {
  Bindings values;
  values.text_array(ids).time(now);
  return take_due(execute(select_due_of, values, Sight::kFresh));
}

std::optional<Datum> read_position_at(std::string_view id, core::Micros at, TupleDesc desc) {
  Bindings values;
  values.text(id).time(at);
  if (execute(select_position_at, values, Sight::kCaller) != 1) {
    return std::nullopt;
  }
  std::array<std::optional<Datum>, 8> columns;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    columns[i] = result_value(0, static_cast<int>(i) + 1, TupleDescAttr(desc, i)->atttypid);
  }
  return keep_for_caller(form_row(desc, columns));
}

}  // namespace escrowgrid::pg::store
