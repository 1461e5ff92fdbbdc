-- The main job. These functions are for FROM: SELECT (f()).* calls f once per column.

CREATE FUNCTION escrowgrid.escrow_create_position(
    asset_id text,
    holder_reference text,
    currency text,
    amount numeric,
    external_reference text DEFAULT NULL,
    expires_at timestamptz DEFAULT NULL,
    metadata jsonb DEFAULT NULL,
    idempotency_key text DEFAULT NULL
) RETURNS escrowgrid.positions
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'escrow_create_position';
COMMENT ON FUNCTION escrowgrid.escrow_create_position(text, text, text, numeric, text, timestamptz, jsonb, text) IS
    'Creates a position in state CREATED and returns its row. amount is in the currency''s major unit: more than 0, at most 10^15, no more decimals than the currency has (never rounded). metadata goes into the first event. Writes position, event, ledger and audit row in the caller''s transaction. idempotency_key is reserved. Errors: ZE001 for invalid values, ZE002 for an unknown asset, ZE301 for an invalid amount, ZE401.';

CREATE FUNCTION escrowgrid.escrow_transition(
    position_id text,
    to_state text,
    reason text DEFAULT NULL,
    metadata jsonb DEFAULT NULL,
    amount numeric DEFAULT NULL,
    expected_state text DEFAULT NULL,
    expected_version integer DEFAULT NULL,
    idempotency_key text DEFAULT NULL
) RETURNS escrowgrid.positions
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'escrow_transition';
COMMENT ON FUNCTION escrowgrid.escrow_transition(text, text, text, jsonb, numeric, text, integer, text) IS
    'Moves a position along its lifecycle under a row lock and returns its row. amount is what PARTIALLY_RELEASED releases, in the currency''s major unit, less than what is held; the other states move all there is. expected_state and expected_version refuse a position that has moved on. Call it in FROM; with SELECT (escrow_transition(...)).* it runs once per column. Writes position, event, ledger and audit row in the caller''s transaction. idempotency_key is reserved. Errors: ZE001 for invalid values, ZE002 for an unknown position, ZE101 for a missing edge, ZE102 when not as expected, ZE103 after expiry, ZE301 and ZE302 for amounts, ZE401, ZE502 when row and events disagree.';
