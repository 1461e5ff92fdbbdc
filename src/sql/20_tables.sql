-- Tables. Ids are TypeIDs, compared bytewise (COLLATE "C"); amounts are unconstrained numeric with
-- CHECKs, because numeric(p, s) would round before any rule sees the value.

CREATE TABLE escrowgrid.institutions (
    id text COLLATE "C" NOT NULL,
    name text NOT NULL,
    regions text[] NOT NULL,
    verticals text[] NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT institutions_pkey PRIMARY KEY (id),
    CONSTRAINT institutions_id_form CHECK (starts_with(id, 'inst_') AND octet_length(id) BETWEEN 6 AND 100),
    CONSTRAINT institutions_name_length CHECK (octet_length(name) BETWEEN 1 AND 400),
    CONSTRAINT institutions_regions_known CHECK (regions <@ ARRAY['US', 'EU_UK', 'SG', 'UAE'] AND cardinality(regions) > 0),
    CONSTRAINT institutions_verticals_known CHECK (verticals <@ ARRAY['CONSTRUCTION', 'TRADE_FINANCE'] AND cardinality(verticals) > 0)
);
COMMENT ON TABLE escrowgrid.institutions IS 'Institutions: the tenants. Everything else belongs to exactly one of them.';
COMMENT ON COLUMN escrowgrid.institutions.id IS 'TypeID with prefix inst.';
COMMENT ON COLUMN escrowgrid.institutions.name IS 'Name, at most 400 bytes.';
COMMENT ON COLUMN escrowgrid.institutions.regions IS 'Regions it acts in: US, EU_UK, SG, UAE. They bound its asset templates.';
COMMENT ON COLUMN escrowgrid.institutions.verticals IS 'Verticals it acts in: CONSTRUCTION, TRADE_FINANCE. They bound its asset templates.';
COMMENT ON COLUMN escrowgrid.institutions.created_at IS 'When it was created.';
COMMENT ON COLUMN escrowgrid.institutions.updated_at IS 'When it was last changed.';

CREATE TABLE escrowgrid.asset_templates (
    id text COLLATE "C" NOT NULL,
    institution_id text COLLATE "C" NOT NULL,
    code text COLLATE "C" NOT NULL,
    name text NOT NULL,
    vertical text COLLATE "C" NOT NULL,
    region text COLLATE "C" NOT NULL,
    config jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT asset_templates_pkey PRIMARY KEY (id),
    CONSTRAINT asset_templates_institution_id_id_key UNIQUE (institution_id, id),
    CONSTRAINT asset_templates_institution_id_fkey FOREIGN KEY (institution_id) REFERENCES escrowgrid.institutions (id),
    CONSTRAINT asset_templates_id_form CHECK (starts_with(id, 'tmpl_') AND octet_length(id) BETWEEN 6 AND 100),
    CONSTRAINT asset_templates_code_length CHECK (octet_length(code) BETWEEN 1 AND 100),
    CONSTRAINT asset_templates_name_length CHECK (octet_length(name) BETWEEN 1 AND 400),
    CONSTRAINT asset_templates_vertical_known CHECK (vertical IN ('CONSTRUCTION', 'TRADE_FINANCE')),
    CONSTRAINT asset_templates_region_known CHECK (region IN ('US', 'EU_UK', 'SG', 'UAE')),
    CONSTRAINT asset_templates_config_object CHECK (jsonb_typeof(config) = 'object')
);
COMMENT ON TABLE escrowgrid.asset_templates IS 'Asset templates: the kinds of asset an institution deals in, with the terms of their positions.';
COMMENT ON COLUMN escrowgrid.asset_templates.id IS 'TypeID with prefix tmpl.';
COMMENT ON COLUMN escrowgrid.asset_templates.institution_id IS 'The institution it belongs to.';
COMMENT ON COLUMN escrowgrid.asset_templates.code IS 'What it is: CONSTR_ESCROW, CONSTR_RETAINAGE, TF_INVOICE, TF_LC, or a code of the institution''s own.';
COMMENT ON COLUMN escrowgrid.asset_templates.name IS 'Name, at most 400 bytes.';
COMMENT ON COLUMN escrowgrid.asset_templates.vertical IS 'CONSTRUCTION or TRADE_FINANCE.';
COMMENT ON COLUMN escrowgrid.asset_templates.region IS 'US, EU_UK, SG or UAE.';
COMMENT ON COLUMN escrowgrid.asset_templates.config IS 'Terms, a JSON object; docs/reference.md lists the keys of each code.';
COMMENT ON COLUMN escrowgrid.asset_templates.created_at IS 'When it was created.';
COMMENT ON COLUMN escrowgrid.asset_templates.updated_at IS 'When it was last changed.';

