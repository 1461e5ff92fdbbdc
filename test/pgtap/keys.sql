-- API keys: made, listed, verified, rotated, revoked, expired; signing in and out; what records say.
BEGIN;
SET search_path = public;
SELECT no_plan();
CREATE ROLE regress_app;
SELECT escrowgrid.escrow_grant_access('regress_app', 'application') \g /dev/null
SELECT id FROM escrowgrid.escrow_create_institution('A', '{US}') \gset a_
SELECT id FROM escrowgrid.escrow_create_institution('B', '{US}') \gset b_
SELECT * FROM escrowgrid.escrow_create_api_key(:'a_id', 'admin of A', 'admin') \gset admin_
SELECT * FROM escrowgrid.escrow_create_api_key(:'a_id', 'reader of A', 'read_only') \gset reader_
SELECT * FROM escrowgrid.escrow_create_api_key(:'b_id', 'admin of B', 'admin') \gset other_

-- The outcome of a statement as the application's role: its first column, or the SQLSTATE.
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
CREATE FUNCTION pg_temp.sign_in(token text) RETURNS text LANGUAGE sql AS $$ SELECT pg_temp.app(format('SELECT escrowgrid.escrow_authenticate(%L)', token)) $$;
CREATE FUNCTION pg_temp.verify(token text) RETURNS text LANGUAGE sql AS $$ SELECT pg_temp.app(format('SELECT escrowgrid.escrow_verify_api_key(%L)', token)) $$;

-- Making a key.
SELECT matches(:'admin_api_key'::text, '^eg_[0-9A-Za-z]{36}$', 'the token has the documented form');
SELECT is(:'admin_token_hint'::text, right(:'admin_api_key', 4), 'the hint is its end');
SELECT is((SELECT key_hash FROM escrowgrid.api_keys WHERE id = :'admin_id'), encode(sha256(:'admin_api_key'::bytea), 'hex'), 'only its SHA-256 is kept');
SELECT is_empty(format($$SELECT FROM escrowgrid.api_keys AS k WHERE k::text LIKE '%%' || %L || '%%'$$, :'admin_api_key'), 'the token itself is nowhere in the table');
SELECT is_empty(format($$SELECT FROM escrowgrid.audit_events AS a WHERE a::text LIKE '%%' || %L || '%%'$$, :'admin_api_key'), 'nor in the audit log');
SELECT is((SELECT array_agg(action ORDER BY id) FROM escrowgrid.audit_events WHERE resource_type = 'api_key' AND institution_id = :'a_id'),
    ARRAY['API_KEY_CREATED', 'API_KEY_CREATED'], 'making a key is audited');
SELECT throws_ok(format('SELECT escrowgrid.escrow_create_api_key(%L, %L, %L)', i, l, r), code, NULL, coalesce(i, 'NULL') || ' ' || coalesce(l, 'NULL') || ' ' || coalesce(r, 'NULL'))
FROM (VALUES (NULL, 'l', 'admin', 'ZE001'), ('inst_nobody', 'l', 'admin', 'ZE002'), ('inst_nobody', NULL, 'admin', 'ZE001'), ('inst_nobody', ' ', 'admin', 'ZE001'),
    ('inst_nobody', 'l', 'root', 'ZE001'), ('inst_nobody', 'l', NULL, 'ZE001')) AS v (i, l, r, code);
SELECT throws_ok(format($$SELECT escrowgrid.escrow_create_api_key(%L, 'l', 'admin', now())$$, :'a_id'), 'ZE001', NULL, 'a key cannot expire in the past');
SELECT throws_ok(format($$SELECT escrowgrid.escrow_create_api_key(%L, 'l', 'admin', 'infinity')$$, :'a_id'), 'ZE001', NULL, 'nor at infinity');

