-- escrowgrid 0.2.0 to 0.3.0.
\echo Use "ALTER EXTENSION escrowgrid UPDATE" to load this file. \quit

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
REVOKE ALL ON FUNCTION escrowgrid.escrow_write_paths() FROM PUBLIC;

-- Users' triggers on the tables that these functions write to run with the owner's rights, so the functions do not keep
-- the caller's search_path.
ALTER FUNCTION escrowgrid.escrow_create_institution(text, text[], text[]) SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION escrowgrid.escrow_create_asset_template(text, text, text, text, jsonb, text)
    SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION escrowgrid.escrow_create_asset(text, text, jsonb) SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION escrowgrid.escrow_set_policy(text, text, jsonb) SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION escrowgrid.escrow_create_api_key(text, text, text, timestamptz, cidr[])
    SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION escrowgrid.escrow_rotate_api_key(text, interval) SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION escrowgrid.escrow_revoke_api_key(text) SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION escrowgrid.escrow_grant_access(regrole, text) SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION escrowgrid.escrow_purge_idempotency_keys(interval) SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION escrowgrid.escrow_redact_event(text) SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION escrowgrid.escrow_purge_institution(text, text) SET search_path = pg_catalog, pg_temp;

-- COMMENTs that differ from those of 0.2.0: the errors of functions are complete, and sentences are plainer.
COMMENT ON SCHEMA escrowgrid IS
    'escrowgrid: escrow positions, their lifecycle and their records. Call the escrow_* functions to change anything; '
    'read the tables.';
COMMENT ON TABLE escrowgrid.currencies IS
    'Currencies that positions may be held in. ISO 4217 codes are built in. The owner of the tables or a superuser may '
    'insert other codes, for example (BTC, 8). A code that positions use cannot be changed or removed.';
COMMENT ON COLUMN escrowgrid.currencies.code IS
    'ISO 4217 code, or a code that the tables'' owner added: 3 to 12 upper-case letters and digits, a letter first.';
COMMENT ON COLUMN escrowgrid.currencies.builtin IS
    'True for rows that came with the extension. They cannot be changed, and a dump leaves them out.';
COMMENT ON TABLE escrowgrid.institutions IS
    'Institutions: the tenants. Templates, assets, positions and their records each belong to one institution.';
COMMENT ON COLUMN escrowgrid.institutions.regions IS
    'Regions the institution acts in: US, EU_UK, SG, UAE. Its asset templates must be for one of them.';
COMMENT ON COLUMN escrowgrid.institutions.verticals IS
    'Verticals the institution acts in: CONSTRUCTION, TRADE_FINANCE. Its asset templates must be for one of them.';
COMMENT ON TABLE escrowgrid.asset_templates IS
    'Asset templates: the kinds of asset an institution deals in, with terms that its positions must keep.';
COMMENT ON COLUMN escrowgrid.asset_templates.institution_id IS 'The institution that the template belongs to.';
COMMENT ON COLUMN escrowgrid.asset_templates.code IS
    'Kind of asset: CONSTR_ESCROW, CONSTR_RETAINAGE, TF_INVOICE, TF_LC, or a code of the institution''s own.';
COMMENT ON TABLE escrowgrid.assets IS 'Assets: a position is a claim on an asset.';
COMMENT ON COLUMN escrowgrid.assets.institution_id IS 'The institution that the asset belongs to.';
COMMENT ON COLUMN escrowgrid.assets.template_id IS
    'The template that the asset was made from; it belongs to the same institution.';
COMMENT ON TABLE escrowgrid.positions IS
    'Positions: a holder''s claim on an asset. A position moves only along the lifecycle, and every change writes an '
    'event, a ledger row and an audit row.';
COMMENT ON COLUMN escrowgrid.positions.institution_id IS 'The institution that the position belongs to.';
COMMENT ON COLUMN escrowgrid.positions.asset_id IS
    'The asset that the position is a claim on; it belongs to the same institution.';
COMMENT ON COLUMN escrowgrid.positions.holder_reference IS
    'The institution''s own name for the holder; at most 400 bytes.';
COMMENT ON COLUMN escrowgrid.positions.refunded_amount IS
    'Sum refunded when the position was cancelled or expired, in the currency''s major unit.';
