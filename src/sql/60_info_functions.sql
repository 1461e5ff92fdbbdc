-- What the extension says of itself.

CREATE FUNCTION escrowgrid.escrow_version() RETURNS text
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'escrow_version';
COMMENT ON FUNCTION escrowgrid.escrow_version() IS
    'The version of the loaded library, for example 0.1.0; escrow_health() compares it with the installed extension.';

CREATE FUNCTION escrowgrid.escrow_lifecycle(
    OUT from_state text,
    OUT to_state text,
    OUT is_final boolean
) RETURNS SETOF record
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'escrow_lifecycle';
COMMENT ON FUNCTION escrowgrid.escrow_lifecycle() IS
    'Every transition of the lifecycle, a row each; from_state is NULL for the creation, is_final says that to_state has no way out.';

CREATE FUNCTION escrowgrid.escrow_can_transition(from_state text, to_state text) RETURNS boolean
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'escrow_can_transition';
COMMENT ON FUNCTION escrowgrid.escrow_can_transition(text, text) IS
    'Whether the lifecycle has the transition; from_state NULL stands for a position that does not exist yet. Errors: ZE001 for an unknown state or a NULL to_state.';

CREATE FUNCTION escrowgrid.escrow_health(OUT ok boolean, OUT reasons text[]) RETURNS record
    LANGUAGE c STABLE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'escrow_health';
COMMENT ON FUNCTION escrowgrid.escrow_health() IS
    'Whether the installation is sound; reasons names what is not: library_version_mismatch, trigger_disabled, trigger_missing, drop_guard_disabled, row_security_disabled, public_privileges, bind_parameters_logged. Errors: ZE401.';

CREATE FUNCTION escrowgrid.escrow_write_paths(
    OUT table_name text,
    OUT path text,
    OUT reason text
) RETURNS SETOF record
    LANGUAGE c STABLE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'escrow_write_paths';
COMMENT ON FUNCTION escrowgrid.escrow_write_paths() IS
    'How rows of positions and their records are written: a row per table, path direct (without SPI) or ordinary (through SPI, several times slower), and for ordinary the reason. Errors: ZE401, ZE403.';
