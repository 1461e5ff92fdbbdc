-- A restore inserts complete rows with their hashes. That is no back door, not even for the owner of the tables: a row
-- that was never written by the extension cannot be moved and shows.
BEGIN;
SET search_path = public;
SELECT no_plan();
\ir include/table_owner.psql
\set institution_name Evidence
\ir include/fixtures.psql

CREATE ROLE regress_owner;
GRANT ALL ON SCHEMA escrowgrid TO regress_owner;
SELECT pg_temp.give_tables_to('regress_owner') \g /dev/null
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA escrowgrid TO regress_owner;
SET LOCAL ROLE regress_owner;

SELECT lives_ok(
    format(
        $$INSERT INTO escrowgrid.positions (id, institution_id, asset_id, holder_reference, currency, amount, state,
              created_at, updated_at, released_amount, version, head_hash)
          VALUES ('pos_forged', %L, %L, 'me', 'USD', 1000000, 'FUNDED', now(), now(), 0, 2, sha256('x'))$$,
        :'institution_id', :'asset_id'),
    'an INSERT of a complete position with a forged hash by the owner of the tables is taken as a restore');
SELECT throws_ok($$SELECT escrowgrid.escrow_transition('pos_forged', 'RELEASED')$$, 'ZE502', NULL,
    'escrow_transition() of a position with a forged hash is refused');
SELECT throws_ok($$UPDATE escrowgrid.positions SET state = 'RELEASED' WHERE id = 'pos_forged'$$, 'ZE502', NULL,
    'a raw UPDATE of a position with a forged hash is refused');

-- Events cannot be supplied afterwards: an inserted one has to fit to the position's version and hash.
SELECT throws_ok(
    format(
        $$INSERT INTO escrowgrid.position_events (id, position_id, from_state, to_state, at, created_at,
              institution_id, seq, amount, hash)
          SELECT 'ple_f2', p.id, 'CREATED', 'FUNDED', now(), now(), p.institution_id, %s, p.amount, sha256('y')
          FROM escrowgrid.positions AS p
          WHERE id = 'pos_forged'$$,
        seq),
    'ZE501', NULL,
    format('an INSERT of an event %s of a position is refused', what))
FROM (VALUES
    (3, 'beyond the version'),
    (2, 'that has the number of the version and not the hash of the head')
) AS v (seq, what);
SELECT ok(count(*) > 0, 'escrow_verify() reports event_missing for a position that was inserted without events')
FROM escrowgrid.escrow_verify()
WHERE position_id = 'pos_forged' AND discrepancy = 'event_missing';
SELECT throws_ok(
    format(
        $$INSERT INTO escrowgrid.ledger_events (id, kind, position_id, at, payload, created_at, institution_id)
          VALUES ('led_f', 'POSITION_CREATED', 'pos_none', now(), '{}', now(), %L)$$,
        :'institution_id'),
    'ZE002', NULL,
    'an INSERT of a ledger row of an unknown position is refused');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