COMMENT ON COLUMN escrowgrid.positions.expires_at IS
    'From this time on the position can only become EXPIRED or CANCELLED; NULL if it never expires.';
COMMENT ON COLUMN escrowgrid.positions.due_at IS
    'Equal to expires_at while the position is open, and NULL once it has ended. escrow_expire_due() searches this '
    'column.';
COMMENT ON COLUMN escrowgrid.positions.version IS
    'Number of events so far. Pass it as expected_version to refuse a position that has changed.';
COMMENT ON COLUMN escrowgrid.positions.head_hash IS
    'Hash of the last event, 32 bytes: the head of the position''s hash chain.';
COMMENT ON TABLE escrowgrid.position_events IS
    'Position events: one row per transition, append-only. The events of a position form a hash chain.';
COMMENT ON COLUMN escrowgrid.position_events.from_state IS 'State before the event; NULL for the creation.';
COMMENT ON COLUMN escrowgrid.position_events.to_state IS 'State after the event.';
COMMENT ON COLUMN escrowgrid.position_events.reason IS
    'Why the position moved, in the caller''s words; at most 4000 bytes.';
COMMENT ON COLUMN escrowgrid.position_events.at IS
    'When the transition was decided; never earlier than the previous event.';
COMMENT ON COLUMN escrowgrid.position_events.amount IS
    'Amount that the event funded, released or refunded, in the currency''s major unit; NULL for a partial release '
    'whose amount was not given.';
COMMENT ON COLUMN escrowgrid.position_events.api_key_id IS
    'Id of the API key that called; root for the root key of the configuration; NULL for root that is signed in with '
    'no key.';
COMMENT ON COLUMN escrowgrid.position_events.salt IS
    '16 random bytes that reason and metadata were hashed with; NULL when the event has neither.';
COMMENT ON COLUMN escrowgrid.position_events.content_digest IS
    'Salted digest of reason and metadata, 32 bytes, once escrow_redact_event() has erased them; NULL otherwise.';
COMMENT ON COLUMN escrowgrid.ledger_events.position_id IS 'The position; NULL for ASSET_CREATED and TEMPLATE_CREATED.';
COMMENT ON COLUMN escrowgrid.ledger_events.new_state IS 'State after; NULL for ASSET_CREATED and TEMPLATE_CREATED.';
COMMENT ON COLUMN escrowgrid.ledger_events.payload IS
    'Details, a JSON object with camelCase keys. For a position it names the position event (eventId), the only record '
    'that holds reason and metadata.';
COMMENT ON COLUMN escrowgrid.ledger_events.institution_id IS 'The institution that the record belongs to.';
COMMENT ON COLUMN escrowgrid.ledger_events.request_id IS
    'The caller''s setting escrowgrid.request_id. It is not verified.';
COMMENT ON TABLE escrowgrid.institution_policies IS 'Policies: the limits that an institution sets for a region.';
COMMENT ON COLUMN escrowgrid.institution_policies.institution_id IS 'The institution that the policy belongs to.';
COMMENT ON COLUMN escrowgrid.institution_policies.config IS
    'The rules, a JSON object; docs/reference.md lists its keys.';
COMMENT ON TABLE escrowgrid.api_keys IS
    'API keys of institutions. Of a token, only its hash and its last 4 characters are stored.';
COMMENT ON COLUMN escrowgrid.api_keys.institution_id IS 'The institution that the key acts for.';
COMMENT ON COLUMN escrowgrid.api_keys.role IS 'admin (may write within its institution) or read_only.';
COMMENT ON COLUMN escrowgrid.api_keys.revoked_at IS 'When the key was revoked; NULL if it was not.';
COMMENT ON COLUMN escrowgrid.api_keys.expires_at IS 'When the key expires; NULL if it never does.';
COMMENT ON COLUMN escrowgrid.api_keys.allowed_cidrs IS 'Networks that the key may be used from; NULL for any network.';
COMMENT ON TABLE escrowgrid.audit_events IS
    'Audit events: who did what, by which call, with which outcome; append-only.';
COMMENT ON COLUMN escrowgrid.audit_events.occurred_at IS
    'When it happened; for a transition, equal to the position event''s at.';
COMMENT ON COLUMN escrowgrid.audit_events.api_key_id IS
    'Id of the API key that called; root for the root key of the configuration; NULL for root that is signed in with '
    'no key.';
