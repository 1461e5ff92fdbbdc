-- escrow_redact_event(): erases what a person wrote and keeps the chain whole; no other change of an event is taken,
-- also not by way of replication.
BEGIN;
SET search_path = public;
SELECT no_plan();
\ir include/chain.psql
\set institution_name Evidence
\ir include/fixtures.psql
SELECT id FROM escrowgrid.escrow_create_position(:'asset_id', 'h', 'USD', 1) \gset position_
SELECT version
FROM escrowgrid.escrow_transition(:'position_id', 'FUNDED', 'a reason', '{"name": "Jane"}') \g /dev/null

-- The event to erase, its hash, and the digest that has to take the place of its content.
SELECT e.id, encode(e.hash, 'hex') AS hash, encode(pg_temp.content_digest(e), 'hex') AS digest
FROM escrowgrid.position_events AS e
WHERE e.position_id = :'position_id' AND e.seq = 2
\gset event_

-- --- erasing
SELECT throws_ok(
    format(
        'UPDATE escrowgrid.position_events
         SET reason = NULL, metadata = NULL, salt = NULL, content_digest = ''\x%s''
         WHERE id = %L',
        :'event_digest', :'event_id'),
    'ZE501', NULL,
    'a raw UPDATE that erases an event as escrow_redact_event() would is refused');
SELECT is(encode(e.content_digest, 'hex'), :'event_digest',
    'escrow_redact_event() returns the event with the digest of its content')
FROM escrowgrid.escrow_redact_event(:'event_id') AS e;
SELECT is((SELECT (reason, metadata, salt)::text FROM escrowgrid.position_events WHERE id = :'event_id'), '(,,)',
    'a redacted event has neither reason nor metadata nor salt');
SELECT is(
    (SELECT encode(hash, 'hex') FROM escrowgrid.position_events WHERE id = :'event_id'),
    :'event_hash',
    'a redacted event has the hash that it had before');
SELECT is(
    (SELECT payload FROM escrowgrid.audit_events WHERE action = 'EVENT_REDACTED' AND resource_id = :'event_id'),
    jsonb_build_object('positionId', :'position_id'::text, 'seq', 2),
    'redacting an event leaves an audit row EVENT_REDACTED that names the position and the event''s number');
SELECT is_empty('SELECT * FROM escrowgrid.escrow_verify()',
    'escrow_verify() finds nothing wrong with a position one of whose events is redacted');
SELECT is_empty(
    $$SELECT id FROM escrowgrid.position_events WHERE position_events::text LIKE '%Jane%'
      UNION ALL
      SELECT id FROM escrowgrid.ledger_events WHERE ledger_events::text LIKE '%Jane%'
      UNION ALL
      SELECT id FROM escrowgrid.audit_events WHERE audit_events::text LIKE '%Jane%'$$,
    'no event, ledger row or audit row contains the metadata of a redacted event');
SELECT is(
    (SELECT escrowgrid.escrow_get_position(:'position_id') -> 'events' -> 1 -> 'reason'),
    'null'::jsonb,
    'escrow_get_position() gives the reason of a redacted event as null');

SELECT lives_ok(format('SELECT escrowgrid.escrow_redact_event(%L)', :'event_id'),
    'escrow_redact_event() for an event that is redacted is no error');
SELECT is((SELECT count(*) FROM escrowgrid.audit_events WHERE action = 'EVENT_REDACTED'), 1::bigint,
    'redacting an event twice leaves one audit row EVENT_REDACTED');
SELECT throws_ok('SELECT escrowgrid.escrow_redact_event(''ple_none'')', 'ZE002', NULL,
    'escrow_redact_event() for an unknown event is refused');
SELECT throws_ok('SELECT escrowgrid.escrow_redact_event(NULL)', 'ZE001', NULL,
    'escrow_redact_event() for NULL is refused');
SELECT lives_ok(
    format($$SELECT escrowgrid.escrow_transition(%L, 'PARTIALLY_RELEASED', amount => 0.5)$$, :'position_id'),
    'a position whose last event is redacted can be moved');

-- --- a subscriber takes a replicated erasure, and no other change
SELECT id
FROM escrowgrid.escrow_create_position(:'asset_id', 'h', 'USD', 9, metadata => '{"name": "Joe"}')
\gset other_position_
SELECT e.id, encode(pg_temp.content_digest(e), 'hex') AS digest
FROM escrowgrid.position_events AS e
WHERE e.position_id = :'other_position_id'
\gset other_event_
SET LOCAL session_replication_role = replica;
SELECT throws_ok(
    format(
        'UPDATE escrowgrid.position_events
         SET metadata = NULL, salt = NULL, content_digest = sha256(''x'')
         WHERE id = %L',
        :'other_event_id'),
    'ZE501', NULL,
    'a replicated erasure with a digest that is not that of the content is refused');
SELECT throws_ok(
    format(
        'UPDATE escrowgrid.position_events
         SET metadata = NULL, salt = NULL, seq = 2, content_digest = ''\x%s''
         WHERE id = %L',
        :'other_event_digest', :'other_event_id'),
    'ZE501', NULL,
    'a replicated erasure that changes the number of the event as well is refused');
SELECT throws_ok(format('DELETE FROM escrowgrid.position_events WHERE id = %L', :'other_event_id'), 'ZE501', NULL,
    'a replicated DELETE of an event is refused');
SELECT lives_ok(
    format(
        'UPDATE escrowgrid.position_events
         SET metadata = NULL, salt = NULL, content_digest = ''\x%s''
         WHERE id = %L',
        :'other_event_digest', :'other_event_id'),
    'a replicated erasure with the digest of the content is taken');
SELECT throws_ok(
    format(
        $$INSERT INTO escrowgrid.position_events
          SELECT 'ple_fork', position_id, from_state, to_state, reason, at, metadata, created_at, institution_id,
              2, amount, NULL, salt, sha256('x')
          FROM escrowgrid.position_events
          WHERE id = %L$$,
        :'event_id'),
    '23505', NULL,
    'a replicated INSERT of a second event with the same number is refused');
SET LOCAL session_replication_role = origin;
SELECT bag_eq('SELECT discrepancy FROM escrowgrid.escrow_verify()', ARRAY['erasure_unrecorded'],
    'escrow_verify() reports a replicated erasure whose audit row has not been replicated');

SELECT * FROM finish();
ROLLBACK;
