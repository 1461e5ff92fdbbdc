-- What direct writing reads without SPI: the asset and its rules as they are at each call, and rows that the same
-- statement or transaction has written.
BEGIN;
SET search_path = public;
SELECT no_plan();
\set institution_name Direct
\set policy '{"position": {"maxAmount": 5000}}'
\ir include/direct.psql
SAVEPOINT plain;

-- --- an asset whose table has a child is read through SPI, and its rules are parsed into memory of the call
CREATE TABLE public.more_assets () INHERITS (escrowgrid.assets);
SELECT pg_temp.funded() AS p \gset
SELECT is((SELECT state FROM escrowgrid.escrow_transition(:'p', 'RELEASED')), 'RELEASED',
    'a transition succeeds when the table assets has a child table and the asset is read through SPI');
SELECT throws_ok('SELECT pg_temp.created(9999)', 'ZE201', NULL,
    'a creation that violates the policy is refused when the asset is read through SPI');
ROLLBACK TO plain;

-- --- foreign keys that direct writing proves instead of checking them
SELECT throws_ok($$SELECT escrowgrid.escrow_create_position('ast_none', 'h', 'USD', 1)$$, 'ZE002', NULL,
    'a creation for an unknown asset is refused');
SELECT pg_temp.funded() AS p \gset
SELECT throws_ok(format($$DELETE FROM escrowgrid.assets WHERE id = %L$$, :'asset_id'), '23503', NULL,
    'deleting an asset that has a position is refused');
SELECT is_empty(
    $$SELECT e.id
      FROM escrowgrid.position_events AS e
      LEFT JOIN escrowgrid.positions AS p ON p.id = e.position_id
      WHERE p.id IS NULL$$,
    'every event written directly has its position');

-- --- in one statement, and after a change of the policy in the same transaction
SELECT is(
    (SELECT string_agg(version::text, ' ')
     FROM (VALUES ('PARTIALLY_RELEASED', 1), ('PARTIALLY_RELEASED', 2), ('RELEASED', NULL)) AS s (state, amount),
         LATERAL escrowgrid.escrow_transition(:'p', s.state, amount => s.amount)),
    '3 4 5',
    'each of three transitions of a position in one statement sees the ones before it');
SELECT throws_ok('SELECT pg_temp.created(9999)', 'ZE201', NULL,
    'a creation that violates the policy is refused');
SELECT region
FROM escrowgrid.escrow_set_policy(:'institution_id', 'US', '{"position": {"maxAmount": 20000}}') \g /dev/null
SELECT lives_ok('SELECT pg_temp.created(9999)',
    'a creation that the policy allows since it was set anew in the same transaction succeeds');
SAVEPOINT looser;
SELECT region
FROM escrowgrid.escrow_set_policy(:'institution_id', 'US', '{"position": {"maxAmount": 1}}') \g /dev/null
SELECT throws_ok('SELECT pg_temp.created(9999)', 'ZE201', NULL,
    'a creation that the policy forbids since it was set anew in a subtransaction is refused');
ROLLBACK TO looser;
SELECT lives_ok('SELECT pg_temp.created(9999)',
    'a creation that the policy forbade in a subtransaction succeeds after the subtransaction was rolled back');

SELECT is_empty('SELECT * FROM escrowgrid.escrow_verify()',
    'escrow_verify() finds nothing wrong with what was written directly');
SELECT * FROM finish();
ROLLBACK;