-- Verifying and signing in.
SELECT is(pg_temp.verify(:'admin_api_key'), 'VALID', 'a good token verifies');
SELECT is(pg_temp.verify(t), 'NOT_FOUND', 'not found: ' || left(t, 12)) FROM unnest(ARRAY['', 'x', 'eg_x', 'eg_' || repeat('0', 36), repeat('a', 300), left(:'admin_api_key', 38), :'admin_api_key' || 'x', upper(:'admin_api_key')]) AS t;
SELECT is(pg_temp.app('SELECT role FROM escrowgrid.escrow_whoami()'), NULL, 'verifying does not sign in');
SELECT is(pg_temp.sign_in('nonsense'), 'ZE401', 'a bad token does not sign in');
SELECT is(pg_temp.app('SELECT escrowgrid.escrow_authenticate(NULL)'), 'ZE001', 'nor does NULL');
SELECT is(pg_temp.app(format($$SELECT escrowgrid.escrow_authenticate(%L, 'forever')$$, :'admin_api_key')), 'ZE001', 'the scope is transaction or session');
SELECT is(pg_temp.sign_in(:'admin_api_key'), :'admin_id', 'a good token signs in and gives the key''s id');
SELECT is(pg_temp.app('SELECT role FROM escrowgrid.escrow_whoami()'), 'admin', 'with its role');
SELECT is(pg_temp.app('SELECT institution_id FROM escrowgrid.escrow_whoami()'), :'a_id', 'and its institution');
SELECT is((SELECT role || ' ' || institution_id FROM escrowgrid.escrow_whoami()), 'admin ' || :'a_id', 'also for a superuser: a signed-in key decides');
SELECT is(pg_temp.app($$SELECT escrowgrid.escrow_create_institution('X', '{US}')$$), 'ZE403', 'an admin makes no institutions');
SELECT throws_ok($$SELECT escrowgrid.escrow_create_institution('X', '{US}')$$, 'ZE403', NULL, 'not even as a superuser while signed in');

-- The main job as an admin; records name key, request and role.
SET LOCAL escrowgrid.request_id = 'req-7';
SET LOCAL escrowgrid.client_ip = '192.0.2.1';
SELECT pg_temp.app($$SELECT id FROM escrowgrid.escrow_create_asset_template('OWN', 'T', 'CONSTRUCTION', 'US', '{}')$$) AS tmpl \gset
SELECT pg_temp.app(format($$SELECT id FROM escrowgrid.escrow_create_asset(%L, 'A')$$, :'tmpl')) AS ast \gset
SELECT pg_temp.app(format($$SELECT id FROM escrowgrid.escrow_create_position(%L, 'h', 'USD', 10)$$, :'ast')) AS pos \gset
SELECT is(pg_temp.app(format($$SELECT state FROM escrowgrid.escrow_transition(%L, 'FUNDED')$$, :'pos')), 'FUNDED', 'an admin moves its positions');
SELECT is((SELECT array_agg(DISTINCT (api_key_id, institution_id, request_id, client_ip, db_role)::text) FROM escrowgrid.audit_events WHERE resource_id = :'pos'),
    ARRAY[format('(%s,%s,req-7,192.0.2.1,regress_app)', :'admin_id', :'a_id')], 'audit rows name key, institution, request, client and role');
SELECT is((SELECT array_agg(DISTINCT api_key_id) FROM escrowgrid.position_events WHERE position_id = :'pos'), ARRAY[:'admin_id'], 'events name the key');
SELECT is((SELECT array_agg(DISTINCT request_id) FROM escrowgrid.ledger_events WHERE position_id = :'pos'), ARRAY['req-7'], 'ledger rows name the request');
SELECT is(pg_temp.app(format($$UPDATE escrowgrid.positions SET state = 'RELEASED' WHERE id = %L$$, :'pos')), '42501', 'no direct DML');
SELECT throws_ok(format($$UPDATE escrowgrid.positions SET state = 'RELEASED' WHERE id = %L$$, :'pos'), 'ZE403', NULL, 'raw DML is root''s, and a signed-in key decides');

