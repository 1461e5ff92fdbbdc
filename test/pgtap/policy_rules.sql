-- What policies enforce, at, below and above each limit and without one. Each case asks escrow_explain_*, escrow_try_*
-- and the real call, which have to agree.
BEGIN;
SET search_path = public;
SELECT no_plan();
\ir include/verdicts.psql
\set institution_name P
\ir include/fixtures.psql

-- --- creations
SELECT is(pg_temp.creation(:'institution_id', :'asset_id', config, arguments), expected,
    format('under the policy %s creating a position with (%s) %s', config, arguments, pg_temp.in_words(expected)))
FROM (VALUES
    -- nothing that limits
    ('{}', $$'USD', 1$$, 'ok'),
    ('{"position": {}}', $$'USD', 1$$, 'ok'),
    -- amounts
    ('{"position": {"minAmount": 5}}', $$'USD', 5$$, 'ok'),
    ('{"position": {"minAmount": 5}}', $$'USD', 4.99$$, 'ZE201 policy.minAmount'),
    ('{"position": {"minAmount": 5}}', $$'USD', 5.01$$, 'ok'),
    ('{"position": {"maxAmount": 5}}', $$'USD', 5$$, 'ok'),
    ('{"position": {"maxAmount": 5}}', $$'USD', 5.01$$, 'ZE201 policy.maxAmount'),
    ('{"position": {"maxAmount": 5}}', $$'USD', 4.99$$, 'ok'),
    -- currencies
    ('{"position": {"allowedCurrencies": ["EUR", "USD"]}}', $$'USD', 1$$, 'ok'),
    ('{"position": {"allowedCurrencies": ["EUR"]}}', $$'USD', 1$$, 'ZE201 policy.allowedCurrencies'),
    -- tenor; a position without expiry has no end
    ('{"position": {"maxTenorDays": 10}}', $$'USD', 1, expires_at => now() + '10 days'$$, 'ok'),
    ('{"position": {"maxTenorDays": 10}}', $$'USD', 1, expires_at => now() + '10 days 1 minute'$$,
        'ZE201 policy.maxTenorDays'),
    ('{"position": {"maxTenorDays": 10}}', $$'USD', 1, expires_at => now() + '1 day'$$, 'ok'),
    ('{"position": {"maxTenorDays": 10}}', $$'USD', 1$$, 'ZE201 policy.maxTenorDays'),
    -- exposure, by currency
    ('{"position": {"maxOpenAmount": {"USD": 10}}}', $$'USD', 10$$, 'ok'),
    ('{"position": {"maxOpenAmount": {"USD": 10}}}', $$'USD', 10.01$$, 'ZE201 policy.maxOpenAmount'),
    ('{"position": {"maxOpenAmount": {"USD": 10}}}', $$'EUR', 99$$, 'ok'),
    -- required metadata: the key has to be there, whatever its value
    ('{"position": {"requiredMetadata": {"CREATED": ["contract"]}}}', $$'USD', 1, metadata => '{"contract": null}'$$,
        'ok'),
    ('{"position": {"requiredMetadata": {"CREATED": ["contract"]}}}', $$'USD', 1, metadata => '{"other": 1}'$$,
        'ZE201 policy.requiredMetadata'),
    ('{"position": {"requiredMetadata": {"CREATED": ["contract"]}}}', $$'USD', 1$$, 'ZE201 policy.requiredMetadata'),
    ('{"position": {"requiredMetadata": {"FUNDED": ["x"]}}}', $$'USD', 1$$, 'ok'),
    ('{"position": {"requiredMetadata": {"CREATED": []}}}', $$'USD', 1$$, 'ok'),
    -- several rules at once; and requests that are wrong anyway, which is what they are refused for
    ('{"position": {"minAmount": 5, "allowedCurrencies": ["EUR"]}}', $$'USD', 1$$,
        'ZE201 policy.minAmount,policy.allowedCurrencies'),
    ('{"position": {"minAmount": 5}}', $$'USD', 0.001$$, 'ZE301 policy.minAmount'),
    ('{"position": {"minAmount": 5}}', $$'USD', 'NaN'$$, 'ZE301'),
    ('{"position": {"minAmount": 5}}', $$'XXQ', 1$$, 'ZE001'),
    ('{}', $$'USD', 1, metadata => '{"n": 1e131071}'$$, 'ZE001'),
    ('{}', $$'USD', 1, expires_at => now() - interval '1 day'$$, 'ZE001')
) AS v (config, arguments, expected);
SELECT is(pg_temp.creation(:'institution_id', 'ast_nobody', '{}', $$'USD', 1$$), 'ZE002',
    'creating a position of an unknown asset is refused with ZE002');

-- As many required keys as a policy can hold, with characters that JSON escapes: the refusal still counts all of them.
SELECT region
FROM escrowgrid.escrow_set_policy(:'institution_id', 'US', (
    SELECT jsonb_build_object('position', jsonb_build_object('requiredMetadata',
        jsonb_build_object('CREATED', jsonb_agg(repeat(E'"\\\x01', 15) || n))))
    FROM generate_series(1, 64) AS n))
\g /dev/null
SELECT is(
    (SELECT sqlstate || ' ' || (detail ->> 'violation_count')
     FROM escrowgrid.escrow_try_create_position(:'asset_id', 'h', 'USD', 1)),
    'ZE201 64',
    'the detail of the refusal of a creation that lacks 64 required keys counts 64 violations');
