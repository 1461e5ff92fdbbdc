-- The functions that create institutions, templates and assets refuse bad input with an SQLSTATE, a DETAIL and a HINT.
SET search_path = escrowgrid, public;

SELECT count(*) AS institutions FROM institutions \gset before_
SELECT count(*) AS audits FROM audit_events \gset before_

-- Institutions: name, regions, verticals.
SELECT escrow_create_institution(NULL, '{US}');
SELECT escrow_create_institution('', '{US}');
SELECT escrow_create_institution('   ', '{US}');
SELECT escrow_create_institution(repeat('x', 401), '{US}');
SELECT escrow_create_institution('A', NULL);
SELECT escrow_create_institution('A', '{}');
SELECT escrow_create_institution('A', '{MARS}');
SELECT escrow_create_institution('A', '{us}');
SELECT escrow_create_institution('A', '{US,US}');
SELECT escrow_create_institution('A', '{US,NULL}');
SELECT escrow_create_institution('A', '{US}', '{MINING}');
SELECT escrow_create_institution('A', '{US}', NULL);

-- Templates: every parameter, and an institution that has not the region or the vertical.
SELECT escrow_create_asset_template(NULL, 'T', 'CONSTRUCTION', 'US', '{}', 'inst_acme');
SELECT escrow_create_asset_template('X', NULL, 'CONSTRUCTION', 'US', '{}', 'inst_acme');
SELECT escrow_create_asset_template('X', 'T', 'MINING', 'US', '{}', 'inst_acme');
SELECT escrow_create_asset_template('X', 'T', 'CONSTRUCTION', 'MARS', '{}', 'inst_acme');
SELECT escrow_create_asset_template('X', 'T', 'CONSTRUCTION', 'US', NULL, 'inst_acme');
SELECT escrow_create_asset_template('X', 'T', 'CONSTRUCTION', 'US', '[]', 'inst_acme');
SELECT escrow_create_asset_template('X', 'T', 'CONSTRUCTION', 'US', '"text"', 'inst_acme');
SELECT escrow_create_asset_template('X', 'T', 'CONSTRUCTION', 'US', '{}', NULL);
SELECT escrow_create_asset_template('X', 'T', 'CONSTRUCTION', 'US', '{}', 'inst_nobody');
SELECT escrow_create_asset_template('X', 'T', 'CONSTRUCTION', 'EU_UK', '{}', 'inst_acme');
SELECT escrow_create_asset_template('X', 'T', 'TRADE_FINANCE', 'UAE', '{}', 'inst_other');
SELECT escrow_create_asset_template('X', 'T', 'CONSTRUCTION', 'US', '{"currency": "XXQ"}', 'inst_acme');
SELECT escrow_create_asset_template('X', 'T', 'CONSTRUCTION', 'US', '{"onchain": {}}', 'inst_acme');

-- Templates with one of the known codes: the vertical, and each key of the config.
SELECT escrow_create_asset_template('CONSTR_ESCROW', 'T', 'TRADE_FINANCE', 'US', '{"currency": "USD"}', 'inst_acme');
SELECT escrow_create_asset_template('CONSTR_ESCROW', 'T', 'CONSTRUCTION', 'US', '{}', 'inst_acme');
SELECT escrow_create_asset_template('CONSTR_ESCROW', 'T', 'CONSTRUCTION', 'US',
    '{"currency": "USD", "minAmout": 5}', 'inst_acme');
SELECT escrow_create_asset_template('CONSTR_ESCROW', 'T', 'CONSTRUCTION', 'US',
    '{"currency": "JPY", "minAmount": 5.5}', 'inst_acme');
SELECT escrow_create_asset_template('CONSTR_ESCROW', 'T', 'CONSTRUCTION', 'US',
    '{"currency": "USD", "maxAmount": 1e300}', 'inst_acme');
