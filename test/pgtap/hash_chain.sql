-- The chain as an outsider would compute it from the documented bytes, in SQL.
BEGIN;
SET search_path = public;
SELECT no_plan();
SET LOCAL TIME ZONE 'America/St_Johns';

\ir include/chain.psql

INSERT INTO escrowgrid.institutions VALUES ('inst_hc', 'H', '{US}', '{CONSTRUCTION}', now(), now());
INSERT INTO escrowgrid.asset_templates VALUES ('tmpl_hc', 'inst_hc', 'OWN', 'T', 'CONSTRUCTION', 'US', '{}', now(), now());
INSERT INTO escrowgrid.assets VALUES ('ast_hc', 'inst_hc', 'tmpl_hc', 'A', NULL, now(), now());
INSERT INTO escrowgrid.positions (id, asset_id, holder_reference, currency, amount) VALUES ('pos_hc_raw', 'ast_hc', 'h', 'JPY', 500);
UPDATE escrowgrid.positions SET state = 'FUNDED' WHERE id = 'pos_hc_raw';
UPDATE escrowgrid.positions SET state = 'PARTIALLY_RELEASED' WHERE id = 'pos_hc_raw';
UPDATE escrowgrid.positions SET state = 'EXPIRED' WHERE id = 'pos_hc_raw';
SELECT id FROM escrowgrid.escrow_create_position('ast_hc', 'Zoë 株式会社', 'BHD', 1234.5, 'réf-1',
    now() + interval '30 days', '{"b": [1.50, null, "ü\n"], "a": {"deep": true}}') \gset fn_
SELECT version FROM escrowgrid.escrow_transition(:'fn_id', 'FUNDED', 'reason only') \g /dev/null
SELECT version FROM escrowgrid.escrow_transition(:'fn_id', 'PARTIALLY_RELEASED', NULL, '{"only": "metadata"}', 0.125) \g /dev/null
SELECT version FROM escrowgrid.escrow_transition(:'fn_id', 'PARTIALLY_RELEASED', 'no amount') \g /dev/null
SELECT version FROM escrowgrid.escrow_transition(:'fn_id', 'CANCELLED', 'both', '{"x": 1e2}') \g /dev/null

SELECT is(e.hash, pg_temp.expected(p, e, previous.hash), format('%s event %s %s', e.position_id LIKE '%raw', e.seq, e.to_state))
FROM escrowgrid.positions AS p
JOIN escrowgrid.position_events AS e ON e.position_id = p.id
LEFT JOIN escrowgrid.position_events AS previous ON previous.position_id = e.position_id AND previous.seq = e.seq - 1
WHERE p.asset_id = 'ast_hc' ORDER BY p.id, e.seq;
SELECT is_empty($$
    SELECT p.id FROM escrowgrid.positions AS p JOIN escrowgrid.position_events AS e ON e.position_id = p.id AND e.seq = p.version
    WHERE p.asset_id = 'ast_hc' AND e.hash <> p.head_hash
$$, 'heads are the last events'' hashes');
SELECT is((SELECT count(DISTINCT salt) FROM escrowgrid.position_events WHERE position_id = :'fn_id'), 5::bigint, 'each event has a salt of its own');
SELECT isnt(
    (SELECT pg_temp.expected(p, jsonb_populate_record(e, '{"reason": "forged"}'), NULL)
     FROM escrowgrid.positions AS p JOIN escrowgrid.position_events AS e ON e.position_id = p.id WHERE p.id = :'fn_id' AND e.seq = 1),
    (SELECT e.hash FROM escrowgrid.position_events AS e WHERE e.position_id = :'fn_id' AND e.seq = 1), 'another reason gives another hash');

SELECT * FROM finish();
ROLLBACK;
