-- escrow_grant_access(): what it grants a database role at each level, and what it never grants.
BEGIN;
SET search_path = public;
SELECT no_plan();
CREATE ROLE regress_app;
CREATE ROLE regress_reader;
SELECT escrowgrid.escrow_grant_access('regress_app', 'application') \g /dev/null
SELECT escrowgrid.escrow_grant_access('regress_reader', 'reader') \g /dev/null

SELECT ok(has_table_privilege('regress_reader', 'escrowgrid.positions', 'SELECT'),
    'a role with reader access may read positions');
SELECT ok(NOT has_table_privilege('regress_reader', 'escrowgrid.audit_events', 'SELECT'),
    'a role with reader access may not read audit_events');
SELECT ok(
    NOT has_function_privilege('regress_reader',
        'escrowgrid.escrow_transition(text, text, text, jsonb, numeric, text, integer, text)', 'EXECUTE'),
    'a role with reader access may not execute escrow_transition()');
SELECT is_empty($$
    SELECT r, c.relname, p
    FROM pg_class AS c,
        unnest(ARRAY['regress_app', 'regress_reader']) AS r,
        unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) AS p
    WHERE c.relnamespace = 'escrowgrid'::regnamespace
      AND c.relkind IN ('r', 'v')
      AND has_table_privilege(r, c.oid, p)
$$, 'neither application nor reader access includes a privilege to write to a table or view of the extension');
SELECT ok(NOT has_column_privilege('regress_app', 'escrowgrid.api_keys', 'key_hash', 'SELECT'),
    'a role with application access may not read key_hash of api_keys');
SELECT throws_ok(format('SELECT escrowgrid.escrow_grant_access(%s, %s)', role, level), 'ZE001', NULL,
    format('escrow_grant_access(%s, %s) is refused', role, level))
FROM (VALUES
    ('''regress_app''', '''owner'''),
    ('''regress_app''', 'NULL'),
    ('NULL', '''reader'''),
    ('0::regrole', '''reader''')
) AS v (role, level);
SELECT is((SELECT count(*) FROM escrowgrid.audit_events WHERE action = 'ACCESS_GRANTED'), 2::bigint,
    'each of two grants of access has an audit row ACCESS_GRANTED, refused ones have none');

SELECT * FROM finish();
ROLLBACK;