CREATE TABLE escrowgrid.assets (
    id text COLLATE "C" NOT NULL,
    institution_id text COLLATE "C" NOT NULL,
    template_id text COLLATE "C" NOT NULL,
    label text NOT NULL,
    metadata jsonb,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT assets_pkey PRIMARY KEY (id),
    CONSTRAINT assets_institution_id_id_key UNIQUE (institution_id, id),
    -- The tenant is part of the key: referential checks bypass row-level security.
    CONSTRAINT assets_template_fkey FOREIGN KEY (institution_id, template_id)
        REFERENCES escrowgrid.asset_templates (institution_id, id),
    CONSTRAINT assets_id_form CHECK (starts_with(id, 'ast_') AND octet_length(id) BETWEEN 5 AND 100),
    CONSTRAINT assets_label_length CHECK (octet_length(label) BETWEEN 1 AND 400),
    CONSTRAINT assets_metadata_object CHECK (jsonb_typeof(metadata) = 'object')
);
CREATE INDEX assets_template_id_id_idx ON escrowgrid.assets (template_id, id);
COMMENT ON TABLE escrowgrid.assets IS 'Assets: what positions are claims on.';
COMMENT ON COLUMN escrowgrid.assets.id IS 'TypeID with prefix ast.';
COMMENT ON COLUMN escrowgrid.assets.institution_id IS 'The institution it belongs to.';
COMMENT ON COLUMN escrowgrid.assets.template_id IS 'The template it was made from, of the same institution.';
COMMENT ON COLUMN escrowgrid.assets.label IS 'Label, at most 400 bytes.';
COMMENT ON COLUMN escrowgrid.assets.metadata IS 'The caller''s own data, a JSON object of at most 64 KB.';
COMMENT ON COLUMN escrowgrid.assets.created_at IS 'When it was created.';
COMMENT ON COLUMN escrowgrid.assets.updated_at IS 'When it was last changed.';

