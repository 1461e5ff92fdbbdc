// The statements of verification, in a file of their own because they are long.
#pragma once

#include "pg/layout/sql_text.hpp"
#include "pg/table/statement.hpp"

namespace escrowgrid::pg::store {

constexpr layout::SqlText positions_text(const layout::Table& table, std::size_t count) {
  return layout::select_all_text(table, count, " WHERE $1 IS NULL OR r.institution_id = $1 ORDER BY r.id");
}
inline StatementForms verify_positions = kForms<layout::kPositions, positions_text>;

constexpr layout::SqlText events_text(const layout::Table& table, std::size_t count) {
  return layout::select_all_text(table, count,
                                 " WHERE $1 IS NULL OR r.institution_id = $1"
                                 " ORDER BY r.position_id, r.seq, r.id");
}
inline StatementForms verify_events = kForms<layout::kPositionEvents, events_text>;

// Compares what ledger or audit rows should say about each event (w) with what they say (f). The first row that names
// an event is the event's row; any other is reported as extra. `expected` and `found` are lists of the same number of
// columns.
#define ESCROWGRID_VERIFY_RECORDS(kind, table, place, found_where, expected, found)                                    \
  "WITH purged AS MATERIALIZED (SELECT t.institution_id, max(t.occurred_at) AS until FROM escrowgrid.audit_events AS " \
  "t"                                                                                                                  \
  " WHERE t.action = 'INSTITUTION_PURGED' AND NOT EXISTS (SELECT FROM escrowgrid.institutions AS i"                    \
  "  WHERE i.id = t.institution_id AND i.created_at <= t.occurred_at) GROUP BY t.institution_id),"                     \
  " wanted AS (SELECT e.id, e.position_id, e.seq, e.institution_id, e.at, e.from_state, e.to_state, e.api_key_id,"     \
  " p.asset_id, p.holder_reference, p.amount AS whole, p.currency, e.amount,"                                          \
  " COALESCE(sum(e.amount) FILTER (WHERE e.to_state IN ('PARTIALLY_RELEASED', 'RELEASED')) OVER w, 0) AS released,"    \
  " COALESCE(sum(e.amount) FILTER (WHERE e.to_state IN ('CANCELLED', 'EXPIRED')) OVER w, 0) AS refunded"               \
  " FROM escrowgrid.position_events AS e LEFT JOIN escrowgrid.positions AS p ON p.id = e.position_id"                  \
  " WHERE $1 IS NULL OR e.institution_id = $1 WINDOW w AS (PARTITION BY e.position_id ORDER BY e.seq)),"               \
  " found AS (SELECT r.*, CASE WHEN row_number() OVER (PARTITION BY r.payload ->> 'eventId' ORDER BY r.id) = 1"        \
  "  THEN r.payload ->> 'eventId' END AS event_id FROM escrowgrid." table                                              \
  " AS r"                                                                                                              \
  " LEFT JOIN purged AS g ON g.institution_id = r.institution_id WHERE " found_where                                   \
  "  AND ($1 IS NULL OR r.institution_id = $1))"                                                                       \
  " SELECT COALESCE(w.position_id, f." place                                                                           \
  "), w.seq,"                                                                                                          \
  "  CASE WHEN f.id IS NULL THEN '" kind "_missing' WHEN w.id IS NULL THEN '" kind                                     \
  "_extra'"                                                                                                            \
  "   ELSE '" kind                                                                                                     \
  "_mismatch' END,"                                                                                                    \
  "  CASE WHEN w.id IS NULL THEN 'none' ELSE jsonb_build_array(" expected                                              \
  ")::text END,"                                                                                                       \
  "  CASE WHEN f.id IS NULL THEN 'none' ELSE jsonb_build_array(" found                                                 \
  ")::text END"                                                                                                        \
  " FROM wanted AS w FULL JOIN found AS f ON f.event_id = w.id"                                                        \
  " WHERE w.id IS NULL OR f.id IS NULL OR ROW(" expected ") IS DISTINCT FROM ROW(" found ")"

inline Statement verify_ledger = {ESCROWGRID_VERIFY_RECORDS(
    "ledger", "ledger_events", "position_id", "r.kind IN ('POSITION_CREATED', 'POSITION_STATE_CHANGED')",
    "CASE WHEN w.seq = 1 THEN 'POSITION_CREATED' ELSE 'POSITION_STATE_CHANGED' END, w.position_id,"
    " w.institution_id, w.at, w.at, w.from_state, w.to_state,"
    " CASE WHEN w.seq = 1 THEN jsonb_build_object('eventId', w.id, 'seq', w.seq, 'assetId', w.asset_id,"
    " 'holderReference', w.holder_reference, 'amount', w.whole, 'currency', w.currency)"
    " ELSE jsonb_build_object('eventId', w.id, 'seq', w.seq, 'amount', w.amount, 'releasedAmount', w.released,"
    " 'refundedAmount', w.refunded, 'currency', w.currency) END",
    "f.kind, f.position_id, f.institution_id, f.at, f.created_at, f.previous_state, f.new_state, f.payload")};

// A purge deletes an institution's events and keeps its audit rows. So audit rows without an event are no discrepancy
// if the institution was purged after they were written. A tombstone of an institution that still exists does not
// count.
inline Statement verify_audit = {ESCROWGRID_VERIFY_RECORDS(
    "audit", "audit_events", "resource_id",
    "r.action IN ('POSITION_CREATED', 'POSITION_TRANSITIONED') AND r.outcome = 'success'"
    " AND (g.until IS NULL OR g.until < r.occurred_at)",
    "CASE WHEN w.seq = 1 THEN 'POSITION_CREATED' ELSE 'POSITION_TRANSITIONED' END, w.position_id,"
    " w.institution_id, w.api_key_id, w.at, w.at, CASE WHEN w.seq = 1 THEN 201 ELSE 200 END,"
    " CASE WHEN w.seq = 1 THEN jsonb_build_object('eventId', w.id, 'institutionId', w.institution_id,"
    " 'assetId', w.asset_id, 'amount', w.whole, 'currency', w.currency)"
    " ELSE jsonb_build_object('eventId', w.id, 'fromState', w.from_state, 'toState', w.to_state,"
    " 'amount', w.amount, 'currency', w.currency) END",
    "f.action, f.resource_id, f.institution_id, f.api_key_id, f.occurred_at, f.created_at, f.status_code,"
    " f.payload - 'traceparent'")};

// Rows whose parent row is missing. Foreign keys are not checked in the replica role.
inline Statement verify_references = {
    "SELECT CASE WHEN s.kind = 'position' THEN s.id END, NULL::integer, 'reference_missing', s.reference,"
    " 'none, named by ' || s.kind || ' ' || s.id"
    " FROM (SELECT 'position' AS kind, p.id, p.institution_id, 'asset ' || p.asset_id AS reference"
    "  FROM escrowgrid.positions AS p WHERE NOT EXISTS (SELECT FROM escrowgrid.assets AS a"
    "   WHERE a.id = p.asset_id AND a.institution_id = p.institution_id)"
    " UNION ALL SELECT 'asset', a.id, a.institution_id, 'asset template ' || a.template_id"
    "  FROM escrowgrid.assets AS a WHERE NOT EXISTS (SELECT FROM escrowgrid.asset_templates AS t"
    "   WHERE t.id = a.template_id AND t.institution_id = a.institution_id)"
    " UNION ALL SELECT 'asset template', t.id, t.institution_id, 'institution ' || t.institution_id"
    "  FROM escrowgrid.asset_templates AS t WHERE NOT EXISTS (SELECT FROM escrowgrid.institutions AS i"
    "   WHERE i.id = t.institution_id)"
    " UNION ALL SELECT 'API key', k.id, k.institution_id, 'institution ' || k.institution_id"
    "  FROM escrowgrid.api_keys AS k WHERE NOT EXISTS (SELECT FROM escrowgrid.institutions AS i"
    "   WHERE i.id = k.institution_id)"
    " UNION ALL SELECT 'policy', o.id, o.institution_id, 'institution ' || o.institution_id"
    "  FROM escrowgrid.institution_policies AS o WHERE NOT EXISTS (SELECT FROM escrowgrid.institutions AS i"
    "   WHERE i.id = o.institution_id)) AS s WHERE $1 IS NULL OR s.institution_id = $1"};

inline Statement verify_erasures = {
    "SELECT e.position_id, e.seq, 'erasure_unrecorded', 'an audit row EVENT_REDACTED', 'none'"
    " FROM escrowgrid.position_events AS e WHERE e.content_digest IS NOT NULL AND ($1 IS NULL OR e.institution_id = $1)"
    " AND NOT EXISTS (SELECT FROM escrowgrid.audit_events AS a WHERE a.action = 'EVENT_REDACTED'"
    "  AND a.resource_id = e.id AND a.institution_id = e.institution_id)"};

// The heads of purged positions, from the tombstones in the audit log.
#define ESCROWGRID_TOMBSTONES                                                                      \
  "(SELECT s.head ->> 'positionId' AS position_id, s.head ->> 'version' AS version"                \
  " FROM escrowgrid.audit_events AS a CROSS JOIN LATERAL"                                          \
  " jsonb_array_elements(CASE WHEN a.action = 'INSTITUTION_PURGED' THEN a.payload -> 'heads' END)" \
  " AS s (head) WHERE a.action = 'INSTITUTION_PURGED')"

// The heads of all checkpoints whose event is missing or has another hash.
#define ESCROWGRID_BROKEN_HEADS                                                                        \
  " FROM escrowgrid.checkpoint_heads AS h LEFT JOIN escrowgrid.positions AS p ON p.id = h.position_id" \
  " LEFT JOIN escrowgrid.position_events AS e ON e.position_id = h.position_id AND e.seq = h.version"  \
  " WHERE h.version IS NOT NULL AND ((p.id IS NULL AND NOT EXISTS"                                     \
  "  (SELECT FROM " ESCROWGRID_TOMBSTONES                                                              \
  " AS t WHERE t.position_id = h.position_id))"                                                        \
  " OR (p.id IS NOT NULL AND (e.hash IS DISTINCT FROM h.head_hash OR p.version < h.version)))"

inline Statement verify_heads = {
    "SELECT h.position_id, h.version,"
    " CASE WHEN p.id IS NULL THEN 'checkpoint_position_missing' ELSE 'checkpoint_head' END,"
    " encode(h.head_hash, 'hex'), COALESCE(encode(e.hash, 'hex'), 'none')" ESCROWGRID_BROKEN_HEADS
    " AND ($1 IS NULL OR h.institution_id = $1)"
    " UNION ALL SELECT h.position_id, h.version, 'checkpoint_unknown', 'a checkpoint with number '"
    "  || h.checkpoint_number, 'none' FROM escrowgrid.checkpoint_heads AS h"
    "  WHERE h.checkpoint_number NOT IN (SELECT c.number FROM escrowgrid.checkpoints AS c)"
    "  AND ($1 IS NULL OR h.institution_id = $1)"};

inline Statement select_broken_head = {"SELECT h.position_id" ESCROWGRID_BROKEN_HEADS " LIMIT 1"};

}  // namespace escrowgrid::pg::store
