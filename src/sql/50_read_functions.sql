-- Reading. Pages are in id order; pass the last id of a page as after_id of the next.

CREATE FUNCTION escrowgrid.escrow_get_institution(id text) RETURNS jsonb
    LANGUAGE c STABLE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'escrow_get_institution';
COMMENT ON FUNCTION escrowgrid.escrow_get_institution(text) IS
    'Returns the institution as a JSON document with camelCase keys. Errors: ZE001 when id is missing, blank or too '
    'long; ZE002 for an unknown institution; ZE401.';

CREATE FUNCTION escrowgrid.escrow_get_asset_template(id text) RETURNS jsonb
    LANGUAGE c STABLE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'escrow_get_asset_template';
COMMENT ON FUNCTION escrowgrid.escrow_get_asset_template(text) IS
    'Returns the asset template as a JSON document with camelCase keys. Errors: ZE001 when id is missing, blank or too '
    'long; ZE002 for an unknown template; ZE401.';

CREATE FUNCTION escrowgrid.escrow_get_asset(id text) RETURNS jsonb
    LANGUAGE c STABLE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'escrow_get_asset';
COMMENT ON FUNCTION escrowgrid.escrow_get_asset(text) IS
    'Returns the asset as a JSON document with camelCase keys. Errors: ZE001 when id is missing, blank or too long; '
    'ZE002 for an unknown asset; ZE401.';

CREATE FUNCTION escrowgrid.escrow_get_position(id text) RETURNS jsonb
    LANGUAGE c STABLE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'escrow_get_position';
COMMENT ON FUNCTION escrowgrid.escrow_get_position(text) IS
    'Returns the position with its events as a JSON document with camelCase keys. Amounts are JSON numbers in the '
    'currency''s major unit. Times are UTC in ISO 8601 with microseconds. Errors: ZE001 when id is missing, blank or '
    'too long; ZE002 for an unknown position; ZE401.';

CREATE FUNCTION escrowgrid.escrow_list_institutions(
    after_id text DEFAULT NULL,
    max_count integer DEFAULT 100
) RETURNS SETOF escrowgrid.institutions
    LANGUAGE c STABLE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'escrow_list_institutions';
COMMENT ON FUNCTION escrowgrid.escrow_list_institutions(text, integer) IS
    'Returns a page of institutions in id order, starting after after_id. max_count is from 1 to 1000. Errors: ZE001 '
    'for max_count; ZE401.';

CREATE FUNCTION escrowgrid.escrow_list_asset_templates(
    institution_id text DEFAULT NULL,
    after_id text DEFAULT NULL,
    max_count integer DEFAULT 100
) RETURNS SETOF escrowgrid.asset_templates
    LANGUAGE c STABLE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'escrow_list_asset_templates';
COMMENT ON FUNCTION escrowgrid.escrow_list_asset_templates(text, text, integer) IS
    'Returns a page of asset templates in id order, starting after after_id. A filter that is NULL does not filter. '
    'max_count is from 1 to 1000. Errors: ZE001 for max_count; ZE401.';

CREATE FUNCTION escrowgrid.escrow_list_assets(
    institution_id text DEFAULT NULL,
    template_id text DEFAULT NULL,
    after_id text DEFAULT NULL,
    max_count integer DEFAULT 100
) RETURNS SETOF escrowgrid.assets
    LANGUAGE c STABLE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'escrow_list_assets';
COMMENT ON FUNCTION escrowgrid.escrow_list_assets(text, text, text, integer) IS
    'Returns a page of assets in id order, starting after after_id. A filter that is NULL does not filter. max_count '
    'is from 1 to 1000. Errors: ZE001 for max_count; ZE401.';

CREATE FUNCTION escrowgrid.escrow_list_positions(
    institution_id text DEFAULT NULL,
    asset_id text DEFAULT NULL,
    holder_reference text DEFAULT NULL,
    state text DEFAULT NULL,
    after_id text DEFAULT NULL,
    max_count integer DEFAULT 100
) RETURNS SETOF escrowgrid.positions
    LANGUAGE c STABLE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'escrow_list_positions';
COMMENT ON FUNCTION escrowgrid.escrow_list_positions(text, text, text, text, text, integer) IS
    'Returns a page of positions in id order, starting after after_id. A filter that is NULL does not filter. '
    'max_count is from 1 to 1000. Errors: ZE001 for max_count and for an unknown state; ZE401.';

CREATE FUNCTION escrowgrid.escrow_list_ledger_events(
    institution_id text DEFAULT NULL,
    position_id text DEFAULT NULL,
    after_id text DEFAULT NULL,
    max_count integer DEFAULT 100
) RETURNS SETOF escrowgrid.ledger_events
    LANGUAGE c STABLE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'escrow_list_ledger_events';
COMMENT ON FUNCTION escrowgrid.escrow_list_ledger_events(text, text, text, integer) IS
    'Returns a page of ledger events in id order, starting after after_id. A filter that is NULL does not filter. '
    'max_count is from 1 to 1000. Ids are not in commit order; use logical decoding to follow changes. Errors: ZE001 '
    'for max_count; ZE401.';

CREATE FUNCTION escrowgrid.escrow_list_audit_events(
    institution_id text DEFAULT NULL,
    action text DEFAULT NULL,
    after_id text DEFAULT NULL,
    max_count integer DEFAULT 100
) RETURNS SETOF escrowgrid.audit_events
    LANGUAGE c STABLE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'escrow_list_audit_events';
COMMENT ON FUNCTION escrowgrid.escrow_list_audit_events(text, text, text, integer) IS
    'Returns a page of audit events in id order, starting after after_id. A filter that is NULL does not filter. '
    'max_count is from 1 to 1000. Ids are not in commit order; use logical decoding to follow changes. Errors: ZE001 '
    'for max_count; ZE401.';

CREATE VIEW escrowgrid.balances WITH (security_invoker = true) AS
SELECT
    p.institution_id,
    p.currency,
    COALESCE(sum(p.amount - p.released_amount - p.refunded_amount)
        FILTER (WHERE p.state IN ('FUNDED', 'PARTIALLY_RELEASED')), 0) AS held,
    sum(p.released_amount) AS released,
    sum(p.refunded_amount) AS refunded,
    count(*) FILTER (WHERE p.state IN ('CREATED', 'FUNDED', 'PARTIALLY_RELEASED')) AS open_positions
FROM escrowgrid.positions AS p
GROUP BY p.institution_id, p.currency;
COMMENT ON VIEW escrowgrid.balances IS 'Balances per institution and currency, in the currency''s major unit.';
COMMENT ON COLUMN escrowgrid.balances.institution_id IS 'The institution.';
COMMENT ON COLUMN escrowgrid.balances.currency IS 'Currency code.';
COMMENT ON COLUMN escrowgrid.balances.held IS 'Sum that positions hold: funded and neither released nor refunded.';
COMMENT ON COLUMN escrowgrid.balances.released IS 'Sum released to holders.';
COMMENT ON COLUMN escrowgrid.balances.refunded IS 'Sum refunded by cancellation or expiry.';
COMMENT ON COLUMN escrowgrid.balances.open_positions IS 'Number of positions that have not ended.';
