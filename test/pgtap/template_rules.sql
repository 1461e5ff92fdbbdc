-- What the configs of asset templates enforce, at and beyond each limit. Each case asks escrow_explain_*, escrow_try_*
-- and the real call, which have to agree.
BEGIN;
SET search_path = public;
SELECT no_plan();
\ir include/verdicts.psql
SELECT id FROM escrowgrid.escrow_create_institution('T', '{SG}') \gset institution_

-- An asset of a template with this code and config.
CREATE FUNCTION pg_temp.asset_of(institution text, code text, vertical text, config text)
RETURNS text LANGUAGE sql AS $$
    SELECT s.id
    FROM escrowgrid.escrow_create_asset_template(code, 'T', vertical, 'SG', config::jsonb, institution) AS t,
        LATERAL escrowgrid.escrow_create_asset(t.id, 'A') AS s
$$;

-- --- creations
SELECT is(
    pg_temp.verdicts(format('create_position(%L, ''h'', %s)',
        pg_temp.asset_of(:'institution_id', code, vertical, config), arguments)),
    expected,
    format('under the template %s %s creating a position with (%s) %s',
        code, config, arguments, pg_temp.in_words(expected)))
FROM (VALUES
    ('CONSTR_ESCROW', 'CONSTRUCTION', '{"currency": "USD", "minAmount": 5, "maxAmount": 9}',
        $$'USD', 5$$, 'ok'),
    ('CONSTR_ESCROW', 'CONSTRUCTION', '{"currency": "USD", "minAmount": 5, "maxAmount": 9}',
        $$'USD', 4.99$$, 'ZE201 template.minAmount'),
    ('CONSTR_ESCROW', 'CONSTRUCTION', '{"currency": "USD", "minAmount": 5, "maxAmount": 9}',
        $$'USD', 9.01$$, 'ZE201 template.maxAmount'),
    ('CONSTR_ESCROW', 'CONSTRUCTION', '{"currency": "USD"}',
        $$'EUR', 5$$, 'ZE201 template.currency'),
    ('TF_INVOICE', 'TRADE_FINANCE', '{"currency": "USD", "maxTenorDays": 30, "country": "SG"}',
        $$'USD', 5, expires_at => now() + '30 days'$$, 'ok'),
    ('TF_INVOICE', 'TRADE_FINANCE', '{"currency": "USD", "maxTenorDays": 30, "country": "SG"}',
        $$'USD', 5, expires_at => now() + '31 days'$$, 'ZE201 template.maxTenorDays'),
    ('TF_LC', 'TRADE_FINANCE', '{"currency": "USD", "maxTenorDays": 30, "issuingBankCountry": "SG"}',
        $$'USD', 5$$, 'ZE201 template.maxTenorDays'),
    ('MINE', 'TRADE_FINANCE', '{"currency": "EUR"}',
        $$'USD', 5$$, 'ZE201 template.currency')
) AS v (code, vertical, config, arguments, expected);

-- --- retainage: partial releases leave 10 of 100, and RELEASED frees it
SELECT pg_temp.asset_of(:'institution_id', 'CONSTR_RETAINAGE', 'CONSTRUCTION',
    '{"currency": "USD", "retainagePercentage": 10}') AS asset_id
\gset
SELECT id FROM escrowgrid.escrow_create_position(:'asset_id', 'h', 'USD', 100) \gset position_
SELECT version FROM escrowgrid.escrow_transition(:'position_id', 'FUNDED') \g /dev/null
SELECT is(pg_temp.verdicts(format($$transition(%L, 'PARTIALLY_RELEASED', amount => 90)$$, :'position_id')), 'ok',
    'releasing 90 of a position of 100 with 10 percent retainage is allowed');
SELECT is(pg_temp.verdicts(format($$transition(%L, 'PARTIALLY_RELEASED', amount => 90.01)$$, :'position_id')),
    'ZE201 template.retainagePercentage',
    'releasing 90.01 of a position of 100 with 10 percent retainage is refused');
SELECT version
FROM escrowgrid.escrow_transition(:'position_id', 'PARTIALLY_RELEASED', amount => 60) \g /dev/null
SELECT is(pg_temp.verdicts(format($$transition(%L, 'PARTIALLY_RELEASED', amount => 30.01)$$, :'position_id')),
    'ZE201 template.retainagePercentage',
    'releasing 30.01 after 60 of a position of 100 with 10 percent retainage is refused');
SELECT throws_ok(
    format($$UPDATE escrowgrid.positions SET released_amount = 95 WHERE id = %L$$, :'position_id'),
    'ZE201', NULL,
    'a raw UPDATE that releases 95 of a position of 100 with 10 percent retainage is refused');
SELECT is(pg_temp.verdicts(format($$transition(%L, 'RELEASED')$$, :'position_id')), 'ok',
    'moving a position with retainage to RELEASED is allowed');

SELECT * FROM finish();
ROLLBACK;
