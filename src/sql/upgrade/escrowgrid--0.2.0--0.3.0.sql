-- escrowgrid 0.2.0 to 0.3.0.
\echo Use "ALTER EXTENSION escrowgrid UPDATE" to load this file. \quit

CREATE FUNCTION escrowgrid.escrow_write_paths(
    OUT table_name text,
    OUT path text,
    OUT reason text
) RETURNS SETOF record
    LANGUAGE c STABLE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'escrow_write_paths';
COMMENT ON FUNCTION escrowgrid.escrow_write_paths() IS
    'How rows of positions and their records are written: a row per table, path direct (without SPI) or ordinary (through SPI, several times slower), and for ordinary the reason. Errors: ZE401, ZE403.';
REVOKE ALL ON FUNCTION escrowgrid.escrow_write_paths() FROM PUBLIC;