SELECT is(
    (SELECT count(*)
     FROM escrowgrid.escrow_explain_create_position(:'asset_id', 'h', 'USD', 1)
     WHERE rule = 'policy.requiredMetadata' AND NOT passed),
    64::bigint,
    'escrow_explain_create_position() for a creation that lacks 64 required keys has a row for each of them');
SELECT region FROM escrowgrid.escrow_set_policy(:'institution_id', 'US', '{}') \g /dev/null

-- --- transitions of a position in CREATED
SELECT id FROM escrowgrid.escrow_create_position(:'asset_id', 'h', 'USD', 100) \gset position_
SELECT is(pg_temp.transition(:'institution_id', :'position_id', config, arguments), expected,
    format('under the policy %s moving a position from CREATED to (%s) %s',
        config, arguments, pg_temp.in_words(expected)))
FROM (VALUES
    ('{"position": {"requiredMetadata": {"FUNDED": ["reference", "bank"]}}}',
        $$'FUNDED', metadata => '{"reference": 1, "bank": 2}'$$, 'ok'),
    ('{"position": {"requiredMetadata": {"FUNDED": ["reference", "bank"]}}}',
        $$'FUNDED', metadata => '{"reference": 1}'$$, 'ZE201 policy.requiredMetadata'),
    ('{"position": {"requiredMetadata": {"FUNDED": ["reference"]}}}', $$'CANCELLED'$$, 'ok'),
    ('{"position": {"requiredMetadata": {"FUNDED": ["reference"]}}}', $$'RELEASED'$$, 'ZE101'),
    ('{}', $$'PAID'$$, 'ZE001'),
    ('{}', $$NULL$$, 'ZE001'),
    ('{}', $$'FUNDED', expected_version => 9$$, 'ZE102'),
    ('{"position": {"minAmount": 1000}}', $$'FUNDED'$$, 'ok')
) AS v (config, arguments, expected);
SELECT is(pg_temp.transition(:'institution_id', 'pos_nobody', '{}', $$'FUNDED'$$), 'ZE002',
    'moving an unknown position is refused with ZE002');

-- --- transitions of a position in FUNDED
SELECT region FROM escrowgrid.escrow_set_policy(:'institution_id', 'US', '{}') \g /dev/null
SELECT version FROM escrowgrid.escrow_transition(:'position_id', 'FUNDED') \g /dev/null
SELECT is(pg_temp.transition(:'institution_id', :'position_id', config, arguments), expected,
    format('under the policy %s moving a position from FUNDED to (%s) %s',
        config, arguments, pg_temp.in_words(expected)))
FROM (VALUES
    ('{"position": {"requireReleaseAmount": true}}', $$'PARTIALLY_RELEASED'$$, 'ZE201 policy.requireReleaseAmount'),
    ('{"position": {"requireReleaseAmount": true}}', $$'PARTIALLY_RELEASED', amount => 1$$, 'ok'),
    ('{"position": {"requireReleaseAmount": false}}', $$'PARTIALLY_RELEASED'$$, 'ok'),
    ('{"position": {"requireReleaseAmount": true}}', $$'RELEASED'$$, 'ok'),
    ('{"position": {"requireReleaseAmount": true}}', $$'PARTIALLY_RELEASED', amount => 100$$, 'ZE302'),
    ('{}', $$'RELEASED', amount => 99$$, 'ZE301')
) AS v (config, arguments, expected);

-- --- maxOpenAmount counts what is created or held in the region and the currency, and not what was released
SELECT region
FROM escrowgrid.escrow_set_policy(:'institution_id', 'US', '{"position": {"maxOpenAmount": {"USD": 150}}}')
\g /dev/null
SELECT is(pg_temp.verdicts(format($$create_position(%L, 'h', 'USD', 50)$$, :'asset_id')), 'ok',
    'with 100 of a maxOpenAmount of 150 held, creating a position of 50 is allowed');
SELECT is(pg_temp.verdicts(format($$create_position(%L, 'h', 'USD', 50.01)$$, :'asset_id')),
    'ZE201 policy.maxOpenAmount',
    'with 100 of a maxOpenAmount of 150 held, creating a position of 50.01 is refused');
SELECT version
FROM escrowgrid.escrow_transition(:'position_id', 'PARTIALLY_RELEASED', amount => 40) \g /dev/null
SELECT is(pg_temp.verdicts(format($$create_position(%L, 'h', 'USD', 90)$$, :'asset_id')), 'ok',
    'after 40 of the 100 held were released, a maxOpenAmount of 150 allows a position of 90');
SELECT throws_ok(
    format(
        $$INSERT INTO escrowgrid.positions (asset_id, holder_reference, currency, amount)
          VALUES (%L, 'h', 'USD', 90.01)$$,
        :'asset_id'),
    'ZE201', NULL,
    'a raw INSERT of a position that exceeds maxOpenAmount is refused');
SELECT throws_ok(
    format(
        $$INSERT INTO escrowgrid.positions (asset_id, holder_reference, currency, amount)
          SELECT %L, 'h', 'USD', 60 FROM generate_series(1, 2)$$,
        :'asset_id'),
    'ZE201', NULL,
    'a raw INSERT of two positions that only together exceed maxOpenAmount is refused');

SELECT * FROM finish();
ROLLBACK;
