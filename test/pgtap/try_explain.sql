-- escrow_try_*: a refusal comes back as a row, and its audit row is in the caller's transaction. escrow_explain_*
-- writes nothing.
BEGIN;
SET search_path = public;
SELECT no_plan();
\set institution_name E
\ir include/fixtures.psql
SELECT id FROM escrowgrid.escrow_create_position(:'asset_id', 'h', 'USD', 100) \gset position_
SELECT version FROM escrowgrid.escrow_transition(:'position_id', 'FUNDED') \g /dev/null
SELECT version
FROM escrowgrid.escrow_transition(:'position_id', 'PARTIALLY_RELEASED', amount => 60) \g /dev/null

-- --- explain
SELECT count(*) AS audits FROM escrowgrid.audit_events \gset before_
SELECT count(*) FROM escrowgrid.escrow_explain_transition(:'position_id', 'FUNDED') \g /dev/null
SELECT count(*) FROM escrowgrid.escrow_explain_create_position(:'asset_id', 'h', 'USD', -1) \g /dev/null
SELECT is((SELECT count(*) FROM escrowgrid.audit_events), :before_audits::bigint,
    'escrow_explain_* for a transition and a creation that would be refused writes no audit row');

-- --- try: the refusal as a row
SELECT * FROM escrowgrid.escrow_try_transition(:'position_id', 'FUNDED') \gset told_
SELECT is((:'told_ok', :'told_sqlstate', :'told_condition')::text, '(f,ZE101,invalid_transition)',
    'escrow_try_transition() from PARTIALLY_RELEASED to FUNDED returns false, ZE101 and invalid_transition');
SELECT matches(:'told_message'::text, 'cannot go from',
    'escrow_try_transition() from PARTIALLY_RELEASED to FUNDED returns the message of the refusal');
SELECT is((:'told_detail'::jsonb) ->> 'state', 'PARTIALLY_RELEASED',
    'escrow_try_transition() from PARTIALLY_RELEASED to FUNDED returns the detail of the refusal');
SELECT isnt(:'told_hint'::text, '',
    'escrow_try_transition() from PARTIALLY_RELEASED to FUNDED returns the hint of the refusal');

-- --- try: the audit row, whose action tells the kind of refusal
SELECT is(
    (SELECT (action, outcome, status_code, resource_id, error ->> 'state')::text
     FROM escrowgrid.audit_events
     ORDER BY id DESC
     LIMIT 1),
    format('(VALIDATION_FAILED,failure,409,%s,PARTIALLY_RELEASED)', :'position_id'),
    'escrow_try_transition() from PARTIALLY_RELEASED to FUNDED leaves an audit row VALIDATION_FAILED');
SELECT sqlstate FROM escrowgrid.escrow_try_transition('pos_nobody', 'RELEASED') \g /dev/null
SELECT is((SELECT action FROM escrowgrid.audit_events ORDER BY id DESC LIMIT 1), 'RESOURCE_NOT_FOUND',
    'escrow_try_transition() of an unknown position leaves an audit row RESOURCE_NOT_FOUND');
SELECT sqlstate
FROM escrowgrid.escrow_try_transition(:'position_id', 'RELEASED', expected_version => 99) \g /dev/null
SELECT is((SELECT action FROM escrowgrid.audit_events ORDER BY id DESC LIMIT 1), 'CONCURRENCY_CONFLICT',
    'escrow_try_transition() with an expected version the position does not have leaves an audit row'
    ' CONCURRENCY_CONFLICT');

-- --- try with an idempotency key
SELECT sqlstate
FROM escrowgrid.escrow_try_transition(:'position_id', 'FUNDED', idempotency_key => 'told') \g /dev/null
SELECT is((SELECT count(*) FROM escrowgrid.idempotency_keys WHERE key = 'told'), 0::bigint,
    'escrow_try_transition() that is refused stores no idempotency key');
SELECT is(
    (SELECT (result).state
     FROM escrowgrid.escrow_try_transition(:'position_id', 'RELEASED', idempotency_key => 'told')),
    'RELEASED',
    'escrow_try_transition() that succeeds returns the position''s row in result');

SELECT * FROM finish();
ROLLBACK;
