#include "pg/store/idempotency_keys.hpp"

#include "pg/layout/sql_text.hpp"
#include "pg/table/find.hpp"
#include "pg/table/spi_write.hpp"
#include "pg/table/writes.hpp"
#include "pg/values/memory.hpp"

namespace escrowgrid::pg::store {

namespace {

constexpr layout::SqlText insert_claim_text(const layout::Table& table, std::size_t count) {
  return layout::insert_text(table, count, " ON CONFLICT DO NOTHING");
}
StatementForms insert_claim_row = kForms<layout::kIdempotencyKeys, insert_claim_text>;

Statement complete_claim_row = {
    "UPDATE escrowgrid.idempotency_keys AS k SET event_ids = $3"
    " WHERE k.institution_id OPERATOR(pg_catalog.=) $1 AND k.key OPERATOR(pg_catalog.=) $2"};

// The position's row as it was after the event: what later events changed is replaced by the event's values.
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

Bindings key_bindings(const IdempotencyKey& key) {
  Bindings values;
  values.text(key.institution_id).text(key.key);
  return values;
}

}  // namespace

bool insert_claim(const IdempotencyKey& key, const core::Digest& fingerprint) {
  layout::RowColumns<layout::kIdempotencyKeys> row;
  row.set<"institution_id">(key.institution_id)
      .set<"key">(key.key)
      .set<"fingerprint">(fingerprint)
      .set<"created_at">(clock_micros());
  Bindings values;
  Statement& statement = bind_row(insert_claim_row, layout::kIdempotencyKeys, row.values(), values);
  return execute(statement, values, Sight::kFresh) == 1;
}

core::Digest read_claim(const IdempotencyKey& key) {
  const View view = begin_view(Sight::kFresh, {&layout::kIdempotencyKeys});
  FoundRow row;
  const bool is_found = row.find(view, layout::kIdempotencyKeys, WhichKey::kPrimary,
                                 {text_datum(key.institution_id), text_datum(key.key)}, std::nullopt);
  end_view(view);
  if (!is_found) {
    // The key has been purged since insert_claim() found it.
    ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE), errmsg("the idempotency key changed concurrently"),
                    errhint("Retry the transaction.")));
  }
  const core::Digest fingerprint = require_digest(row.as<layout::kIdempotencyKeys>().get<"fingerprint">());
  row.close();
  return fingerprint;
}

void complete_claim(const IdempotencyKey& key, std::span<const TextView> event_ids) {
  Bindings values = key_bindings(key);
  values.text_array(event_ids);
  require_one_row(execute(complete_claim_row, values, Sight::kFresh), layout::kIdempotencyKeys);
}

void release_claim(const IdempotencyKey& key) {
  execute(delete_claim, key_bindings(key), Sight::kFresh);
}

std::span<const Datum> replay_claim(const IdempotencyKey& key) {
  const std::uint64_t rows = execute(select_replay, key_bindings(key), Sight::kFresh);
  const std::span<Datum> out = make_array<Datum>(rows);
  for (std::uint64_t i = 0; i < rows; ++i) {
    out[i] = result_composite(i);
  }
  return out;
}

std::int64_t purge_claims(core::Micros before) {
  Bindings values;
  values.time(before);
  return static_cast<std::int64_t>(execute(delete_claims, values, Sight::kFresh));
}

}  // namespace escrowgrid::pg::store
