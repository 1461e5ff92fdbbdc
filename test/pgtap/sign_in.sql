-- Signing in and out with an API key: what the key may do, what records say about it, and when it ends.
BEGIN;
SET search_path = public;
SELECT no_plan();
\ir include/application.psql
\ir include/tenants.psql
SELECT * FROM escrowgrid.escrow_create_api_key(:'a_id', 'reader of A', 'read_only') \gset reader_

-- --- signing in
SELECT is(pg_temp.sign_in('nonsense'), 'ZE401', 'signing in with a token that no key has is refused');
SELECT is(pg_temp.app('SELECT escrowgrid.escrow_authenticate(NULL)'), 'ZE001', 'signing in with NULL is refused');
SELECT is(
    pg_temp.app(format($$SELECT escrowgrid.escrow_authenticate(%L, 'forever')$$, :'admin_a_api_key')),
    'ZE001',
    'signing in for another scope than transaction or session is refused');
SELECT is(pg_temp.sign_in(:'admin_a_api_key'), :'admin_a_id', 'signing in with a valid token returns the key''s id');
SELECT is(pg_temp.signed_in_role(), 'admin', 'escrow_whoami() gives the role of the key that signed in');
SELECT is(pg_temp.signed_in_institution(), :'a_id',
    'escrow_whoami() gives the institution of the key that signed in');

-- A signed-in key decides what the caller may do, even for a superuser.
SELECT is((SELECT role || ' ' || institution_id FROM escrowgrid.escrow_whoami()), 'admin ' || :'a_id',
    'escrow_whoami() gives a superuser the role and the institution of the key that signed in');
SELECT is(pg_temp.app($$SELECT escrowgrid.escrow_create_institution('X', '{US}')$$), 'ZE403',
    'an admin key may not create an institution');
SELECT throws_ok($$SELECT escrowgrid.escrow_create_institution('X', '{US}')$$, 'ZE403', NULL,
    'a superuser who has signed in with an admin key may not create an institution');

-- --- an admin key does the main job, and the records say who it was
SET LOCAL escrowgrid.request_id = 'req-7';
SET LOCAL escrowgrid.client_ip = '192.0.2.1';
SELECT pg_temp.app(
    $$SELECT id FROM escrowgrid.escrow_create_asset_template('OWN', 'T', 'CONSTRUCTION', 'US', '{}')$$) AS template
\gset
SELECT pg_temp.app(format($$SELECT id FROM escrowgrid.escrow_create_asset(%L, 'A')$$, :'template')) AS asset \gset
SELECT pg_temp.app(
    format($$SELECT id FROM escrowgrid.escrow_create_position(%L, 'h', 'USD', 10)$$, :'asset')) AS pos
\gset
SELECT is(pg_temp.app(format($$SELECT state FROM escrowgrid.escrow_transition(%L, 'FUNDED')$$, :'pos')), 'FUNDED',
    'an admin key may move a position of its institution');
SELECT is(
    (SELECT array_agg(DISTINCT (api_key_id, institution_id, request_id, client_ip, db_role)::text)
     FROM escrowgrid.audit_events
     WHERE resource_id = :'pos'),
    ARRAY[format('(%s,%s,req-7,192.0.2.1,regress_app)', :'admin_a_id', :'a_id')],
    'audit rows of a signed-in key name the key, its institution, the request, the client and the database role');
SELECT is(
    (SELECT array_agg(DISTINCT api_key_id) FROM escrowgrid.position_events WHERE position_id = :'pos'),
    ARRAY[:'admin_a_id'],
    'events of a signed-in key name the key');
SELECT is(
    (SELECT array_agg(DISTINCT request_id) FROM escrowgrid.ledger_events WHERE position_id = :'pos'),
    ARRAY['req-7'],
    'ledger rows name the request that escrowgrid.request_id is set to');
SELECT is(
    pg_temp.app(format($$UPDATE escrowgrid.positions SET state = 'RELEASED' WHERE id = %L$$, :'pos')),
    '42501',
    'an application that has signed in with an admin key may not UPDATE positions');
SELECT throws_ok(format($$UPDATE escrowgrid.positions SET state = 'RELEASED' WHERE id = %L$$, :'pos'), 'ZE403', NULL,
    'a superuser who has signed in with an admin key may not UPDATE positions');

-- --- an admin key manages the keys of its institution; those of others do not exist for it
SELECT is(
    pg_temp.app(format(
        $$SELECT institution_id FROM escrowgrid.escrow_create_api_key(%L, 'by admin', 'read_only')$$, :'a_id')),
    :'a_id',
    'an admin key may make keys of its institution');
SELECT is(
    pg_temp.app(format($$SELECT institution_id FROM escrowgrid.escrow_create_api_key(%L, 'l', 'admin')$$, :'b_id')),
    'ZE002',
    'for an admin key that makes a key of another institution the institution does not exist');
