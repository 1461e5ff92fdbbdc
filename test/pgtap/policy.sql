-- Policies and template rules, each with its boundary values; try and explain beside the real call.
BEGIN;
SET search_path = public;
SELECT no_plan();
SELECT id AS i FROM escrowgrid.escrow_create_institution('P', '{US,SG}') \gset
SELECT t.id AS t, s.id AS a FROM escrowgrid.escrow_create_asset_template('OWN', 'T', 'CONSTRUCTION', 'US', '{}', :'i') AS t, LATERAL escrowgrid.escrow_create_asset(t.id, 'A') AS s \gset

-- Setting: what is refused, with which code and hint.
SELECT throws_ok(format('SELECT escrowgrid.escrow_set_policy(%L, ''US'', %L)', :'i', config), code, NULL, config)
FROM (VALUES
    ('[]', 'ZE001'), ('"x"', 'ZE001'), ('null', 'ZE001'), ('{"positon": {}}', 'ZE001'), ('{"position": 1}', 'ZE001'), ('{"position": []}', 'ZE001'), ('{"position": null}', 'ZE001'),
    ('{"position": {"minAmout": 1}}', 'ZE001'), ('{"position": {"minAmount": "1"}}', 'ZE001'), ('{"position": {"minAmount": null}}', 'ZE001'), ('{"position": {"minAmount": 0}}', 'ZE301'),
    ('{"position": {"minAmount": -1}}', 'ZE301'), ('{"position": {"maxAmount": 1e16}}', 'ZE301'), ('{"position": {"minAmount": 2, "maxAmount": 1}}', 'ZE001'), ('{"position": {"maxAmount": {}}}', 'ZE001'), ('{"position": {"maxAmount": null}}', 'ZE001'), ('{"position": {"allowedCurrencies": null}}', 'ZE001'),
    ('{"position": {"allowedCurrencies": "USD"}}', 'ZE001'), ('{"position": {"allowedCurrencies": []}}', 'ZE001'), ('{"position": {"allowedCurrencies": [1]}}', 'ZE001'), ('{"position": {"allowedCurrencies": [null]}}', 'ZE001'),
    ('{"position": {"allowedCurrencies": ["XXQ"]}}', 'ZE001'), ('{"position": {"allowedCurrencies": [["USD"]]}}', 'ZE001'), ('{"position": {"requireReleaseAmount": 1}}', 'ZE001'), ('{"position": {"requireReleaseAmount": null}}', 'ZE001'),
    ('{"position": {"maxTenorDays": 0}}', 'ZE001'), ('{"position": {"maxTenorDays": 1.5}}', 'ZE001'), ('{"position": {"maxTenorDays": 36501}}', 'ZE001'), ('{"position": {"maxTenorDays": "9"}}', 'ZE001'), ('{"position": {"maxTenorDays": null}}', 'ZE001'),
    ('{"position": {"maxOpenAmount": 5}}', 'ZE001'), ('{"position": {"maxOpenAmount": {"USD": "5"}}}', 'ZE001'), ('{"position": {"maxOpenAmount": {"USD": 0}}}', 'ZE301'), ('{"position": {"maxOpenAmount": {"XXQ": 5}}}', 'ZE001'), ('{"position": {"maxOpenAmount": {"USD": {"x": 1}}}}', 'ZE001'),
    ('{"position": {"maxOpenAmount": null}}', 'ZE001'), ('{"position": {"requiredMetadata": ["x"]}}', 'ZE001'), ('{"position": {"requiredMetadata": {"PAID": ["x"]}}}', 'ZE001'), ('{"position": {"requiredMetadata": {"FUNDED": "x"}}}', 'ZE001'),
    ('{"position": {"requiredMetadata": {"FUNDED": [1]}}}', 'ZE001'), ('{"position": {"requiredMetadata": null}}', 'ZE001'), ('{"position": {"minAmount": 1e200}}', 'ZE001')
) AS v (config, code);
SELECT throws_ok(format('SELECT escrowgrid.escrow_set_policy(%s)', a), code, NULL, a)
FROM (VALUES ($$NULL, 'US', '{}'$$, 'ZE001'), ($$'inst_nobody', 'US', '{}'$$, 'ZE002'), (format($$%L, 'MARS', '{}'$$, :'i'), 'ZE001'), (format($$%L, NULL, '{}'$$, :'i'), 'ZE001'), (format($$%L, 'UAE', '{}'$$, :'i'), 'ZE001'), (format($$%L, 'US', NULL$$, :'i'), 'ZE001')) AS v (a, code);
SELECT throws_like(format($$SELECT escrowgrid.escrow_set_policy(%L, 'US', '{"position": {"minAmout": 1}}')$$, :'i'), '%unknown key "minAmout"%', 'a typo is named');
CREATE FUNCTION pg_temp.hint(statement text) RETURNS text LANGUAGE plpgsql AS $$ DECLARE h text; BEGIN EXECUTE statement; RETURN NULL; EXCEPTION WHEN OTHERS THEN GET STACKED DIAGNOSTICS h = PG_EXCEPTION_HINT; RETURN h; END $$;
SELECT is(pg_temp.hint(format($$SELECT escrowgrid.escrow_set_policy(%L, 'US', '{"position": {"minAmout": 1}}')$$, :'i')), 'Did you mean "minAmount"?', 'with the nearest key');