COMMENT ON COLUMN escrowgrid.audit_events.institution_id IS 'The institution concerned; NULL if there is none.';
COMMENT ON COLUMN escrowgrid.audit_events.method IS
    'The caller''s setting escrowgrid.request_method, which is not verified, or else SQL.';
COMMENT ON COLUMN escrowgrid.audit_events.path IS
    'The caller''s setting escrowgrid.request_path, which is not verified, or else the function or statement.';
COMMENT ON COLUMN escrowgrid.audit_events.error IS
    'For a failure the refusal, a JSON object as in the DETAIL of its error; NULL otherwise.';
COMMENT ON COLUMN escrowgrid.audit_events.request_id IS
    'The caller''s setting escrowgrid.request_id. It is not verified.';
COMMENT ON COLUMN escrowgrid.audit_events.client_ip IS
    'The caller''s setting escrowgrid.client_ip, which is not verified, or else the address of the connection; NULL '
    'for a local socket.';
COMMENT ON TABLE escrowgrid.idempotency_keys IS
    'Idempotency keys: the request that a caller used a key for, and the events of that request.';
COMMENT ON COLUMN escrowgrid.idempotency_keys.institution_id IS 'The institution that the request was for.';
COMMENT ON COLUMN escrowgrid.idempotency_keys.key IS 'The key that the caller chose, at most 400 bytes.';
COMMENT ON COLUMN escrowgrid.idempotency_keys.event_ids IS
    'The position events of the request, in the order of its results.';
COMMENT ON COLUMN escrowgrid.idempotency_keys.created_at IS
    'When the key was first used. escrow_purge_idempotency_keys() deletes by this time.';
COMMENT ON FUNCTION escrowgrid.escrow_create_institution(text, text[], text[]) IS
    'Creates an institution (a tenant) and returns its row. regions: US, EU_UK, SG, UAE. verticals: CONSTRUCTION, '
    'TRADE_FINANCE (default: both). Root only. Writes an audit row. Errors: ZE001 for a value that is missing, blank, '
    'too long, unknown or repeated; ZE401; ZE403.';
COMMENT ON FUNCTION escrowgrid.escrow_create_asset_template(text, text, text, text, jsonb, text) IS
    'Creates an asset template and returns its row. config is a JSON object. Its keys depend on the code: '
    'CONSTR_ESCROW, CONSTR_RETAINAGE, TF_INVOICE and TF_LC have fixed keys; for any other code currency is checked, '
    'onchain is reserved and other keys are free. institution_id: root must name the institution; a key may leave it '
    'out. Writes a ledger and an audit row. Errors: ZE001 for invalid values; ZE002 for an unknown institution; ZE301 '
    'for an invalid amount in config; ZE401; ZE403.';
COMMENT ON FUNCTION escrowgrid.escrow_create_asset(text, text, jsonb) IS
    'Creates an asset from a template, in the template''s institution, and returns its row. metadata is a JSON object '
    'of at most 64 KB and 10 levels. Writes a ledger and an audit row. Errors: ZE001 for invalid values; ZE002 for an '
    'unknown template; ZE401; ZE403.';
COMMENT ON FUNCTION escrowgrid.escrow_set_policy(text, text, jsonb) IS
    'Sets (replaces) the policy of an institution in a region and returns its row. The policy applies to every call '
    'that starts after the transaction has committed. config: {"position": {"minAmount", "maxAmount", '
    '"allowedCurrencies", "requireReleaseAmount", "maxTenorDays", "maxOpenAmount": {currency: amount}, '
    '"requiredMetadata": {state: [key]}}}, each key optional. Writes an audit row with the old and the new config. '
    'Errors: ZE001 for invalid values; ZE002 for an unknown institution; ZE301 for an invalid amount in config; ZE401; '
    'ZE403; ZE501 when a trigger changes a fixed column of the policy.';
COMMENT ON FUNCTION escrowgrid.escrow_get_policy(text, text) IS
    'Returns the policy of an institution in a region as a JSON document with camelCase keys. Errors: ZE001 for '
    'invalid values; ZE002 for an unknown institution or a region without a policy; ZE401.';
COMMENT ON FUNCTION escrowgrid.escrow_list_policies(text) IS
    'Returns the policies of an institution, ordered by region. NULL: a key lists its own institution, root lists all. '
    'Errors: ZE401.';