SELECT is(pg_temp.app(format('SELECT id FROM escrowgrid.escrow_revoke_api_key(%L)', :'admin_b_id')), 'ZE002',
    'for an admin key that revokes a key of another institution the key does not exist');
SELECT is(pg_temp.app(format('SELECT id FROM escrowgrid.escrow_rotate_api_key(%L)', :'admin_b_id')), 'ZE002',
    'for an admin key that rotates a key of another institution the key does not exist');
SELECT is(pg_temp.app('SELECT count(*) FROM escrowgrid.escrow_list_api_keys()'), '3',
    'escrow_list_api_keys() lists the three keys of the admin key''s institution');
SELECT is(pg_temp.app(format('SELECT count(*) FROM escrowgrid.escrow_list_api_keys(%L)', :'b_id')), '0',
    'escrow_list_api_keys() lists no key of another institution');
SELECT is(pg_temp.app('SELECT count(*) FROM (SELECT id, label, token_hint FROM escrowgrid.api_keys) AS k'), '3',
    'a SELECT from api_keys shows the three keys of the admin key''s institution');
SELECT is(pg_temp.app('SELECT key_hash FROM escrowgrid.api_keys'), '42501',
    'an application that has signed in with an admin key may not read key_hash');

-- --- signing out, and in with other keys
SELECT is(pg_temp.app('SELECT escrowgrid.escrow_sign_out()::text'), '', 'escrow_sign_out() returns nothing');
SELECT is(pg_temp.signed_in_role(), NULL, 'escrow_whoami() gives no role after signing out');
SELECT is(pg_temp.app(format('SELECT escrowgrid.escrow_get_position(%L)', :'pos')), 'ZE401',
    'after signing out a position cannot be read');
SELECT is(pg_temp.sign_in(:'reader_api_key'), :'reader_id', 'a read_only key may sign in');
SELECT is(pg_temp.app(format($$SELECT escrowgrid.escrow_get_position(%L) ->> 'state'$$, :'pos')), 'FUNDED',
    'a read_only key may read a position of its institution');
SELECT is(pg_temp.app(format($$SELECT state FROM escrowgrid.escrow_transition(%L, 'RELEASED')$$, :'pos')), 'ZE403',
    'a read_only key may not move a position of its institution');
SELECT is(pg_temp.sign_in(:'admin_b_api_key'), :'admin_b_id',
    'a key of another institution may sign in while a key is signed in');
SELECT is(pg_temp.app(format('SELECT escrowgrid.escrow_get_position(%L)', :'pos')), 'ZE002',
    'for a key of another institution that reads a position the position does not exist');
SELECT is(pg_temp.app(format($$SELECT state FROM escrowgrid.escrow_transition(%L, 'RELEASED')$$, :'pos')), 'ZE002',
    'for a key of another institution that moves a position the position does not exist');
SELECT escrowgrid.escrow_sign_out() \g /dev/null

-- --- revocation and expiry end a session that is signed in, with its next call
SELECT is(pg_temp.sign_in(:'reader_api_key'), :'reader_id', 'a read_only key may sign in again after signing out');
SAVEPOINT before_revocation;
UPDATE escrowgrid.api_keys SET revoked_at = now() WHERE id = :'reader_id';
SELECT is(pg_temp.app(format('SELECT escrowgrid.escrow_get_position(%L)', :'pos')), 'ZE401',
    'a signed-in key that is revoked may not call functions any more');
SELECT is(pg_temp.app('SELECT count(*) FROM escrowgrid.positions'), '0',
    'a signed-in key that is revoked sees no row of positions');
SELECT is(pg_temp.verify(:'reader_api_key'), 'REVOKED', 'a revoked key is REVOKED');
SELECT is(pg_temp.sign_in(:'reader_api_key'), 'ZE401', 'signing in with a revoked key is refused');
ROLLBACK TO SAVEPOINT before_revocation;
UPDATE escrowgrid.api_keys SET expires_at = clock_timestamp() WHERE id = :'reader_id';
SELECT is(pg_temp.app(format('SELECT escrowgrid.escrow_get_position(%L)', :'pos')), 'ZE401',
    'a signed-in key that has expired may not call functions any more');
SELECT is(pg_temp.verify(:'reader_api_key'), 'EXPIRED', 'a key whose expires_at has passed is EXPIRED');
SELECT escrowgrid.escrow_sign_out() \g /dev/null
SELECT is((SELECT id FROM escrowgrid.escrow_revoke_api_key(:'reader_id')), :'reader_id',
    'escrow_revoke_api_key() revokes a key that has expired');

SELECT * FROM finish();
ROLLBACK;
