-- Nothing is open to the public. A role without privileges gets PostgreSQL's refusal; a role that was granted too much
-- gets ZE401 from the extension.
BEGIN;
SET search_path = public;
SELECT no_plan();
\ir include/table_owner.psql
CREATE ROLE regress_nobody;
CREATE ROLE regress_granted;
CREATE ROLE regress_owner;
CREATE ROLE regress_member IN ROLE regress_owner;
GRANT USAGE ON SCHEMA escrowgrid TO regress_granted, regress_owner;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA escrowgrid TO regress_granted, regress_owner;
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA escrowgrid TO regress_granted;

\set suffix test
\ir include/known_ids.psql
INSERT INTO escrowgrid.positions (id, asset_id, holder_reference, currency, amount)
VALUES ('pos_test', 'ast_test', 'h', 'USD', 10);

-- A call of each function. A function that is missing here fails the first test.
CREATE TEMPORARY TABLE calls (name text, call text);
GRANT SELECT ON calls TO PUBLIC;
INSERT INTO calls VALUES
    ('escrow_create_institution', $$escrow_create_institution('X', '{US}')$$),
    ('escrow_create_asset_template',
        $$escrow_create_asset_template('OWN', 'T', 'CONSTRUCTION', 'US', '{}', 'inst_test')$$),
    ('escrow_create_asset', $$escrow_create_asset('tmpl_test', 'A')$$),
    ('escrow_create_position', $$escrow_create_position('ast_test', 'h', 'USD', 1)$$),
    ('escrow_transition', $$escrow_transition('pos_test', 'FUNDED')$$),
    ('escrow_get_institution', $$escrow_get_institution('inst_test')$$),
    ('escrow_get_asset_template', $$escrow_get_asset_template('tmpl_test')$$),
    ('escrow_get_asset', $$escrow_get_asset('ast_test')$$),
    ('escrow_get_position', $$escrow_get_position('pos_test')$$),
    ('escrow_list_institutions', $$escrow_list_institutions()$$),
    ('escrow_list_asset_templates', $$escrow_list_asset_templates()$$),
    ('escrow_list_assets', $$escrow_list_assets()$$),
    ('escrow_list_positions', $$escrow_list_positions()$$),
    ('escrow_list_ledger_events', $$escrow_list_ledger_events()$$),
    ('escrow_list_audit_events', $$escrow_list_audit_events()$$),
    ('escrow_health', $$escrow_health()$$),
    ('escrow_write_paths', $$escrow_write_paths()$$),
    ('escrow_set_policy', $$escrow_set_policy('inst_test', 'US', '{}')$$),
    ('escrow_get_policy', $$escrow_get_policy('inst_test', 'US')$$),
    ('escrow_list_policies', $$escrow_list_policies()$$),
    ('escrow_try_create_position', $$escrow_try_create_position('ast_test', 'h', 'USD', 1)$$),
    ('escrow_try_transition', $$escrow_try_transition('pos_test', 'FUNDED')$$),
    ('escrow_explain_create_position', $$escrow_explain_create_position('ast_test', 'h', 'USD', 1)$$),
    ('escrow_explain_transition', $$escrow_explain_transition('pos_test', 'FUNDED')$$),
    ('escrow_transition_batch', $$escrow_transition_batch('{pos_test}', 'FUNDED')$$),
    ('escrow_expire_due', $$escrow_expire_due()$$),
    ('escrow_position_at', $$escrow_position_at('pos_test', now())$$),
    ('escrow_purge_idempotency_keys', $$escrow_purge_idempotency_keys('0')$$),
    ('escrow_create_api_key', $$escrow_create_api_key('inst_test', 'k', 'admin')$$),
    ('escrow_rotate_api_key', $$escrow_rotate_api_key('ak_test')$$),
    ('escrow_revoke_api_key', $$escrow_revoke_api_key('ak_test')$$),
    ('escrow_list_api_keys', $$escrow_list_api_keys()$$),
    ('escrow_grant_access', $$escrow_grant_access('regress_nobody', 'reader')$$),
    ('escrow_verify', $$escrow_verify()$$),
    ('escrow_checkpoint', $$escrow_checkpoint()$$),
    ('escrow_checkpoint_export', $$escrow_checkpoint_export()$$),
    ('escrow_inclusion_proof', $$escrow_inclusion_proof('pos_test', 'chk_test')$$),
    ('escrow_redact_event', $$escrow_redact_event('ple_test')$$),
    ('escrow_purge_institution', $$escrow_purge_institution('inst_test', 'Institution test')$$),
    ('escrow_authenticate', $$escrow_authenticate('nonsense')$$),
    ('escrow_verify_api_key', $$escrow_verify_api_key('nonsense')$$),
    ('escrow_whoami', $$escrow_whoami()$$),
    ('escrow_sign_out', $$escrow_sign_out()$$),
    ('escrow_current_institution_id', $$escrow_current_institution_id()$$),
    ('escrow_version', $$escrow_version()$$),
    ('escrow_lifecycle', $$escrow_lifecycle()$$),
    ('escrow_can_transition', $$escrow_can_transition('CREATED', 'FUNDED')$$);
SELECT is_empty($$
    SELECT p.proname
    FROM pg_proc AS p
    WHERE p.pronamespace = 'escrowgrid'::regnamespace
      AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
      AND p.proname NOT IN (SELECT name FROM calls)
$$, 'this test calls every function of the extension that can be called');