COMMENT ON FUNCTION escrowgrid.escrow_create_api_key(text, text, text, timestamptz, cidr[]) IS
    'Creates an API key (role admin or read_only) and returns its row with the token in api_key. The token is returned '
    'only this once; the table keeps its SHA-256. allowed_cidrs are the networks the key may be used from, NULL for '
    'any. For root, and for admin keys in their own institution. Writes an audit row. Errors: ZE001 for invalid '
    'values; ZE002 for an unknown institution; ZE401; ZE403.';
COMMENT ON FUNCTION escrowgrid.escrow_rotate_api_key(text, interval) IS
    'Replaces a key by a new one with the same label, role, expiry and networks, and returns the new row with its '
    'token in api_key. The old key stays valid for overlap (0 to 366 days); with 0 it is revoked at once. For root, '
    'and for admin keys in their own institution. Writes audit rows. Errors: ZE001 for invalid values or a key that '
    'has ended; ZE002 for an unknown key; ZE401; ZE403; ZE501 when a trigger changes a fixed column of the key.';
COMMENT ON FUNCTION escrowgrid.escrow_revoke_api_key(text) IS
    'Revokes a key and returns its row (api_key is NULL). Sessions that are signed in with the key are refused from '
    'their next call on. Revoking a key again changes nothing. For root, and for admin keys in their own institution. '
    'Writes an audit row. Errors: ZE001 for invalid values; ZE002 for an unknown key; ZE401; ZE403; ZE501 when a '
    'trigger changes a fixed column of the key.';
COMMENT ON FUNCTION escrowgrid.escrow_list_api_keys(text) IS
    'Returns the keys of an institution in id order, without hashes and tokens. NULL: an admin key lists its own '
    'institution, root lists all. Errors: ZE401; ZE403.';
COMMENT ON FUNCTION escrowgrid.escrow_authenticate(text, text) IS
    'Signs in with an API key and returns the key''s id. Scope transaction lasts until the transaction ends; outside a '
    'transaction block it lasts for one statement and warns. Scope session lasts until escrow_sign_out(), RESET ALL or '
    'DISCARD ALL. Writes nothing and works on a standby. Pass the token as a bind parameter. Errors: ZE001 for invalid '
    'values; ZE401 for a key that is not accepted; ZE403 while a cursor is open.';
COMMENT ON FUNCTION escrowgrid.escrow_sign_out() IS
    'Ends the sign-in that escrow_authenticate() began. Does nothing if nobody is signed in. Errors: none.';
COMMENT ON FUNCTION escrowgrid.escrow_verify_api_key(text) IS
    'Returns the status of a token without signing in: VALID, NOT_FOUND, REVOKED, EXPIRED or FORBIDDEN_ADDRESS. '
    'Errors: ZE001 for NULL.';
COMMENT ON FUNCTION escrowgrid.escrow_whoami() IS
    'Returns the caller''s role (root, admin or read_only; NULL when nobody is signed in), institution, key and '
    'database role. Errors: ZE401 when the key that is signed in has ended.';
COMMENT ON FUNCTION escrowgrid.escrow_current_institution_id() IS
    'Returns the institution of the key that is signed in; NULL for root, when nobody is signed in, and when the key '
    'has ended. The row-level security policies compare institution_id with it. Errors: none.';
COMMENT ON FUNCTION escrowgrid.escrow_grant_access(regrole, text) IS
    'Grants a database role the rights of a level: reader, auditor or application. These are USAGE, EXECUTE and '
    'SELECT, never a right to write to a table or to create triggers. The key that a caller signs in with decides '
    'which rows it sees and what it may do. Root only. Writes an audit row. Errors: ZE001 for an unknown role or '
    'level; ZE401; ZE403.';
