-- Keys and signing in. Pass tokens as bind parameters: literals stay readable in logs and statistics.

CREATE FUNCTION escrowgrid.escrow_create_api_key(
    institution_id text,
    label text,
    role text,
    expires_at timestamptz DEFAULT NULL,
    allowed_cidrs cidr[] DEFAULT NULL,
    OUT id text,
    OUT institution_id text,
    OUT label text,
    OUT role text,
    OUT created_at timestamptz,
    OUT revoked_at timestamptz,
    OUT expires_at timestamptz,
    OUT allowed_cidrs cidr[],
    OUT token_hint text,
    OUT api_key text
) RETURNS record
    LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'escrow_create_api_key';
COMMENT ON FUNCTION escrowgrid.escrow_create_api_key(text, text, text, timestamptz, cidr[]) IS
    'Creates an API key (role admin or read_only) and returns its row with the token in api_key: this once, only its SHA-256 is kept. allowed_cidrs are the networks it may come from, NULL for any. For root, and admins in their own institution. Writes an audit row. Errors: ZE001, ZE002 for an unknown institution, ZE401, ZE403.';

CREATE FUNCTION escrowgrid.escrow_rotate_api_key(
    key_id text,
    overlap interval DEFAULT '0',
    OUT id text,
    OUT institution_id text,
    OUT label text,
    OUT role text,
    OUT created_at timestamptz,
    OUT revoked_at timestamptz,
    OUT expires_at timestamptz,
    OUT allowed_cidrs cidr[],
    OUT token_hint text,
    OUT api_key text
) RETURNS record
    LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'escrow_rotate_api_key';
COMMENT ON FUNCTION escrowgrid.escrow_rotate_api_key(text, interval) IS
    'Replaces a key by a new one with the same label, role, expiry and networks, and returns the new row with its token in api_key. The old key goes on for overlap (0 to 366 days), with 0 it is revoked at once. Writes audit rows. Errors: ZE001 for a key that has ended, ZE002, ZE401, ZE403.';

CREATE FUNCTION escrowgrid.escrow_revoke_api_key(
    key_id text,
    OUT id text,
    OUT institution_id text,
    OUT label text,
    OUT role text,
    OUT created_at timestamptz,
    OUT revoked_at timestamptz,
    OUT expires_at timestamptz,
    OUT allowed_cidrs cidr[],
    OUT token_hint text,
    OUT api_key text
) RETURNS record
    LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'escrow_revoke_api_key';
COMMENT ON FUNCTION escrowgrid.escrow_revoke_api_key(text) IS
    'Revokes a key and returns its row (api_key is NULL). It bites on the next call, also in sessions that are signed in. Revoking twice changes nothing. Writes an audit row. Errors: ZE001, ZE002, ZE401, ZE403.';

CREATE FUNCTION escrowgrid.escrow_list_api_keys(
    institution_id text DEFAULT NULL,
    OUT id text,
    OUT institution_id text,
    OUT label text,
    OUT role text,
    OUT created_at timestamptz,
    OUT revoked_at timestamptz,
    OUT expires_at timestamptz,
    OUT allowed_cidrs cidr[],
    OUT token_hint text
) RETURNS SETOF record
    LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'escrow_list_api_keys';
COMMENT ON FUNCTION escrowgrid.escrow_list_api_keys(text) IS
    'The keys of an institution in id order, never a hash or a token. For root (NULL: of all), and admins in their own institution. Errors: ZE401, ZE403.';

CREATE FUNCTION escrowgrid.escrow_authenticate(api_key text, scope text DEFAULT 'transaction') RETURNS text
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'escrow_authenticate';
COMMENT ON FUNCTION escrowgrid.escrow_authenticate(text, text) IS
    'Signs in and returns the key''s id. scope transaction lasts until the transaction ends (and warns outside a transaction block), scope session until escrow_sign_out(), RESET ALL or DISCARD ALL. Writes nothing; works on a standby. Pass the token as a bind parameter. Errors: ZE001, ZE401 for a key that is not accepted, ZE403 while a cursor is open.';

CREATE FUNCTION escrowgrid.escrow_sign_out() RETURNS void
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'escrow_sign_out';
COMMENT ON FUNCTION escrowgrid.escrow_sign_out() IS
    'Ends what escrow_authenticate() began; without a sign-in it does nothing.';

CREATE FUNCTION escrowgrid.escrow_verify_api_key(api_key text) RETURNS text
    LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'escrow_verify_api_key';
COMMENT ON FUNCTION escrowgrid.escrow_verify_api_key(text) IS
    'What a token proves, without signing in: VALID, NOT_FOUND, REVOKED, EXPIRED or FORBIDDEN_ADDRESS. Errors: ZE001 for NULL.';

CREATE FUNCTION escrowgrid.escrow_whoami(
    OUT role text,
    OUT institution_id text,
    OUT api_key_id text,
    OUT db_role text
) RETURNS record
    LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'escrow_whoami';
COMMENT ON FUNCTION escrowgrid.escrow_whoami() IS
    'Who calls: role (root, admin, read_only; NULL when nobody is signed in), institution and key, and the database role. Errors: ZE401 when the key that is signed in has ended.';

CREATE FUNCTION escrowgrid.escrow_current_institution_id() RETURNS text
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'escrow_current_institution_id';
COMMENT ON FUNCTION escrowgrid.escrow_current_institution_id() IS
    'The institution of the key that is signed in; NULL when there is none or the key has ended. What row-level security compares with.';

CREATE FUNCTION escrowgrid.escrow_grant_access(role regrole, level text) RETURNS void
    LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'escrow_grant_access';
COMMENT ON FUNCTION escrowgrid.escrow_grant_access(regrole, text) IS
    'Grants a database role exactly what an application, an auditor or a reader (level) needs: USAGE, EXECUTE, SELECT by column, never a right to write or to make triggers. What its callers see and may do is decided by the key they sign in with. For root. Writes an audit row. Errors: ZE001, ZE401, ZE403.';
