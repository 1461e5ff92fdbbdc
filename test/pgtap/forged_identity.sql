-- Attempts to become someone else: forged settings, savepoints, plans and cursors that outlive a change of identity.
BEGIN;
SET search_path = public;
SELECT no_plan();
\ir include/application.psql
\ir include/tenants.psql
\ir include/tenant_positions.psql
CREATE ROLE regress_super SUPERUSER;

-- --- the setting that carries the identity cannot be set: not by a superuser, not with GRANT SET, not by a function
SELECT throws_ok(format(statement, :'admin_b_id'), '42501', NULL,
    format('a superuser may not sign in by %s', format(statement, '<key id>')))
FROM unnest(ARRAY[
    'SET escrowgrid.session_key_id = %L',
    'SET LOCAL escrowgrid.session_key_id = %L',
    'SET SESSION escrowgrid.session_key_id = %L',
    'SELECT set_config(''escrowgrid.session_key_id'', %L, false)',
    'SELECT set_config(''escrowgrid.session_key_id'', %L, true)',
    'ALTER ROLE regress_app SET escrowgrid.session_key_id = %L',
    'CREATE FUNCTION pg_temp.sneak() RETURNS text LANGUAGE sql SET escrowgrid.session_key_id = %L AS ''SELECT 1::text'''
]) AS statement;

GRANT SET ON PARAMETER escrowgrid.session_key_id TO regress_app;
SELECT is(pg_temp.app(format(statement, :'admin_b_id')), '42501',
    format('an application with GRANT SET may not sign in by %s', format(statement, '<key id>')))
FROM unnest(ARRAY[
    'SET escrowgrid.session_key_id = %L',
    'SET LOCAL escrowgrid.session_key_id = %L',
    'SELECT set_config(''escrowgrid.session_key_id'', %L, false)'
]) AS statement;

CREATE FUNCTION pg_temp.definer(id text) RETURNS text LANGUAGE sql SECURITY DEFINER AS $$
    SELECT set_config('escrowgrid.session_key_id', id, false)
$$;
ALTER FUNCTION pg_temp.definer(text) OWNER TO regress_super;
SELECT throws_ok(format('SELECT pg_temp.definer(%L)', :'admin_b_id'), '42501', NULL,
    'a superuser''s SECURITY DEFINER function may not sign in by set_config()');

SELECT is(pg_temp.signed_in_institution(), NULL, 'no key is signed in after all attempts to set session_key_id');
SELECT is(pg_temp.app($$SELECT current_setting('escrowgrid.session_key_id')$$), '42501',
    'an application may not read session_key_id by current_setting()');
SELECT is_empty($$SELECT FROM pg_settings WHERE name = 'escrowgrid.session_key_id'$$,
    'pg_settings does not list session_key_id');

-- --- savepoints and exception blocks undo a change of identity, RESET ends it
SELECT escrowgrid.escrow_authenticate(:'admin_a_api_key') \g /dev/null
SELECT is(pg_temp.signed_in_institution(), :'a_id', 'a key of A that signs in acts for A');
SAVEPOINT as_b;
SELECT escrowgrid.escrow_authenticate(:'admin_b_api_key') \g /dev/null
SELECT is(pg_temp.signed_in_institution(), :'b_id', 'a key of B that signs in after a key of A acts for B');
ROLLBACK TO SAVEPOINT as_b;
SELECT is(pg_temp.signed_in_institution(), :'a_id',
    'after ROLLBACK TO a savepoint from before the sign-in of B the key of A is signed in again');

DO $$
BEGIN
    BEGIN
        PERFORM escrowgrid.escrow_sign_out();
        RAISE EXCEPTION 'undo';
    EXCEPTION WHEN raise_exception THEN NULL;
    END;
END $$;
SELECT is(pg_temp.signed_in_institution(), :'a_id',
    'a key that was signed out in a block whose exception was caught is signed in again');
SELECT is(pg_temp.app($$SELECT escrowgrid.escrow_authenticate('wrong')$$), 'ZE401',
    'signing in with a wrong token while another key is signed in is refused');
SELECT is(pg_temp.signed_in_institution(), :'a_id', 'a sign-in that is refused leaves the other key signed in');

RESET escrowgrid.session_key_id;
SELECT is(pg_temp.signed_in_institution(), NULL, 'RESET escrowgrid.session_key_id signs out');
SELECT escrowgrid.escrow_authenticate(:'admin_a_api_key', 'session') \g /dev/null
RESET ALL;
SET search_path = public;
SELECT is(pg_temp.signed_in_institution(), NULL, 'RESET ALL signs out a key that signed in for the session');

-- --- a generic plan made as one tenant and executed as another
SET LOCAL plan_cache_mode = force_generic_plan;
SELECT escrowgrid.escrow_authenticate(:'admin_a_api_key') \g /dev/null
SET LOCAL ROLE regress_app;
PREPARE mine AS SELECT string_agg(holder_reference, ',') AS holders FROM escrowgrid.positions;
EXECUTE mine \gset first_
RESET ROLE;
SELECT escrowgrid.escrow_authenticate(:'admin_b_api_key') \g /dev/null
SET LOCAL ROLE regress_app;
EXECUTE mine \gset second_
RESET ROLE;
SELECT is(:'first_holders'::text, 'holder of A', 'a prepared statement with a generic plan shows A the positions of A');
SELECT is(:'second_holders'::text, 'holder of B',
    'a prepared statement with a generic plan made for A shows B the positions of B');

-- --- a cursor would go on showing the rows of the identity it was opened under
SELECT escrowgrid.escrow_authenticate(:'admin_a_api_key') \g /dev/null
SET LOCAL ROLE regress_app;
DECLARE open_cursor CURSOR FOR SELECT holder_reference FROM escrowgrid.positions;
FETCH 0 FROM open_cursor;
RESET ROLE;
SELECT is(pg_temp.sign_in(:'admin_b_api_key'), 'ZE403', 'signing in while a cursor is open is refused');
CLOSE open_cursor;
SELECT is(pg_temp.sign_in(:'admin_b_api_key'), :'admin_b_id', 'signing in after the cursor was closed succeeds');

SELECT escrowgrid.escrow_sign_out() \g /dev/null
SELECT * FROM finish();
ROLLBACK;