COMMENT ON FUNCTION escrowgrid.escrow_create_position(text, text, text, numeric, text, timestamptz, jsonb, text) IS
    'Creates a position in state CREATED and returns its row. amount is in the currency''s major unit: more than 0, at '
    'most 10^15, no more decimals than the currency has. It is never rounded. metadata is stored in the first event. '
    'Writes the position, its event, its ledger row and its audit row in the caller''s transaction. A request with an '
    'idempotency_key has one effect: repeated, it returns the row as of the first time and writes nothing. Errors: '
    'ZE001 for invalid values; ZE002 for an unknown asset; ZE003 for an idempotency key of another request; ZE201 when '
    'a policy or template rule forbids it; ZE301 for an invalid amount; ZE401; ZE403; ZE501 when a trigger or rule '
    'changes the position that is written; 40001 when the transaction has to be retried.';
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
COMMENT ON FUNCTION escrowgrid.escrow_transition_batch(text[], text, text, jsonb, numeric[], text, text) IS
    'Moves 1 to 10000 positions of one institution, all or none, and returns their rows in the order asked. amounts '
    'has one element for each position, or is NULL. Rows are locked in id order, so two batches never deadlock. The '
    'detail of an error has the number of the element. Errors: ZE001 also for repeated ids, NULLs, arrays of different '
    'lengths and positions of different institutions; otherwise as escrow_transition: ZE002, ZE003, ZE101, ZE102, '
    'ZE103, ZE201, ZE301, ZE302, ZE401, ZE403, ZE501, ZE502, 40001.';
COMMENT ON FUNCTION escrowgrid.escrow_expire_due(integer) IS
    'Moves up to max_count (1 to 100000) positions whose expires_at has passed to EXPIRED, the longest overdue '
    'first, and returns their number. Call it again until it returns 0. Positions that another session has locked '
    'are skipped. A position that cannot be expired because of its own data (a refusal, a broken record, a trigger '
    'or constraint of a user) gets a WARNING and stays, and the others are expired; 1000 such positions end the '
    'call. For root, and for admin keys in their own institution. Errors: ZE001 for max_count; ZE401; ZE403; 40001 '
    'when the transaction has to be retried.';
COMMENT ON FUNCTION escrowgrid.escrow_position_at(text, timestamptz) IS
    'Returns the position as of a time, computed from its events alone: state, amounts in the currency''s major unit, '
    'version, and the time of its last event until then. All columns are NULL for a time before the creation. Errors: '
    'ZE001 for invalid values; ZE002 for an unknown position; ZE401.';
COMMENT ON FUNCTION escrowgrid.escrow_purge_idempotency_keys(interval) IS
    'Deletes the idempotency keys that were first used longer ago than older_than and returns their number. A request '
    'repeated after that counts as a new request. Root only. Errors: ZE001 for NULL or a negative interval; ZE401; '
    'ZE403.';
COMMENT ON FUNCTION escrowgrid.escrow_try_create_position(text, text, text, numeric, text, timestamptz, jsonb, text) IS
    'Does the same as escrow_create_position, but a refusal by the rules is returned (ok is false, with sqlstate, '
    'condition, message, detail and hint) and audited instead of raised. Errors: ZE001 or ZE301 when the template''s '
    'or the policy''s config was written by raw DML and is not valid; ZE401; ZE501 when a trigger or rule changes the '
    'position that is written; PostgreSQL''s own, such as 40001 when the transaction has to be retried.';
COMMENT ON FUNCTION escrowgrid.escrow_try_transition(text, text, text, jsonb, numeric, text, integer, text) IS
    'Does the same as escrow_transition, but a refusal by the rules is returned (ok is false, with sqlstate, '
    'condition, message, detail and hint) and audited instead of raised. Errors: ZE001 or ZE301 when the template''s '
    'or the policy''s config was written by raw DML and is not valid; ZE401; ZE501 when a trigger or rule changes the '
    'position that is written; ZE502 when the position''s currency is missing; PostgreSQL''s own, such as 40001 when '
    'the transaction has to be retried.';
COMMENT ON FUNCTION escrowgrid.escrow_explain_create_position(text, text, text, numeric, text, timestamptz, jsonb) IS
    'Returns how escrow_create_position would be judged: one row per rule, in the order in which the rules are judged, '
    'with whether it passed and the values compared. The call would be refused by the first rule that did not pass. '
    'Writes and locks nothing. Errors: ZE001 or ZE301 when the template''s or the policy''s config was written by raw '
    'DML and is not valid; ZE002 when the asset is deleted during the call; ZE401; ZE403.';
COMMENT ON FUNCTION escrowgrid.escrow_explain_transition(text, text, text, jsonb, numeric, text, integer) IS
    'Returns how escrow_transition would be judged: one row per rule, in the order in which the rules are judged, with '
    'whether it passed and the values compared. The call would be refused by the first rule that did not pass. Writes '
    'and locks nothing. Errors: ZE001 or ZE301 when the template''s or the policy''s config was written by raw DML and '
    'is not valid; ZE401; ZE403; ZE502 when the position''s currency is missing.';
