-- Attempts to become someone else, to see another tenant's rows, and to make the extension resolve our names.
BEGIN;
SET search_path = public;
SELECT no_plan();
CREATE ROLE regress_app;
CREATE ROLE regress_super SUPERUSER;
SELECT escrowgrid.escrow_grant_access('regress_app', 'application') \g /dev/null
SELECT id FROM escrowgrid.escrow_create_institution('A', '{US}') \gset a_
SELECT id FROM escrowgrid.escrow_create_institution('B', '{US}') \gset b_
SELECT * FROM escrowgrid.escrow_create_api_key(:'a_id', 'A', 'admin') \gset ka_
SELECT * FROM escrowgrid.escrow_create_api_key(:'b_id', 'B', 'admin') \gset kb_
SELECT t.id AS ta, s.id AS aa FROM escrowgrid.escrow_create_asset_template('OWN', 'T', 'CONSTRUCTION', 'US', '{}', :'a_id') AS t, LATERAL escrowgrid.escrow_create_asset(t.id, 'of A') AS s \gset
SELECT t.id AS tb, s.id AS ab FROM escrowgrid.escrow_create_asset_template('OWN', 'T', 'CONSTRUCTION', 'US', '{}', :'b_id') AS t, LATERAL escrowgrid.escrow_create_asset(t.id, 'of B') AS s \gset
SELECT id FROM escrowgrid.escrow_create_position(:'aa', 'holder of A', 'USD', 10) \gset pa_
SELECT id FROM escrowgrid.escrow_create_position(:'ab', 'holder of B', 'USD', 10) \gset pb_

