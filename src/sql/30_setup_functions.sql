-- Set-up: institutions, asset templates, assets.

CREATE FUNCTION escrowgrid.escrow_create_institution(
    name text,
    regions text[],
    verticals text[] DEFAULT ARRAY['CONSTRUCTION', 'TRADE_FINANCE']
) RETURNS escrowgrid.institutions
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'escrow_create_institution';
COMMENT ON FUNCTION escrowgrid.escrow_create_institution(text, text[], text[]) IS
    'Creates an institution (a tenant) and returns its row. regions: US, EU_UK, SG, UAE; verticals: CONSTRUCTION, TRADE_FINANCE (default: all). Writes an audit row. Errors: ZE001 for missing, blank, too long, unknown or repeated values; ZE401.';

CREATE FUNCTION escrowgrid.escrow_create_asset_template(
    code text,
    name text,
    vertical text,
    region text,
    config jsonb,
    institution_id text DEFAULT NULL
) RETURNS escrowgrid.asset_templates
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'escrow_create_asset_template';
COMMENT ON FUNCTION escrowgrid.escrow_create_asset_template(text, text, text, text, jsonb, text) IS
    'Creates an asset template and returns its row. config is a JSON object whose keys the code decides (CONSTR_ESCROW, CONSTR_RETAINAGE, TF_INVOICE, TF_LC; other codes: free but for currency and the reserved onchain). An administrator names the institution. Writes a ledger and an audit row. Errors: ZE001 for invalid values, ZE002 for an unknown institution, ZE301 for invalid amounts in config, ZE401.';

CREATE FUNCTION escrowgrid.escrow_create_asset(
    template_id text,
    label text,
    metadata jsonb DEFAULT NULL
) RETURNS escrowgrid.assets
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'escrow_create_asset';
COMMENT ON FUNCTION escrowgrid.escrow_create_asset(text, text, jsonb) IS
    'Creates an asset from a template, in the template''s institution, and returns its row. metadata: a JSON object of at most 64 KB and 10 levels. Writes a ledger and an audit row. Errors: ZE001 for invalid values, ZE002 for an unknown template, ZE401.';
