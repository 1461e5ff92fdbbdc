-- The hash chain as an outsider would compute it, in SQL from the bytes that docs/evidence.md documents.
BEGIN;
SET search_path = public;
SELECT no_plan();
-- Half an hour off from UTC: a hash that depended on the session's time zone would differ.
SET LOCAL TIME ZONE 'America/St_Johns';
\ir include/chain.psql
\set suffix test
\ir include/known_ids.psql

-- A position moved by raw DML, whose events have neither reason nor metadata, in a currency without decimals.
INSERT INTO escrowgrid.positions (id, asset_id, holder_reference, currency, amount)
VALUES ('pos_test_raw', 'ast_test', 'h', 'JPY', 500);
UPDATE escrowgrid.positions SET state = 'FUNDED' WHERE id = 'pos_test_raw';
UPDATE escrowgrid.positions SET state = 'PARTIALLY_RELEASED' WHERE id = 'pos_test_raw';
UPDATE escrowgrid.positions SET state = 'EXPIRED' WHERE id = 'pos_test_raw';

-- A position moved by the functions: every optional field, non-ASCII text, three decimals, and events with a reason,
-- with metadata, with both and without an amount.
SELECT id
FROM escrowgrid.escrow_create_position('ast_test', 'Zoë 株式会社', 'BHD', 1234.5, 'réf-1',
    now() + interval '30 days', '{"b": [1.50, null, "ü\n"], "a": {"deep": true}}')
\gset fn_
SELECT version FROM escrowgrid.escrow_transition(:'fn_id', 'FUNDED', 'reason only') \g /dev/null
SELECT version
FROM escrowgrid.escrow_transition(:'fn_id', 'PARTIALLY_RELEASED', NULL, '{"only": "metadata"}', 0.125) \g /dev/null
SELECT version FROM escrowgrid.escrow_transition(:'fn_id', 'PARTIALLY_RELEASED', 'no amount') \g /dev/null
SELECT version FROM escrowgrid.escrow_transition(:'fn_id', 'CANCELLED', 'both', '{"x": 1e2}') \g /dev/null

-- Every event of both positions has the hash that follows from the documentation.
SELECT is(e.hash, pg_temp.expected(p, e, previous.hash),
    format('event %s (%s) of a position written by %s has the hash that docs/evidence.md describes', e.seq, e.to_state,
        CASE WHEN e.position_id = 'pos_test_raw' THEN 'raw DML' ELSE 'functions' END))
FROM escrowgrid.positions AS p
JOIN escrowgrid.position_events AS e ON e.position_id = p.id
LEFT JOIN escrowgrid.position_events AS previous
    ON previous.position_id = e.position_id AND previous.seq = e.seq - 1
WHERE p.asset_id = 'ast_test'
ORDER BY p.id, e.seq;

SELECT is_empty($$
    SELECT p.id
    FROM escrowgrid.positions AS p
    JOIN escrowgrid.position_events AS e ON e.position_id = p.id AND e.seq = p.version
    WHERE p.asset_id = 'ast_test' AND e.hash <> p.head_hash
$$, 'the head_hash of every position is the hash of its last event');

SELECT is((SELECT count(DISTINCT salt) FROM escrowgrid.position_events WHERE position_id = :'fn_id'), 5::bigint,
    'each of the five events with a reason or metadata has a salt of its own');

-- Negative control: the hash depends on the content.
SELECT isnt(
    (SELECT pg_temp.expected(p, jsonb_populate_record(e, '{"reason": "forged"}'), NULL)
     FROM escrowgrid.positions AS p
     JOIN escrowgrid.position_events AS e ON e.position_id = p.id
     WHERE p.id = :'fn_id' AND e.seq = 1),
    (SELECT e.hash FROM escrowgrid.position_events AS e WHERE e.position_id = :'fn_id' AND e.seq = 1),
    'the hash of an event with another reason differs from the stored hash');

SELECT * FROM finish();
ROLLBACK;
