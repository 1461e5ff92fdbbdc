#include "pg/store/idempotency_keys.hpp"

#include "pg/direct/read_row.hpp"
#include "pg/table/statement.hpp"

namespace escrowgrid::pg::store {

namespace {

Statement insert_claim_row = {
    "INSERT INTO escrowgrid.idempotency_keys (institution_id, key, fingerprint, created_at) VALUES ($1, $2, $3, $4)"
    " ON CONFLICT DO NOTHING"};

Statement select_claim = {
    "SELECT k.fingerprint FROM escrowgrid.idempotency_keys AS k"
    " WHERE k.institution_id OPERATOR(pg_catalog.=) $1 AND k.key OPERATOR(pg_catalog.=) $2"};

Statement complete_claim_row = {
    "UPDATE escrowgrid.idempotency_keys AS k SET event_ids = $3"
    " WHERE k.institution_id OPERATOR(pg_catalog.=) $1 AND k.key OPERATOR(pg_catalog.=) $2"};

// The position's row with what its later events changed taken back.
Statement select_replay = {
    "SELECT pg_catalog.jsonb_populate_record(p, pg_catalog.jsonb_build_object("
    " 'state', e.to_state, 'version', e.seq, 'head_hash', e.hash::pg_catalog.text, 'updated_at', e.at,"
    " 'due_at', CASE WHEN e.to_state OPERATOR(pg_catalog.=) ANY (ARRAY['CREATED', 'FUNDED', 'PARTIALLY_RELEASED'])"
    "  THEN p.expires_at END,"
    " 'released_amount', (SELECT COALESCE(pg_catalog.sum(x.amount), 0) FROM escrowgrid.position_events AS x"
    "  WHERE x.position_id OPERATOR(pg_catalog.=) e.position_id AND x.seq OPERATOR(pg_catalog.<=) e.seq"
    "  AND x.to_state OPERATOR(pg_catalog.=) ANY (ARRAY['PARTIALLY_RELEASED', 'RELEASED'])),"
    " 'refunded_amount', (SELECT COALESCE(pg_catalog.sum(x.amount), 0) FROM escrowgrid.position_events AS x"
    "  WHERE x.position_id OPERATOR(pg_catalog.=) e.position_id AND x.seq OPERATOR(pg_catalog.<=) e.seq"
    "  AND x.to_state OPERATOR(pg_catalog.=) ANY (ARRAY['CANCELLED', 'EXPIRED']))))"
    " FROM escrowgrid.idempotency_keys AS k"
    " CROSS JOIN LATERAL pg_catalog.unnest(k.event_ids) WITH ORDINALITY AS i (event_id, place)"
    " JOIN escrowgrid.position_events AS e ON e.id OPERATOR(pg_catalog.=) i.event_id"
    " JOIN escrowgrid.positions AS p ON p.id OPERATOR(pg_catalog.=) e.position_id"
    " WHERE k.institution_id OPERATOR(pg_catalog.=) $1 AND k.key OPERATOR(pg_catalog.=) $2 ORDER BY i.place"};

Statement delete_claim = {
    "DELETE FROM escrowgrid.idempotency_keys AS k"
    " WHERE k.institution_id OPERATOR(pg_catalog.=) $1 AND k.key OPERATOR(pg_catalog.=) $2"};

Statement delete_claims = {"DELETE FROM escrowgrid.idempotency_keys AS k WHERE k.created_at OPERATOR(pg_catalog.<) $1"};

Statement select_position_institution = {
    "SELECT p.institution_id FROM escrowgrid.positions AS p WHERE p.id OPERATOR(pg_catalog.=) $1"
    " AND ($2 IS NULL OR p.institution_id OPERATOR(pg_catalog.=) $2)"};

Statement select_due = {
    "SELECT p.id FROM escrowgrid.positions AS p WHERE p.due_at OPERATOR(pg_catalog.<=) $1"
    " AND ($2 IS NULL OR p.institution_id OPERATOR(pg_catalog.=) $2)"
    " ORDER BY p.due_at LIMIT $3 FOR NO KEY UPDATE OF p SKIP LOCKED"};

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

Bindings key_bindings(const IdempotencyKey& key) {
  Bindings values;
  values.text(key.institution_id).text(key.key);
  return values;
}

}  // namespace

bool insert_claim(const IdempotencyKey& key, const core::Digest& fingerprint) {
  Bindings values = key_bindings(key);
  values.bytes(fingerprint).time(clock_micros());
  return execute(insert_claim_row, values, Sight::kFresh) == 1;
}

core::Digest read_claim(const IdempotencyKey& key) {
  if (execute(select_claim, key_bindings(key), Sight::kFresh) != 1) {
    // Purged between our attempt and this look.
    ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE), errmsg("the idempotency key changed concurrently"),
                    errhint("Retry the transaction.")));
  }
  return stored_digest(result_value(0, 1).value_or(0));
}

