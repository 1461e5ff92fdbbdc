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
    'Creates a position in state CREATED and returns its row. amount is in the currency''s major unit: more than 0, at most 10^15, no more decimals than the currency has (never rounded). metadata goes into the first event. Writes position, event, ledger and audit row in the caller''s transaction. With idempotency_key the same request has one effect: repeated, it returns the row as of then and writes nothing. Errors: ZE001 for invalid values, ZE002 for an unknown asset, ZE003 for a key of another request, ZE301 for an invalid amount, ZE401.';

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
    'Moves a position along its lifecycle under a row lock and returns its row. amount is what PARTIALLY_RELEASED releases, in the currency''s major unit, less than what is held; the other states move all there is. expected_state and expected_version refuse a position that has moved on. Call it in FROM; with SELECT (escrow_transition(...)).* it runs once per column. Writes position, event, ledger and audit row in the caller''s transaction. With idempotency_key the same request has one effect: repeated, it returns the row as of then and writes nothing. Errors: ZE001 for invalid values, ZE002 for an unknown position, ZE003 for a key of another request, ZE101 for a missing edge, ZE102 when not as expected, ZE103 after expiry, ZE301 and ZE302 for amounts, ZE401, ZE502 when row and events disagree.';

CREATE FUNCTION escrowgrid.escrow_transition_batch(
    position_ids text[],
    to_state text,
    reason text DEFAULT NULL,
    metadata jsonb DEFAULT NULL,
    amounts numeric[] DEFAULT NULL,
    expected_state text DEFAULT NULL,
    idempotency_key text DEFAULT NULL
) RETURNS SETOF escrowgrid.positions
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'escrow_transition_batch';
COMMENT ON FUNCTION escrowgrid.escrow_transition_batch(text[], text, text, jsonb, numeric[], text, text) IS
    'Moves 1 to 10000 positions of one institution, all or none, and returns their rows in the order asked. amounts has an element for each position, or is NULL. Rows are locked in id order, so that two batches never deadlock. Errors as of escrow_transition, with the element''s number in the detail; ZE001 for repeated ids, NULLs and unequal lengths.';

CREATE FUNCTION escrowgrid.escrow_expire_due(max_count integer DEFAULT 1000) RETURNS integer
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'escrow_expire_due';
COMMENT ON FUNCTION escrowgrid.escrow_expire_due(integer) IS
    'Moves up to max_count (1 to 100000) positions whose expires_at has passed to EXPIRED and returns their number; call again until 0. Positions that another session holds are passed over; one whose records contradict each other is left with a WARNING. For root, and admins in their own institution. Errors: ZE001, ZE401, ZE403.';

CREATE FUNCTION escrowgrid.escrow_position_at(
    position_id text,
    at timestamptz,
    OUT id text,
    OUT state text,
    OUT amount numeric,
    OUT released_amount numeric,
    OUT refunded_amount numeric,
    OUT held_amount numeric,
    OUT version integer,
    OUT updated_at timestamptz
) RETURNS record
    LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'escrow_position_at';
COMMENT ON FUNCTION escrowgrid.escrow_position_at(text, timestamptz) IS
    'The position as it was at a time, told by its events alone: state, amounts in the currency''s major unit, version and the time of its last event by then. All NULL before it was created. Errors: ZE001, ZE002, ZE401.';

CREATE FUNCTION escrowgrid.escrow_purge_idempotency_keys(older_than interval) RETURNS bigint
    LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'escrow_purge_idempotency_keys';
COMMENT ON FUNCTION escrowgrid.escrow_purge_idempotency_keys(interval) IS
    'Deletes idempotency keys first used longer ago than older_than and returns their number. A request repeated after that is a new one. For root. Errors: ZE001, ZE401, ZE403.';

-- A refusal by the rules as a row: its audit row commits with the caller's transaction.

CREATE FUNCTION escrowgrid.escrow_try_create_position(
    asset_id text,
    holder_reference text,
    currency text,
    amount numeric,
    external_reference text DEFAULT NULL,
    expires_at timestamptz DEFAULT NULL,
    metadata jsonb DEFAULT NULL,
    idempotency_key text DEFAULT NULL,
    OUT ok boolean,
    OUT result escrowgrid.positions,
    OUT sqlstate text,
    OUT condition text,
    OUT message text,
    OUT detail jsonb,
    OUT hint text
) RETURNS record
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'escrow_try_create_position';
COMMENT ON FUNCTION escrowgrid.escrow_try_create_position(text, text, text, numeric, text, timestamptz, jsonb, text) IS
    'As escrow_create_position, but a refusal by the rules is returned (ok false, with sqlstate, condition, message, detail and hint) and audited instead of raised. PostgreSQL''s own errors propagate. Errors: ZE401.';

CREATE FUNCTION escrowgrid.escrow_try_transition(
    position_id text,
    to_state text,
    reason text DEFAULT NULL,
    metadata jsonb DEFAULT NULL,
    amount numeric DEFAULT NULL,
    expected_state text DEFAULT NULL,
    expected_version integer DEFAULT NULL,
    idempotency_key text DEFAULT NULL,
    OUT ok boolean,
    OUT result escrowgrid.positions,
    OUT sqlstate text,
    OUT condition text,
    OUT message text,
    OUT detail jsonb,
    OUT hint text
) RETURNS record
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'escrow_try_transition';
COMMENT ON FUNCTION escrowgrid.escrow_try_transition(text, text, text, jsonb, numeric, text, integer, text) IS
    'As escrow_transition, but a refusal by the rules is returned (ok false, with sqlstate, condition, message, detail and hint) and audited instead of raised. PostgreSQL''s own errors propagate. Errors: ZE401.';

-- Dry runs: a row per rule, nothing written, nothing locked.

CREATE FUNCTION escrowgrid.escrow_explain_create_position(
    asset_id text,
    holder_reference text,
    currency text,
    amount numeric,
    external_reference text DEFAULT NULL,
    expires_at timestamptz DEFAULT NULL,
    metadata jsonb DEFAULT NULL,
    OUT rule text,
    OUT passed boolean,
    OUT sqlstate text,
    OUT condition text,
    OUT compared jsonb
) RETURNS SETOF record
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'escrow_explain_create_position';
COMMENT ON FUNCTION escrowgrid.escrow_explain_create_position(text, text, text, numeric, text, timestamptz, jsonb) IS
    'What escrow_create_position would say: a row per rule in the order they are judged, passed or not, with the values compared. The first that failed is what the call would be refused with. Writes nothing. Errors: ZE401, ZE403.';

CREATE FUNCTION escrowgrid.escrow_explain_transition(
    position_id text,
    to_state text,
    reason text DEFAULT NULL,
    metadata jsonb DEFAULT NULL,
    amount numeric DEFAULT NULL,
    expected_state text DEFAULT NULL,
    expected_version integer DEFAULT NULL,
    OUT rule text,
    OUT passed boolean,
    OUT sqlstate text,
    OUT condition text,
    OUT compared jsonb
) RETURNS SETOF record
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'escrow_explain_transition';
COMMENT ON FUNCTION escrowgrid.escrow_explain_transition(text, text, text, jsonb, numeric, text, integer) IS
    'What escrow_transition would say: a row per rule in the order they are judged, passed or not, with the values compared. The first that failed is what the call would be refused with. Writes nothing. Errors: ZE401, ZE403.';
