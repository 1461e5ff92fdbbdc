-- escrow_set_policy(), escrow_get_policy() and escrow_list_policies(): which configs are refused, with which code and
-- hint, and what is audited.
BEGIN;
SET search_path = public;
SELECT no_plan();
SELECT id FROM escrowgrid.escrow_create_institution('P', '{US,SG}') \gset institution_

-- --- configs that are refused
SELECT throws_ok(format('SELECT escrowgrid.escrow_set_policy(%L, ''US'', %L)', :'institution_id', config), code, NULL,
    format('a policy with the config %s is refused with %s', config, code))
FROM (VALUES
    -- the document
    ('[]', 'ZE001'),
    ('"x"', 'ZE001'),
    ('null', 'ZE001'),
    ('{"positon": {}}', 'ZE001'),
    ('{"position": 1}', 'ZE001'),
    ('{"position": []}', 'ZE001'),
    ('{"position": null}', 'ZE001'),
    ('{"position": {"minAmout": 1}}', 'ZE001'),
    -- amounts
    ('{"position": {"minAmount": "1"}}', 'ZE001'),
    ('{"position": {"minAmount": null}}', 'ZE001'),
    ('{"position": {"minAmount": 0}}', 'ZE301'),
    ('{"position": {"minAmount": -1}}', 'ZE301'),
    ('{"position": {"minAmount": 1e200}}', 'ZE001'),
    ('{"position": {"maxAmount": 1e16}}', 'ZE301'),
    ('{"position": {"maxAmount": {}}}', 'ZE001'),
    ('{"position": {"maxAmount": null}}', 'ZE001'),
    ('{"position": {"minAmount": 2, "maxAmount": 1}}', 'ZE001'),
    -- currencies
    ('{"position": {"allowedCurrencies": null}}', 'ZE001'),
    ('{"position": {"allowedCurrencies": "USD"}}', 'ZE001'),
    ('{"position": {"allowedCurrencies": []}}', 'ZE001'),
    ('{"position": {"allowedCurrencies": [1]}}', 'ZE001'),
    ('{"position": {"allowedCurrencies": [null]}}', 'ZE001'),
    ('{"position": {"allowedCurrencies": ["XXQ"]}}', 'ZE001'),
    ('{"position": {"allowedCurrencies": [["USD"]]}}', 'ZE001'),
    -- releases without an amount, tenor
    ('{"position": {"requireReleaseAmount": 1}}', 'ZE001'),
    ('{"position": {"requireReleaseAmount": null}}', 'ZE001'),
    ('{"position": {"maxTenorDays": 0}}', 'ZE001'),
    ('{"position": {"maxTenorDays": 1.5}}', 'ZE001'),
    ('{"position": {"maxTenorDays": 36501}}', 'ZE001'),
    ('{"position": {"maxTenorDays": "9"}}', 'ZE001'),
    ('{"position": {"maxTenorDays": null}}', 'ZE001'),
    -- exposure
    ('{"position": {"maxOpenAmount": 5}}', 'ZE001'),
    ('{"position": {"maxOpenAmount": {"USD": "5"}}}', 'ZE001'),
    ('{"position": {"maxOpenAmount": {"USD": 0}}}', 'ZE301'),
    ('{"position": {"maxOpenAmount": {"XXQ": 5}}}', 'ZE001'),
    ('{"position": {"maxOpenAmount": {"USD": {"x": 1}}}}', 'ZE001'),
    ('{"position": {"maxOpenAmount": null}}', 'ZE001'),
    -- required metadata
    ('{"position": {"requiredMetadata": ["x"]}}', 'ZE001'),
    ('{"position": {"requiredMetadata": {"PAID": ["x"]}}}', 'ZE001'),
    ('{"position": {"requiredMetadata": {"FUNDED": "x"}}}', 'ZE001'),
    ('{"position": {"requiredMetadata": {"FUNDED": [1]}}}', 'ZE001'),
    ('{"position": {"requiredMetadata": null}}', 'ZE001')
) AS v (config, code);

-- --- other arguments that are refused
SELECT throws_ok(
    format('SELECT escrowgrid.escrow_set_policy(%s)', replace(arguments, 'INST', quote_literal(:'institution_id'))),
    code, NULL,
    format('escrow_set_policy() for %s is refused with %s', what, code))
FROM (VALUES
    ('the institution NULL', $$NULL, 'US', '{}'$$, 'ZE001'),
    ('an unknown institution', $$'inst_nobody', 'US', '{}'$$, 'ZE002'),
    ('an unknown region', $$INST, 'MARS', '{}'$$, 'ZE001'),
    ('the region NULL', $$INST, NULL, '{}'$$, 'ZE001'),
    ('a region that the institution does not have', $$INST, 'UAE', '{}'$$, 'ZE001'),
    ('the config NULL', $$INST, 'US', NULL$$, 'ZE001')
) AS v (what, arguments, code);

-- --- an unknown key is named, with the nearest known one as the hint
CREATE FUNCTION pg_temp.hint(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    hint text;
BEGIN
    EXECUTE statement;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
    RETURN hint;
END $$;
SELECT format($$SELECT escrowgrid.escrow_set_policy(%L, 'US', '{"position": {"minAmout": 1}}')$$, :'institution_id')
    AS misspelt
\gset
SELECT throws_like(:'misspelt', '%unknown key "minAmout"%',
    'the error about a policy with the key minAmout names that key');
SELECT is(pg_temp.hint(:'misspelt'), 'Did you mean "minAmount"?',
    'the hint about a policy with the key minAmout names minAmount');

-- --- setting a policy replaces the one before, and is audited with both
SELECT id AS first FROM escrowgrid.escrow_set_policy(:'institution_id', 'US', '{"position": {"minAmount": 5}}') \gset
SELECT is(
    (SELECT id FROM escrowgrid.escrow_set_policy(:'institution_id', 'US', '{"position": {"minAmount": 6}}')),
    :'first',
    'setting the policy of a region again keeps its row and its id');
SELECT is(
    (SELECT payload FROM escrowgrid.audit_events WHERE action = 'POLICY_UPDATED' ORDER BY id DESC LIMIT 1),
    '{"region": "US",
      "oldConfig": {"position": {"minAmount": 5}},
      "newConfig": {"position": {"minAmount": 6}}}'::jsonb,
    'the audit row of setting a policy again has the old and the new config');
SELECT is(
    escrowgrid.escrow_get_policy(:'institution_id', 'US') -> 'config',
    '{"position": {"minAmount": 6}}'::jsonb,
    'escrow_get_policy() gives the config that was set last');
SELECT throws_ok(format($$SELECT escrowgrid.escrow_get_policy(%L, 'SG')$$, :'institution_id'), 'ZE002', NULL,
    'escrow_get_policy() for a region without a policy is refused');
SELECT is((SELECT count(*) FROM escrowgrid.escrow_list_policies(:'institution_id')), 1::bigint,
    'escrow_list_policies() lists one policy after the policy of a region was set twice');

SELECT * FROM finish();
ROLLBACK;
