-- Idempotency keys: a request that is repeated with its key gives the same row and writes nothing.
BEGIN;
SET search_path = public;
SELECT no_plan();
\set suffix one
\ir include/known_ids.psql
\set suffix two
\ir include/known_ids.psql
INSERT INTO escrowgrid.positions (id, asset_id, holder_reference, currency, amount)
VALUES ('pos_1', 'ast_one', 'h', 'USD', 100), ('pos_2', 'ast_one', 'h', 'USD', 100);

-- Creations.
SELECT *
FROM escrowgrid.escrow_create_position('ast_one', 'h', 'USD', 10, idempotency_key => 'create-1')
\gset once_
SELECT is(
    (SELECT id FROM escrowgrid.escrow_create_position('ast_one', 'h', 'USD', 10.00, idempotency_key => 'create-1')),
    :'once_id',
    'a creation repeated with its idempotency key, the amount written as 10.00, returns the position created first');
SELECT is((SELECT count(*) FROM escrowgrid.position_events WHERE position_id = :'once_id'), 1::bigint,
    'a creation repeated with its idempotency key writes no further event');
SELECT throws_ok(
    $$SELECT escrowgrid.escrow_create_position('ast_one', 'h', 'USD', 11, idempotency_key => 'create-1')$$,
    'ZE003', NULL,
    'a creation with the idempotency key of a creation with another amount is refused');
SELECT throws_ok($$SELECT escrowgrid.escrow_transition('pos_1', 'FUNDED', idempotency_key => 'create-1')$$,
    'ZE003', NULL,
    'a transition with the idempotency key of a creation is refused');
SELECT lives_ok(
    $$SELECT escrowgrid.escrow_create_position('ast_two', 'h', 'USD', 11, idempotency_key => 'create-1')$$,
    'a creation may use an idempotency key that another institution has used');

-- Transitions. The repeated call gives the row as of the first call, whatever has happened to the position since.
SELECT row_to_json(t)::text AS row
FROM escrowgrid.escrow_transition('pos_1', 'FUNDED', 'r', '{"m": 1}', idempotency_key => 'fund-1') AS t
\gset first_
SELECT row_to_json(t)::text AS row
FROM escrowgrid.escrow_transition('pos_1', 'PARTIALLY_RELEASED', amount => 30, idempotency_key => 'part-1') AS t
\gset second_
SELECT version FROM escrowgrid.escrow_transition('pos_1', 'CANCELLED') \g /dev/null
SELECT is(
    (SELECT (t.state, t.version, t.head_hash, t.updated_at, t.due_at)::text
     FROM escrowgrid.escrow_transition('pos_1', 'FUNDED', 'r', '{"m": 1}', idempotency_key => 'fund-1') AS t),
    (SELECT (t.state, t.version, t.head_hash, t.updated_at, t.due_at)::text
     FROM json_populate_record(NULL::escrowgrid.positions, :'first_row') AS t),
    'a transition repeated with its idempotency key returns the row as of the first call after the position moved on');
SELECT is(
    (SELECT (t.state, t.version, t.released_amount, t.refunded_amount, t.head_hash)::text
     FROM escrowgrid.escrow_transition(
         'pos_1', 'PARTIALLY_RELEASED', amount => 30.0, idempotency_key => 'part-1') AS t),
    (SELECT (t.state, t.version, t.released_amount, 0, t.head_hash)::text
     FROM json_populate_record(NULL::escrowgrid.positions, :'second_row') AS t),
    'a partial release repeated with its idempotency key returns the amounts as of the first call');
SELECT is((SELECT version FROM escrowgrid.positions WHERE id = 'pos_1'), 4,
    'transitions repeated with their idempotency keys do not move the position');

-- Each argument is part of the request.
SELECT throws_ok(format('SELECT escrowgrid.escrow_transition(%s, idempotency_key => ''fund-1'')', arguments),
    'ZE003', NULL,
    format('a transition that repeats the idempotency key of another one with %s is refused', difference))
