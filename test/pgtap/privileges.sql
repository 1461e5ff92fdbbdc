-- Nothing is open: a role without rights gets PostgreSQL's refusal, one that was granted too much gets ZE401.
BEGIN;
SET search_path = public;
SELECT no_plan();
CREATE ROLE regress_nobody;
CREATE ROLE regress_granted;
CREATE ROLE regress_owner;
CREATE ROLE regress_member IN ROLE regress_owner;
GRANT USAGE ON SCHEMA escrowgrid TO regress_granted, regress_owner;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA escrowgrid TO regress_granted, regress_owner;
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA escrowgrid TO regress_granted;

INSERT INTO escrowgrid.institutions VALUES ('inst_prv', 'P', '{US}', '{CONSTRUCTION}', now(), now());
INSERT INTO escrowgrid.asset_templates VALUES ('tmpl_prv', 'inst_prv', 'OWN', 'T', 'CONSTRUCTION', 'US', '{}', now(), now());
INSERT INTO escrowgrid.assets VALUES ('ast_prv', 'inst_prv', 'tmpl_prv', 'A', NULL, now(), now());
INSERT INTO escrowgrid.positions (id, asset_id, holder_reference, currency, amount) VALUES ('pos_prv', 'ast_prv', 'h', 'USD', 10);

-- What each function is called with; a function that is missing here fails the test.
CREATE TEMPORARY TABLE calls (name text, call text);
GRANT SELECT ON calls TO PUBLIC;
INSERT INTO calls VALUES
    ('escrow_create_institution', $$escrow_create_institution('X', '{US}')$$),
    ('escrow_create_asset_template', $$escrow_create_asset_template('OWN', 'T', 'CONSTRUCTION', 'US', '{}', 'inst_prv')$$),
    ('escrow_create_asset', $$escrow_create_asset('tmpl_prv', 'A')$$),
    ('escrow_create_position', $$escrow_create_position('ast_prv', 'h', 'USD', 1)$$),
    ('escrow_transition', $$escrow_transition('pos_prv', 'FUNDED')$$),
    ('escrow_get_institution', $$escrow_get_institution('inst_prv')$$),
    ('escrow_get_asset_template', $$escrow_get_asset_template('tmpl_prv')$$),
    ('escrow_get_asset', $$escrow_get_asset('ast_prv')$$),
    ('escrow_get_position', $$escrow_get_position('pos_prv')$$),
    ('escrow_list_institutions', $$escrow_list_institutions()$$),
    ('escrow_list_asset_templates', $$escrow_list_asset_templates()$$),
    ('escrow_list_assets', $$escrow_list_assets()$$),
    ('escrow_list_positions', $$escrow_list_positions()$$),
    ('escrow_list_ledger_events', $$escrow_list_ledger_events()$$),
    ('escrow_list_audit_events', $$escrow_list_audit_events()$$),
    ('escrow_health', $$escrow_health()$$),
    ('escrow_write_paths', $$escrow_write_paths()$$),
    ('escrow_set_policy', $$escrow_set_policy('inst_prv', 'US', '{}')$$),
    ('escrow_get_policy', $$escrow_get_policy('inst_prv', 'US')$$),
    ('escrow_list_policies', $$escrow_list_policies()$$),
    ('escrow_try_create_position', $$escrow_try_create_position('ast_prv', 'h', 'USD', 1)$$),
    ('escrow_try_transition', $$escrow_try_transition('pos_prv', 'FUNDED')$$),
    ('escrow_explain_create_position', $$escrow_explain_create_position('ast_prv', 'h', 'USD', 1)$$),
    ('escrow_explain_transition', $$escrow_explain_transition('pos_prv', 'FUNDED')$$),
    ('escrow_transition_batch', $$escrow_transition_batch('{pos_prv}', 'FUNDED')$$),
    ('escrow_expire_due', $$escrow_expire_due()$$),
    ('escrow_position_at', $$escrow_position_at('pos_prv', now())$$),
    ('escrow_purge_idempotency_keys', $$escrow_purge_idempotency_keys('0')$$),
    ('escrow_create_api_key', $$escrow_create_api_key('inst_prv', 'k', 'admin')$$),
    ('escrow_rotate_api_key', $$escrow_rotate_api_key('ak_prv')$$),
    ('escrow_revoke_api_key', $$escrow_revoke_api_key('ak_prv')$$),
    ('escrow_list_api_keys', $$escrow_list_api_keys()$$),
    ('escrow_grant_access', $$escrow_grant_access('regress_nobody', 'reader')$$),
    ('escrow_verify', $$escrow_verify()$$),
    ('escrow_checkpoint', $$escrow_checkpoint()$$),
    ('escrow_checkpoint_export', $$escrow_checkpoint_export()$$),
    ('escrow_inclusion_proof', $$escrow_inclusion_proof('pos_prv', 'chk_prv')$$),
    ('escrow_redact_event', $$escrow_redact_event('ple_prv')$$),
    ('escrow_purge_institution', $$escrow_purge_institution('inst_prv', 'P')$$),
    ('escrow_authenticate', $$escrow_authenticate('nonsense')$$),
    ('escrow_verify_api_key', $$escrow_verify_api_key('nonsense')$$),
    ('escrow_whoami', $$escrow_whoami()$$),
    ('escrow_sign_out', $$escrow_sign_out()$$),
    ('escrow_current_institution_id', $$escrow_current_institution_id()$$),
    ('escrow_version', $$escrow_version()$$),
    ('escrow_lifecycle', $$escrow_lifecycle()$$),
    ('escrow_can_transition', $$escrow_can_transition('CREATED', 'FUNDED')$$);
