-- Direct writing asks for the same rights as a statement would, and runs users' code with the rights of the tables'
-- owner, but never by the caller's search_path.
BEGIN;
SET search_path = public;
SELECT no_plan();
\ir include/table_owner.psql
\set institution_name Direct
\set policy '{"position": {"maxAmount": 5000}}'
\ir include/direct.psql
SAVEPOINT plain;

-- --- the rights of the tables' owner, also those that an owner may take from itself
CREATE ROLE plain_owner;
GRANT CREATE, USAGE ON SCHEMA escrowgrid TO plain_owner;
SELECT pg_temp.give_tables_to('plain_owner') \g /dev/null
SELECT is(pg_temp.way(), 'direct', 'rows are written directly when the owner of the tables is no superuser');

ALTER TABLE escrowgrid.positions FORCE ROW LEVEL SECURITY;
SELECT is(pg_temp.reason('positions'), 'ordinary: its row security applies to the owner of positions',
    'escrow_write_paths() names row security that is forced on the owner as the reason');
ALTER TABLE escrowgrid.positions NO FORCE ROW LEVEL SECURITY;

REVOKE INSERT ON escrowgrid.ledger_events FROM plain_owner;
SELECT is(pg_temp.reason('ledger_events'), 'ordinary: the owner of positions may not write to it',
    'escrow_write_paths() names a right that the owner of the tables lacks as the reason');
SELECT throws_ok('SELECT pg_temp.funded()', '42501', 'permission denied for table ledger_events',
    'a creation is refused when the owner of the tables may not INSERT into ledger_events');
GRANT INSERT ON escrowgrid.ledger_events TO plain_owner;
SELECT lives_ok('SELECT pg_temp.funded()',
    'a creation succeeds after the owner of the tables may INSERT into ledger_events again');

REVOKE SELECT ON escrowgrid.assets FROM plain_owner;
SELECT throws_ok('SELECT pg_temp.funded()', '42501', 'permission denied for table assets',
    'a creation is refused when the owner of the tables may not SELECT from assets');
ROLLBACK TO plain;

-- --- the search_path of users' code
-- A lower() of the user's own, which notes that it was called, in a schema before pg_catalog in the caller's
-- search_path; and code of the user's that calls lower() without a schema.
CREATE SCHEMA hostile;
CREATE TABLE hostile.hijacked (place text);
CREATE FUNCTION hostile.lower(text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO hostile.hijacked VALUES ($1);
    RETURN $1;
END $$;
CREATE FUNCTION public.calls_lower() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM lower(TG_NAME);
    RETURN NEW;
END $$;
CREATE FUNCTION public.lower_ok(text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    RETURN lower($1) IS NOT NULL;
END $$;

-- How often hostile.lower() has been called after calls of the extension's functions under that search_path, by a way
-- of writing. Raises if the caller's search_path is not what it was.
CREATE FUNCTION pg_temp.hijacks(way text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    asset text := current_setting('test.asset_id');
    p text;
    path text;
BEGIN
    PERFORM set_config('search_path', 'hostile, pg_catalog, public', true), pg_temp.set_way(way);
    p := pg_temp.funded();
    PERFORM escrowgrid.escrow_transition_batch(ARRAY[p], 'RELEASED');
    PERFORM escrowgrid.escrow_try_create_position(asset, 'h', 'USD', 10);
    PERFORM escrowgrid.escrow_create_asset((SELECT template_id FROM escrowgrid.assets WHERE id = asset), 'Another');
    path := current_setting('search_path');
    PERFORM set_config('search_path', 'public', true), pg_temp.set_way('auto');
    IF path <> 'hostile, pg_catalog, public' THEN
        RAISE 'the caller''s search_path is now %', path;
    END IF;
    RETURN (SELECT count(*) FROM hostile.hijacked);
END $$;
CREATE TRIGGER user_after AFTER INSERT OR UPDATE ON escrowgrid.positions
    FOR EACH ROW EXECUTE FUNCTION public.calls_lower();
CREATE TRIGGER user_after AFTER INSERT ON escrowgrid.audit_events
    FOR EACH ROW EXECUTE FUNCTION public.calls_lower();
ALTER TABLE escrowgrid.ledger_events ADD CHECK (public.lower_ok(id));
SELECT is(pg_temp.hijacks('auto'), 0::bigint,
    'users'' AFTER triggers and CHECK functions do not run by the caller''s search_path in direct writing');
SELECT is(pg_temp.hijacks('ordinary'), 0::bigint,
    'users'' AFTER triggers and CHECK functions do not run by the caller''s search_path in writing through SPI');
CREATE TRIGGER user_before BEFORE INSERT ON escrowgrid.position_events
    FOR EACH ROW EXECUTE FUNCTION public.calls_lower();
SELECT is(pg_temp.hijacks('auto'), 0::bigint,
    'users'' BEFORE triggers do not run by the caller''s search_path');

-- Negative control: the same code, called without the extension, does find the hostile function.
SET LOCAL search_path = hostile, pg_catalog, public;
SELECT public.lower_ok('control') \g /dev/null
SET LOCAL search_path = public;
SELECT is((SELECT count(*) FROM hostile.hijacked), 1::bigint,
    'a function of the user''s that is called directly runs by the caller''s search_path');
ROLLBACK TO plain;

SELECT is_empty('SELECT * FROM escrowgrid.escrow_verify()',
    'escrow_verify() finds nothing wrong after the tables had another owner');
SELECT * FROM finish();
ROLLBACK;
