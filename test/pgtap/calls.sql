-- Idempotency, batches, expiry, history.
BEGIN;
SET search_path = public;
SELECT no_plan();
INSERT INTO escrowgrid.institutions VALUES ('inst_cl', 'C', '{US}', '{CONSTRUCTION}', now(), now()), ('inst_cl2', 'C2', '{US}', '{CONSTRUCTION}', now(), now());
INSERT INTO escrowgrid.asset_templates VALUES ('tmpl_cl', 'inst_cl', 'OWN', 'T', 'CONSTRUCTION', 'US', '{}', now(), now()), ('tmpl_cl2', 'inst_cl2', 'OWN', 'T', 'CONSTRUCTION', 'US', '{}', now(), now());
INSERT INTO escrowgrid.assets VALUES ('ast_cl', 'inst_cl', 'tmpl_cl', 'A', NULL, now(), now()), ('ast_cl2', 'inst_cl2', 'tmpl_cl2', 'A', NULL, now(), now());
INSERT INTO escrowgrid.positions (id, asset_id, holder_reference, currency, amount) SELECT 'pos_cl' || n, 'ast_cl', 'h', 'USD', 100 FROM generate_series(1, 9) AS n;
INSERT INTO escrowgrid.positions (id, asset_id, holder_reference, currency, amount) VALUES ('pos_other', 'ast_cl2', 'h', 'USD', 100);

-- A key has one effect.
SELECT * FROM escrowgrid.escrow_create_position('ast_cl', 'h', 'USD', 10, idempotency_key => 'create-1') \gset once_
SELECT is((SELECT id FROM escrowgrid.escrow_create_position('ast_cl', 'h', 'USD', 10.00, idempotency_key => 'create-1')), :'once_id', 'a repeated creation gives the first position');
SELECT is((SELECT count(*) FROM escrowgrid.position_events WHERE position_id = :'once_id'), 1::bigint, 'and writes nothing');
SELECT throws_ok($$SELECT escrowgrid.escrow_create_position('ast_cl', 'h', 'USD', 11, idempotency_key => 'create-1')$$, 'ZE003', NULL, 'another amount is another request');
SELECT throws_ok($$SELECT escrowgrid.escrow_transition('pos_cl1', 'FUNDED', idempotency_key => 'create-1')$$, 'ZE003', NULL, 'so is another function');
SELECT lives_ok($$SELECT escrowgrid.escrow_create_position('ast_cl2', 'h', 'USD', 11, idempotency_key => 'create-1')$$, 'another institution''s key is another key');

SELECT row_to_json(t)::text AS row FROM escrowgrid.escrow_transition('pos_cl1', 'FUNDED', 'r', '{"m": 1}', idempotency_key => 'fund-1') AS t \gset first_
SELECT row_to_json(t)::text AS row FROM escrowgrid.escrow_transition('pos_cl1', 'PARTIALLY_RELEASED', amount => 30, idempotency_key => 'part-1') AS t \gset second_
SELECT version FROM escrowgrid.escrow_transition('pos_cl1', 'CANCELLED') \g /dev/null
SELECT is((SELECT (t.state, t.version, t.head_hash, t.updated_at, t.due_at)::text FROM escrowgrid.escrow_transition('pos_cl1', 'FUNDED', 'r', '{"m": 1}', idempotency_key => 'fund-1') AS t),
    (SELECT (t.state, t.version, t.head_hash, t.updated_at, t.due_at)::text FROM json_populate_record(NULL::escrowgrid.positions, :'first_row') AS t), 'a repeated transition gives the row as of then');
SELECT is((SELECT (t.state, t.version, t.released_amount, t.refunded_amount, t.head_hash)::text FROM escrowgrid.escrow_transition('pos_cl1', 'PARTIALLY_RELEASED', amount => 30.0, idempotency_key => 'part-1') AS t),
    (SELECT (t.state, t.version, t.released_amount, 0, t.head_hash)::text FROM json_populate_record(NULL::escrowgrid.positions, :'second_row') AS t), 'amounts included, whatever came later');