CREATE FUNCTION pg_temp.app(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text;
BEGIN
    SET LOCAL ROLE regress_app;
    BEGIN
        EXECUTE statement INTO result;
    EXCEPTION WHEN OTHERS THEN
        RESET ROLE;
        RETURN SQLSTATE;
    END;
    RESET ROLE;
    RETURN result;
END $$;
-- The same for statements that return nothing.
CREATE FUNCTION pg_temp.app_runs(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    SET LOCAL ROLE regress_app;
    BEGIN
        EXECUTE statement;
    EXCEPTION WHEN OTHERS THEN
        RESET ROLE;
        RETURN SQLSTATE;
    END;
    RESET ROLE;
    RETURN 'ok';
END $$;
CREATE FUNCTION pg_temp.who() RETURNS text LANGUAGE sql AS $$ SELECT pg_temp.app('SELECT institution_id FROM escrowgrid.escrow_whoami()') $$;

-- Setting the identity, by whatever way and whoever: the application, and a superuser.
SELECT throws_ok(format(s, :'kb_id'), '42501', NULL, 'a superuser: ' || s) FROM unnest(ARRAY[
    'SET escrowgrid.session_key_id = %L', 'SET LOCAL escrowgrid.session_key_id = %L', 'SET SESSION escrowgrid.session_key_id = %L',
    'SELECT set_config(''escrowgrid.session_key_id'', %L, false)', 'SELECT set_config(''escrowgrid.session_key_id'', %L, true)',
    'UPDATE pg_settings SET setting = %L WHERE name = ''escrowgrid.session_key_id''',
    'ALTER ROLE regress_app SET escrowgrid.session_key_id = %L',
    'ALTER SYSTEM SET escrowgrid.session_key_id = %L',
    'CREATE FUNCTION pg_temp.sneak() RETURNS text LANGUAGE sql SET escrowgrid.session_key_id = %L AS ''SELECT 1::text'''
]) AS s WHERE s NOT LIKE 'ALTER SYSTEM%' AND s NOT LIKE 'UPDATE pg_settings%';
GRANT SET ON PARAMETER escrowgrid.session_key_id TO regress_app;
SELECT is(pg_temp.app(format(s, :'kb_id')), '42501', 'with GRANT SET: ' || s) FROM unnest(ARRAY[
    'SET escrowgrid.session_key_id = %L', 'SET LOCAL escrowgrid.session_key_id = %L', 'SELECT set_config(''escrowgrid.session_key_id'', %L, false)']) AS s;
CREATE FUNCTION pg_temp.definer(id text) RETURNS text LANGUAGE sql SECURITY DEFINER AS $$ SELECT set_config('escrowgrid.session_key_id', id, false) $$;
ALTER FUNCTION pg_temp.definer(text) OWNER TO regress_super;
SELECT throws_ok(format('SELECT pg_temp.definer(%L)', :'kb_id'), '42501', NULL, 'through a superuser''s SECURITY DEFINER function');
SELECT is(pg_temp.who(), NULL, 'nobody is signed in after all that');
SELECT is(pg_temp.app($$SELECT current_setting('escrowgrid.session_key_id')$$), '42501', 'an application cannot even read it');
SELECT is_empty($$SELECT FROM pg_settings WHERE name = 'escrowgrid.session_key_id'$$, 'nor does pg_settings list it');

-- Savepoints, exception blocks, RESET.
SELECT escrowgrid.escrow_authenticate(:'ka_api_key') \g /dev/null
SELECT is(pg_temp.who(), :'a_id', 'signed in as A');
SAVEPOINT as_b;
SELECT escrowgrid.escrow_authenticate(:'kb_api_key') \g /dev/null
SELECT is(pg_temp.who(), :'b_id', 'then as B');
ROLLBACK TO SAVEPOINT as_b;
SELECT is(pg_temp.who(), :'a_id', 'rolled back, as A again');
DO $$ BEGIN
    BEGIN
        PERFORM escrowgrid.escrow_sign_out();
        RAISE EXCEPTION 'undo';
    EXCEPTION WHEN raise_exception THEN NULL;
    END;
END $$;
SELECT is(pg_temp.who(), :'a_id', 'signing out in a block that fails is undone');
SELECT is(pg_temp.app($$SELECT escrowgrid.escrow_authenticate('wrong')$$), 'ZE401', 'a failed sign-in');
SELECT is(pg_temp.who(), :'a_id', 'leaves who was there');
RESET escrowgrid.session_key_id;
SELECT is(pg_temp.who(), NULL, 'RESET signs out');
SELECT escrowgrid.escrow_authenticate(:'ka_api_key', 'session') \g /dev/null
RESET ALL;
SET search_path = public;
SELECT is(pg_temp.who(), NULL, 'so does RESET ALL');

-- A generic plan made as one tenant and run as another.
SET LOCAL plan_cache_mode = force_generic_plan;
SELECT escrowgrid.escrow_authenticate(:'ka_api_key') \g /dev/null
SET LOCAL ROLE regress_app;
PREPARE mine AS SELECT string_agg(holder_reference, ',') AS holders FROM escrowgrid.positions;
EXECUTE mine \gset first_
RESET ROLE;
SELECT escrowgrid.escrow_authenticate(:'kb_api_key') \g /dev/null
SET LOCAL ROLE regress_app;
EXECUTE mine \gset second_
RESET ROLE;
SELECT is(:'first_holders'::text, 'holder of A', 'a prepared statement shows A''s rows to A');
SELECT is(:'second_holders'::text, 'holder of B', 'and B''s to B, with the same generic plan');

-- Cursors cannot outlive a change of identity.
SELECT escrowgrid.escrow_authenticate(:'ka_api_key') \g /dev/null
SET LOCAL ROLE regress_app;
DECLARE open_cursor CURSOR FOR SELECT holder_reference FROM escrowgrid.positions;
FETCH 0 FROM open_cursor;
RESET ROLE;
SELECT is(pg_temp.app(format('SELECT escrowgrid.escrow_authenticate(%L)', :'kb_api_key')), 'ZE403', 'no sign-in while a cursor is open');
CLOSE open_cursor;
SELECT is(pg_temp.app(format('SELECT escrowgrid.escrow_authenticate(%L)', :'kb_api_key')), :'kb_id', 'once it is closed, there is');

-- Leaky functions, operators and views see only what the policy lets through.
SELECT escrowgrid.escrow_authenticate(:'ka_api_key') \g /dev/null
CREATE TEMPORARY TABLE leaked (what text);
GRANT ALL ON leaked TO regress_app;
CREATE FUNCTION pg_temp.leak(text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN INSERT INTO pg_temp.leaked VALUES ($1); RETURN true; END $$;
SELECT is(pg_temp.app('SELECT count(*) FROM escrowgrid.positions WHERE pg_temp.leak(holder_reference)'), '1', 'a leaky function runs');
SELECT is((SELECT array_agg(DISTINCT what) FROM leaked), ARRAY['holder of A'], 'but only on the rows of A');
SELECT is(pg_temp.app('SELECT count(*) FROM escrowgrid.balances'), '1', 'balances are those of A');
SELECT is(pg_temp.app(format('SELECT count(*) FROM escrowgrid.positions WHERE id = %L', :'pb_id')), '0', 'B''s position is not there');
SELECT is(pg_temp.app($$SELECT count(*) FROM escrowgrid.position_events AS e FULL JOIN escrowgrid.ledger_events AS l ON l.position_id = e.position_id WHERE e.institution_id IS DISTINCT FROM l.institution_id AND l.position_id IS NOT NULL$$), '0', 'nor by joins');
CREATE SCHEMA mine;
GRANT ALL ON SCHEMA mine TO regress_app;
SELECT is(pg_temp.app_runs(s), '42501', s) FROM unnest(ARRAY[
    format('INSERT INTO escrowgrid.positions (id) VALUES (%L) ON CONFLICT DO NOTHING', :'pb_id'),
    'COPY escrowgrid.positions FROM ''/dev/null''', 'LOCK TABLE escrowgrid.positions IN EXCLUSIVE MODE', 'ALTER TABLE escrowgrid.positions DISABLE ROW LEVEL SECURITY',
    'TRUNCATE escrowgrid.audit_events', 'DELETE FROM escrowgrid.api_keys', 'SELECT key_hash FROM escrowgrid.api_keys', 'SELECT api_keys FROM escrowgrid.api_keys',
    'CREATE TRIGGER t BEFORE INSERT ON escrowgrid.audit_events EXECUTE FUNCTION suppress_redundant_updates_trigger()',
    'CREATE TABLE escrowgrid.mine (id int)', 'CREATE TABLE mine.fk (id text COLLATE "C" REFERENCES escrowgrid.positions (id))',
    'ALTER EXTENSION escrowgrid UPDATE', 'ALTER FUNCTION escrowgrid.escrow_current_institution_id() OWNER TO regress_app'
]) AS s;
SELECT is(pg_temp.app_runs('SET row_security = off'), 'ok', 'row_security can be switched off');
SELECT is(pg_temp.app('SELECT count(*) FROM escrowgrid.positions'), '42501', 'which refuses instead of showing more');
SET row_security = on;

-- EXPLAIN tells no more of B's rows than of rows of nothing, and nothing is announced to who LISTENs.
CREATE FUNCTION pg_temp.plan_of(id text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text; plan text := '';
BEGIN
    SET LOCAL ROLE regress_app;
    FOR line IN EXECUTE format('EXPLAIN SELECT * FROM escrowgrid.positions WHERE id = %L', id) LOOP plan := plan || replace(line, id, '<id>'); END LOOP;
    RESET ROLE;
    RETURN plan;
END $$;
SELECT is(pg_temp.plan_of(:'pb_id'), pg_temp.plan_of('pos_00000000000000000000000000'), 'EXPLAIN');
LISTEN escrowgrid;
SELECT version FROM escrowgrid.escrow_transition(:'pa_id', 'FUNDED') \g /dev/null
SELECT is(pg_notification_queue_usage(), 0::float8, 'LISTEN');
UNLISTEN *;

-- Names and operators of the caller's own.
CREATE FUNCTION mine.true(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR mine.= (FUNCTION = mine.true, LEFTARG = text, RIGHTARG = text);
CREATE FUNCTION mine.escrow_current_institution_id() RETURNS text LANGUAGE sql AS $$ SELECT 'forged'::text $$;
CREATE FUNCTION mine.inet_client_addr() RETURNS inet LANGUAGE sql AS $$ SELECT '10.0.0.1'::inet $$;
SET LOCAL search_path = mine, pg_catalog, escrowgrid, public;
SELECT pg_temp.app(format('SELECT count(*) FROM escrowgrid.positions WHERE id OPERATOR(pg_catalog.=) %L', :'pb_id')) AS read,
    pg_temp.app(format('SELECT escrowgrid.escrow_get_position(%L)', :'pb_id')) AS got,
    pg_temp.app(format('SELECT state FROM escrowgrid.escrow_transition(%L, ''FUNDED'')', :'pb_id')) AS moved \gset hostile_
SET LOCAL search_path = public;
SELECT is(:'hostile_read'::text, '0', 'a hostile = does not reach the policy');
SELECT is(:'hostile_got'::text, 'ZE002', 'nor the functions');
SELECT is(:'hostile_moved'::text, 'ZE002', 'nor the locks');

-- The plans: the policy is a condition on an index, also where the table is large.
SET LOCAL ROLE regress_app;
SET LOCAL enable_seqscan = off;
CREATE TEMPORARY TABLE plans (line text);
DO $$ DECLARE r record; BEGIN
    FOR r IN EXPLAIN (COSTS OFF) SELECT * FROM escrowgrid.positions ORDER BY id LIMIT 10 LOOP INSERT INTO plans VALUES (r."QUERY PLAN"); END LOOP;
END $$;
RESET ROLE;
SELECT ok((SELECT bool_or(line ~ 'Index Cond: \(institution_id = \$0\)') FROM plans), 'row-level security is served by an index');
SELECT ok((SELECT NOT bool_or(line ~ 'Sort') FROM plans), 'which also gives the order');
SELECT escrowgrid.escrow_sign_out() \g /dev/null

SELECT * FROM finish();
ROLLBACK;
