-- Tables. Ids are TypeIDs and are compared bytewise (COLLATE "C"). Amounts are numeric without a precision, and CHECKs
-- limit them: numeric(p, s) would round a value before any rule sees it.

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
    CONSTRAINT institutions_regions_known CHECK (
        regions <@ ARRAY['US', 'EU_UK', 'SG', 'UAE'] AND cardinality(regions) > 0
    ),
    CONSTRAINT institutions_verticals_known CHECK (
        verticals <@ ARRAY['CONSTRUCTION', 'TRADE_FINANCE'] AND cardinality(verticals) > 0
    )
);
COMMENT ON TABLE escrowgrid.institutions IS
    'Institutions: the tenants. Templates, assets, positions and their records each belong to one institution.';
COMMENT ON COLUMN escrowgrid.institutions.id IS 'TypeID with prefix inst.';
COMMENT ON COLUMN escrowgrid.institutions.name IS 'Name, at most 400 bytes.';
COMMENT ON COLUMN escrowgrid.institutions.regions IS
    'Regions the institution acts in: US, EU_UK, SG, UAE. Its asset templates must be for one of them.';
COMMENT ON COLUMN escrowgrid.institutions.verticals IS
    'Verticals the institution acts in: CONSTRUCTION, TRADE_FINANCE. Its asset templates must be for one of them.';
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
COMMENT ON TABLE escrowgrid.asset_templates IS
    'Asset templates: the kinds of asset an institution deals in, with terms that its positions must keep.';
COMMENT ON COLUMN escrowgrid.asset_templates.id IS 'TypeID with prefix tmpl.';
COMMENT ON COLUMN escrowgrid.asset_templates.institution_id IS 'The institution that the template belongs to.';
COMMENT ON COLUMN escrowgrid.asset_templates.code IS
    'Kind of asset: CONSTR_ESCROW, CONSTR_RETAINAGE, TF_INVOICE, TF_LC, or a code of the institution''s own.';
COMMENT ON COLUMN escrowgrid.asset_templates.name IS 'Name, at most 400 bytes.';
COMMENT ON COLUMN escrowgrid.asset_templates.vertical IS 'CONSTRUCTION or TRADE_FINANCE.';
COMMENT ON COLUMN escrowgrid.asset_templates.region IS 'US, EU_UK, SG or UAE.';
COMMENT ON COLUMN escrowgrid.asset_templates.config IS
    'Terms, a JSON object; docs/reference.md lists the keys of each code.';
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
    -- The foreign key includes the institution, because referential checks bypass row-level security.
    CONSTRAINT assets_template_fkey FOREIGN KEY (institution_id, template_id)
        REFERENCES escrowgrid.asset_templates (institution_id, id),
    CONSTRAINT assets_id_form CHECK (starts_with(id, 'ast_') AND octet_length(id) BETWEEN 5 AND 100),
    CONSTRAINT assets_label_length CHECK (octet_length(label) BETWEEN 1 AND 400),
    CONSTRAINT assets_metadata_object CHECK (jsonb_typeof(metadata) = 'object')
);
CREATE INDEX assets_template_id_id_idx ON escrowgrid.assets (template_id, id);
COMMENT ON TABLE escrowgrid.assets IS 'Assets: a position is a claim on an asset.';
COMMENT ON COLUMN escrowgrid.assets.id IS 'TypeID with prefix ast.';
COMMENT ON COLUMN escrowgrid.assets.institution_id IS 'The institution that the asset belongs to.';
COMMENT ON COLUMN escrowgrid.assets.template_id IS
    'The template that the asset was made from; it belongs to the same institution.';
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
    -- PostgreSQL sorts NaN above every number, so the upper bound refuses it.
    CONSTRAINT positions_amount_valid CHECK (amount > 0 AND amount <= 1000000000000000 AND min_scale(amount) <= 8),
    CONSTRAINT positions_released_amount_valid CHECK (
        released_amount >= 0 AND released_amount <= amount AND min_scale(released_amount) <= 8
    ),
    CONSTRAINT positions_refunded_amount_valid CHECK (
        refunded_amount >= 0 AND refunded_amount <= amount AND min_scale(refunded_amount) <= 8
    ),
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
-- No index has state or updated_at among its columns or in its predicate, so transitions can be heap-only updates.
-- due_at changes only when the position ends.
CREATE INDEX positions_institution_id_id_idx ON escrowgrid.positions (institution_id, id);
CREATE INDEX positions_asset_id_id_idx ON escrowgrid.positions (asset_id, id);
CREATE INDEX positions_institution_id_holder_reference_id_idx
    ON escrowgrid.positions (institution_id, holder_reference, id);
CREATE INDEX positions_due_at_idx ON escrowgrid.positions (due_at) WHERE due_at IS NOT NULL;
COMMENT ON TABLE escrowgrid.positions IS
    'Positions: a holder''s claim on an asset. A position moves only along the lifecycle, and every change writes an '
    'event, a ledger row and an audit row.';
COMMENT ON COLUMN escrowgrid.positions.id IS 'TypeID with prefix pos.';
COMMENT ON COLUMN escrowgrid.positions.institution_id IS 'The institution that the position belongs to.';
COMMENT ON COLUMN escrowgrid.positions.asset_id IS
    'The asset that the position is a claim on; it belongs to the same institution.';
COMMENT ON COLUMN escrowgrid.positions.holder_reference IS
    'The institution''s own name for the holder; at most 400 bytes.';
COMMENT ON COLUMN escrowgrid.positions.currency IS 'Currency code, see escrowgrid.currencies.';
COMMENT ON COLUMN escrowgrid.positions.amount IS
    'The whole amount, in the currency''s major unit: more than 0, at most 10^15, no more decimals than the currency '
    'has.';
COMMENT ON COLUMN escrowgrid.positions.state IS
    'CREATED, FUNDED, PARTIALLY_RELEASED, RELEASED, CANCELLED or EXPIRED; see escrow_lifecycle().';
COMMENT ON COLUMN escrowgrid.positions.external_reference IS 'The caller''s own reference, at most 400 bytes.';
COMMENT ON COLUMN escrowgrid.positions.created_at IS 'When it was created.';
COMMENT ON COLUMN escrowgrid.positions.updated_at IS 'When its last event happened.';
COMMENT ON COLUMN escrowgrid.positions.released_amount IS
    'Sum released to the holder so far, in the currency''s major unit.';
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
