-- API keys: made, verified, revoked, rotated, bound to networks, brought along from the original system.
BEGIN;
SET search_path = public;
SELECT no_plan();
\ir include/application.psql
\ir include/tenants.psql
SELECT * FROM escrowgrid.escrow_create_api_key(:'a_id', 'reader of A', 'read_only') \gset reader_

-- --- making a key: the token is shown once and stored nowhere
SELECT matches(:'admin_a_api_key'::text, '^eg_[0-9A-Za-z]{36}$',
    'the token of a new key is eg_ and 36 letters and digits');
SELECT is(:'admin_a_token_hint'::text, right(:'admin_a_api_key', 4),
    'the token_hint of a new key is the last four characters of its token');
SELECT is(
    (SELECT key_hash FROM escrowgrid.api_keys WHERE id = :'admin_a_id'),
    encode(sha256(:'admin_a_api_key'::bytea), 'hex'),
    'the key_hash of a new key is the SHA-256 of its token');
SELECT is_empty(
    format($$SELECT FROM escrowgrid.api_keys AS k WHERE k::text LIKE '%%' || %L || '%%'$$, :'admin_a_api_key'),
    'no row of api_keys contains the token of a new key');
SELECT is_empty(
    format($$SELECT FROM escrowgrid.audit_events AS a WHERE a::text LIKE '%%' || %L || '%%'$$, :'admin_a_api_key'),
    'no row of audit_events contains the token of a new key');
SELECT is(
    (SELECT array_agg(action ORDER BY id)
     FROM escrowgrid.audit_events
     WHERE resource_type = 'api_key' AND institution_id = :'a_id'),
    ARRAY['API_KEY_CREATED', 'API_KEY_CREATED'],
    'each of the two keys made for an institution has an audit row API_KEY_CREATED');

SELECT throws_ok(
    format('SELECT escrowgrid.escrow_create_api_key(%L, %L, %L)', institution, label, role), code, NULL,
    format('a key with institution %s, label %s and role %s is refused with %s',
        quote_nullable(institution), quote_nullable(label), quote_nullable(role), code))
FROM (VALUES
    (NULL, 'l', 'admin', 'ZE001'),
    ('inst_nobody', 'l', 'admin', 'ZE002'),
    ('inst_nobody', NULL, 'admin', 'ZE001'),
    ('inst_nobody', ' ', 'admin', 'ZE001'),
    ('inst_nobody', 'l', 'root', 'ZE001'),
    ('inst_nobody', 'l', NULL, 'ZE001')
) AS v (institution, label, role, code);
SELECT throws_ok(format($$SELECT escrowgrid.escrow_create_api_key(%L, 'l', 'admin', now())$$, :'a_id'),
    'ZE001', NULL,
    'a key that expires at a time in the past is refused');
SELECT throws_ok(format($$SELECT escrowgrid.escrow_create_api_key(%L, 'l', 'admin', 'infinity')$$, :'a_id'),
    'ZE001', NULL,
    'a key that expires at infinity is refused');

-- --- verifying a token, without signing in
SELECT is(pg_temp.verify(:'admin_a_api_key'), 'VALID', 'a new key is VALID');
SELECT is(pg_temp.verify(token), 'NOT_FOUND', format('%s is NOT_FOUND', what))
FROM (VALUES
    ('an empty token', ''),
    ('the token x', 'x'),
    ('a token of the right prefix that is too short', 'eg_x'),
    ('a token of the right form that no key has', 'eg_' || repeat('0', 36)),
    ('a token of 300 characters', repeat('a', 300)),
    ('the token of a key without its last character', left(:'admin_a_api_key', 38)),
    ('the token of a key with one more character', :'admin_a_api_key' || 'x'),
    ('the token of a key in upper case', upper(:'admin_a_api_key'))
) AS v (what, token);
SELECT is(pg_temp.signed_in_role(), NULL, 'escrow_verify_api_key() with a valid token signs nobody in');

-- --- revoking
SELECT is((SELECT id FROM escrowgrid.escrow_revoke_api_key(:'reader_id')), :'reader_id',
    'escrow_revoke_api_key() returns the revoked key');
SELECT isnt((SELECT revoked_at FROM escrowgrid.escrow_revoke_api_key(:'reader_id')), NULL,
    'escrow_revoke_api_key() for a revoked key returns the key and is no error');
SELECT is((SELECT count(*) FROM escrowgrid.audit_events WHERE action = 'API_KEY_REVOKED'), 1::bigint,
    'revoking a key twice writes one audit row API_KEY_REVOKED');

-- --- rotating, without and with an overlap in which the old token still works
SELECT * FROM escrowgrid.escrow_rotate_api_key(:'admin_a_id') \gset fresh_
SELECT is(pg_temp.verify(:'admin_a_api_key'), 'REVOKED', 'a key rotated without overlap is REVOKED');
SELECT is(pg_temp.verify(:'fresh_api_key'), 'VALID', 'the key that replaces a rotated key is VALID');
SELECT is(
    (SELECT (label, role, institution_id)::text FROM escrowgrid.api_keys WHERE id = :'fresh_id'),
    format('("admin of A",admin,%s)', :'a_id'),
    'the key that replaces a rotated key has its label, role and institution');
