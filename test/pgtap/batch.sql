-- escrow_transition_batch(): the order of the rows, amounts, what is refused, all or nothing.
BEGIN;
SET search_path = public;
SELECT no_plan();
\set suffix one
\ir include/known_ids.psql
\set suffix two
\ir include/known_ids.psql
INSERT INTO escrowgrid.positions (id, asset_id, holder_reference, currency, amount)
SELECT 'pos_' || n, 'ast_one', 'h', 'USD', 100 FROM generate_series(3, 7) AS n;
INSERT INTO escrowgrid.positions (id, asset_id, holder_reference, currency, amount)
VALUES ('pos_other', 'ast_two', 'h', 'USD', 100);

SELECT is(
    (SELECT array_agg(id ORDER BY ordinality)
     FROM ROWS FROM (
         escrowgrid.escrow_transition_batch('{pos_5,pos_3,pos_4}', 'FUNDED', 'together')
     ) WITH ORDINALITY AS t),
    '{pos_5,pos_3,pos_4}',
    'a batch returns its rows in the order of the ids in the argument');
SELECT is(
    (SELECT array_agg(released_amount ORDER BY ordinality)
     FROM ROWS FROM (
         escrowgrid.escrow_transition_batch('{pos_4,pos_3}', 'PARTIALLY_RELEASED', amounts => '{4,3}')
     ) WITH ORDINALITY AS t),
    '{4.00,3.00}',
    'a batch with amounts releases for each position the amount at the same place in the array');
SELECT is(
    (SELECT array_agg(DISTINCT path)
     FROM escrowgrid.audit_events
     WHERE resource_id = 'pos_3' AND action = 'POSITION_TRANSITIONED'),
    ARRAY['escrow_transition_batch'],
    'the audit rows of a batch name escrow_transition_batch as their path');

-- pos_6 and pos_7 are CREATED and can be funded; everything else about these batches is wrong.
SELECT throws_ok(format('SELECT escrowgrid.escrow_transition_batch(%s)', arguments), code, NULL,
    format('a batch with %s is refused with %s', what, code))
FROM (VALUES
    ('no position', $$'{}', 'FUNDED'$$, 'ZE001'),
    ('NULL for the positions', $$NULL, 'FUNDED'$$, 'ZE001'),
    ('the same position twice', $$'{pos_6,pos_6}', 'FUNDED'$$, 'ZE001'),
    ('NULL among the positions', $$'{pos_6,NULL}', 'FUNDED'$$, 'ZE001'),
    ('more amounts than positions', $$'{pos_6}', 'FUNDED', amounts => '{1,2}'$$, 'ZE001'),
    ('NULL among the amounts', $$'{pos_6,pos_7}', 'FUNDED', amounts => '{100,NULL}'$$, 'ZE001'),
    ('an unknown target state', $$'{pos_6}', 'PAID'$$, 'ZE001'),
    ('NULL for the target state', $$'{pos_6}', NULL$$, 'ZE001'),
    ('an unknown position', $$'{pos_6,pos_nobody}', 'FUNDED'$$, 'ZE002'),
    ('positions of two institutions', $$'{pos_6,pos_other}', 'FUNDED'$$, 'ZE001'),
    ('a position whose state does not allow the transition', $$'{pos_6,pos_5}', 'FUNDED'$$, 'ZE101'),
    ('an expected state that a position does not have', $$'{pos_6}', 'FUNDED', expected_state => 'FUNDED'$$, 'ZE102'),
    ('a funding amount that is not the position''s', $$'{pos_6,pos_7}', 'FUNDED', amounts => '{100,99}'$$, 'ZE301'),
    ('10,001 positions', $$(SELECT array_agg('pos_' || n) FROM generate_series(1, 10001) AS n), 'FUNDED'$$, 'ZE001')
) AS v (what, arguments, code);
SELECT is(
    (SELECT count(*) FROM escrowgrid.positions WHERE id IN ('pos_6', 'pos_7') AND state = 'CREATED'),
    2::bigint,
    'a batch that is refused because of one position moves none of the others');

SELECT * FROM finish();
ROLLBACK;
