-- Version, lifecycle, health and write paths.

CREATE FUNCTION escrowgrid.escrow_version() RETURNS text
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'escrow_version';
COMMENT ON FUNCTION escrowgrid.escrow_version() IS
    'Returns the version of the loaded library, for example 0.3.0. escrow_health() compares it with the version of the '
    'installed extension. Errors: none.';

CREATE FUNCTION escrowgrid.escrow_lifecycle(
    OUT from_state text,
    OUT to_state text,
    OUT is_final boolean
) RETURNS SETOF record
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'escrow_lifecycle';
COMMENT ON FUNCTION escrowgrid.escrow_lifecycle() IS
    'Returns every transition of the lifecycle, one per row. from_state is NULL for the creation. is_final is true '
    'when no transition leaves to_state. Errors: none.';

CREATE FUNCTION escrowgrid.escrow_can_transition(from_state text, to_state text) RETURNS boolean
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'escrow_can_transition';
COMMENT ON FUNCTION escrowgrid.escrow_can_transition(text, text) IS
    'Returns whether the lifecycle has the transition. A NULL from_state stands for a position that does not exist '
    'yet. Errors: ZE001 for an unknown state or a NULL to_state.';

CREATE FUNCTION escrowgrid.escrow_health(OUT ok boolean, OUT reasons text[]) RETURNS record
    LANGUAGE c STABLE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'escrow_health';
COMMENT ON FUNCTION escrowgrid.escrow_health() IS
    'Returns whether the installation is sound. If not, reasons has one or more of: library_version_mismatch, '
    'trigger_disabled, trigger_missing, drop_guard_disabled, row_security_disabled, public_privileges, '
    'bind_parameters_logged. Root only. Errors: ZE401; ZE403.';

CREATE FUNCTION escrowgrid.escrow_write_paths(
    OUT table_name text,
    OUT path text,
    OUT reason text
) RETURNS SETOF record
    LANGUAGE c STABLE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'escrow_write_paths';
COMMENT ON FUNCTION escrowgrid.escrow_write_paths() IS
    'Returns how rows of positions and their records are written, one row per table. path is direct (without SPI) or '
    'ordinary (through SPI, several times slower). For ordinary, reason is the first reason found. All four tables '
    'take the same path. Root only. Errors: ZE401; ZE403.';