CREATE TABLE escrowgrid.positions (
    id text COLLATE "C" NOT NULL,
    institution_id text COLLATE "C" NOT NULL,
    asset_id text COLLATE "C" NOT NULL,
    holder_reference text COLLATE "C" NOT NULL,
    currency text COLLATE "C" NOT NULL,
    amount numeric NOT NULL,
    state text COLLATE "C" NOT NULL DEFAULT 'CREATED',
    external_reference text COLLATE "C",
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    released_amount numeric NOT NULL DEFAULT 0,
    refunded_amount numeric NOT NULL DEFAULT 0,
    expires_at timestamptz,
    due_at timestamptz,
    version integer NOT NULL DEFAULT 0,
    head_hash bytea NOT NULL,
    CONSTRAINT positions_pkey PRIMARY KEY (id),
    CONSTRAINT positions_asset_fkey FOREIGN KEY (institution_id, asset_id)
        REFERENCES escrowgrid.assets (institution_id, id),
    CONSTRAINT positions_id_form CHECK (starts_with(id, 'pos_') AND octet_length(id) BETWEEN 5 AND 100),
    CONSTRAINT positions_holder_reference_length CHECK (octet_length(holder_reference) BETWEEN 1 AND 400),
    CONSTRAINT positions_external_reference_length CHECK (octet_length(external_reference) BETWEEN 1 AND 400),
    -- NaN is more than any number to PostgreSQL: the upper bound is what keeps it out.
    CONSTRAINT positions_amount_valid CHECK (amount > 0 AND amount <= 1000000000000000 AND min_scale(amount) <= 8),
    CONSTRAINT positions_released_amount_valid CHECK (released_amount >= 0 AND released_amount <= amount AND min_scale(released_amount) <= 8),
    CONSTRAINT positions_refunded_amount_valid CHECK (refunded_amount >= 0 AND refunded_amount <= amount AND min_scale(refunded_amount) <= 8),
    CONSTRAINT positions_state_known CHECK (
        state IN ('CREATED', 'FUNDED', 'PARTIALLY_RELEASED', 'RELEASED', 'CANCELLED', 'EXPIRED')
    ),
    CONSTRAINT positions_money_conserved CHECK (
        CASE state
            WHEN 'CREATED' THEN released_amount = 0 AND refunded_amount = 0
            WHEN 'FUNDED' THEN released_amount = 0 AND refunded_amount = 0
            WHEN 'PARTIALLY_RELEASED' THEN released_amount < amount AND refunded_amount = 0
            WHEN 'RELEASED' THEN released_amount = amount AND refunded_amount = 0
            ELSE released_amount + refunded_amount = amount
                OR (released_amount = 0 AND refunded_amount = 0) -- ended before it was funded
        END
    ),
    CONSTRAINT positions_due_at_follows CHECK (
        due_at IS NOT DISTINCT FROM
        CASE WHEN state IN ('CREATED', 'FUNDED', 'PARTIALLY_RELEASED') THEN expires_at END
    ),
    CONSTRAINT positions_version_positive CHECK (version >= 1),
    CONSTRAINT positions_head_hash_length CHECK (octet_length(head_hash) = 32)
) WITH (fillfactor = 85);
-- state and updated_at are in no index and no predicate, so that transitions stay heap-only updates;
-- due_at changes once, when the position ends.
CREATE INDEX positions_institution_id_id_idx ON escrowgrid.positions (institution_id, id);
CREATE INDEX positions_asset_id_id_idx ON escrowgrid.positions (asset_id, id);
CREATE INDEX positions_institution_id_holder_reference_id_idx ON escrowgrid.positions (institution_id, holder_reference, id);
CREATE INDEX positions_due_at_idx ON escrowgrid.positions (due_at) WHERE due_at IS NOT NULL;
COMMENT ON TABLE escrowgrid.positions IS 'Positions: a holder''s claim on an asset, moved only along the lifecycle. Every change leaves an event, a ledger row and an audit row.';
COMMENT ON COLUMN escrowgrid.positions.id IS 'TypeID with prefix pos.';
COMMENT ON COLUMN escrowgrid.positions.institution_id IS 'The institution it belongs to.';
COMMENT ON COLUMN escrowgrid.positions.asset_id IS 'The asset it is a claim on, of the same institution.';
COMMENT ON COLUMN escrowgrid.positions.holder_reference IS 'The holder, as the institution names it; at most 400 bytes.';
COMMENT ON COLUMN escrowgrid.positions.currency IS 'Currency code, see escrowgrid.currencies.';
COMMENT ON COLUMN escrowgrid.positions.amount IS 'The whole amount, in the currency''s major unit: more than 0, at most 10^15, no more decimals than the currency has.';
COMMENT ON COLUMN escrowgrid.positions.state IS 'CREATED, FUNDED, PARTIALLY_RELEASED, RELEASED, CANCELLED or EXPIRED; see escrow_lifecycle().';
COMMENT ON COLUMN escrowgrid.positions.external_reference IS 'The caller''s own reference, at most 400 bytes.';
COMMENT ON COLUMN escrowgrid.positions.created_at IS 'When it was created.';
COMMENT ON COLUMN escrowgrid.positions.updated_at IS 'When its last event happened.';
COMMENT ON COLUMN escrowgrid.positions.released_amount IS 'Sum released to the holder so far, in the currency''s major unit.';
COMMENT ON COLUMN escrowgrid.positions.refunded_amount IS 'Sum refunded when it was cancelled or expired, in the currency''s major unit.';
COMMENT ON COLUMN escrowgrid.positions.expires_at IS 'From this moment on it can only be EXPIRED or CANCELLED; NULL for never.';
COMMENT ON COLUMN escrowgrid.positions.due_at IS 'expires_at while the position is open, NULL once it has ended: what the expiry sweep looks for.';
COMMENT ON COLUMN escrowgrid.positions.version IS 'Number of events so far; pass it as expected_version.';
COMMENT ON COLUMN escrowgrid.positions.head_hash IS 'Hash of its last event, 32 bytes: the head of its hash chain.';

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
    CONSTRAINT position_events_amount_valid CHECK (amount >= 0 AND amount <= 1000000000000000 AND min_scale(amount) <= 8),
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
COMMENT ON TABLE escrowgrid.position_events IS 'Position events: one row per transition, append-only, chained by hash per position.';
COMMENT ON COLUMN escrowgrid.position_events.id IS 'TypeID with prefix ple.';
COMMENT ON COLUMN escrowgrid.position_events.position_id IS 'The position that moved.';
COMMENT ON COLUMN escrowgrid.position_events.from_state IS 'State before; NULL for the creation.';
COMMENT ON COLUMN escrowgrid.position_events.to_state IS 'State after.';
COMMENT ON COLUMN escrowgrid.position_events.reason IS 'Why, in the caller''s words; at most 4000 bytes.';
COMMENT ON COLUMN escrowgrid.position_events.at IS 'When it happened: the clock while the position was locked, never before the previous event.';
COMMENT ON COLUMN escrowgrid.position_events.metadata IS 'The caller''s own data, a JSON object of at most 64 KB.';
COMMENT ON COLUMN escrowgrid.position_events.created_at IS 'When the row was written; equal to at.';
COMMENT ON COLUMN escrowgrid.position_events.institution_id IS 'The position''s institution.';
COMMENT ON COLUMN escrowgrid.position_events.seq IS 'Number of the event within its position: 1, 2, 3 and so on without a gap.';
COMMENT ON COLUMN escrowgrid.position_events.amount IS 'What the event moved, in the currency''s major unit: funded, released or refunded; NULL for a partial release whose amount was not declared.';
COMMENT ON COLUMN escrowgrid.position_events.api_key_id IS 'The API key that called; NULL for an administrator.';
COMMENT ON COLUMN escrowgrid.position_events.salt IS 'Random bytes (16) that reason and metadata were hashed with; NULL when there are neither.';
COMMENT ON COLUMN escrowgrid.position_events.hash IS 'SHA-256 over the previous event''s hash and this event, 32 bytes.';
COMMENT ON COLUMN escrowgrid.position_events.content_digest IS 'The salted digest of reason and metadata, 32 bytes, kept once escrow_redact_event() has erased them; NULL otherwise.';

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
COMMENT ON TABLE escrowgrid.ledger_events IS 'Ledger events: what happened to positions, assets and templates, append-only.';
COMMENT ON COLUMN escrowgrid.ledger_events.id IS 'TypeID with prefix led.';
COMMENT ON COLUMN escrowgrid.ledger_events.kind IS 'POSITION_CREATED, POSITION_STATE_CHANGED, ASSET_CREATED or TEMPLATE_CREATED.';
COMMENT ON COLUMN escrowgrid.ledger_events.position_id IS 'The position; NULL for kinds that are not a position''s.';
COMMENT ON COLUMN escrowgrid.ledger_events.at IS 'When it happened; equal to the position event''s at.';
COMMENT ON COLUMN escrowgrid.ledger_events.previous_state IS 'State before; NULL for a creation.';
COMMENT ON COLUMN escrowgrid.ledger_events.new_state IS 'State after; NULL for kinds that are not a position''s.';
COMMENT ON COLUMN escrowgrid.ledger_events.payload IS 'What happened, a JSON object with camelCase keys; for a position it names the event (eventId), which alone holds reason and metadata.';
COMMENT ON COLUMN escrowgrid.ledger_events.created_at IS 'When the row was written; equal to at.';
COMMENT ON COLUMN escrowgrid.ledger_events.institution_id IS 'The institution it belongs to.';
COMMENT ON COLUMN escrowgrid.ledger_events.request_id IS 'The caller''s escrowgrid.request_id: a claim.';