SELECT is((SELECT version FROM escrowgrid.positions WHERE id = 'pos_cl1'), 4, 'and nothing moved');
SELECT throws_ok(format('SELECT escrowgrid.escrow_transition(%s, idempotency_key => ''fund-1'')', a), 'ZE003', NULL, a)
FROM unnest(ARRAY[$$'pos_cl2', 'FUNDED', 'r', '{"m": 1}'$$, $$'pos_cl1', 'CANCELLED', 'r', '{"m": 1}'$$, $$'pos_cl1', 'FUNDED', 'x', '{"m": 1}'$$, $$'pos_cl1', 'FUNDED', 'r', '{"m": 2}'$$,
    $$'pos_cl1', 'FUNDED', 'r'$$, $$'pos_cl1', 'FUNDED', 'r', '{"m": 1}', 100$$, $$'pos_cl1', 'FUNDED', 'r', '{"m": 1}', expected_version => 1$$, $$'pos_cl1', 'FUNDED', 'r', '{"m": 1}', expected_state => 'CREATED'$$]) AS a;
SELECT throws_ok($$SELECT escrowgrid.escrow_transition('pos_cl2', 'RELEASED', idempotency_key => 'refused-1')$$, 'ZE101', NULL, 'a refusal');
SELECT is((SELECT count(*) FROM escrowgrid.idempotency_keys WHERE key = 'refused-1'), 0::bigint, 'is not stored');
SELECT lives_ok($$SELECT escrowgrid.escrow_transition('pos_cl2', 'FUNDED', idempotency_key => 'refused-1')$$, 'and the key is free');
SAVEPOINT s;
SELECT version FROM escrowgrid.escrow_transition('pos_cl2', 'RELEASED', idempotency_key => 'undone-1') \g /dev/null
ROLLBACK TO SAVEPOINT s;
SELECT is((SELECT state FROM escrowgrid.escrow_transition('pos_cl2', 'RELEASED', idempotency_key => 'undone-1')), 'RELEASED', 'a key that was rolled back runs');

-- Batches.
SELECT is((SELECT array_agg(id ORDER BY ordinality) FROM ROWS FROM (escrowgrid.escrow_transition_batch('{pos_cl5,pos_cl3,pos_cl4}', 'FUNDED', 'together')) WITH ORDINALITY AS t),
    '{pos_cl5,pos_cl3,pos_cl4}', 'results come in the order asked');
SELECT is((SELECT array_agg(released_amount ORDER BY ordinality) FROM ROWS FROM (escrowgrid.escrow_transition_batch('{pos_cl4,pos_cl3}', 'PARTIALLY_RELEASED', amounts => '{4,3}')) WITH ORDINALITY AS t),
    '{4.00,3.00}', 'each with its amount');
SELECT is((SELECT array_agg(DISTINCT path) FROM escrowgrid.audit_events WHERE resource_id = 'pos_cl3' AND action = 'POSITION_TRANSITIONED'), ARRAY['escrow_transition_batch'], 'audit rows name the batch');
SELECT throws_ok(format('SELECT escrowgrid.escrow_transition_batch(%s)', a), code, NULL, a)
FROM (VALUES ($$'{}', 'FUNDED'$$, 'ZE001'), ($$NULL, 'FUNDED'$$, 'ZE001'), ($$'{pos_cl6,pos_cl6}', 'FUNDED'$$, 'ZE001'), ($$'{pos_cl6,NULL}', 'FUNDED'$$, 'ZE001'),
    ($$'{pos_cl6}', 'FUNDED', amounts => '{1,2}'$$, 'ZE001'), ($$'{pos_cl6,pos_cl7}', 'FUNDED', amounts => '{100,NULL}'$$, 'ZE001'), ($$'{pos_cl6}', 'PAID'$$, 'ZE001'), ($$'{pos_cl6}', NULL$$, 'ZE001'),
    ($$'{pos_cl6,pos_nobody}', 'FUNDED'$$, 'ZE002'), ($$'{pos_cl6,pos_other}', 'FUNDED'$$, 'ZE001'), ($$'{pos_cl6,pos_cl5}', 'FUNDED'$$, 'ZE101'), ($$'{pos_cl6}', 'FUNDED', expected_state => 'FUNDED'$$, 'ZE102'),
    ($$'{pos_cl6,pos_cl7}', 'FUNDED', amounts => '{100,99}'$$, 'ZE301'), ($$(SELECT array_agg('pos_' || n) FROM generate_series(1, 10001) AS n), 'FUNDED'$$, 'ZE001')) AS v (a, code);