COMMENT ON FUNCTION escrowgrid.escrow_get_institution(text) IS
    'Returns the institution as a JSON document with camelCase keys. Errors: ZE001 when id is missing, blank or too '
    'long; ZE002 for an unknown institution; ZE401.';
COMMENT ON FUNCTION escrowgrid.escrow_get_asset_template(text) IS
    'Returns the asset template as a JSON document with camelCase keys. Errors: ZE001 when id is missing, blank or too '
    'long; ZE002 for an unknown template; ZE401.';
COMMENT ON FUNCTION escrowgrid.escrow_get_asset(text) IS
    'Returns the asset as a JSON document with camelCase keys. Errors: ZE001 when id is missing, blank or too long; '
    'ZE002 for an unknown asset; ZE401.';
COMMENT ON FUNCTION escrowgrid.escrow_get_position(text) IS
    'Returns the position with its events as a JSON document with camelCase keys. Amounts are JSON numbers in the '
    'currency''s major unit. Times are UTC in ISO 8601 with microseconds. Errors: ZE001 when id is missing, blank or '
    'too long; ZE002 for an unknown position; ZE401.';
COMMENT ON FUNCTION escrowgrid.escrow_list_institutions(text, integer) IS
    'Returns a page of institutions in id order, starting after after_id. max_count is from 1 to 1000. Errors: ZE001 '
    'for max_count; ZE401.';
COMMENT ON FUNCTION escrowgrid.escrow_list_asset_templates(text, text, integer) IS
    'Returns a page of asset templates in id order, starting after after_id. A filter that is NULL does not filter. '
    'max_count is from 1 to 1000. Errors: ZE001 for max_count; ZE401.';
COMMENT ON FUNCTION escrowgrid.escrow_list_assets(text, text, text, integer) IS
    'Returns a page of assets in id order, starting after after_id. A filter that is NULL does not filter. max_count '
    'is from 1 to 1000. Errors: ZE001 for max_count; ZE401.';
COMMENT ON FUNCTION escrowgrid.escrow_list_positions(text, text, text, text, text, integer) IS
    'Returns a page of positions in id order, starting after after_id. A filter that is NULL does not filter. '
    'max_count is from 1 to 1000. Errors: ZE001 for max_count and for an unknown state; ZE401.';
COMMENT ON FUNCTION escrowgrid.escrow_list_ledger_events(text, text, text, integer) IS
    'Returns a page of ledger events in id order, starting after after_id. A filter that is NULL does not filter. '
    'max_count is from 1 to 1000. Ids are not in commit order; use logical decoding to follow changes. Errors: ZE001 '
    'for max_count; ZE401.';
COMMENT ON FUNCTION escrowgrid.escrow_list_audit_events(text, text, text, integer) IS
    'Returns a page of audit events in id order, starting after after_id. A filter that is NULL does not filter. '
    'max_count is from 1 to 1000. Ids are not in commit order; use logical decoding to follow changes. Errors: ZE001 '
    'for max_count; ZE401.';
COMMENT ON COLUMN escrowgrid.balances.held IS 'Sum that positions hold: funded and neither released nor refunded.';
COMMENT ON FUNCTION escrowgrid.escrow_version() IS
    'Returns the version of the loaded library, for example 0.3.0. escrow_health() compares it with the version of the '
    'installed extension. Errors: none.';
COMMENT ON FUNCTION escrowgrid.escrow_lifecycle() IS
    'Returns every transition of the lifecycle, one per row. from_state is NULL for the creation. is_final is true '
    'when no transition leaves to_state. Errors: none.';
COMMENT ON FUNCTION escrowgrid.escrow_can_transition(text, text) IS
    'Returns whether the lifecycle has the transition. A NULL from_state stands for a position that does not exist '
    'yet. Errors: ZE001 for an unknown state or a NULL to_state.';
COMMENT ON FUNCTION escrowgrid.escrow_health() IS
    'Returns whether the installation is sound. If not, reasons has one or more of: library_version_mismatch, '
    'trigger_disabled, trigger_missing, drop_guard_disabled, row_security_disabled, public_privileges, '
    'bind_parameters_logged. Root only. Errors: ZE401; ZE403.';
