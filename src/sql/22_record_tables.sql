-- Tables, continued: records of positions, policies, API keys, the audit log and idempotency keys.

CREATE TABLE escrowgrid.position_events (
    id text COLLATE "C" NOT NULL,
    position_id text COLLATE "C" NOT NULL,
    from_state text COLLATE "C",
    to_state text COLLATE "C" NOT NULL,
    reason text,
    at timestamptz NOT NULL,
    metadata jsonb,
    created_at timestamptz NOT NULL,
    institution_id text COLLATE "C" NOT NULL,
    seq integer NOT NULL,
    amount numeric,
    api_key_id text COLLATE "C",
    salt bytea,
    hash bytea NOT NULL,
    content_digest bytea,
    CONSTRAINT position_events_pkey PRIMARY KEY (id),
    CONSTRAINT position_events_position_id_seq_key UNIQUE (position_id, seq),
    CONSTRAINT position_events_position_id_fkey FOREIGN KEY (position_id) REFERENCES escrowgrid.positions (id),
    CONSTRAINT position_events_id_form CHECK (starts_with(id, 'ple_') AND octet_length(id) BETWEEN 5 AND 100),
    CONSTRAINT position_events_seq_positive CHECK (seq >= 1),
    CONSTRAINT position_events_first_creates CHECK (
        (seq = 1) = (from_state IS NULL) AND (seq = 1) = (to_state = 'CREATED')
    ),
    CONSTRAINT position_events_from_state_known CHECK (from_state IN ('CREATED', 'FUNDED', 'PARTIALLY_RELEASED')),
    CONSTRAINT position_events_to_state_known CHECK (
        to_state IN ('CREATED', 'FUNDED', 'PARTIALLY_RELEASED', 'RELEASED', 'CANCELLED', 'EXPIRED')
    ),
    CONSTRAINT position_events_amount_valid CHECK (
        amount >= 0 AND amount <= 1000000000000000 AND min_scale(amount) <= 8
    ),
    CONSTRAINT position_events_amount_declared CHECK (amount IS NOT NULL OR to_state = 'PARTIALLY_RELEASED'),
    CONSTRAINT position_events_reason_length CHECK (octet_length(reason) BETWEEN 1 AND 4000),
    CONSTRAINT position_events_metadata_object CHECK (jsonb_typeof(metadata) = 'object'),
    CONSTRAINT position_events_salt_length CHECK (octet_length(salt) = 16),
    CONSTRAINT position_events_hash_length CHECK (octet_length(hash) = 32),
    CONSTRAINT position_events_content_digest_length CHECK (octet_length(content_digest) = 32),
    CONSTRAINT position_events_erased_whole CHECK (
        content_digest IS NULL OR (reason IS NULL AND metadata IS NULL AND salt IS NULL)
    )
);
COMMENT ON TABLE escrowgrid.position_events IS
    'Position events: one row per transition, append-only. The events of a position form a hash chain.';
COMMENT ON COLUMN escrowgrid.position_events.id IS 'TypeID with prefix ple.';
COMMENT ON COLUMN escrowgrid.position_events.position_id IS 'The position that moved.';
COMMENT ON COLUMN escrowgrid.position_events.from_state IS 'State before the event; NULL for the creation.';
COMMENT ON COLUMN escrowgrid.position_events.to_state IS 'State after the event.';
COMMENT ON COLUMN escrowgrid.position_events.reason IS
    'Why the position moved, in the caller''s words; at most 4000 bytes.';
COMMENT ON COLUMN escrowgrid.position_events.at IS
    'When the transition was decided; never earlier than the previous event.';
COMMENT ON COLUMN escrowgrid.position_events.metadata IS 'The caller''s own data, a JSON object of at most 64 KB.';
COMMENT ON COLUMN escrowgrid.position_events.created_at IS 'When the row was written; equal to at.';
COMMENT ON COLUMN escrowgrid.position_events.institution_id IS 'The position''s institution.';
COMMENT ON COLUMN escrowgrid.position_events.seq IS
    'Number of the event within its position: 1, 2, 3 and so on without a gap.';