-- Keys of its own institution, and of no other.
SELECT is(pg_temp.app(format($$SELECT institution_id FROM escrowgrid.escrow_create_api_key(%L, 'by admin', 'read_only')$$, :'a_id')), :'a_id', 'an admin makes keys of its institution');
SELECT is(pg_temp.app(format($$SELECT institution_id FROM escrowgrid.escrow_create_api_key(%L, 'l', 'admin')$$, :'b_id')), 'ZE002', 'another institution does not exist');
SELECT is(pg_temp.app(format('SELECT id FROM escrowgrid.escrow_revoke_api_key(%L)', :'other_id')), 'ZE002', 'nor do its keys');
SELECT is(pg_temp.app(format('SELECT id FROM escrowgrid.escrow_rotate_api_key(%L)', :'other_id')), 'ZE002', 'for rotation neither');
SELECT is(pg_temp.app('SELECT count(*) FROM escrowgrid.escrow_list_api_keys()'), '3', 'it lists its own');
SELECT is(pg_temp.app(format('SELECT count(*) FROM escrowgrid.escrow_list_api_keys(%L)', :'b_id')), '0', 'and nobody else''s');
SELECT is(pg_temp.app('SELECT count(*) FROM (SELECT id, label, token_hint FROM escrowgrid.api_keys) AS k'), '3', 'as in the table');
SELECT is(pg_temp.app('SELECT key_hash FROM escrowgrid.api_keys'), '42501', 'where hashes are closed');

-- Signing out, as another, and as nobody.
SELECT is(pg_temp.app('SELECT escrowgrid.escrow_sign_out()::text'), '', 'signing out');
SELECT is(pg_temp.app('SELECT role FROM escrowgrid.escrow_whoami()'), NULL, 'leaves nobody');
SELECT is(pg_temp.app(format('SELECT escrowgrid.escrow_get_position(%L)', :'pos')), 'ZE401', 'who may not read');
SELECT is(pg_temp.sign_in(:'reader_api_key'), :'reader_id', 'a read_only key signs in');
SELECT is(pg_temp.app(format($$SELECT escrowgrid.escrow_get_position(%L) ->> 'state'$$, :'pos')), 'FUNDED', 'and reads');
SELECT is(pg_temp.app(format($$SELECT state FROM escrowgrid.escrow_transition(%L, 'RELEASED')$$, :'pos')), 'ZE403', 'and nothing else');
SELECT is(pg_temp.sign_in(:'other_api_key'), :'other_id', 'another institution''s key replaces it');
SELECT is(pg_temp.app(format('SELECT escrowgrid.escrow_get_position(%L)', :'pos')), 'ZE002', 'for whom the position does not exist');
SELECT is(pg_temp.app(format($$SELECT state FROM escrowgrid.escrow_transition(%L, 'RELEASED')$$, :'pos')), 'ZE002', 'neither to move');
SELECT escrowgrid.escrow_sign_out() \g /dev/null

-- Revocation and expiry bite on the next call of a session that is signed in.
SELECT is(pg_temp.sign_in(:'reader_api_key'), :'reader_id', 'signed in again');
SAVEPOINT revoked;
UPDATE escrowgrid.api_keys SET revoked_at = now() WHERE id = :'reader_id';
SELECT is(pg_temp.app(format('SELECT escrowgrid.escrow_get_position(%L)', :'pos')), 'ZE401', 'a revoked key is out at once');
SELECT is(pg_temp.app('SELECT count(*) FROM escrowgrid.positions'), '0', 'and sees no row any more');
SELECT is(pg_temp.verify(:'reader_api_key'), 'REVOKED', 'and verifies as revoked');
SELECT is(pg_temp.sign_in(:'reader_api_key'), 'ZE401', 'and does not sign in');
ROLLBACK TO SAVEPOINT revoked;
UPDATE escrowgrid.api_keys SET expires_at = clock_timestamp() WHERE id = :'reader_id';
SELECT is(pg_temp.app(format('SELECT escrowgrid.escrow_get_position(%L)', :'pos')), 'ZE401', 'an expired key is out at once');
SELECT is(pg_temp.verify(:'reader_api_key'), 'EXPIRED', 'and verifies as expired');
SELECT escrowgrid.escrow_sign_out() \g /dev/null
SELECT is((SELECT id FROM escrowgrid.escrow_revoke_api_key(:'reader_id')), :'reader_id', 'revoking');
SELECT isnt((SELECT revoked_at FROM escrowgrid.escrow_revoke_api_key(:'reader_id')), NULL, 'revoking twice is no error');
SELECT is((SELECT count(*) FROM escrowgrid.audit_events WHERE action = 'API_KEY_REVOKED'), 1::bigint, 'and one act');

