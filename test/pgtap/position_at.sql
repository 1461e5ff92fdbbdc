-- escrow_position_at(): a position as it was at a time.
BEGIN;
SET search_path = public;
SELECT no_plan();
\set suffix test
\ir include/known_ids.psql
INSERT INTO escrowgrid.positions (id, asset_id, holder_reference, currency, amount)
VALUES ('pos_test', 'ast_test', 'h', 'USD', 100);
SELECT version FROM escrowgrid.escrow_transition('pos_test', 'FUNDED') \g /dev/null
SELECT version FROM escrowgrid.escrow_transition('pos_test', 'PARTIALLY_RELEASED', amount => 30) \g /dev/null
SELECT version FROM escrowgrid.escrow_transition('pos_test', 'CANCELLED') \g /dev/null

SELECT is(
    (SELECT (state, amount, released_amount, refunded_amount, held_amount, version)::text
     FROM escrowgrid.escrow_position_at('pos_test',
         (SELECT at FROM escrowgrid.position_events WHERE position_id = 'pos_test' AND seq = 3))),
    '(PARTIALLY_RELEASED,100.00,30.00,0,70.00,3)',
    'escrow_position_at() at the time of an event gives the state and the amounts that the event led to');
SELECT is(
    (SELECT (state, held_amount, version)::text FROM escrowgrid.escrow_position_at('pos_test', 'infinity')),
    '(CANCELLED,0,4)',
    'escrow_position_at() at infinity gives the last state');
SELECT is((SELECT version FROM escrowgrid.escrow_position_at('pos_test', '-infinity')), NULL,
    'escrow_position_at() at a time before the position was created gives NULL');
SELECT throws_ok($$SELECT escrowgrid.escrow_position_at('pos_nobody', now())$$, 'ZE002', NULL,
    'escrow_position_at() for an unknown position is refused');
SELECT throws_ok($$SELECT escrowgrid.escrow_position_at('pos_test', NULL)$$, 'ZE001', NULL,
    'escrow_position_at() without a time is refused');

SELECT * FROM finish();
ROLLBACK;
