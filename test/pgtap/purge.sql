-- escrow_purge_institution(): deletes an institution that holds no money, with everything but its audit rows, and
-- leaves a tombstone by which earlier checkpoints still verify.
BEGIN;
SET search_path = public;
SELECT no_plan();
\ir include/chain.psql
\set institution_name Evidence
\ir include/fixtures.psql
SELECT id FROM escrowgrid.escrow_create_institution('Other', '{US}') \gset other_institution_

-- Of the institution: 19 positions, one of which is funded, has an event that is redacted and holds money; one that has
-- an erasure without an audit row; checkpoints from before and after; a policy and an API key.
SELECT count(p)
FROM generate_series(1, 18) AS n, LATERAL escrowgrid.escrow_create_position(:'asset_id', 'h', 'USD', n) AS p
\g /dev/null
SELECT position_count FROM escrowgrid.escrow_checkpoint() \g /dev/null
SELECT id FROM escrowgrid.positions ORDER BY id LIMIT 1 \gset position_
SELECT version
FROM escrowgrid.escrow_transition(:'position_id', 'FUNDED', 'a reason', '{"name": "Jane"}') \g /dev/null
SELECT position_count FROM escrowgrid.escrow_checkpoint() \g /dev/null
SELECT id FROM escrowgrid.position_events WHERE position_id = :'position_id' AND seq = 2 \gset event_
SELECT id FROM escrowgrid.escrow_redact_event(:'event_id') \g /dev/null
SELECT version
FROM escrowgrid.escrow_transition(:'position_id', 'PARTIALLY_RELEASED', amount => 0.5) \g /dev/null
SELECT id
FROM escrowgrid.escrow_create_position(:'asset_id', 'h', 'USD', 9, metadata => '{"name": "Joe"}')
\gset erased_position_
SET LOCAL session_replication_role = replica;
UPDATE escrowgrid.position_events AS e
SET metadata = NULL, salt = NULL, content_digest = pg_temp.content_digest(e)
WHERE e.position_id = :'erased_position_id';
SET LOCAL session_replication_role = origin;
SELECT region FROM escrowgrid.escrow_set_policy(:'institution_id', 'US', '{}') \g /dev/null
SELECT id FROM escrowgrid.escrow_create_api_key(:'institution_id', 'k', 'admin') \g /dev/null
SELECT bag_eq('SELECT discrepancy FROM escrowgrid.escrow_verify()', ARRAY['erasure_unrecorded'],
    'before the purge escrow_verify() reports the one erasure without an audit row');

-- --- what is refused
SELECT throws_ok(format($$SELECT escrowgrid.escrow_purge_institution(%L, 'Evidence')$$, :'institution_id'),
    'ZE501', NULL,
    'purging an institution while one of its positions holds money is refused');
SELECT version FROM escrowgrid.escrow_transition(:'position_id', 'CANCELLED') \g /dev/null
SELECT throws_ok(format($$SELECT escrowgrid.escrow_purge_institution(%L, 'evidence')$$, :'institution_id'),
    'ZE001', NULL,
    'purging an institution with its name in another case as confirmation is refused');
SELECT throws_ok(format($$SELECT escrowgrid.escrow_purge_institution(%L, NULL)$$, :'institution_id'), 'ZE001', NULL,
    'purging an institution with NULL as confirmation is refused');
SELECT throws_ok($$SELECT escrowgrid.escrow_purge_institution('inst_none', 'x')$$, 'ZE002', NULL,
    'purging an unknown institution is refused');
SELECT throws_ok($$SELECT escrowgrid.escrow_purge_institution(NULL, 'x')$$, 'ZE001', NULL,
    'purging the institution NULL is refused');
SELECT throws_ok(format('DELETE FROM escrowgrid.positions WHERE institution_id = %L', :'institution_id'),
    'ZE501', NULL,
    'a raw DELETE of the positions of an institution that could be purged is refused');

-- --- what goes and what stays
SELECT count(*) AS audits FROM escrowgrid.audit_events WHERE institution_id = :'institution_id' \gset
SELECT results_eq(
    format($$SELECT * FROM escrowgrid.escrow_purge_institution(%L, 'Evidence')$$, :'institution_id'),
    $$VALUES (19::bigint, 22::bigint, 24::bigint)$$,
    'escrow_purge_institution() returns the numbers of positions, events and ledger rows that it deleted');
SELECT is_empty(format('SELECT id FROM escrowgrid.%I WHERE institution_id = %L', relation, :'institution_id'),
    format('after a purge %s has no row of the institution', relation))
FROM unnest(ARRAY['asset_templates', 'assets', 'positions', 'position_events', 'ledger_events',
    'institution_policies', 'api_keys']) AS relation;
SELECT is_empty(format('SELECT id FROM escrowgrid.institutions WHERE id = %L', :'institution_id'),
    'after a purge the institution''s own row is gone');
SELECT is(
    (SELECT count(*) FROM escrowgrid.audit_events WHERE institution_id = :'institution_id'),
    :audits + 2::bigint,
    'a purge deletes no audit row of the institution and adds the two of its tombstone');
SELECT is(
    (SELECT sum(jsonb_array_length(payload -> 'heads'))
     FROM escrowgrid.audit_events
     WHERE action = 'INSTITUTION_PURGED'),
    19::bigint,
    'the tombstone of a purge has the last head of each of the 19 positions');

-- --- checkpoints from before and after the purge
SELECT is_empty('SELECT * FROM escrowgrid.escrow_verify()',
    'escrow_verify() finds nothing wrong after a purge, also not with checkpoints from before it');
SELECT is((SELECT position_count FROM escrowgrid.escrow_checkpoint()), 0::bigint,
    'a checkpoint made after the purge of the only institution with positions counts none');
SELECT is_empty('SELECT * FROM escrowgrid.escrow_verify()',
    'escrow_verify() finds nothing wrong with a checkpoint made after a purge');

SELECT lives_ok('DROP EXTENSION escrowgrid CASCADE', 'DROP EXTENSION succeeds when there are no positions');

SELECT * FROM finish();
ROLLBACK;
