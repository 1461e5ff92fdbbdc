-- Attempts of a tenant to see or change another tenant's rows: leaky functions, joins, DDL, plans, notifications, names
-- and operators of the caller's own.
BEGIN;
SET search_path = public;
SELECT no_plan();
\ir include/application.psql
\ir include/tenants.psql
\ir include/tenant_positions.psql
SELECT region FROM escrowgrid.escrow_set_policy(:'b_id', 'US', '{}') \g /dev/null
SELECT is((SELECT count(*) FROM escrowgrid.escrow_list_policies(:'b_id')), 1::bigint,
    'escrow_list_policies() lists the policy of B for root');
SELECT escrowgrid.escrow_authenticate(:'admin_a_api_key') \g /dev/null

-- --- lists of another institution are empty
SELECT is(pg_temp.app(format('SELECT count(*) FROM escrowgrid.escrow_list_policies(%L)', :'b_id')), '0',
    'escrow_list_policies() lists no policy of B for A');
SELECT is(pg_temp.app('SELECT count(*) FROM escrowgrid.escrow_list_policies()'), '0',
    'escrow_list_policies() without an institution lists no policy of B for A');

-- --- row-level security comes before functions, views and joins
-- A function so cheap that the planner would like to call it before anything else on every row.
CREATE TEMPORARY TABLE leaked (what text);
GRANT ALL ON leaked TO regress_app;
CREATE FUNCTION pg_temp.leak(text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$
BEGIN
    INSERT INTO pg_temp.leaked VALUES ($1);
    RETURN true;
END $$;
SELECT is(pg_temp.app('SELECT count(*) FROM escrowgrid.positions WHERE pg_temp.leak(holder_reference)'), '1',
    'a query on positions with a leaky function in WHERE shows A its one position');
SELECT is((SELECT array_agg(DISTINCT what) FROM leaked), ARRAY['holder of A'],
    'a leaky function in WHERE of a query by A is called with rows of A only');
SELECT is(pg_temp.app('SELECT count(*) FROM escrowgrid.balances'), '1',
    'the view balances shows A its one balance');
SELECT is(pg_temp.app(format('SELECT count(*) FROM escrowgrid.positions WHERE id = %L', :'position_b')), '0',
    'a query for the id of a position of B shows A nothing');
SELECT is(
    pg_temp.app($$
        SELECT count(*)
        FROM escrowgrid.position_events AS e
        FULL JOIN escrowgrid.ledger_events AS l ON l.position_id = e.position_id
        WHERE e.institution_id IS DISTINCT FROM l.institution_id AND l.position_id IS NOT NULL$$),
    '0',
    'a full join of position_events and ledger_events shows A no row of another institution');

-- --- statements that an application may not run
CREATE SCHEMA mine;
GRANT ALL ON SCHEMA mine TO regress_app;
SELECT is(pg_temp.app_runs(statement), '42501', format('an application may not run %s', statement))
FROM unnest(ARRAY[
    'COPY escrowgrid.positions FROM ''/dev/null''',
    'LOCK TABLE escrowgrid.positions IN EXCLUSIVE MODE',
    'ALTER TABLE escrowgrid.positions DISABLE ROW LEVEL SECURITY',
    'TRUNCATE escrowgrid.audit_events',
    'DELETE FROM escrowgrid.api_keys',
    'SELECT key_hash FROM escrowgrid.api_keys',
    'SELECT api_keys FROM escrowgrid.api_keys',
    'CREATE TRIGGER t BEFORE INSERT ON escrowgrid.audit_events'
        || ' EXECUTE FUNCTION suppress_redundant_updates_trigger()',
    'CREATE TABLE escrowgrid.mine (id int)',
    'CREATE TABLE mine.fk (id text COLLATE "C" REFERENCES escrowgrid.positions (id))',
    'ALTER EXTENSION escrowgrid UPDATE',
    'ALTER FUNCTION escrowgrid.escrow_current_institution_id() OWNER TO regress_app'
]) AS statement;
SELECT is(
    pg_temp.app_runs(format(
        'INSERT INTO escrowgrid.positions (id) VALUES (%L) ON CONFLICT DO NOTHING', :'position_b')),
    '42501',
    'an application may not probe for the id of a position of B by INSERT ... ON CONFLICT DO NOTHING');

SELECT is(pg_temp.app_runs('SET row_security = off'), 'ok', 'an application may set row_security to off');
SELECT is(pg_temp.app('SELECT count(*) FROM escrowgrid.positions'), '42501',
    'with row_security off a query on positions is refused and not unfiltered');
SET row_security = on;

-- --- EXPLAIN and LISTEN
CREATE FUNCTION pg_temp.plan_of(id text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    line text;
    plan text := '';
BEGIN
    SET LOCAL ROLE regress_app;
    FOR line IN EXECUTE format('EXPLAIN SELECT * FROM escrowgrid.positions WHERE id = %L', id) LOOP
        plan := plan || replace(line, id, '<id>');
    END LOOP;
    RESET ROLE;
    RETURN plan;
END $$;
SELECT is(pg_temp.plan_of(:'position_b'), pg_temp.plan_of('pos_00000000000000000000000000'),
    'EXPLAIN shows A the same plan for a position of B and for a position that does not exist');
LISTEN escrowgrid;
SELECT version FROM escrowgrid.escrow_transition(:'position_a', 'FUNDED') \g /dev/null
SELECT is(pg_notification_queue_usage(), 0::float8, 'a transition sends no notification that others could LISTEN to');
UNLISTEN *;

-- --- names and operators of the caller's own: an = that is always true, and functions named like the extension's
CREATE FUNCTION mine.true(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR mine.= (FUNCTION = mine.true, LEFTARG = text, RIGHTARG = text);
CREATE FUNCTION mine.escrow_current_institution_id() RETURNS text LANGUAGE sql AS $$ SELECT 'forged'::text $$;
CREATE FUNCTION mine.inet_client_addr() RETURNS inet LANGUAGE sql AS $$ SELECT '10.0.0.1'::inet $$;
SET LOCAL search_path = mine, pg_catalog, escrowgrid, public;
SELECT
    pg_temp.app(format(
        'SELECT count(*) FROM escrowgrid.positions WHERE id OPERATOR(pg_catalog.=) %L', :'position_b')) AS read,
    pg_temp.app(format('SELECT escrowgrid.escrow_get_position(%L)', :'position_b')) AS got,
    pg_temp.app(format('SELECT state FROM escrowgrid.escrow_transition(%L, ''FUNDED'')', :'position_b')) AS moved
\gset hostile_
SET LOCAL search_path = public;
SELECT is(:'hostile_read'::text, '0',
    'with a hostile operator = in the search path a query shows A no position of B');
SELECT is(:'hostile_got'::text, 'ZE002',
    'with a hostile operator = in the search path escrow_get_position() does not find a position of B for A');
SELECT is(:'hostile_moved'::text, 'ZE002',
    'with a hostile operator = in the search path escrow_transition() does not find a position of B for A');

-- --- the policy is a condition on an index, so that it stays cheap where the table is large
-- A hundred more institutions, with statistics of their own: the plan must not depend on what autovacuum has found.
SELECT escrowgrid.escrow_sign_out() \g /dev/null
INSERT INTO escrowgrid.institutions
SELECT 'inst_' || n, 'One of many', '{US}', '{CONSTRUCTION}', now(), now() FROM generate_series(1, 100) AS n;
INSERT INTO escrowgrid.asset_templates
SELECT 'tmpl_' || n, 'inst_' || n, 'OWN', 'T', 'CONSTRUCTION', 'US', '{}', now(), now()
FROM generate_series(1, 100) AS n;
INSERT INTO escrowgrid.assets
SELECT 'ast_' || n, 'inst_' || n, 'tmpl_' || n, 'A', NULL, now(), now() FROM generate_series(1, 100) AS n;
INSERT INTO escrowgrid.positions (asset_id, holder_reference, currency, amount)
SELECT 'ast_' || n % 100 + 1, 'h', 'USD', 10 FROM generate_series(1, 2000) AS n;
ANALYZE escrowgrid.positions;
SELECT escrowgrid.escrow_authenticate(:'admin_a_api_key') \g /dev/null
SET LOCAL ROLE regress_app;
SET LOCAL enable_seqscan = off;
CREATE TEMPORARY TABLE plans (line text);
DO $$
DECLARE
    r record;
BEGIN
    FOR r IN EXPLAIN (COSTS OFF) SELECT * FROM escrowgrid.positions ORDER BY id LIMIT 10 LOOP
        INSERT INTO plans VALUES (r."QUERY PLAN");
    END LOOP;
END $$;
RESET ROLE;
SELECT ok((SELECT bool_or(line ~ 'Index Cond: \(institution_id = \$0\)') FROM plans),
    'the policy of row-level security on positions is an index condition in the plan of a query by an application');
SELECT ok((SELECT NOT bool_or(line ~ 'Sort') FROM plans),
    'the index that serves row-level security on positions gives the order by id without a sort');

SELECT escrowgrid.escrow_sign_out() \g /dev/null
SELECT * FROM finish();
ROLLBACK;