COMMENT ON COLUMN escrowgrid.position_events.amount IS
    'Amount that the event funded, released or refunded, in the currency''s major unit; NULL for a partial release '
    'whose amount was not given.';
COMMENT ON COLUMN escrowgrid.position_events.api_key_id IS
    'Id of the API key that called; root for the root key of the configuration; NULL for root that is signed in with '
    'no key.';
COMMENT ON COLUMN escrowgrid.position_events.salt IS
    '16 random bytes that reason and metadata were hashed with; NULL when the event has neither.';
COMMENT ON COLUMN escrowgrid.position_events.hash IS
    'SHA-256 over the previous event''s hash and this event, 32 bytes.';
COMMENT ON COLUMN escrowgrid.position_events.content_digest IS
    'Salted digest of reason and metadata, 32 bytes, once escrow_redact_event() has erased them; NULL otherwise.';

CREATE TABLE escrowgrid.ledger_events (
    id text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    position_id text COLLATE "C",
    at timestamptz NOT NULL,
    previous_state text COLLATE "C",
    new_state text COLLATE "C",
    payload jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    institution_id text COLLATE "C" NOT NULL,
    request_id text,
    CONSTRAINT ledger_events_pkey PRIMARY KEY (id),
    CONSTRAINT ledger_events_position_id_fkey FOREIGN KEY (position_id) REFERENCES escrowgrid.positions (id),
    CONSTRAINT ledger_events_id_form CHECK (starts_with(id, 'led_') AND octet_length(id) BETWEEN 5 AND 100),
    CONSTRAINT ledger_events_kind_known CHECK (
        kind IN ('POSITION_CREATED', 'POSITION_STATE_CHANGED', 'ASSET_CREATED', 'TEMPLATE_CREATED')
    ),
    CONSTRAINT ledger_events_position_named CHECK (
        (position_id IS NOT NULL) = (kind IN ('POSITION_CREATED', 'POSITION_STATE_CHANGED'))
    ),
    CONSTRAINT ledger_events_payload_object CHECK (jsonb_typeof(payload) = 'object')
);
CREATE INDEX ledger_events_position_id_id_idx ON escrowgrid.ledger_events (position_id, id);
CREATE INDEX ledger_events_institution_id_id_idx ON escrowgrid.ledger_events (institution_id, id);
COMMENT ON TABLE escrowgrid.ledger_events IS
    'Ledger events: what happened to positions, assets and templates, append-only.';
COMMENT ON COLUMN escrowgrid.ledger_events.id IS 'TypeID with prefix led.';
COMMENT ON COLUMN escrowgrid.ledger_events.kind IS
    'POSITION_CREATED, POSITION_STATE_CHANGED, ASSET_CREATED or TEMPLATE_CREATED.';
COMMENT ON COLUMN escrowgrid.ledger_events.position_id IS 'The position; NULL for ASSET_CREATED and TEMPLATE_CREATED.';
COMMENT ON COLUMN escrowgrid.ledger_events.at IS 'When it happened; equal to the position event''s at.';
COMMENT ON COLUMN escrowgrid.ledger_events.previous_state IS 'State before; NULL for a creation.';
COMMENT ON COLUMN escrowgrid.ledger_events.new_state IS 'State after; NULL for ASSET_CREATED and TEMPLATE_CREATED.';
COMMENT ON COLUMN escrowgrid.ledger_events.payload IS
    'Details, a JSON object with camelCase keys. For a position it names the position event (eventId), the only record '
    'that holds reason and metadata.';