SELECT is((SELECT count(*) FROM escrowgrid.positions WHERE id IN ('pos_cl6', 'pos_cl7') AND state = 'CREATED'), 2::bigint, 'all or nothing');
SELECT is((SELECT count(*) FROM escrowgrid.escrow_transition_batch('{pos_cl7,pos_cl6}', 'FUNDED', idempotency_key => 'batch-1')), 2::bigint, 'a batch with a key');
SELECT version FROM escrowgrid.escrow_transition('pos_cl6', 'RELEASED') \g /dev/null
SELECT is((SELECT string_agg(id || state || version, ' ' ORDER BY ordinality) FROM ROWS FROM (escrowgrid.escrow_transition_batch('{pos_cl7,pos_cl6}', 'FUNDED', idempotency_key => 'batch-1')) WITH ORDINALITY AS t),
    'pos_cl7FUNDED2 pos_cl6FUNDED2', 'repeated, it gives the rows as of then, in order');
SELECT throws_ok($$SELECT escrowgrid.escrow_transition_batch('{pos_cl6,pos_cl7}', 'FUNDED', idempotency_key => 'batch-1')$$, 'ZE003', NULL, 'another order is another request');

-- Purging keys.
SELECT is(escrowgrid.escrow_purge_idempotency_keys('1 day'), 0::bigint, 'young keys stay');
SELECT throws_ok(format('SELECT escrowgrid.escrow_purge_idempotency_keys(%L)', i), 'ZE001', NULL, coalesce(i, 'NULL')) FROM unnest(ARRAY[NULL, '-1 day']) AS i;
SELECT ok(escrowgrid.escrow_purge_idempotency_keys('0') >= 6, 'old ones go');
SELECT is((SELECT count(*) FROM escrowgrid.idempotency_keys), 0::bigint, 'all of them');

-- Expiry.
INSERT INTO escrowgrid.positions (id, asset_id, holder_reference, currency, amount, expires_at) SELECT 'pos_due' || n, 'ast_cl', 'h', 'USD', 100, clock_timestamp() + interval '1.5 s' FROM generate_series(1, 5) AS n;
INSERT INTO escrowgrid.positions (id, asset_id, holder_reference, currency, amount, expires_at) VALUES ('pos_later', 'ast_cl', 'h', 'USD', 100, clock_timestamp() + interval '1 day');
SELECT version FROM escrowgrid.escrow_transition('pos_due1', 'FUNDED') \g /dev/null
SELECT version FROM escrowgrid.escrow_transition('pos_due2', 'CANCELLED') \g /dev/null
SELECT pg_sleep(1.6) \g /dev/null
SELECT is(escrowgrid.escrow_expire_due(3), 3, 'at most as many as asked');
SELECT is(escrowgrid.escrow_expire_due(), 1, 'then the rest');
SELECT is(escrowgrid.escrow_expire_due(), 0, 'then none');
SELECT is((SELECT string_agg(state, ' ' ORDER BY id) FROM escrowgrid.positions WHERE id LIKE 'pos_due%' OR id = 'pos_later'), 'EXPIRED CANCELLED EXPIRED EXPIRED EXPIRED CREATED', 'what ended before or is not due is left alone');
SELECT is((SELECT refunded_amount FROM escrowgrid.positions WHERE id = 'pos_due1'), 100.00, 'what was held is refunded');
SELECT throws_ok(format('SELECT escrowgrid.escrow_expire_due(%s)', n), 'ZE001', NULL, n) FROM unnest(ARRAY['0', '-1', '100001', 'NULL']) AS n;

-- History.
SELECT is((SELECT (state, amount, released_amount, refunded_amount, held_amount, version)::text FROM escrowgrid.escrow_position_at('pos_cl1', (SELECT at FROM escrowgrid.position_events WHERE position_id = 'pos_cl1' AND seq = 3))),
    '(PARTIALLY_RELEASED,100.00,30.00,0,70.00,3)', 'as of an event');
SELECT is((SELECT (state, held_amount, version)::text FROM escrowgrid.escrow_position_at('pos_cl1', 'infinity')), '(CANCELLED,0,4)', 'as of the end of time');
SELECT is((SELECT version FROM escrowgrid.escrow_position_at('pos_cl1', '-infinity')), NULL, 'before it was created there is nothing');
SELECT throws_ok($$SELECT escrowgrid.escrow_position_at('pos_nobody', now())$$, 'ZE002', NULL, 'an unknown position');
SELECT throws_ok($$SELECT escrowgrid.escrow_position_at('pos_cl1', NULL)$$, 'ZE001', NULL, 'no time');

SELECT * FROM finish();
ROLLBACK;
