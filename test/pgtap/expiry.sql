-- escrow_expire_due(): moves positions whose expiry has passed, and no others, up to the number asked for.
BEGIN;
SET search_path = public;
SELECT no_plan();
\set suffix test
\ir include/known_ids.psql

-- Five positions that expire in a moment, one of them funded and one cancelled before, and one that expires tomorrow.
INSERT INTO escrowgrid.positions (id, asset_id, holder_reference, currency, amount, expires_at)
SELECT 'pos_due' || n, 'ast_test', 'h', 'USD', 100, clock_timestamp() + interval '1.5 s'
FROM generate_series(1, 5) AS n;
INSERT INTO escrowgrid.positions (id, asset_id, holder_reference, currency, amount, expires_at)
VALUES ('pos_later', 'ast_test', 'h', 'USD', 100, clock_timestamp() + interval '1 day');
SELECT version FROM escrowgrid.escrow_transition('pos_due1', 'FUNDED') \g /dev/null
SELECT version FROM escrowgrid.escrow_transition('pos_due2', 'CANCELLED') \g /dev/null
SELECT pg_sleep(1.6) \g /dev/null

SELECT is(escrowgrid.escrow_expire_due(3), 3, 'escrow_expire_due(3) expires three of four positions that are due');
SELECT is(escrowgrid.escrow_expire_due(), 1, 'escrow_expire_due() expires the one position that is still due');
SELECT is(escrowgrid.escrow_expire_due(), 0, 'escrow_expire_due() expires nothing when no position is due');
SELECT is(
    (SELECT string_agg(state, ' ' ORDER BY id) FROM escrowgrid.positions WHERE id LIKE 'pos_due%' OR id = 'pos_later'),
    'EXPIRED CANCELLED EXPIRED EXPIRED EXPIRED CREATED',
    'escrow_expire_due() leaves a cancelled position and one that is not due as they are');
SELECT is((SELECT refunded_amount FROM escrowgrid.positions WHERE id = 'pos_due1'), 100.00,
    'a funded position that escrow_expire_due() expired is refunded its whole amount');
SELECT throws_ok(format('SELECT escrowgrid.escrow_expire_due(%s)', n), 'ZE001', NULL,
    format('escrow_expire_due(%s) is refused: the number has to be from 1 to 100000', n))
FROM unnest(ARRAY['0', '-1', '100001', 'NULL']) AS n;

SELECT * FROM finish();
ROLLBACK;