-- 'ok' or the SQLSTATE of a statement that a role runs. The extension looks at the role that runs the statement, so it
-- does not help that this function belongs to a superuser.
CREATE FUNCTION pg_temp.outcome(role name, statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('SET LOCAL ROLE %I', role);
    BEGIN
        EXECUTE statement;
    EXCEPTION WHEN OTHERS THEN
        RESET ROLE;
        RETURN SQLSTATE;
    END;
    RESET ROLE;
    RETURN 'ok';
END $$;

-- --- functions
SELECT is(pg_temp.outcome('regress_nobody', 'SELECT * FROM escrowgrid.' || call), '42501',
    format('a role without privileges may not execute %s()', name))
FROM calls;

-- Some functions need no identity, because they tell nothing of any institution.
ALTER TABLE calls ADD COLUMN needs_identity boolean NOT NULL DEFAULT true;
UPDATE calls SET needs_identity = false
WHERE name IN ('escrow_version', 'escrow_lifecycle', 'escrow_can_transition', 'escrow_verify_api_key', 'escrow_whoami',
    'escrow_sign_out', 'escrow_current_institution_id');
SELECT is(
    pg_temp.outcome('regress_granted', 'SELECT * FROM escrowgrid.' || call),
    CASE WHEN needs_identity THEN 'ZE401' ELSE 'ok' END,
    format('%s() called by a role that may execute every function and is not signed in %s', name,
        CASE WHEN needs_identity THEN 'is refused with ZE401' ELSE 'succeeds' END))
FROM calls;

-- --- tables and views
SELECT is(pg_temp.outcome('regress_nobody', format('SELECT FROM escrowgrid.%I', relname)), '42501',
    format('a role without privileges may not read %s', relname))
FROM pg_class
WHERE relnamespace = 'escrowgrid'::regnamespace AND relkind IN ('r', 'v');

-- Privileges on the tables do not help either: no row is seen, and none is written.
SET LOCAL ROLE regress_granted;
SELECT is_empty('SELECT FROM escrowgrid.' || quote_ident(relname),
    format('a role that may read %s and is not signed in sees no row of it', relname))
FROM pg_class
WHERE relnamespace = 'escrowgrid'::regnamespace AND relkind = 'r' AND relname <> 'currencies';
RESET ROLE;
SELECT is(pg_temp.outcome('regress_granted', statement), code,
    format('a role that may write to every table and is not signed in is refused with %s: %s', code, what))
FROM (VALUES
    ('inserting a position', 'ZE401',
        $$INSERT INTO escrowgrid.positions (asset_id, holder_reference, currency, amount)
          VALUES ('ast_test', 'h', 'USD', 1)$$),
    ('truncating audit_events', 'ZE501',
        $$TRUNCATE escrowgrid.audit_events$$),
    ('inserting an institution', '42501',
        $$INSERT INTO escrowgrid.institutions VALUES ('inst_x', 'X', '{US}', '{CONSTRUCTION}', now(), now())$$),
    ('inserting an audit row', 'ZE401',
        $$INSERT INTO escrowgrid.audit_events (id, occurred_at, created_at, method, path, action, db_role)
          VALUES ('aud_x', now(), now(), 'SQL', 'x', 'ASSET_CREATED', 'x')$$)
) AS v (what, code, statement);
SELECT is(pg_temp.outcome('regress_granted', $$UPDATE escrowgrid.positions SET state = 'FUNDED'$$), 'ok',
    'an UPDATE of positions by a role that may write to it and is not signed in is no error');
SELECT is((SELECT state FROM escrowgrid.positions WHERE id = 'pos_test'), 'CREATED',
    'an UPDATE of positions by a role that may write to it and is not signed in changes no row');

-- --- root: roles with the privileges of the extension's owner; owning the database is not enough
DO $$
BEGIN
    EXECUTE format('ALTER DATABASE %I OWNER TO regress_owner', current_database());
END $$;
SELECT is(
    pg_temp.outcome('regress_owner', $$SELECT * FROM escrowgrid.escrow_transition('pos_test', 'FUNDED')$$),
    'ZE401',
    'the owner of the database may not move a position');

SELECT pg_temp.give_tables_to('regress_owner') \g /dev/null
GRANT USAGE ON SCHEMA escrowgrid TO regress_owner;
SELECT is(
    pg_temp.outcome('regress_owner', $$SELECT * FROM escrowgrid.escrow_transition('pos_test', 'FUNDED')$$),
    'ok',
    'the owner of the extension''s tables may move a position');
SELECT is(
    pg_temp.outcome('regress_member', $$SELECT * FROM escrowgrid.escrow_transition('pos_test', 'RELEASED')$$),
    'ok',
    'a member of the role that owns the extension''s tables may move a position');
SELECT is(
    pg_temp.outcome('regress_granted', $$SELECT * FROM escrowgrid.escrow_transition('pos_test', 'RELEASED')$$),
    'ZE401',
    'a role that is no member of the role that owns the extension''s tables may not move a position');
SELECT is(
    (SELECT array_agg(db_role ORDER BY id)
     FROM escrowgrid.audit_events
     WHERE resource_id = 'pos_test' AND action = 'POSITION_TRANSITIONED'),
    ARRAY['regress_owner', 'regress_member'],
    'the audit row of a transition names the role that called, not the owner of the tables');
SELECT is(current_user::text, session_user::text,
    'the functions, which work as the owner of the tables, leave the current user as it was');

SELECT * FROM finish();
ROLLBACK;
