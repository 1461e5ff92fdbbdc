-- The rows that functions return: their type, and that plans kept for calling the functions stay right.
BEGIN;
SET search_path = public;
SELECT no_plan();
\set suffix test
\ir include/known_ids.psql
INSERT INTO escrowgrid.positions (id, asset_id, holder_reference, currency, amount)
VALUES ('pos_test', 'ast_test', 'h', 'USD', 100);

-- escrow_transition() returns a row of the table's own type, which can be stored as such.
SELECT version FROM escrowgrid.escrow_transition('pos_test', 'FUNDED') \g /dev/null
UPDATE escrowgrid.positions SET state = 'PARTIALLY_RELEASED' WHERE id = 'pos_test';
SELECT is(pg_typeof(t)::text, 'escrowgrid.positions', 'escrow_transition() returns a row of type escrowgrid.positions')
FROM escrowgrid.escrow_transition('pos_test', 'RELEASED') AS t;

CREATE TEMPORARY TABLE kept (p escrowgrid.positions);
INSERT INTO kept SELECT escrowgrid.escrow_create_position('ast_test', 'h', 'USD', 1);
SELECT is((SELECT (p).state FROM kept), 'CREATED',
    'the row that escrow_create_position() returns can be stored in a column of type escrowgrid.positions');

-- The plan of a PL/pgSQL loop is made once and used for every call.
PREPARE move(text, text) AS SELECT state FROM escrowgrid.escrow_transition($1, $2);
DO $$
BEGIN
    FOR i IN 1..10 LOOP
        PERFORM FROM escrowgrid.escrow_create_position('ast_test', 'loop', 'USD', i);
    END LOOP;
END $$;
SELECT is((SELECT count(*) FROM escrowgrid.escrow_list_positions(holder_reference => 'loop')), 10::bigint,
    'escrow_list_positions() lists the ten positions that a PL/pgSQL loop created for a holder');
SELECT ok(
    (SELECT array_agg(amount ORDER BY id) = array_agg(amount ORDER BY amount)
     FROM escrowgrid.positions
     WHERE holder_reference = 'loop'),
    'the ids of positions sort in the order in which the positions were created');

-- The same for a prepared statement that was planned before the positions existed.
SELECT id AS first_id FROM escrowgrid.positions WHERE holder_reference = 'loop' ORDER BY id LIMIT 1 \gset
SELECT id AS last_id FROM escrowgrid.positions WHERE holder_reference = 'loop' ORDER BY id DESC LIMIT 1 \gset
EXECUTE move(:'first_id', 'FUNDED') \g /dev/null
EXECUTE move(:'last_id', 'CANCELLED') \g /dev/null
SELECT is(
    (SELECT string_agg(state, ' ' ORDER BY id) FROM escrowgrid.positions WHERE id IN (:'first_id', :'last_id')),
    'FUNDED CANCELLED',
    'a prepared statement with escrow_transition() moves the positions it is executed for');

\ir include/events_add_up.psql

SELECT * FROM finish();
ROLLBACK;