SELECT escrow_create_asset_template('CONSTR_ESCROW', 'T', 'CONSTRUCTION', 'US',
    '{"currency": "USD", "minAmount": 9, "maxAmount": 8}', 'inst_acme');
SELECT escrow_create_asset_template('CONSTR_RETAINAGE', 'T', 'CONSTRUCTION', 'US',
    '{"currency": "USD", "retainagePercentage": 101}', 'inst_acme');
SELECT escrow_create_asset_template('TF_INVOICE', 'T', 'TRADE_FINANCE', 'US',
    '{"currency": "USD", "maxTenorDays": 0, "country": "DE"}', 'inst_acme');
SELECT escrow_create_asset_template('TF_LC', 'T', 'TRADE_FINANCE', 'US',
    '{"currency": "USD", "maxTenorDays": 30, "issuingBankCountry": "Germany"}', 'inst_acme');

-- Assets: template, label, and the limits of metadata.
SELECT escrow_create_asset(NULL, 'L');
SELECT escrow_create_asset('tmpl_nobody', 'L');
SELECT escrow_create_asset('tmpl_acme', NULL);
SELECT escrow_create_asset('tmpl_acme', 'L', '[1]');
SELECT escrow_create_asset('tmpl_acme', 'L', 'null');
SELECT escrow_create_asset('tmpl_acme', 'L', '{"n": 1e131071}');
SELECT escrow_create_asset('tmpl_acme', 'L', '{"n": 1e-16000}');
SELECT escrow_create_asset('tmpl_acme', 'L', '{"a":[[[[[[[[[[1]]]]]]]]]]}');
SELECT escrow_create_asset('tmpl_acme', 'L', jsonb_build_object('a', repeat('x', 65536)));

-- Nothing has changed.
SELECT count(*) = :before_institutions AS unchanged FROM institutions;
SELECT count(*) = :before_audits AS unchanged FROM audit_events;

-- Accepted are: each known code, a code of their own with any config, ten levels of metadata, numbers of a hundred
-- digits, and metadata of 64 KiB.
SELECT code, config FROM escrow_create_asset_template('CONSTR_RETAINAGE', 'T', 'CONSTRUCTION', 'US',
    '{"currency": "USD", "retainagePercentage": 12.5}', 'inst_acme');
SELECT code, config FROM escrow_create_asset_template('TF_INVOICE', 'T', 'TRADE_FINANCE', 'SG',
    '{"currency": "SGD", "maxTenorDays": 90, "country": "SG"}', 'inst_acme');
SELECT code, config FROM escrow_create_asset_template('TF_LC', 'T', 'TRADE_FINANCE', 'US',
    '{"currency": "USD", "maxTenorDays": 36500, "issuingBankCountry": "DE"}', 'inst_acme');
SELECT code, config FROM escrow_create_asset_template('OUR_OWN', 'T', 'TRADE_FINANCE', 'US',
    '{"anything": {"goes": [1]}}', 'inst_acme');
SELECT metadata FROM escrow_create_asset('tmpl_acme', 'L', '{"a":[[[[[[[[[1]]]]]]]]]}');
SELECT length(metadata ->> 'n')
FROM escrow_create_asset('tmpl_acme', 'L', ('{"n": ' || repeat('9', 100) || '}')::jsonb);
SELECT octet_length(metadata::text)
FROM escrow_create_asset('tmpl_acme', 'L', jsonb_build_object('a', repeat('x', 65536 - 9)));

-- Ids, configs and an asset's institution cannot be changed, and an institution that has templates cannot be deleted.
-- A name can be changed.
UPDATE institutions SET id = 'inst_renamed' WHERE id = 'inst_acme';
UPDATE asset_templates SET config = '{}' WHERE id = 'tmpl_acme';
UPDATE assets SET institution_id = 'inst_other' WHERE id = 'ast_acme';
UPDATE institutions SET name = 'Acme Escrow Inc' WHERE id = 'inst_acme' RETURNING name;
DELETE FROM institutions WHERE id = 'inst_acme';