COMMENT ON COLUMN escrowgrid.ledger_events.created_at IS 'When the row was written; equal to at.';
COMMENT ON COLUMN escrowgrid.ledger_events.institution_id IS 'The institution that the record belongs to.';
COMMENT ON COLUMN escrowgrid.ledger_events.request_id IS
    'The caller''s setting escrowgrid.request_id. It is not verified.';

CREATE TABLE escrowgrid.institution_policies (
    id text COLLATE "C" NOT NULL,
    institution_id text COLLATE "C" NOT NULL,
    region text COLLATE "C" NOT NULL,
    config jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT institution_policies_pkey PRIMARY KEY (id),
    CONSTRAINT institution_policies_institution_id_region_key UNIQUE (institution_id, region),
    CONSTRAINT institution_policies_institution_id_fkey FOREIGN KEY (institution_id)
        REFERENCES escrowgrid.institutions (id),
    CONSTRAINT institution_policies_id_form CHECK (starts_with(id, 'pol_') AND octet_length(id) BETWEEN 5 AND 100),
    CONSTRAINT institution_policies_region_known CHECK (region IN ('US', 'EU_UK', 'SG', 'UAE')),
    CONSTRAINT institution_policies_config_object CHECK (jsonb_typeof(config) = 'object')
);
COMMENT ON TABLE escrowgrid.institution_policies IS 'Policies: the limits that an institution sets for a region.';
COMMENT ON COLUMN escrowgrid.institution_policies.id IS 'TypeID with prefix pol.';
COMMENT ON COLUMN escrowgrid.institution_policies.institution_id IS 'The institution that the policy belongs to.';
COMMENT ON COLUMN escrowgrid.institution_policies.region IS 'US, EU_UK, SG or UAE.';
COMMENT ON COLUMN escrowgrid.institution_policies.config IS
    'The rules, a JSON object; docs/reference.md lists its keys.';
COMMENT ON COLUMN escrowgrid.institution_policies.created_at IS 'When it was first set.';
COMMENT ON COLUMN escrowgrid.institution_policies.updated_at IS 'When it was last set.';

CREATE TABLE escrowgrid.api_keys (
    id text COLLATE "C" NOT NULL,
    institution_id text COLLATE "C" NOT NULL,
    key_hash text COLLATE "C" NOT NULL,
    label text NOT NULL,
    role text COLLATE "C" NOT NULL,
    created_at timestamptz NOT NULL,
    revoked_at timestamptz,
    expires_at timestamptz,
    allowed_cidrs cidr[],
    token_hint text COLLATE "C",
    CONSTRAINT api_keys_pkey PRIMARY KEY (id),
    CONSTRAINT api_keys_key_hash_key UNIQUE (key_hash),
    CONSTRAINT api_keys_institution_id_fkey FOREIGN KEY (institution_id) REFERENCES escrowgrid.institutions (id),
    CONSTRAINT api_keys_id_form CHECK (starts_with(id, 'ak_') AND octet_length(id) BETWEEN 4 AND 100),
    CONSTRAINT api_keys_key_hash_form CHECK (key_hash ~ '^[0-9a-f]{64}$'),
    CONSTRAINT api_keys_label_length CHECK (octet_length(label) BETWEEN 1 AND 400),
    CONSTRAINT api_keys_role_known CHECK (role IN ('admin', 'read_only')),
    CONSTRAINT api_keys_token_hint_length CHECK (octet_length(token_hint) <= 4)
);
CREATE INDEX api_keys_institution_id_id_idx ON escrowgrid.api_keys (institution_id, id);
COMMENT ON TABLE escrowgrid.api_keys IS
    'API keys of institutions. Of a token, only its hash and its last 4 characters are stored.';