-- Setting is an upsert, and audited with what it was and is.
SELECT id AS first FROM escrowgrid.escrow_set_policy(:'i', 'US', '{"position": {"minAmount": 5}}') \gset
SELECT is((SELECT id FROM escrowgrid.escrow_set_policy(:'i', 'US', '{"position": {"minAmount": 6}}')), :'first', 'setting again replaces');
SELECT is((SELECT payload FROM escrowgrid.audit_events WHERE action = 'POLICY_UPDATED' ORDER BY id DESC LIMIT 1),
    '{"region": "US", "oldConfig": {"position": {"minAmount": 5}}, "newConfig": {"position": {"minAmount": 6}}}'::jsonb, 'the audit row has both');
SELECT is(escrowgrid.escrow_get_policy(:'i', 'US') -> 'config', '{"position": {"minAmount": 6}}'::jsonb, 'reading it back');
SELECT throws_ok(format($$SELECT escrowgrid.escrow_get_policy(%L, 'SG')$$, :'i'), 'ZE002', NULL, 'no policy there');
SELECT is((SELECT count(*) FROM escrowgrid.escrow_list_policies(:'i')), 1::bigint, 'one in the list');

-- Enforcing: at, below, above, absent. Each case asks explain, try and the real call.
CREATE FUNCTION pg_temp.verdicts(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE explained text; tried text; called text := 'ok'; violations text;
BEGIN
    EXECUTE format('SELECT coalesce((SELECT sqlstate FROM escrowgrid.escrow_explain_%s WITH ORDINALITY WHERE NOT passed ORDER BY ordinality LIMIT 1), ''ok'')', call) INTO explained;
    BEGIN
        EXECUTE format('SELECT coalesce(sqlstate, ''ok'') FROM escrowgrid.escrow_try_%s', call) INTO tried;
        RAISE EXCEPTION 'undo';
    EXCEPTION WHEN raise_exception THEN NULL;
    END;
    BEGIN
        EXECUTE format('SELECT FROM escrowgrid.escrow_%s', call);
        RAISE EXCEPTION 'undo';
    EXCEPTION WHEN raise_exception THEN NULL; WHEN OTHERS THEN called := SQLSTATE;
    END;
    EXECUTE format('SELECT string_agg(rule, '','') FROM escrowgrid.escrow_explain_%s WHERE NOT passed AND rule LIKE ''%%.%%''', call) INTO violations;
    RETURN CASE WHEN explained = tried AND tried = called THEN called ELSE format('explain %s, try %s, call %s', explained, tried, called) END || coalesce(' ' || violations, '');
END $$;
CREATE FUNCTION pg_temp.creation(i text, a text, config text, arguments text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM escrowgrid.escrow_set_policy(i, 'US', config::jsonb);
    RETURN pg_temp.verdicts(format('create_position(%L, ''h'', %s)', a, arguments));
END $$;
SELECT is(pg_temp.creation(:'i', :'a', config, arguments), expected, config || ' ' || arguments)
FROM (VALUES
    ('{}', $$'USD', 1$$, 'ok'), ('{"position": {}}', $$'USD', 1$$, 'ok'),
    ('{"position": {"minAmount": 5}}', $$'USD', 5$$, 'ok'), ('{"position": {"minAmount": 5}}', $$'USD', 4.99$$, 'ZE201 policy.minAmount'), ('{"position": {"minAmount": 5}}', $$'USD', 5.01$$, 'ok'),
    ('{"position": {"maxAmount": 5}}', $$'USD', 5$$, 'ok'), ('{"position": {"maxAmount": 5}}', $$'USD', 5.01$$, 'ZE201 policy.maxAmount'), ('{"position": {"maxAmount": 5}}', $$'USD', 4.99$$, 'ok'),
    ('{"position": {"allowedCurrencies": ["EUR", "USD"]}}', $$'USD', 1$$, 'ok'), ('{"position": {"allowedCurrencies": ["EUR"]}}', $$'USD', 1$$, 'ZE201 policy.allowedCurrencies'),
    ('{"position": {"maxTenorDays": 10}}', $$'USD', 1, expires_at => now() + '10 days'$$, 'ok'), ('{"position": {"maxTenorDays": 10}}', $$'USD', 1, expires_at => now() + '10 days 1 minute'$$, 'ZE201 policy.maxTenorDays'),
    ('{"position": {"maxTenorDays": 10}}', $$'USD', 1, expires_at => now() + '1 day'$$, 'ok'), ('{"position": {"maxTenorDays": 10}}', $$'USD', 1$$, 'ZE201 policy.maxTenorDays'),
    ('{"position": {"maxOpenAmount": {"USD": 10}}}', $$'USD', 10$$, 'ok'), ('{"position": {"maxOpenAmount": {"USD": 10}}}', $$'USD', 10.01$$, 'ZE201 policy.maxOpenAmount'), ('{"position": {"maxOpenAmount": {"USD": 10}}}', $$'EUR', 99$$, 'ok'),
    ('{"position": {"requiredMetadata": {"CREATED": ["contract"]}}}', $$'USD', 1, metadata => '{"contract": null}'$$, 'ok'), ('{"position": {"requiredMetadata": {"CREATED": ["contract"]}}}', $$'USD', 1, metadata => '{"other": 1}'$$, 'ZE201 policy.requiredMetadata'),
    ('{"position": {"requiredMetadata": {"CREATED": ["contract"]}}}', $$'USD', 1$$, 'ZE201 policy.requiredMetadata'), ('{"position": {"requiredMetadata": {"FUNDED": ["x"]}}}', $$'USD', 1$$, 'ok'), ('{"position": {"requiredMetadata": {"CREATED": []}}}', $$'USD', 1$$, 'ok'),
    ('{"position": {"minAmount": 5, "allowedCurrencies": ["EUR"]}}', $$'USD', 1$$, 'ZE201 policy.minAmount,policy.allowedCurrencies'),
    ('{"position": {"minAmount": 5}}', $$'USD', 0.001$$, 'ZE301 policy.minAmount'), ('{"position": {"minAmount": 5}}', $$'USD', 'NaN'$$, 'ZE301'), ('{"position": {"minAmount": 5}}', $$'XXQ', 1$$, 'ZE001'), ('{}', $$'USD', 1, metadata => '{"n": 1e131071}'$$, 'ZE001'), ('{}', $$'USD', 1, expires_at => now() - interval '1 day'$$, 'ZE001')
) AS v (config, arguments, expected);
SELECT is(pg_temp.creation(:'i', 'ast_nobody', '{}', $$'USD', 1$$), 'ZE002', 'an unknown asset');

-- As many required keys as a policy can hold: the refusal is told whole, and explain shows each.
SELECT region FROM escrowgrid.escrow_set_policy(:'i', 'US', (SELECT jsonb_build_object('position', jsonb_build_object('requiredMetadata', jsonb_build_object('CREATED', jsonb_agg(repeat(E'"\\\x01', 15) || n)))) FROM generate_series(1, 64) AS n)) \g /dev/null
SELECT is((SELECT sqlstate || ' ' || (detail ->> 'violation_count') FROM escrowgrid.escrow_try_create_position(:'a', 'h', 'USD', 1)), 'ZE201 64', 'all of them are counted');
SELECT is((SELECT count(*) FROM escrowgrid.escrow_explain_create_position(:'a', 'h', 'USD', 1) WHERE rule = 'policy.requiredMetadata' AND NOT passed), 64::bigint, 'and explained');
SELECT region FROM escrowgrid.escrow_set_policy(:'i', 'US', '{}') \g /dev/null

-- Transitions.
SELECT id AS p FROM escrowgrid.escrow_create_position(:'a', 'h', 'USD', 100) \gset
CREATE FUNCTION pg_temp.transition(i text, p text, config text, arguments text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM escrowgrid.escrow_set_policy(i, 'US', config::jsonb);
    RETURN pg_temp.verdicts(format('transition(%L, %s)', p, arguments));
END $$;
SELECT is(pg_temp.transition(:'i', :'p', config, arguments), expected, config || ' ' || arguments)
FROM (VALUES
    ('{"position": {"requiredMetadata": {"FUNDED": ["reference", "bank"]}}}', $$'FUNDED', metadata => '{"reference": 1, "bank": 2}'$$, 'ok'), ('{"position": {"requiredMetadata": {"FUNDED": ["reference", "bank"]}}}', $$'FUNDED', metadata => '{"reference": 1}'$$, 'ZE201 policy.requiredMetadata'),
    ('{"position": {"requiredMetadata": {"FUNDED": ["reference"]}}}', $$'CANCELLED'$$, 'ok'), ('{"position": {"requiredMetadata": {"FUNDED": ["reference"]}}}', $$'RELEASED'$$, 'ZE101'), ('{}', $$'PAID'$$, 'ZE001'), ('{}', $$NULL$$, 'ZE001'), ('{}', $$'FUNDED', expected_version => 9$$, 'ZE102'),
    ('{"position": {"minAmount": 1000}}', $$'FUNDED'$$, 'ok')
) AS v (config, arguments, expected);
SELECT is(pg_temp.transition(:'i', 'pos_nobody', '{}', $$'FUNDED'$$), 'ZE002', 'an unknown position');
SELECT region FROM escrowgrid.escrow_set_policy(:'i', 'US', '{}') \g /dev/null
SELECT version FROM escrowgrid.escrow_transition(:'p', 'FUNDED') \g /dev/null
SELECT is(pg_temp.transition(:'i', :'p', config, arguments), expected, config || ' ' || arguments)
FROM (VALUES
    ('{"position": {"requireReleaseAmount": true}}', $$'PARTIALLY_RELEASED'$$, 'ZE201 policy.requireReleaseAmount'), ('{"position": {"requireReleaseAmount": true}}', $$'PARTIALLY_RELEASED', amount => 1$$, 'ok'), ('{"position": {"requireReleaseAmount": false}}', $$'PARTIALLY_RELEASED'$$, 'ok'),
    ('{"position": {"requireReleaseAmount": true}}', $$'RELEASED'$$, 'ok'), ('{"position": {"requireReleaseAmount": true}}', $$'PARTIALLY_RELEASED', amount => 100$$, 'ZE302'), ('{}', $$'RELEASED', amount => 99$$, 'ZE301')
) AS v (config, arguments, expected);

-- Exposure counts what is created or held, in the region and the currency, and frees what was released.
SELECT region FROM escrowgrid.escrow_set_policy(:'i', 'US', '{"position": {"maxOpenAmount": {"USD": 150}}}') \g /dev/null
SELECT is(pg_temp.verdicts(format($$create_position(%L, 'h', 'USD', 50)$$, :'a')), 'ok', 'up to the limit');
SELECT is(pg_temp.verdicts(format($$create_position(%L, 'h', 'USD', 50.01)$$, :'a')), 'ZE201 policy.maxOpenAmount', 'not beyond it');
SELECT version FROM escrowgrid.escrow_transition(:'p', 'PARTIALLY_RELEASED', amount => 40) \g /dev/null
SELECT is(pg_temp.verdicts(format($$create_position(%L, 'h', 'USD', 90)$$, :'a')), 'ok', 'what was released counts no more');
SELECT throws_ok(format($$INSERT INTO escrowgrid.positions (asset_id, holder_reference, currency, amount) VALUES (%L, 'h', 'USD', 90.01)$$, :'a'), 'ZE201', NULL, 'raw DML is held to it as well');
SELECT throws_ok(format($$INSERT INTO escrowgrid.positions (asset_id, holder_reference, currency, amount) SELECT %L, 'h', 'USD', 60 FROM generate_series(1, 2)$$, :'a'), 'ZE201', NULL, 'also several rows of one statement');
SELECT region FROM escrowgrid.escrow_set_policy(:'i', 'US', '{}') \g /dev/null

-- Templates.
CREATE FUNCTION pg_temp.templated(i text, code text, vertical text, config text) RETURNS text LANGUAGE sql AS $$
    SELECT s.id FROM escrowgrid.escrow_create_asset_template(code, 'T', vertical, 'SG', config::jsonb, i) AS t, LATERAL escrowgrid.escrow_create_asset(t.id, 'A') AS s $$;
SELECT is(pg_temp.verdicts(format('create_position(%L, ''h'', %s)', pg_temp.templated(:'i', code, vertical, config), arguments)), expected, code || ' ' || arguments)
FROM (VALUES
    ('CONSTR_ESCROW', 'CONSTRUCTION', '{"currency": "USD", "minAmount": 5, "maxAmount": 9}', $$'USD', 5$$, 'ok'), ('CONSTR_ESCROW', 'CONSTRUCTION', '{"currency": "USD", "minAmount": 5, "maxAmount": 9}', $$'USD', 4.99$$, 'ZE201 template.minAmount'),
    ('CONSTR_ESCROW', 'CONSTRUCTION', '{"currency": "USD", "minAmount": 5, "maxAmount": 9}', $$'USD', 9.01$$, 'ZE201 template.maxAmount'), ('CONSTR_ESCROW', 'CONSTRUCTION', '{"currency": "USD"}', $$'EUR', 5$$, 'ZE201 template.currency'),
    ('TF_INVOICE', 'TRADE_FINANCE', '{"currency": "USD", "maxTenorDays": 30, "country": "SG"}', $$'USD', 5, expires_at => now() + '30 days'$$, 'ok'), ('TF_INVOICE', 'TRADE_FINANCE', '{"currency": "USD", "maxTenorDays": 30, "country": "SG"}', $$'USD', 5, expires_at => now() + '31 days'$$, 'ZE201 template.maxTenorDays'),
    ('TF_LC', 'TRADE_FINANCE', '{"currency": "USD", "maxTenorDays": 30, "issuingBankCountry": "SG"}', $$'USD', 5$$, 'ZE201 template.maxTenorDays'), ('MINE', 'TRADE_FINANCE', '{"currency": "EUR"}', $$'USD', 5$$, 'ZE201 template.currency')
) AS v (code, vertical, config, arguments, expected);
SELECT id AS r FROM escrowgrid.escrow_create_position(pg_temp.templated(:'i', 'CONSTR_RETAINAGE', 'CONSTRUCTION', '{"currency": "USD", "retainagePercentage": 10}'), 'h', 'USD', 100) \gset
SELECT version FROM escrowgrid.escrow_transition(:'r', 'FUNDED') \g /dev/null
SELECT is(pg_temp.verdicts(format($$transition(%L, 'PARTIALLY_RELEASED', amount => 90)$$, :'r')), 'ok', 'up to the retainage');
SELECT is(pg_temp.verdicts(format($$transition(%L, 'PARTIALLY_RELEASED', amount => 90.01)$$, :'r')), 'ZE201 template.retainagePercentage', 'not into it');
SELECT version FROM escrowgrid.escrow_transition(:'r', 'PARTIALLY_RELEASED', amount => 60) \g /dev/null
SELECT is(pg_temp.verdicts(format($$transition(%L, 'PARTIALLY_RELEASED', amount => 30.01)$$, :'r')), 'ZE201 template.retainagePercentage', 'in parts neither');
SELECT throws_ok(format($$UPDATE escrowgrid.positions SET released_amount = 95 WHERE id = %L$$, :'r'), 'ZE201', NULL, 'nor by raw DML');
SELECT is(pg_temp.verdicts(format($$transition(%L, 'RELEASED')$$, :'r')), 'ok', 'RELEASED frees it');

-- try: the refusal as a row, its audit row in the caller's transaction; explain writes nothing.
SELECT count(*) AS audits FROM escrowgrid.audit_events \gset before_
SELECT count(*) FROM escrowgrid.escrow_explain_transition(:'r', 'FUNDED') \g /dev/null
SELECT count(*) FROM escrowgrid.escrow_explain_create_position(:'a', 'h', 'USD', -1) \g /dev/null
SELECT is((SELECT count(*) FROM escrowgrid.audit_events), :before_audits::bigint, 'explain writes nothing');
SELECT * FROM escrowgrid.escrow_try_transition(:'r', 'FUNDED') \gset told_
SELECT is((:'told_ok', :'told_sqlstate', :'told_condition')::text, '(f,ZE101,invalid_transition)', 'a refusal as a row');
SELECT matches(:'told_message'::text, 'cannot go from', 'with its message');
SELECT is((:'told_detail'::jsonb) ->> 'state', 'PARTIALLY_RELEASED', 'its detail');
SELECT isnt(:'told_hint'::text, '', 'and its hint');
SELECT is((SELECT (action, outcome, status_code, resource_id, error ->> 'state')::text FROM escrowgrid.audit_events ORDER BY id DESC LIMIT 1),
    format('(VALIDATION_FAILED,failure,409,%s,PARTIALLY_RELEASED)', :'r'), 'and its audit row');
SELECT sqlstate FROM escrowgrid.escrow_try_transition('pos_nobody', 'RELEASED') \g /dev/null
SELECT is((SELECT action FROM escrowgrid.audit_events ORDER BY id DESC LIMIT 1), 'RESOURCE_NOT_FOUND', 'by its kind: not found');
SELECT sqlstate FROM escrowgrid.escrow_try_transition(:'r', 'RELEASED', expected_version => 99) \g /dev/null
SELECT is((SELECT action FROM escrowgrid.audit_events ORDER BY id DESC LIMIT 1), 'CONCURRENCY_CONFLICT', 'conflict');
SELECT sqlstate FROM escrowgrid.escrow_try_transition(:'r', 'FUNDED', idempotency_key => 'told') \g /dev/null
SELECT is((SELECT count(*) FROM escrowgrid.idempotency_keys WHERE key = 'told'), 0::bigint, 'a refusal that is told stores no key');
SELECT is((SELECT (result).state FROM escrowgrid.escrow_try_transition(:'r', 'RELEASED', idempotency_key => 'told')), 'RELEASED', 'and success gives the row');

SELECT * FROM finish();
ROLLBACK;