COMMENT ON FUNCTION escrowgrid.decide_position() IS
    'Trigger: decides a raw INSERT or UPDATE of a position by the rules of the functions. Raw DML is for root without '
    'a key. Errors: ZE001, ZE002, ZE101, ZE103, ZE201, ZE301, ZE302 and ZE502 as the functions; ZE401; ZE403 while a '
    'key is signed in; ZE501 for a column that cannot be set.';
COMMENT ON FUNCTION escrowgrid.record_position() IS
    'Trigger: checks that a raw change was written as it was decided, and writes its event, ledger and audit rows. '
    'Errors: ZE501 when another trigger has changed the row, or ZE001, ZE002 or ZE301 when that change is not valid '
    'itself; ZE401; ZE403; ZE502 when the position''s currency is missing.';
COMMENT ON FUNCTION escrowgrid.check_record() IS
    'Trigger: accepts a record that was inserted by hand only where it belongs to its position''s history, as in a '
    'restore. Errors: ZE002 for an unknown position; ZE401; ZE403 while a key is signed in; ZE501 for a record that '
    'does not belong there.';
COMMENT ON FUNCTION escrowgrid.refuse_change() IS
    'Trigger: refuses the operation. Two operations pass: an erasure by escrow_redact_event(), also where it is '
    'replicated to, and the deletions of escrow_purge_institution(). Errors: ZE501.';
COMMENT ON FUNCTION escrowgrid.keep_columns() IS
    'Trigger: refuses an UPDATE that changes one of the columns given as arguments. Errors: ZE501.';
COMMENT ON FUNCTION escrowgrid.guard_currency() IS
    'Trigger: refuses to insert a currency as built in, and to change or delete one that is built in or that positions '
    'use. Errors: ZE501.';
COMMENT ON TRIGGER escrowgrid_decide ON escrowgrid.positions IS
    'Decides a raw INSERT or UPDATE by the rules of the functions.';
COMMENT ON TRIGGER escrowgrid_record ON escrowgrid.positions IS 'Writes the records of a raw INSERT or UPDATE.';
COMMENT ON TRIGGER escrowgrid_check ON escrowgrid.position_events IS
    'Accepts records inserted by hand only as part of a restore.';
COMMENT ON TRIGGER escrowgrid_check ON escrowgrid.ledger_events IS
    'Accepts records inserted by hand only as part of a restore.';
COMMENT ON TRIGGER escrowgrid_check ON escrowgrid.audit_events IS
    'Accepts records inserted by hand only as part of a restore.';
COMMENT ON TRIGGER escrowgrid_keep_columns ON escrowgrid.institutions IS
    'Refuses changes to columns that identify the row or that other rows depend on.';
COMMENT ON TRIGGER escrowgrid_keep_columns ON escrowgrid.asset_templates IS
    'Refuses changes to columns that identify the row or that other rows depend on.';
COMMENT ON TRIGGER escrowgrid_keep_columns ON escrowgrid.assets IS
    'Refuses changes to columns that identify the row or that other rows depend on.';
COMMENT ON TRIGGER escrowgrid_keep_columns ON escrowgrid.institution_policies IS
    'Refuses changes to columns that identify the row or that other rows depend on.';
COMMENT ON TRIGGER escrowgrid_keep_columns ON escrowgrid.api_keys IS
    'Refuses changes to columns that identify the row or that other rows depend on.';
COMMENT ON TRIGGER escrowgrid_guard ON escrowgrid.currencies IS
    'Refuses changes to currencies that are built in or in use.';
COMMENT ON TABLE escrowgrid.checkpoints IS
    'Checkpoints, append-only. Each stands for the head of every position at one moment and has the hash of the '
    'checkpoint before it. Sign and keep the text that escrow_checkpoint_export() returns.';
COMMENT ON COLUMN escrowgrid.checkpoints.position_count IS
    'Number of positions in the checkpoint: the leaves of its Merkle tree.';
COMMENT ON COLUMN escrowgrid.checkpoints.previous_hash IS
    'Hash of the previous checkpoint, 32 bytes; zeros for the first.';
COMMENT ON COLUMN escrowgrid.checkpoints.hash IS
    'SHA-256 of the text that escrow_checkpoint_export() returns, 32 bytes.';