-- Rotation, with and without overlap.
SELECT * FROM escrowgrid.escrow_rotate_api_key(:'admin_id') \gset fresh_
SELECT is(pg_temp.verify(:'admin_api_key'), 'REVOKED', 'rotated without overlap, the old token ends');
SELECT is(pg_temp.verify(:'fresh_api_key'), 'VALID', 'and the new one works');
SELECT is((SELECT (label, role, institution_id)::text FROM escrowgrid.api_keys WHERE id = :'fresh_id'), format('("admin of A",admin,%s)', :'a_id'), 'as the old one did');
SELECT * FROM escrowgrid.escrow_rotate_api_key(:'fresh_id', '1 hour') \gset next_
SELECT is(pg_temp.verify(:'fresh_api_key'), 'VALID', 'with overlap the old token goes on');
SELECT ok((SELECT expires_at - now() BETWEEN '59 minutes' AND '61 minutes' FROM escrowgrid.api_keys WHERE id = :'fresh_id'), 'for as long');
SELECT is((SELECT count(*) FROM escrowgrid.audit_events WHERE action = 'API_KEY_ROTATED'), 2::bigint, 'rotation is audited');
SELECT throws_ok(format('SELECT escrowgrid.escrow_rotate_api_key(%L)', :'admin_id'), 'ZE001', NULL, 'an ended key is not rotated');
SELECT throws_ok(format('SELECT escrowgrid.escrow_rotate_api_key(%L, %L)', :'next_id', o), 'ZE001', NULL, 'overlap ' || coalesce(o, 'NULL'))
FROM unnest(ARRAY[NULL, '-1 second', '367 days', '178000000 years', '1 day -25 hours']) AS o;
SELECT throws_ok('SELECT escrowgrid.escrow_rotate_api_key(NULL)', 'ZE001', NULL, 'a key to rotate has to be named');