COMMENT ON COLUMN escrowgrid.api_keys.id IS 'TypeID with prefix ak.';
COMMENT ON COLUMN escrowgrid.api_keys.institution_id IS 'The institution that the key acts for.';
COMMENT ON COLUMN escrowgrid.api_keys.key_hash IS 'SHA-256 of the whole token, 64 lower-case hexadecimal digits.';
COMMENT ON COLUMN escrowgrid.api_keys.label IS 'Label, at most 400 bytes.';
COMMENT ON COLUMN escrowgrid.api_keys.role IS 'admin (may write within its institution) or read_only.';
COMMENT ON COLUMN escrowgrid.api_keys.created_at IS 'When it was created.';
COMMENT ON COLUMN escrowgrid.api_keys.revoked_at IS 'When the key was revoked; NULL if it was not.';
COMMENT ON COLUMN escrowgrid.api_keys.expires_at IS 'When the key expires; NULL if it never does.';
COMMENT ON COLUMN escrowgrid.api_keys.allowed_cidrs IS 'Networks that the key may be used from; NULL for any network.';
COMMENT ON COLUMN escrowgrid.api_keys.token_hint IS 'The last 4 characters of the token, to tell keys apart.';

CREATE TABLE escrowgrid.audit_events (
    id text COLLATE "C" NOT NULL,
    occurred_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    api_key_id text COLLATE "C",
    institution_id text COLLATE "C",
    method text COLLATE "C" NOT NULL,
    path text NOT NULL,
    action text COLLATE "C" NOT NULL,
    resource_type text COLLATE "C",
    resource_id text COLLATE "C",
    payload jsonb,
    outcome text COLLATE "C" NOT NULL DEFAULT 'success',
    error jsonb,
    status_code integer,
    request_id text,
    client_ip inet,
    db_role text COLLATE "C" NOT NULL,
    CONSTRAINT audit_events_pkey PRIMARY KEY (id),
    CONSTRAINT audit_events_id_form CHECK (starts_with(id, 'aud_') AND octet_length(id) BETWEEN 5 AND 100),
    CONSTRAINT audit_events_action_known CHECK (
        action IN (
            'INSTITUTION_CREATED', 'INSTITUTION_PURGED', 'TEMPLATE_CREATED', 'ASSET_CREATED',
            'POSITION_CREATED', 'POSITION_TRANSITIONED', 'EVENT_REDACTED', 'POLICY_UPDATED',
            'API_KEY_CREATED', 'API_KEY_ROTATED', 'API_KEY_REVOKED', 'ACCESS_GRANTED',
            'AUTH_FAILED', 'AUTH_FORBIDDEN', 'VALIDATION_FAILED', 'RESOURCE_NOT_FOUND', 'CONCURRENCY_CONFLICT'
        )
    ),
    CONSTRAINT audit_events_outcome_known CHECK (outcome IN ('success', 'failure')),
    CONSTRAINT audit_events_error_of_failure CHECK ((error IS NOT NULL) = (outcome = 'failure')),
    CONSTRAINT audit_events_payload_object CHECK (jsonb_typeof(payload) = 'object')
);
CREATE INDEX audit_events_institution_id_id_idx ON escrowgrid.audit_events (institution_id, id);
COMMENT ON TABLE escrowgrid.audit_events IS
    'Audit events: who did what, by which call, with which outcome; append-only.';
COMMENT ON COLUMN escrowgrid.audit_events.id IS 'TypeID with prefix aud.';
COMMENT ON COLUMN escrowgrid.audit_events.occurred_at IS
    'When it happened; for a transition, equal to the position event''s at.';
COMMENT ON COLUMN escrowgrid.audit_events.created_at IS 'When the row was written; equal to occurred_at.';
COMMENT ON COLUMN escrowgrid.audit_events.api_key_id IS
    'Id of the API key that called; root for the root key of the configuration; NULL for root that is signed in with '
    'no key.';
COMMENT ON COLUMN escrowgrid.audit_events.institution_id IS 'The institution concerned; NULL if there is none.';
COMMENT ON COLUMN escrowgrid.audit_events.method IS
    'The caller''s setting escrowgrid.request_method, which is not verified, or else SQL.';
