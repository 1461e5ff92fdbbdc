-- The same institution, asset, policy, key and :positions funded positions for the extension and its peers.
SET search_path = escrowgrid;
SELECT id FROM escrow_create_institution('Bench', '{US}') \gset i_
SELECT id FROM escrow_create_asset_template('CONSTR_ESCROW', 'T', 'CONSTRUCTION', 'US', '{"currency": "USD"}', :'i_id') \gset t_
SELECT id FROM escrow_create_asset(:'t_id', 'Asset') \gset a_
SELECT count(p) FROM escrow_set_policy(:'i_id', 'US', '{"position": {"minAmount": 1, "maxAmount": 1000000000000, "allowedCurrencies": ["USD", "EUR"]}}') AS p \g /dev/null
SELECT api_key AS token FROM escrow_create_api_key(:'i_id', 'bench', 'admin') \gset
INSERT INTO positions (id, asset_id, holder_reference, currency, amount)
SELECT 'pos_' || lpad(n::text, 26, '0'), :'a_id', 'holder ' || n, 'USD', 1000000000 FROM generate_series(1, :positions) AS n;
SELECT count(t) FROM (SELECT array_agg(id) AS ids FROM positions GROUP BY right(id, 2)) AS b, escrow_transition_batch(b.ids, 'FUNDED') AS t \g /dev/null
CREATE TABLE public.bench AS SELECT :'token'::text AS token, :'a_id'::text AS asset, :'i_id'::text AS institution;

INSERT INTO seed.institutions SELECT * FROM institutions;
INSERT INTO seed.asset_templates SELECT * FROM asset_templates;
INSERT INTO seed.assets SELECT * FROM assets;
INSERT INTO seed.institution_policies SELECT * FROM institution_policies;
INSERT INTO seed.api_keys SELECT id, institution_id, key_hash, label, role, created_at, revoked_at, expires_at FROM api_keys;
INSERT INTO seed.positions SELECT id, institution_id, asset_id, holder_reference, currency, amount, state, external_reference, created_at, updated_at,
    released_amount, refunded_amount, expires_at FROM positions;
INSERT INTO seed.position_events SELECT id, position_id, from_state, to_state, reason, at, metadata, created_at FROM position_events;
INSERT INTO seed.ledger_events SELECT id, kind, position_id, at, previous_state, new_state, payload, created_at FROM ledger_events WHERE position_id IS NOT NULL;
INSERT INTO own.institutions SELECT * FROM institutions;
INSERT INTO own.asset_templates SELECT * FROM asset_templates;
INSERT INTO own.assets SELECT * FROM assets;
INSERT INTO own.institution_policies SELECT * FROM institution_policies;
INSERT INTO own.positions SELECT * FROM positions;
INSERT INTO own.position_events SELECT * FROM position_events;
INSERT INTO own.ledger_events SELECT * FROM ledger_events;
VACUUM (FREEZE, ANALYZE);
CHECKPOINT;
