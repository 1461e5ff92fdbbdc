-- Positions with four events each, :events in all, with their ledger and audit rows. Written as rows and not as calls,
-- because only their number matters; then 2,000 positions made by calls, which the measurement moves.
SET search_path = escrowgrid;
SELECT id FROM escrow_create_institution('Scale', '{US}') \gset i_
SELECT id FROM escrow_create_asset_template('OWN', 'T', 'CONSTRUCTION', 'US', '{}', :'i_id') \gset t_
SELECT id FROM escrow_create_asset(:'t_id', 'A') \gset a_
BEGIN;
ALTER TABLE positions DISABLE TRIGGER ALL;
ALTER TABLE position_events DISABLE TRIGGER ALL;
ALTER TABLE ledger_events DISABLE TRIGGER ALL;
ALTER TABLE audit_events DISABLE TRIGGER ALL;
INSERT INTO positions (id, institution_id, asset_id, holder_reference, currency, amount, state, created_at, updated_at, released_amount, version, head_hash)
SELECT 'pos_' || lpad(n::text, 26, '0'), :'i_id', :'a_id', 'holder ' || n, 'USD', 100, 'RELEASED', now(), now(), 100, 4, sha256(n::text::bytea)
FROM generate_series(1, :events / 4) AS n;
INSERT INTO position_events (id, position_id, from_state, to_state, at, created_at, institution_id, seq, amount, hash)
SELECT 'ple_' || lpad((n * 4 + s)::text, 26, '0'), 'pos_' || lpad(n::text, 26, '0'), (ARRAY[NULL, 'CREATED', 'FUNDED', 'PARTIALLY_RELEASED'])[s],
    (ARRAY['CREATED', 'FUNDED', 'PARTIALLY_RELEASED', 'RELEASED'])[s], now(), now(), :'i_id', s, 25, sha256(n::text::bytea)
FROM generate_series(1, :events / 4) AS n, generate_series(1, 4) AS s;
INSERT INTO ledger_events (id, kind, position_id, at, previous_state, new_state, payload, created_at, institution_id)
SELECT replace(e.id, 'ple', 'led'), CASE WHEN e.seq = 1 THEN 'POSITION_CREATED' ELSE 'POSITION_STATE_CHANGED' END, e.position_id, e.at, e.from_state, e.to_state,
    jsonb_build_object('eventId', e.id, 'seq', e.seq, 'amount', e.amount, 'releasedAmount', 25, 'refundedAmount', 0, 'currency', 'USD'), e.at, e.institution_id FROM position_events AS e;
INSERT INTO audit_events (id, occurred_at, created_at, institution_id, method, path, action, resource_type, resource_id, payload, status_code, db_role)
SELECT replace(e.id, 'ple', 'aud'), e.at, e.at, e.institution_id, 'SQL', 'escrow_transition', CASE WHEN e.seq = 1 THEN 'POSITION_CREATED' ELSE 'POSITION_TRANSITIONED' END,
    'position', e.position_id, jsonb_build_object('eventId', e.id, 'fromState', e.from_state, 'toState', e.to_state, 'amount', e.amount, 'currency', 'USD'), 200, 'postgres' FROM position_events AS e;
SELECT format('ALTER TABLE %s ENABLE TRIGGER ALL', t) FROM unnest(ARRAY['positions', 'position_events', 'ledger_events', 'audit_events']) AS t \gexec
SELECT format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', tgrelid::regclass, tgname) FROM pg_trigger WHERE tgname LIKE 'escrowgrid%' AND tgenabled <> 'A' \gexec
COMMIT;
INSERT INTO positions (id, asset_id, holder_reference, currency, amount)
SELECT 'pos_m' || lpad(n::text, 25, '0'), :'a_id', 'moved ' || n, 'USD', 1000000000 FROM generate_series(1, 2000) AS n;
SELECT count(t) FROM (SELECT array_agg(id) AS ids FROM positions WHERE id LIKE 'pos\_m%' GROUP BY right(id, 1)) AS b, escrow_transition_batch(b.ids, 'FUNDED') AS t \g /dev/null
VACUUM (FREEZE, ANALYZE);
CHECKPOINT;