COMMENT ON COLUMN escrowgrid.audit_events.path IS
    'The caller''s setting escrowgrid.request_path, which is not verified, or else the function or statement.';
COMMENT ON COLUMN escrowgrid.audit_events.action IS 'What was done, for example POSITION_TRANSITIONED.';
COMMENT ON COLUMN escrowgrid.audit_events.resource_type IS
    'The kind of record: institution, asset_template, asset, position and so on.';
COMMENT ON COLUMN escrowgrid.audit_events.resource_id IS 'The record''s id.';
COMMENT ON COLUMN escrowgrid.audit_events.payload IS 'Details, a JSON object with camelCase keys.';
COMMENT ON COLUMN escrowgrid.audit_events.outcome IS 'success or failure.';
COMMENT ON COLUMN escrowgrid.audit_events.error IS
    'For a failure the refusal, a JSON object as in the DETAIL of its error; NULL otherwise.';
COMMENT ON COLUMN escrowgrid.audit_events.status_code IS 'The HTTP status code that fits the outcome.';
COMMENT ON COLUMN escrowgrid.audit_events.request_id IS
    'The caller''s setting escrowgrid.request_id. It is not verified.';
COMMENT ON COLUMN escrowgrid.audit_events.client_ip IS
    'The caller''s setting escrowgrid.client_ip, which is not verified, or else the address of the connection; NULL '
    'for a local socket.';
COMMENT ON COLUMN escrowgrid.audit_events.db_role IS 'The database role that called (current_user).';

CREATE TABLE escrowgrid.idempotency_keys (
    institution_id text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    fingerprint bytea NOT NULL,
    event_ids text[] COLLATE "C",
    created_at timestamptz NOT NULL,
    CONSTRAINT idempotency_keys_pkey PRIMARY KEY (institution_id, key),
    CONSTRAINT idempotency_keys_key_length CHECK (octet_length(key) BETWEEN 1 AND 400),
    CONSTRAINT idempotency_keys_fingerprint_length CHECK (octet_length(fingerprint) = 32)
);
CREATE INDEX idempotency_keys_created_at_idx ON escrowgrid.idempotency_keys (created_at);
COMMENT ON TABLE escrowgrid.idempotency_keys IS
    'Idempotency keys: the request that a caller used a key for, and the events of that request.';
COMMENT ON COLUMN escrowgrid.idempotency_keys.institution_id IS 'The institution that the request was for.';
COMMENT ON COLUMN escrowgrid.idempotency_keys.key IS 'The key that the caller chose, at most 400 bytes.';
COMMENT ON COLUMN escrowgrid.idempotency_keys.fingerprint IS 'SHA-256 of the request, 32 bytes.';
COMMENT ON COLUMN escrowgrid.idempotency_keys.event_ids IS
    'The position events of the request, in the order of its results.';
COMMENT ON COLUMN escrowgrid.idempotency_keys.created_at IS
    'When the key was first used. escrow_purge_idempotency_keys() deletes by this time.';

SELECT pg_catalog.pg_extension_config_dump('escrowgrid.currencies', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('escrowgrid.institutions', '');
SELECT pg_catalog.pg_extension_config_dump('escrowgrid.asset_templates', '');
SELECT pg_catalog.pg_extension_config_dump('escrowgrid.assets', '');
SELECT pg_catalog.pg_extension_config_dump('escrowgrid.positions', '');
SELECT pg_catalog.pg_extension_config_dump('escrowgrid.position_events', '');
SELECT pg_catalog.pg_extension_config_dump('escrowgrid.ledger_events', '');
SELECT pg_catalog.pg_extension_config_dump('escrowgrid.institution_policies', '');
SELECT pg_catalog.pg_extension_config_dump('escrowgrid.api_keys', '');
SELECT pg_catalog.pg_extension_config_dump('escrowgrid.audit_events', '');
SELECT pg_catalog.pg_extension_config_dump('escrowgrid.idempotency_keys', '');
