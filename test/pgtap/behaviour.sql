-- What surrounds the main job: hostile search paths, shadowing names, heap-only updates, rights of callers.
BEGIN;
SET search_path = public;
SELECT no_plan();
INSERT INTO escrowgrid.institutions VALUES ('inst_bhv', 'B', '{US}', '{CONSTRUCTION}', now(), now());
INSERT INTO escrowgrid.asset_templates VALUES ('tmpl_bhv', 'inst_bhv', 'OWN', 'T', 'CONSTRUCTION', 'US', '{}', now(), now());
INSERT INTO escrowgrid.assets VALUES ('ast_bhv', 'inst_bhv', 'tmpl_bhv', 'A', NULL, now(), now());
INSERT INTO escrowgrid.positions (id, asset_id, holder_reference, currency, amount) VALUES
    ('pos_bhv', 'ast_bhv', 'h', 'USD', 100), ('pos_bhv_hot', 'ast_bhv', 'h', 'USD', 100);

-- A search path that puts hostile operators before PostgreSQL's, and temporary tables with our names.
CREATE SCHEMA hostile;
CREATE FUNCTION hostile.never(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'hijacked'; END $$;
CREATE FUNCTION hostile.never(int, int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'hijacked'; END $$;
CREATE OPERATOR hostile.= (FUNCTION = hostile.never, LEFTARG = text, RIGHTARG = text);
CREATE OPERATOR hostile.= (FUNCTION = hostile.never, LEFTARG = int, RIGHTARG = int);
CREATE OPERATOR hostile.> (FUNCTION = hostile.never, LEFTARG = text, RIGHTARG = text);
CREATE FUNCTION hostile.inet_client_addr() RETURNS inet LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'hijacked'; END $$;
CREATE TEMPORARY TABLE positions (LIKE escrowgrid.positions);
CREATE TEMPORARY TABLE position_events (LIKE escrowgrid.position_events);
SET LOCAL search_path = pg_temp, hostile, pg_catalog, escrowgrid, public;
DO $$
BEGIN
    PERFORM FROM escrowgrid.escrow_transition('pos_bhv', 'FUNDED');
    UPDATE escrowgrid.positions SET state = 'PARTIALLY_RELEASED' WHERE id OPERATOR(pg_catalog.=) 'pos_bhv';
    PERFORM FROM escrowgrid.escrow_create_position('ast_bhv', 'h', 'USD', 1);
    PERFORM FROM escrowgrid.escrow_get_position('pos_bhv');
    PERFORM FROM escrowgrid.escrow_list_positions('inst_bhv', 'ast_bhv', 'h', 'FUNDED', 'pos_');
    PERFORM FROM escrowgrid.escrow_list_ledger_events('inst_bhv', 'pos_bhv');
    PERFORM FROM escrowgrid.escrow_list_audit_events('inst_bhv', 'POSITION_CREATED');
    PERFORM FROM escrowgrid.escrow_health();
    PERFORM FROM escrowgrid.escrow_write_paths();
    INSERT INTO escrowgrid.currencies (code, exponent, name) VALUES ('HOST', 2, 'Hostile');
    PERFORM FROM escrowgrid.escrow_create_position('ast_bhv', 'h', 'HOST', 1);
    PERFORM FROM escrowgrid.escrow_create_asset_template('OWN', 'T', 'CONSTRUCTION', 'US', '{"currency": "HOST"}', 'inst_bhv');
    PERFORM FROM escrowgrid.escrow_create_asset('tmpl_bhv', 'A');
END $$;
SET LOCAL search_path = public;
SELECT pass('nothing is resolved through the caller''s search path');
SELECT is_empty('SELECT FROM pg_temp.position_events', 'and nothing lands in a temporary table');
SELECT is((SELECT version FROM escrowgrid.positions WHERE id = 'pos_bhv'), 3, 'but where it belongs');

-- Transitions are heap-only updates.
SELECT pg_stat_get_xact_tuples_updated('escrowgrid.positions'::regclass) AS updated,
       pg_stat_get_xact_tuples_hot_updated('escrowgrid.positions'::regclass) AS hot \gset before_
SELECT version FROM escrowgrid.escrow_transition('pos_bhv_hot', 'FUNDED') \g /dev/null
SELECT version FROM generate_series(1, 8) AS n, escrowgrid.escrow_transition('pos_bhv_hot', 'PARTIALLY_RELEASED', amount => n) \g /dev/null
SELECT version FROM escrowgrid.escrow_transition('pos_bhv_hot', 'RELEASED') \g /dev/null
SELECT is(pg_stat_get_xact_tuples_updated('escrowgrid.positions'::regclass) - :before_updated, 10::bigint, 'ten updates');
SELECT is(pg_stat_get_xact_tuples_hot_updated('escrowgrid.positions'::regclass) - :before_hot, 10::bigint, 'all of them heap-only');

-- One event, one ledger row and one audit row each, sums that add up, sequences without a gap.
SELECT is_empty($$
    SELECT p.id FROM escrowgrid.positions AS p
    LEFT JOIN (SELECT position_id, count(*) AS n, max(seq) AS last,
            coalesce(sum(amount) FILTER (WHERE to_state IN ('PARTIALLY_RELEASED', 'RELEASED')), 0) AS released,
            coalesce(sum(amount) FILTER (WHERE to_state IN ('CANCELLED', 'EXPIRED')), 0) AS refunded
        FROM escrowgrid.position_events GROUP BY position_id) AS e ON e.position_id = p.id
    WHERE p.institution_id = 'inst_bhv' AND (e.n, e.last, e.released, e.refunded)
        IS DISTINCT FROM (p.version::bigint, p.version, p.released_amount, p.refunded_amount)
$$, 'events add up to their positions');

-- The rows that functions return have the table's own type.
SELECT is(pg_typeof(t)::text, 'escrowgrid.positions', 'escrow_transition returns a position') FROM escrowgrid.escrow_transition('pos_bhv', 'RELEASED') AS t;
CREATE TEMPORARY TABLE kept (p escrowgrid.positions);
INSERT INTO kept SELECT escrowgrid.escrow_create_position('ast_bhv', 'h', 'USD', 1);
SELECT is((SELECT (p).state FROM kept), 'CREATED', 'which can be stored as one');

-- A prepared statement planned before, a PL/pgSQL loop: plans are kept and stay right.
PREPARE move(text, text) AS SELECT state FROM escrowgrid.escrow_transition($1, $2);
DO $$ BEGIN FOR i IN 1..10 LOOP PERFORM FROM escrowgrid.escrow_create_position('ast_bhv', 'loop', 'USD', i); END LOOP; END $$;
SELECT is((SELECT count(*) FROM escrowgrid.escrow_list_positions(holder_reference => 'loop')), 10::bigint, 'ten in a loop');
SELECT ok((SELECT array_agg(amount ORDER BY id) = array_agg(amount ORDER BY amount) FROM escrowgrid.positions WHERE holder_reference = 'loop'),
    'ids sort in the order they were made');

SELECT * FROM finish();
ROLLBACK;