COMMENT ON TABLE escrowgrid.checkpoint_heads IS
    'Heads of checkpoints, append-only: one row for each position that changed since the previous checkpoint.';
COMMENT ON COLUMN escrowgrid.checkpoint_heads.checkpoint_number IS
    'The first checkpoint that has the position with this version and head.';
COMMENT ON COLUMN escrowgrid.checkpoint_heads.version IS 'The position''s version; NULL once the position was purged.';
COMMENT ON COLUMN escrowgrid.checkpoint_heads.head_hash IS
    'The position''s head hash, 32 bytes; NULL once the position was purged.';
COMMENT ON FUNCTION escrowgrid.escrow_verify(text) IS
    'Returns one row for each discrepancy, and no row when there is none. It checks hash chains, sequences, sums, '
    'states, ledger and audit rows, erasures, references, and positions against the heads that checkpoints stand for. '
    'A key verifies its own institution. Root verifies one institution or, with NULL, all of them and the checkpoints '
    'themselves. Reads under one snapshot. Errors: ZE001 when institution_id is blank or too long; ZE002 for an '
    'unknown institution; ZE401.';
COMMENT ON FUNCTION escrowgrid.escrow_checkpoint() IS
    'Makes a checkpoint over the head of every position and returns its row. Checkpoints are made one at a time. Root '
    'only. Errors: ZE401; ZE403; ZE502 when a position no longer has the history that an earlier checkpoint stands '
    'for; 40001 when another checkpoint was made concurrently.';
COMMENT ON FUNCTION escrowgrid.escrow_checkpoint_export(text) IS
    'Returns the text of a checkpoint, of the last one by default. Sign it and keep it elsewhere. Its SHA-256 is the '
    'checkpoint''s hash. Errors: ZE002 for an unknown checkpoint; ZE401.';
COMMENT ON FUNCTION escrowgrid.escrow_inclusion_proof(text, text) IS
    'Returns the proof (RFC 9162, section 2.1.3) that a checkpoint has the position with this version and head. '
    'leaf_index counts from 0. Errors: ZE001 when an id is missing, blank or too long; ZE002 for an unknown checkpoint '
    'or a position that is not in it; ZE401; ZE502 when the stored heads do not give the root.';
COMMENT ON FUNCTION escrowgrid.escrow_redact_event(text) IS
    'Erases reason and metadata of an event and returns its row. Their salted digest stays, so that the hash chain '
    'stays whole. An event without content stays as it is. For root, and for admin keys in their own institution. '
    'Writes an audit row. Errors: ZE001 for invalid values; ZE002 for an unknown event; ZE401; ZE403; ZE501 when a '
    'trigger changes another column of the event.';
COMMENT ON FUNCTION escrowgrid.escrow_purge_institution(text, text) IS
    'Deletes an institution with all its records except the audit rows, and adds audit rows (a tombstone) with counts '
    'and the last heads. confirm must repeat the institution''s name. Root only. Errors: ZE001 for invalid values; '
    'ZE002 for an unknown institution; ZE401; ZE403; ZE501 while a position holds money.';
COMMENT ON FUNCTION escrowgrid.check_checkpoint() IS
    'Trigger: accepts checkpoints inserted by hand only from root and only with the hash that follows from the row, as '
    'in a restore. Errors: ZE401; ZE403 while a key is signed in; ZE501 for another hash.';
COMMENT ON TRIGGER escrowgrid_check ON escrowgrid.checkpoints IS
    'Accepts checkpoints inserted by hand only as part of a restore.';
COMMENT ON TRIGGER escrowgrid_check ON escrowgrid.checkpoint_heads IS
    'Accepts rows from root only. escrow_verify() recomputes the root hash from these rows.';
COMMENT ON POLICY signed_in_reads ON escrowgrid.checkpoints IS
    'Every signed-in key sees checkpoints, because they hold nothing but hashes and a count.';
COMMENT ON FUNCTION escrowgrid.guard_drop() IS
    'Event trigger: refuses to drop the extension, its schema, its parts or the objects of its owner while positions '
    'exist. A superuser may SET escrowgrid.allow_drop = on. Errors: ZE501.';
COMMENT ON POLICY everyone_reads ON escrowgrid.currencies IS
    'Every role sees currencies, because they belong to no institution.';
