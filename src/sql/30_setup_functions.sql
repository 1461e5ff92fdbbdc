-- Set-up: institutions, asset templates, assets.

CREATE FUNCTION escrowgrid.escrow_create_institution(
    name text,
    regions text[],
    verticals text[] DEFAULT ARRAY['CONSTRUCTION', 'TRADE_FINANCE']
) RETURNS escrowgrid.institutions
    LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'escrow_create_institution';
COMMENT ON FUNCTION escrowgrid.escrow_create_institution(text, text[], text[]) IS
    'Creates an institution (a tenant) and returns its row. regions: US, EU_UK, SG, UAE. verticals: CONSTRUCTION, '
    'TRADE_FINANCE (default: both). Root only. Writes an audit row. Errors: ZE001 for a value that is missing, blank, '
    'too long, unknown or repeated; ZE401; ZE403.';

CREATE FUNCTION escrowgrid.escrow_create_asset_template(
    code text,
    name text,
    vertical text,
    region text,
    config jsonb,
    institution_id text DEFAULT NULL
) RETURNS escrowgrid.asset_templates
    LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'escrow_create_asset_template';
COMMENT ON FUNCTION escrowgrid.escrow_create_asset_template(text, text, text, text, jsonb, text) IS
    'Creates an asset template and returns its row. config is a JSON object. Its keys depend on the code: '
    'CONSTR_ESCROW, CONSTR_RETAINAGE, TF_INVOICE and TF_LC have fixed keys; for any other code currency is checked, '
    'onchain is reserved and other keys are free. institution_id: root must name the institution; a key may leave it '
    'out. Writes a ledger and an audit row. Errors: ZE001 for invalid values; ZE002 for an unknown institution; ZE301 '
    'for an invalid amount in config; ZE401; ZE403.';

CREATE FUNCTION escrowgrid.escrow_create_asset(
    template_id text,
    label text,
    metadata jsonb DEFAULT NULL
) RETURNS escrowgrid.assets
    LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'escrow_create_asset';
COMMENT ON FUNCTION escrowgrid.escrow_create_asset(text, text, jsonb) IS
    'Creates an asset from a template, in the template''s institution, and returns its row. metadata is a JSON object '
    'of at most 64 KB and 10 levels. Writes a ledger and an audit row. Errors: ZE001 for invalid values; ZE002 for an '
    'unknown template; ZE401; ZE403.';

CREATE FUNCTION escrowgrid.escrow_set_policy(
    institution_id text,
    region text,
    config jsonb
) RETURNS escrowgrid.institution_policies
    LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'escrow_set_policy';
COMMENT ON FUNCTION escrowgrid.escrow_set_policy(text, text, jsonb) IS
    'Sets (replaces) the policy of an institution in a region and returns its row. The policy applies to every call '
    'that starts after the transaction has committed. config: {"position": {"minAmount", "maxAmount", '
    '"allowedCurrencies", "requireReleaseAmount", "maxTenorDays", "maxOpenAmount": {currency: amount}, '
    '"requiredMetadata": {state: [key]}}}, each key optional. Writes an audit row with the old and the new config. '
    'Errors: ZE001 for invalid values; ZE002 for an unknown institution; ZE301 for an invalid amount in config; ZE401; '
    'ZE403; ZE501 when a trigger changes a fixed column of the policy.';

CREATE FUNCTION escrowgrid.escrow_get_policy(institution_id text, region text) RETURNS jsonb
    LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'escrow_get_policy';
COMMENT ON FUNCTION escrowgrid.escrow_get_policy(text, text) IS
    'Returns the policy of an institution in a region as a JSON document with camelCase keys. Errors: ZE001 for '
    'invalid values; ZE002 for an unknown institution or a region without a policy; ZE401.';

CREATE FUNCTION escrowgrid.escrow_list_policies(institution_id text DEFAULT NULL)
RETURNS SETOF escrowgrid.institution_policies
    LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'escrow_list_policies';
COMMENT ON FUNCTION escrowgrid.escrow_list_policies(text) IS
    'Returns the policies of an institution, ordered by region. NULL: a key lists its own institution, root lists all. '
    'Errors: ZE401.';
