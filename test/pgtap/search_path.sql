-- The extension resolves no name and no operator through the caller's search path.
BEGIN;
SET search_path = public;
SELECT no_plan();
\set suffix test
\ir include/known_ids.psql
INSERT INTO escrowgrid.positions (id, asset_id, holder_reference, currency, amount)
VALUES ('pos_test', 'ast_test', 'h', 'USD', 100);

-- A schema with operators and a function that raise, and temporary tables named like the extension's. The search path
-- finds all of them before PostgreSQL's and the extension's own.
CREATE SCHEMA hostile;
CREATE FUNCTION hostile.never(text, text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'hijacked';
END $$;
CREATE FUNCTION hostile.never(int, int) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'hijacked';
END $$;
CREATE OPERATOR hostile.= (FUNCTION = hostile.never, LEFTARG = text, RIGHTARG = text);
CREATE OPERATOR hostile.= (FUNCTION = hostile.never, LEFTARG = int, RIGHTARG = int);
CREATE OPERATOR hostile.> (FUNCTION = hostile.never, LEFTARG = text, RIGHTARG = text);
CREATE FUNCTION hostile.inet_client_addr() RETURNS inet LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'hijacked';
END $$;
CREATE TEMPORARY TABLE positions (LIKE escrowgrid.positions);
CREATE TEMPORARY TABLE position_events (LIKE escrowgrid.position_events);
SET LOCAL search_path = pg_temp, hostile, pg_catalog, escrowgrid, public;

-- An error in here ends the test file before the next line.
DO $$
BEGIN
    PERFORM FROM escrowgrid.escrow_transition('pos_test', 'FUNDED');
    UPDATE escrowgrid.positions SET state = 'PARTIALLY_RELEASED' WHERE id OPERATOR(pg_catalog.=) 'pos_test';
    PERFORM FROM escrowgrid.escrow_create_position('ast_test', 'h', 'USD', 1);
    PERFORM FROM escrowgrid.escrow_get_position('pos_test');
    PERFORM FROM escrowgrid.escrow_list_positions('inst_test', 'ast_test', 'h', 'FUNDED', 'pos_');
    PERFORM FROM escrowgrid.escrow_list_ledger_events('inst_test', 'pos_test');
    PERFORM FROM escrowgrid.escrow_list_audit_events('inst_test', 'POSITION_CREATED');
    PERFORM FROM escrowgrid.escrow_health();
    PERFORM FROM escrowgrid.escrow_write_paths();
    INSERT INTO escrowgrid.currencies (code, exponent, name) VALUES ('HOST', 2, 'Hostile');
    PERFORM FROM escrowgrid.escrow_create_position('ast_test', 'h', 'HOST', 1);
    PERFORM FROM escrowgrid.escrow_create_asset_template('OWN', 'T', 'CONSTRUCTION', 'US', '{"currency": "HOST"}',
        'inst_test');
    PERFORM FROM escrowgrid.escrow_create_asset('tmpl_test', 'A');
END $$;
SET LOCAL search_path = public;

SELECT pass('functions and raw DML succeed under a search path with hostile operators, functions and tables');
SELECT is_empty('SELECT FROM pg_temp.position_events',
    'no event is written to a temporary table position_events that the search path finds first');
SELECT is((SELECT version FROM escrowgrid.positions WHERE id = 'pos_test'), 3,
    'a position moved twice under a hostile search path has version 3 in escrowgrid.positions');
\ir include/events_add_up.psql
SELECT is_empty('SELECT * FROM escrowgrid.escrow_verify(''inst_test'')',
    'escrow_verify() finds nothing wrong with what was written under a hostile search path');

SELECT * FROM finish();
ROLLBACK;
