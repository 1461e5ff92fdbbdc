-- escrowgrid 0.2.0 to 0.3.0.
\echo Use "ALTER EXTENSION escrowgrid UPDATE" to load this file. \quit

CREATE FUNCTION escrowgrid.escrow_write_paths(
    OUT table_name text,
    OUT path text,
    OUT reason text
) RETURNS SETOF record
    LANGUAGE c STABLE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'escrow_write_paths';
COMMENT ON FUNCTION escrowgrid.escrow_write_paths() IS
    'How rows of positions and their records are written: a row per table, path direct (without SPI) or ordinary (through SPI, several times slower), and for ordinary the first reason found. All four tables take the same path. Errors: ZE401, ZE403.';
REVOKE ALL ON FUNCTION escrowgrid.escrow_write_paths() FROM PUBLIC;

-- Users' triggers on what these functions write run with the owner's rights, and so not by the caller's search_path.
ALTER FUNCTION escrowgrid.escrow_create_institution(text, text[], text[]) SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION escrowgrid.escrow_create_asset_template(text, text, text, text, jsonb, text) SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION escrowgrid.escrow_create_asset(text, text, jsonb) SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION escrowgrid.escrow_set_policy(text, text, jsonb) SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION escrowgrid.escrow_create_api_key(text, text, text, timestamptz, cidr[]) SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION escrowgrid.escrow_rotate_api_key(text, interval) SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION escrowgrid.escrow_revoke_api_key(text) SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION escrowgrid.escrow_grant_access(regrole, text) SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION escrowgrid.escrow_purge_idempotency_keys(interval) SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION escrowgrid.escrow_redact_event(text) SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION escrowgrid.escrow_purge_institution(text, text) SET search_path = pg_catalog, pg_temp;
