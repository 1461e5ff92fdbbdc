-- Creating and moving positions. Call these functions in FROM: SELECT (f()).* calls f once per column.

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
    'Creates a position in state CREATED and returns its row. amount is in the currency''s major unit: more than 0, at '
    'most 10^15, no more decimals than the currency has. It is never rounded. metadata is stored in the first event. '
    'Writes the position, its event, its ledger row and its audit row in the caller''s transaction. A request with an '
    'idempotency_key has one effect: repeated, it returns the row as of the first time and writes nothing. Errors: '
    'ZE001 for invalid values; ZE002 for an unknown asset; ZE003 for an idempotency key of another request; ZE201 when '
    'a policy or template rule forbids it; ZE301 for an invalid amount; ZE401; ZE403; ZE501 when a trigger or rule '
    'changes the position that is written; 40001 when the transaction has to be retried.';

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
    'Moves a position along its lifecycle and returns its row. amount is what PARTIALLY_RELEASED releases, in the '
    'currency''s major unit: more than 0 and less than what is held. For any other state leave amount out, or pass '
    'exactly what the transition moves. A position that has changed is refused when expected_state or expected_version '
    'is given. Call it in FROM: SELECT (escrow_transition(...)).* calls it once per column. Writes the position, its '
    'event, its ledger row and its audit row in the caller''s transaction. A request with an idempotency_key has one '
    'effect: repeated, it returns the row as of the first time and writes nothing. Errors: ZE001 for invalid values; '
    'ZE002 for an unknown position; ZE003 for an idempotency key of another request; ZE101 for a transition that the '
    'lifecycle does not have; ZE102 when the position is not as expected; ZE103 when it is past its expiry; ZE201 when '
    'a policy or template rule forbids it; ZE301 for an invalid amount; ZE302 for more than can be released; ZE401; '
    'ZE403; ZE501 when a trigger or rule changes the position that is written; ZE502 when the position does not match '
    'its last event or its currency is missing; 40001 when the transaction has to be retried.';

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
    'Moves 1 to 10000 positions of one institution, all or none, and returns their rows in the order asked. amounts '
    'has one element for each position, or is NULL. Rows are locked in id order, so two batches never deadlock. The '
    'detail of an error has the number of the element. Errors: ZE001 also for repeated ids, NULLs, arrays of different '
    'lengths and positions of different institutions; otherwise as escrow_transition: ZE002, ZE003, ZE101, ZE102, '
    'ZE103, ZE201, ZE301, ZE302, ZE401, ZE403, ZE501, ZE502, 40001.';

CREATE FUNCTION escrowgrid.escrow_expire_due(max_count integer DEFAULT 1000) RETURNS integer
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'escrow_expire_due';
COMMENT ON FUNCTION escrowgrid.escrow_expire_due(integer) IS
    'Moves up to max_count (1 to 100000) positions whose expires_at has passed to EXPIRED, the longest overdue '
    'first, and returns their number. Call it again until it returns 0. Positions that another session has locked '
    'are skipped. A position that cannot be expired because of its own data (a refusal, a broken record, a trigger '
    'or constraint of a user) gets a WARNING and stays, and the others are expired; 1000 such positions end the '
    'call. For root, and for admin keys in their own institution. Errors: ZE001 for max_count; ZE401; ZE403; 40001 '
    'when the transaction has to be retried.';

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
    'Returns the position as of a time, computed from its events alone: state, amounts in the currency''s major unit, '
    'version, and the time of its last event until then. All columns are NULL for a time before the creation. Errors: '
    'ZE001 for invalid values; ZE002 for an unknown position; ZE401.';

CREATE FUNCTION escrowgrid.escrow_purge_idempotency_keys(older_than interval) RETURNS bigint
    LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'escrow_purge_idempotency_keys';
COMMENT ON FUNCTION escrowgrid.escrow_purge_idempotency_keys(interval) IS
    'Deletes the idempotency keys that were first used longer ago than older_than and returns their number. A request '
    'repeated after that counts as a new request. Root only. Errors: ZE001 for NULL or a negative interval; ZE401; '
    'ZE403.';

-- These functions return a refusal by the rules as a row instead of raising it, so that its audit row commits with the
-- caller's transaction.

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
    'Does the same as escrow_create_position, but a refusal by the rules is returned (ok is false, with sqlstate, '
    'condition, message, detail and hint) and audited instead of raised. Errors: ZE001 or ZE301 when the template''s '
    'or the policy''s config was written by raw DML and is not valid; ZE401; ZE501 when a trigger or rule changes the '
    'position that is written; PostgreSQL''s own, such as 40001 when the transaction has to be retried.';

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
    'Does the same as escrow_transition, but a refusal by the rules is returned (ok is false, with sqlstate, '
    'condition, message, detail and hint) and audited instead of raised. Errors: ZE001 or ZE301 when the template''s '
    'or the policy''s config was written by raw DML and is not valid; ZE401; ZE501 when a trigger or rule changes the '
    'position that is written; ZE502 when the position''s currency is missing; PostgreSQL''s own, such as 40001 when '
    'the transaction has to be retried.';

-- Dry runs: they return a row per rule, and write and lock nothing.

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
    'Returns how escrow_create_position would be judged: one row per rule, in the order in which the rules are judged, '
    'with whether it passed and the values compared. The call would be refused by the first rule that did not pass. '
    'Writes and locks nothing. Errors: ZE001 or ZE301 when the template''s or the policy''s config was written by raw '
    'DML and is not valid; ZE002 when the asset is deleted during the call; ZE401; ZE403.';

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
    'Returns how escrow_transition would be judged: one row per rule, in the order in which the rules are judged, with '
    'whether it passed and the values compared. The call would be refused by the first rule that did not pass. Writes '
    'and locks nothing. Errors: ZE001 or ZE301 when the template''s or the policy''s config was written by raw DML and '
    'is not valid; ZE401; ZE403; ZE502 when the position''s currency is missing.';