CREATE TABLE escrowgrid.institution_policies (
    id text COLLATE "C" NOT NULL,
    institution_id text COLLATE "C" NOT NULL,
    region text COLLATE "C" NOT NULL,
    config jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT institution_policies_pkey PRIMARY KEY (id),
    CONSTRAINT institution_policies_institution_id_region_key UNIQUE (institution_id, region),
    CONSTRAINT institution_policies_institution_id_fkey FOREIGN KEY (institution_id) REFERENCES escrowgrid.institutions (id),
    CONSTRAINT institution_policies_id_form CHECK (starts_with(id, 'pol_') AND octet_length(id) BETWEEN 5 AND 100),
    CONSTRAINT institution_policies_region_known CHECK (region IN ('US', 'EU_UK', 'SG', 'UAE')),
    CONSTRAINT institution_policies_config_object CHECK (jsonb_typeof(config) = 'object')
);
COMMENT ON TABLE escrowgrid.institution_policies IS 'Policies: the limits an institution sets per region.';
COMMENT ON COLUMN escrowgrid.institution_policies.id IS 'TypeID with prefix pol.';
COMMENT ON COLUMN escrowgrid.institution_policies.institution_id IS 'The institution that set it.';
COMMENT ON COLUMN escrowgrid.institution_policies.region IS 'US, EU_UK, SG or UAE.';
COMMENT ON COLUMN escrowgrid.institution_policies.config IS 'The rules, a JSON object.';
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
COMMENT ON TABLE escrowgrid.api_keys IS 'API keys of institutions. Only the hash of a token is ever stored.';
COMMENT ON COLUMN escrowgrid.api_keys.id IS 'TypeID with prefix ak.';
COMMENT ON COLUMN escrowgrid.api_keys.institution_id IS 'The institution it acts for.';
COMMENT ON COLUMN escrowgrid.api_keys.key_hash IS 'SHA-256 of the whole token, 64 lower-case hexadecimal digits.';
COMMENT ON COLUMN escrowgrid.api_keys.label IS 'Label, at most 400 bytes.';
COMMENT ON COLUMN escrowgrid.api_keys.role IS 'admin (writes in its institution) or read_only.';
COMMENT ON COLUMN escrowgrid.api_keys.created_at IS 'When it was created.';
COMMENT ON COLUMN escrowgrid.api_keys.revoked_at IS 'When it was revoked; NULL while it is not.';
COMMENT ON COLUMN escrowgrid.api_keys.expires_at IS 'When it stops working by itself; NULL for never.';
COMMENT ON COLUMN escrowgrid.api_keys.allowed_cidrs IS 'Networks it may be used from; NULL for any.';
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
COMMENT ON TABLE escrowgrid.audit_events IS 'Audit events: who did what, through which call, with which outcome; append-only.';
COMMENT ON COLUMN escrowgrid.audit_events.id IS 'TypeID with prefix aud.';
COMMENT ON COLUMN escrowgrid.audit_events.occurred_at IS 'When it happened; equal to the position event''s at.';
COMMENT ON COLUMN escrowgrid.audit_events.created_at IS 'When the row was written; equal to occurred_at.';
COMMENT ON COLUMN escrowgrid.audit_events.api_key_id IS 'The API key that called; NULL for an administrator.';
COMMENT ON COLUMN escrowgrid.audit_events.institution_id IS 'The institution concerned; NULL when there is none.';
COMMENT ON COLUMN escrowgrid.audit_events.method IS 'SQL, or the caller''s escrowgrid.request_method: a claim.';
COMMENT ON COLUMN escrowgrid.audit_events.path IS 'The function or statement, or the caller''s escrowgrid.request_path: a claim.';
COMMENT ON COLUMN escrowgrid.audit_events.action IS 'What was done, for example POSITION_TRANSITIONED.';
COMMENT ON COLUMN escrowgrid.audit_events.resource_type IS 'The kind of record: institution, asset_template, asset, position and so on.';
COMMENT ON COLUMN escrowgrid.audit_events.resource_id IS 'The record''s id.';
COMMENT ON COLUMN escrowgrid.audit_events.payload IS 'Details, a JSON object with camelCase keys.';
COMMENT ON COLUMN escrowgrid.audit_events.outcome IS 'success or failure.';
COMMENT ON COLUMN escrowgrid.audit_events.error IS 'The refusal of a failure, as in the DETAIL of its error.';
COMMENT ON COLUMN escrowgrid.audit_events.status_code IS 'The HTTP status code that fits the outcome.';
COMMENT ON COLUMN escrowgrid.audit_events.request_id IS 'The caller''s escrowgrid.request_id: a claim.';
COMMENT ON COLUMN escrowgrid.audit_events.client_ip IS 'The caller''s escrowgrid.client_ip, a claim; else the connection''s address, NULL for a local socket.';
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
COMMENT ON TABLE escrowgrid.idempotency_keys IS 'Idempotency keys: which request a caller''s key belongs to, and the events it led to.';
COMMENT ON COLUMN escrowgrid.idempotency_keys.institution_id IS 'The institution whose caller chose the key.';
COMMENT ON COLUMN escrowgrid.idempotency_keys.key IS 'The caller''s key, at most 400 bytes.';
COMMENT ON COLUMN escrowgrid.idempotency_keys.fingerprint IS 'SHA-256 of the request, 32 bytes.';
COMMENT ON COLUMN escrowgrid.idempotency_keys.event_ids IS 'The position events that the request led to, in the order of its results.';
COMMENT ON COLUMN escrowgrid.idempotency_keys.created_at IS 'When the key was first used; keys are purged by age.';

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