SELECT * FROM escrowgrid.escrow_rotate_api_key(:'fresh_id', '1 hour') \gset next_
SELECT is(pg_temp.verify(:'fresh_api_key'), 'VALID', 'a key rotated with an overlap is VALID during the overlap');
SELECT ok(
    (SELECT expires_at - now() BETWEEN '59 minutes' AND '61 minutes'
     FROM escrowgrid.api_keys
     WHERE id = :'fresh_id'),
    'a key rotated with an overlap of an hour expires in an hour');
SELECT is((SELECT count(*) FROM escrowgrid.audit_events WHERE action = 'API_KEY_ROTATED'), 2::bigint,
    'each of two rotations has an audit row API_KEY_ROTATED');
SELECT throws_ok(format('SELECT escrowgrid.escrow_rotate_api_key(%L)', :'admin_a_id'), 'ZE001', NULL,
    'rotating a revoked key is refused');
SELECT throws_ok(format('SELECT escrowgrid.escrow_rotate_api_key(%L, %L)', :'next_id', overlap), 'ZE001', NULL,
    format('rotating a key with the overlap %s is refused', quote_nullable(overlap)))
FROM unnest(ARRAY[NULL, '-1 second', '367 days', '178000000 years', '1 day -25 hours']) AS overlap;
SELECT throws_ok('SELECT escrowgrid.escrow_rotate_api_key(NULL)', 'ZE001', NULL,
    'rotating the key NULL is refused');

-- A caller may pass a token where an id is expected. The refusal must not carry the token into logs.
CREATE FUNCTION pg_temp.error_text(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    message text;
    detail text;
    hint text;
BEGIN
    EXECUTE statement;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS
        message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN SQLSTATE || message || detail || hint;
END $$;
SELECT is(left(pg_temp.error_text(format('SELECT escrowgrid.%s(%L)', f, :'next_api_key')), 5), 'ZE001',
    f || '() with a token in place of the key''s id is refused')
FROM unnest(ARRAY['escrow_rotate_api_key', 'escrow_revoke_api_key']) AS f;
SELECT is(strpos(pg_temp.error_text(format('SELECT escrowgrid.%s(%L)', f, :'next_api_key')), :'next_api_key'), 0,
    f || '() with a token in place of the key''s id does not repeat the token in its error')
FROM unnest(ARRAY['escrow_rotate_api_key', 'escrow_revoke_api_key']) AS f;

-- --- networks: a connection by a local socket has no address and is in no network
SELECT *
FROM escrowgrid.escrow_create_api_key(:'a_id', 'far away', 'admin', NULL, '{10.0.0.0/8}')
\gset far_
SELECT is(pg_temp.verify(:'far_api_key'), 'FORBIDDEN_ADDRESS',
    'a key limited to 10.0.0.0/8 is FORBIDDEN_ADDRESS for a connection by a local socket');
SELECT is(pg_temp.sign_in(:'far_api_key'), 'ZE401',
    'a key limited to 10.0.0.0/8 cannot sign in by a local socket');
SELECT * FROM escrowgrid.escrow_create_api_key(:'a_id', 'nowhere', 'admin', NULL, '{}') \gset nowhere_
SELECT is(pg_temp.verify(:'nowhere_api_key'), 'FORBIDDEN_ADDRESS',
    'a key limited to an empty list of networks is FORBIDDEN_ADDRESS');

-- --- keys of the original system: their tokens have another form, and only the SHA-256 is known
INSERT INTO escrowgrid.api_keys (id, institution_id, key_hash, label, role, created_at)
VALUES ('ak_4c1fd6de-7c3e-4a47-9d4f-0d4a3c0d5f11', :'a_id',
    encode(sha256('ak_0123456789abcdef0123456789abcdef'), 'hex'), 'imported', 'admin', now());
SELECT is(pg_temp.sign_in('ak_0123456789abcdef0123456789abcdef'), 'ak_4c1fd6de-7c3e-4a47-9d4f-0d4a3c0d5f11',
    'a token of the original system, of which the SHA-256 is in api_keys, signs in');
SELECT escrowgrid.escrow_sign_out() \g /dev/null

-- --- signing in is an index lookup, also among many keys
INSERT INTO escrowgrid.api_keys (id, institution_id, key_hash, label, role, created_at)
SELECT 'ak_' || n, :'a_id', encode(sha256(n::text::bytea), 'hex'), 'one of many', 'admin', now()
FROM generate_series(1, 20000) AS n;
ANALYZE escrowgrid.api_keys;
SELECT pg_stat_get_xact_numscans('escrowgrid.api_keys'::regclass) AS scans,
    pg_stat_get_xact_numscans('escrowgrid.api_keys_key_hash_key'::regclass) AS lookups
\gset before_
SELECT pg_temp.sign_in(:'next_api_key') FROM generate_series(1, 20) \g /dev/null
SELECT is(pg_stat_get_xact_numscans('escrowgrid.api_keys'::regclass) - :before_scans, 0::bigint,
    'twenty sign-ins among 20,000 keys scan the table api_keys not once');
SELECT is(pg_stat_get_xact_numscans('escrowgrid.api_keys_key_hash_key'::regclass) - :before_lookups, 20::bigint,
    'twenty sign-ins among 20,000 keys are twenty scans of the index on key_hash');

SELECT * FROM finish();
ROLLBACK;