void complete_claim(const IdempotencyKey& key, std::span<const TextView> event_ids) {
  Bindings values = key_bindings(key);
  values.text_array(event_ids);
  if (execute(complete_claim_row, values, Sight::kFresh) != 1) {
    ereport(ERROR, (errcode(ERRCODE_TRIGGERED_ACTION_EXCEPTION), errmsg("an idempotency key was lost"),
                    errhint("Remove the trigger or rule on escrowgrid.idempotency_keys that drops it.")));
  }
}

void release_claim(const IdempotencyKey& key) {
  execute(delete_claim, key_bindings(key), Sight::kFresh);
}

std::span<const Datum> replay_claim(const IdempotencyKey& key) {
  const std::uint64_t rows = execute(select_replay, key_bindings(key), Sight::kFresh);
  auto* out = static_cast<Datum*>(palloc(sizeof(Datum) * std::max<std::uint64_t>(rows, 1)));
  for (std::uint64_t i = 0; i < rows; ++i) {
    out[i] = result_value(i, 1).value_or(0);
  }
  return {out, static_cast<std::size_t>(rows)};
}

std::int64_t purge_claims(core::Micros before) {
  Bindings values;
  values.time(before);
  return static_cast<std::int64_t>(execute(delete_claims, values, Sight::kFresh));
}

TextView find_position_institution(std::string_view id, const TextView& institution_id) {
  if (const direct::Open positions = direct::open(direct::Name::kPositions, AccessShareLock)) {
    direct::Row row(positions);
    TextView owner;
    direct::push_snapshot();
    if (direct::find(positions, direct::Key::kId, direct::TextKey{.first = id}, GetActiveSnapshot(), row)) {
      const std::string_view found = row.text(2);
      if (!institution_id || *institution_id == found) {
        owner = std::string_view(pnstrdup(found.data(), found.size()), found.size());
      }
      row.clear();
    }
    direct::pop_snapshot();
    direct::close(positions);
    return owner;
  }
  Bindings values;
  values.text(id).text(institution_id);
  if (execute(select_position_institution, values, Sight::kFresh) != 1) {
    return std::nullopt;
  }
  return text_view(result_value(0, 1).value_or(0));
}

std::span<const std::string_view> lock_due_positions(core::Micros now, const TextView& institution_id,
                                                     std::int32_t max_count) {
  Bindings values;
  values.time(now).text(institution_id).integer(max_count);
  const std::uint64_t rows = execute(select_due, values, Sight::kFresh);
  auto* out = static_cast<std::string_view*>(palloc(sizeof(std::string_view) * std::max<std::uint64_t>(rows, 1)));
  for (std::uint64_t i = 0; i < rows; ++i) {
    new (&out[i]) std::string_view(text_view(result_value(i, 1).value_or(0)));
  }
  return {out, static_cast<std::size_t>(rows)};
}

std::optional<Datum> read_position_at(std::string_view id, core::Micros at, TupleDesc desc) {
  Bindings values;
  values.text(id).time(at);
  if (execute(select_position_at, values, Sight::kCaller) != 1) {
    return std::nullopt;
  }
  constexpr std::size_t kColumns = 8;
  std::array<Datum, kColumns> columns{};
  std::array<bool, kColumns> nulls{};
  for (std::size_t i = 0; i < kColumns; ++i) {
    const std::optional<Datum> value = result_value(0, static_cast<int>(i) + 1);
    columns[i] = value.value_or(0);
    nulls[i] = !value.has_value();
  }
  return SPI_datumTransfer(HeapTupleGetDatum(heap_form_tuple(desc, columns.data(), nulls.data())), false, -1);
}

}  // namespace escrowgrid::pg::store