FROM (VALUES
    ('another position', $$'pos_2', 'FUNDED', 'r', '{"m": 1}'$$),
    ('another target state', $$'pos_1', 'CANCELLED', 'r', '{"m": 1}'$$),
    ('another reason', $$'pos_1', 'FUNDED', 'x', '{"m": 1}'$$),
    ('other metadata', $$'pos_1', 'FUNDED', 'r', '{"m": 2}'$$),
    ('no metadata', $$'pos_1', 'FUNDED', 'r'$$),
    ('an amount in addition', $$'pos_1', 'FUNDED', 'r', '{"m": 1}', 100$$),
    ('an expected version in addition', $$'pos_1', 'FUNDED', 'r', '{"m": 1}', expected_version => 1$$),
    ('an expected state in addition', $$'pos_1', 'FUNDED', 'r', '{"m": 1}', expected_state => 'CREATED'$$)
) AS v (difference, arguments);

-- A refusal and a transaction that is rolled back leave the key free.
SELECT throws_ok($$SELECT escrowgrid.escrow_transition('pos_2', 'RELEASED', idempotency_key => 'refused-1')$$,
    'ZE101', NULL,
    'a transition with an unused idempotency key from CREATED to RELEASED is refused');
SELECT is((SELECT count(*) FROM escrowgrid.idempotency_keys WHERE key = 'refused-1'), 0::bigint,
    'the idempotency key of a refused transition is not stored');
SELECT lives_ok($$SELECT escrowgrid.escrow_transition('pos_2', 'FUNDED', idempotency_key => 'refused-1')$$,
    'the idempotency key of a refused transition can be used for another request');
SAVEPOINT before_release;
SELECT version FROM escrowgrid.escrow_transition('pos_2', 'RELEASED', idempotency_key => 'undone-1') \g /dev/null
ROLLBACK TO SAVEPOINT before_release;
SELECT is(
    (SELECT state FROM escrowgrid.escrow_transition('pos_2', 'RELEASED', idempotency_key => 'undone-1')),
    'RELEASED',
    'a transition whose first call was rolled back to a savepoint is made when repeated with its idempotency key');

-- Batches.
INSERT INTO escrowgrid.positions (id, asset_id, holder_reference, currency, amount)
VALUES ('pos_6', 'ast_one', 'h', 'USD', 100), ('pos_7', 'ast_one', 'h', 'USD', 100);
SELECT is(
    (SELECT count(*)
     FROM escrowgrid.escrow_transition_batch('{pos_7,pos_6}', 'FUNDED', idempotency_key => 'batch-1')),
    2::bigint,
    'a batch of two positions with an idempotency key returns two rows');
SELECT version FROM escrowgrid.escrow_transition('pos_6', 'RELEASED') \g /dev/null
SELECT is(
    (SELECT string_agg(id || ' ' || state || ' ' || version, ', ' ORDER BY ordinality)
     FROM ROWS FROM (
         escrowgrid.escrow_transition_batch('{pos_7,pos_6}', 'FUNDED', idempotency_key => 'batch-1')
     ) WITH ORDINALITY AS t),
    'pos_7 FUNDED 2, pos_6 FUNDED 2',
    'a batch repeated with its idempotency key returns the rows as of the first call in the order asked');
SELECT throws_ok(
    $$SELECT escrowgrid.escrow_transition_batch('{pos_6,pos_7}', 'FUNDED', idempotency_key => 'batch-1')$$,
    'ZE003', NULL,
    'a batch with the idempotency key of a batch of the same positions in another order is refused');

-- Purging keys.
SELECT is(escrowgrid.escrow_purge_idempotency_keys('1 day'), 0::bigint,
    'escrow_purge_idempotency_keys() deletes no key that is younger than asked for');
SELECT throws_ok(format('SELECT escrowgrid.escrow_purge_idempotency_keys(%L)', age), 'ZE001', NULL,
    format('escrow_purge_idempotency_keys() refuses the age %s', coalesce(age, 'NULL')))
FROM unnest(ARRAY[NULL, '-1 day']) AS age;
SELECT ok(escrowgrid.escrow_purge_idempotency_keys('0') >= 6,
    'escrow_purge_idempotency_keys() returns the number of keys that it deleted');
SELECT is((SELECT count(*) FROM escrowgrid.idempotency_keys), 0::bigint,
    'escrow_purge_idempotency_keys() for the age 0 leaves no key');

SELECT * FROM finish();
ROLLBACK;