CREATE FUNCTION pg_temp.said(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE m text; d text; h text; c text;
BEGIN EXECUTE statement; RETURN NULL;
EXCEPTION WHEN OTHERS THEN GET STACKED DIAGNOSTICS m = MESSAGE_TEXT, d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT; RETURN SQLSTATE || m || d || h; END $$;
SELECT is(left(pg_temp.said(format('SELECT escrowgrid.%s(%L)', f, :'next_api_key')), 5), 'ZE001', f || ' refuses a token in place of an id') FROM unnest(ARRAY['escrow_rotate_api_key', 'escrow_revoke_api_key']) AS f;
SELECT is(strpos(pg_temp.said(format('SELECT escrowgrid.%s(%L)', f, :'next_api_key')), :'next_api_key'), 0, f || ' does not repeat it') FROM unnest(ARRAY['escrow_rotate_api_key', 'escrow_revoke_api_key']) AS f;

-- Networks: a local socket has no address and is in none.
SELECT * FROM escrowgrid.escrow_create_api_key(:'a_id', 'far away', 'admin', NULL, '{10.0.0.0/8}') \gset far_
SELECT is(pg_temp.verify(:'far_api_key'), 'FORBIDDEN_ADDRESS', 'a key of another network');
SELECT is(pg_temp.sign_in(:'far_api_key'), 'ZE401', 'does not sign in');
SELECT * FROM escrowgrid.escrow_create_api_key(:'a_id', 'nowhere', 'admin', NULL, '{}') \gset nowhere_
SELECT is(pg_temp.verify(:'nowhere_api_key'), 'FORBIDDEN_ADDRESS', 'no network at all');

-- Keys of the original system: any token whose SHA-256 is stored.
INSERT INTO escrowgrid.api_keys (id, institution_id, key_hash, label, role, created_at)
VALUES ('ak_4c1fd6de-7c3e-4a47-9d4f-0d4a3c0d5f11', :'a_id', encode(sha256('ak_0123456789abcdef0123456789abcdef'), 'hex'), 'imported', 'admin', now());
SELECT is(pg_temp.sign_in('ak_0123456789abcdef0123456789abcdef'), 'ak_4c1fd6de-7c3e-4a47-9d4f-0d4a3c0d5f11', 'a token of the original system signs in');
SELECT escrowgrid.escrow_sign_out() \g /dev/null

-- Signing in is an index lookup, also when there are many keys.
INSERT INTO escrowgrid.api_keys (id, institution_id, key_hash, label, role, created_at)
SELECT 'ak_' || n, :'a_id', encode(sha256(n::text::bytea), 'hex'), 'one of many', 'admin', now() FROM generate_series(1, 20000) AS n;
ANALYZE escrowgrid.api_keys;
SELECT pg_stat_get_xact_numscans('escrowgrid.api_keys'::regclass) AS scans, pg_stat_get_xact_numscans('escrowgrid.api_keys_key_hash_key'::regclass) AS lookups \gset before_
SELECT pg_temp.sign_in(:'next_api_key') FROM generate_series(1, 20) \g /dev/null
SELECT is(pg_stat_get_xact_numscans('escrowgrid.api_keys'::regclass) - :before_scans, 0::bigint, 'among 20,000 keys none is scanned for');
SELECT is(pg_stat_get_xact_numscans('escrowgrid.api_keys_key_hash_key'::regclass) - :before_lookups, 20::bigint, 'each sign-in is one lookup');
SELECT escrowgrid.escrow_sign_out() \g /dev/null

-- Granting access.
CREATE ROLE regress_reader;
SELECT escrowgrid.escrow_grant_access('regress_reader', 'reader') \g /dev/null
SELECT ok(has_table_privilege('regress_reader', 'escrowgrid.positions', 'SELECT'), 'a reader reads positions');
SELECT ok(NOT has_table_privilege('regress_reader', 'escrowgrid.audit_events', 'SELECT'), 'but not the audit log');
SELECT ok(NOT has_function_privilege('regress_reader', 'escrowgrid.escrow_transition(text, text, text, jsonb, numeric, text, integer, text)', 'EXECUTE'), 'and moves nothing');
SELECT is_empty($$
    SELECT r, c.relname, p FROM pg_class AS c, unnest(ARRAY['regress_app', 'regress_reader']) AS r, unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) AS p
    WHERE c.relnamespace = 'escrowgrid'::regnamespace AND c.relkind IN ('r', 'v') AND has_table_privilege(r, c.oid, p)
$$, 'nobody is granted a right to write');
SELECT ok(NOT has_column_privilege('regress_app', 'escrowgrid.api_keys', 'key_hash', 'SELECT'), 'nor the hashes');
SELECT throws_ok(format('SELECT escrowgrid.escrow_grant_access(%s, %s)', r, l), 'ZE001', NULL, r || ' ' || l)
FROM (VALUES ('''regress_app''', '''owner'''), ('''regress_app''', 'NULL'), ('NULL', '''reader'''), ('0::regrole', '''reader''')) AS v (r, l);
SELECT is((SELECT count(*) FROM escrowgrid.audit_events WHERE action = 'ACCESS_GRANTED'), 2::bigint, 'granting is audited');

SELECT * FROM finish();
ROLLBACK;
