-- Keys and signing in. A token that is passed as a literal can be read in logs and statistics, so pass it as a bind
-- parameter.

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
    'Creates an API key (role admin or read_only) and returns its row with the token in api_key. The token is returned '
    'only this once; the table keeps its SHA-256. allowed_cidrs are the networks the key may be used from, NULL for '
    'any. For root, and for admin keys in their own institution. Writes an audit row. Errors: ZE001 for invalid '
    'values; ZE002 for an unknown institution; ZE401; ZE403.';

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
    'Replaces a key by a new one with the same label, role, expiry and networks, and returns the new row with its '
    'token in api_key. The old key stays valid for overlap (0 to 366 days); with 0 it is revoked at once. For root, '
    'and for admin keys in their own institution. Writes audit rows. Errors: ZE001 for invalid values or a key that '
    'has ended; ZE002 for an unknown key; ZE401; ZE403; ZE501 when a trigger changes a fixed column of the key.';

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
    'Revokes a key and returns its row (api_key is NULL). Sessions that are signed in with the key are refused from '
    'their next call on. Revoking a key again changes nothing. For root, and for admin keys in their own institution. '
    'Writes an audit row. Errors: ZE001 for invalid values; ZE002 for an unknown key; ZE401; ZE403; ZE501 when a '
    'trigger changes a fixed column of the key.';

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
    'Returns the keys of an institution in id order, without hashes and tokens. NULL: an admin key lists its own '
    'institution, root lists all. Errors: ZE401; ZE403.';

CREATE FUNCTION escrowgrid.escrow_authenticate(api_key text, scope text DEFAULT 'transaction') RETURNS text
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'escrow_authenticate';
COMMENT ON FUNCTION escrowgrid.escrow_authenticate(text, text) IS
    'Signs in with an API key and returns the key''s id. Scope transaction lasts until the transaction ends; outside a '
    'transaction block it lasts for one statement and warns. Scope session lasts until escrow_sign_out(), RESET ALL or '
    'DISCARD ALL. Writes nothing and works on a standby. Pass the token as a bind parameter. Errors: ZE001 for invalid '
    'values; ZE401 for a key that is not accepted; ZE403 while a cursor is open.';

CREATE FUNCTION escrowgrid.escrow_sign_out() RETURNS void
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'escrow_sign_out';
COMMENT ON FUNCTION escrowgrid.escrow_sign_out() IS
    'Ends the sign-in that escrow_authenticate() began. Does nothing if nobody is signed in. Errors: none.';

CREATE FUNCTION escrowgrid.escrow_verify_api_key(api_key text) RETURNS text
    LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'escrow_verify_api_key';
COMMENT ON FUNCTION escrowgrid.escrow_verify_api_key(text) IS
    'Returns the status of a token without signing in: VALID, NOT_FOUND, REVOKED, EXPIRED or FORBIDDEN_ADDRESS. '
    'Errors: ZE001 for NULL.';

CREATE FUNCTION escrowgrid.escrow_whoami(
    OUT role text,
    OUT institution_id text,
    OUT api_key_id text,
    OUT db_role text
) RETURNS record
    LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'escrow_whoami';
COMMENT ON FUNCTION escrowgrid.escrow_whoami() IS
    'Returns the caller''s role (root, admin or read_only; NULL when nobody is signed in), institution, key and '
    'database role. Errors: ZE401 when the key that is signed in has ended.';

CREATE FUNCTION escrowgrid.escrow_current_institution_id() RETURNS text
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'escrow_current_institution_id';
COMMENT ON FUNCTION escrowgrid.escrow_current_institution_id() IS
    'Returns the institution of the key that is signed in; NULL for root, when nobody is signed in, and when the key '
    'has ended. The row-level security policies compare institution_id with it. Errors: none.';

CREATE FUNCTION escrowgrid.escrow_grant_access(role regrole, level text) RETURNS void
    LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'escrow_grant_access';
COMMENT ON FUNCTION escrowgrid.escrow_grant_access(regrole, text) IS
    'Grants a database role the rights of a level: reader, auditor or application. These are USAGE, EXECUTE and '
    'SELECT, never a right to write to a table or to create triggers. The key that a caller signs in with decides '
    'which rows it sees and what it may do. Root only. Writes an audit row. Errors: ZE001 for an unknown role or '
    'level; ZE401; ZE403.';