SELECT is_empty($$
    SELECT p.proname FROM pg_proc AS p
    WHERE p.pronamespace = 'escrowgrid'::regnamespace AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype) AND p.proname NOT IN (SELECT name FROM calls)
$$, 'every function is tried');

-- The caller's rights are read from whoever runs the statement, so each attempt runs as that role.
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

SELECT is(pg_temp.outcome('regress_nobody', 'SELECT * FROM escrowgrid.' || call), '42501', name || ' is closed to PUBLIC') FROM calls;
SELECT is(pg_temp.outcome('regress_granted', 'SELECT * FROM escrowgrid.' || call),
    CASE WHEN name IN ('escrow_version', 'escrow_lifecycle', 'escrow_can_transition', 'escrow_verify_api_key',
        'escrow_whoami', 'escrow_sign_out', 'escrow_current_institution_id') THEN 'ok' ELSE 'ZE401' END,
    name || ' knows who is asking, whatever was granted') FROM calls;
SELECT is(pg_temp.outcome('regress_nobody', format('SELECT FROM escrowgrid.%I', relname)), '42501', relname || ' is closed to PUBLIC')
FROM pg_class WHERE relnamespace = 'escrowgrid'::regnamespace AND relkind IN ('r', 'v');

-- Rights on the tables do not help either: no row is seen, none is written.
SET LOCAL ROLE regress_granted;
SELECT is_empty('SELECT FROM escrowgrid.' || quote_ident(relname), relname || ' shows no row to whoever is not signed in')
FROM pg_class WHERE relnamespace = 'escrowgrid'::regnamespace AND relkind = 'r' AND relname <> 'currencies';
RESET ROLE;
SELECT is(pg_temp.outcome('regress_granted', statement), code, statement)
FROM (VALUES
    ($$INSERT INTO escrowgrid.positions (asset_id, holder_reference, currency, amount) VALUES ('ast_prv', 'h', 'USD', 1)$$, 'ZE401'),
    ($$TRUNCATE escrowgrid.audit_events$$, 'ZE501'),
    ($$INSERT INTO escrowgrid.institutions VALUES ('inst_x', 'X', '{US}', '{CONSTRUCTION}', now(), now())$$, '42501'),
    ($$INSERT INTO escrowgrid.audit_events (id, occurred_at, created_at, method, path, action, db_role) VALUES ('aud_x', now(), now(), 'SQL', 'x', 'ASSET_CREATED', 'x')$$, 'ZE401')
) AS v (statement, code);
SELECT is(pg_temp.outcome('regress_granted', $$UPDATE escrowgrid.positions SET state = 'FUNDED'$$), 'ok', 'an UPDATE finds no row');
SELECT is((SELECT state FROM escrowgrid.positions WHERE id = 'pos_prv'), 'CREATED', 'and changed none');

-- Root is who has the privileges of the extension's owner; owning the database is not enough.
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I OWNER TO regress_owner', current_database()); END $$;
SELECT is(pg_temp.outcome('regress_owner', $$SELECT * FROM escrowgrid.escrow_transition('pos_prv', 'FUNDED')$$), 'ZE401', 'the owner of the database is nobody special');
DO $$ DECLARE r record; BEGIN
    FOR r IN SELECT oid::regclass AS name FROM pg_class WHERE relnamespace = 'escrowgrid'::regnamespace AND relkind IN ('r', 'v') LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO regress_owner', r.name);
    END LOOP;
    GRANT USAGE ON SCHEMA escrowgrid TO regress_owner;
END $$;
SELECT is(pg_temp.outcome('regress_owner', $$SELECT * FROM escrowgrid.escrow_transition('pos_prv', 'FUNDED')$$), 'ok', 'the owner of the tables may act');
SELECT is(pg_temp.outcome('regress_member', $$SELECT * FROM escrowgrid.escrow_transition('pos_prv', 'RELEASED')$$), 'ok', 'so may a member of that role');
SELECT is(pg_temp.outcome('regress_granted', $$SELECT * FROM escrowgrid.escrow_transition('pos_prv', 'RELEASED')$$), 'ZE401', 'and nobody else');
SELECT is((SELECT array_agg(db_role ORDER BY id) FROM escrowgrid.audit_events WHERE resource_id = 'pos_prv' AND action = 'POSITION_TRANSITIONED'),
    ARRAY['regress_owner', 'regress_member'], 'audit rows name the role that called, not the tables'' owner');
SELECT is(current_user::text, session_user::text, 'and the role is what it was');

SELECT * FROM finish();
ROLLBACK;
