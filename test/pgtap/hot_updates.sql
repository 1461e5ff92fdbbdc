-- Transitions are heap-only updates: no column that they change is in an index of positions.
BEGIN;
SET search_path = public;
SELECT no_plan();
\set suffix test
\ir include/known_ids.psql
-- Half of the position's page stays free for its ten new versions: pages may be full of rows that other tests rolled
-- back, and an update that needs another page is not heap-only.
ALTER TABLE escrowgrid.positions SET (fillfactor = 50);
INSERT INTO escrowgrid.positions (id, asset_id, holder_reference, currency, amount)
VALUES ('pos_test', 'ast_test', 'h', 'USD', 100);

SELECT pg_stat_get_xact_tuples_updated('escrowgrid.positions'::regclass) AS updated,
    pg_stat_get_xact_tuples_hot_updated('escrowgrid.positions'::regclass) AS hot
\gset before_
SELECT version FROM escrowgrid.escrow_transition('pos_test', 'FUNDED') \g /dev/null
SELECT version
FROM generate_series(1, 8) AS n, escrowgrid.escrow_transition('pos_test', 'PARTIALLY_RELEASED', amount => n)
\g /dev/null
SELECT version FROM escrowgrid.escrow_transition('pos_test', 'RELEASED') \g /dev/null

SELECT is(pg_stat_get_xact_tuples_updated('escrowgrid.positions'::regclass) - :before_updated, 10::bigint,
    'ten transitions of a position update ten tuples of positions');
SELECT is(pg_stat_get_xact_tuples_hot_updated('escrowgrid.positions'::regclass) - :before_hot, 10::bigint,
    'all ten updates by transitions of a position are heap-only');

\ir include/events_add_up.psql

SELECT * FROM finish();
ROLLBACK;
