-- escrowgrid installation script: assembled from src/sql by make; edit there.
\echo Use "CREATE EXTENSION escrowgrid" to load this file. \quit

-- Whoever owns the schema can drop everything in it, and whatever already lies in it could stand
-- in for an object of ours. So both are refused before the first object is made.
DO $guard$
DECLARE
    schema_owner pg_catalog.oid;
    foreign_objects pg_catalog.int8;
BEGIN
    SELECT n.nspowner INTO STRICT schema_owner
    FROM pg_catalog.pg_namespace AS n
    WHERE n.nspname OPERATOR(pg_catalog.=) 'escrowgrid';

    IF schema_owner OPERATOR(pg_catalog.<>) (
        SELECT r.oid FROM pg_catalog.pg_roles AS r WHERE r.rolname OPERATOR(pg_catalog.=) CURRENT_USER
    ) THEN
        RAISE EXCEPTION 'schema escrowgrid belongs to another role'
            USING ERRCODE = 'invalid_schema_name',
                  DETAIL = 'The owner of the schema could drop the extension and its records.',
                  HINT = 'Drop the schema, or give it to the role that creates the extension.';
    END IF;

    SELECT pg_catalog.count(*) INTO STRICT foreign_objects
    FROM pg_catalog.pg_depend AS d
    WHERE d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_namespace'::pg_catalog.regclass
      AND d.refobjid OPERATOR(pg_catalog.=) 'escrowgrid'::pg_catalog.regnamespace
      AND d.deptype OPERATOR(pg_catalog.=) 'n'
      AND d.classid OPERATOR(pg_catalog.<>) 'pg_catalog.pg_extension'::pg_catalog.regclass;
    IF foreign_objects OPERATOR(pg_catalog.>) 0 THEN
        RAISE EXCEPTION 'schema escrowgrid already holds objects'
            USING ERRCODE = 'duplicate_object',
                  DETAIL = pg_catalog.format('%s objects were found in it.', foreign_objects),
                  HINT = 'Move them away or drop them, then create the extension again.';
    END IF;

    IF pg_catalog.current_setting('server_encoding') OPERATOR(pg_catalog.<>) 'UTF8' THEN
        RAISE EXCEPTION 'escrowgrid needs a database with encoding UTF8'
            USING ERRCODE = 'feature_not_supported',
                  DETAIL = pg_catalog.format('This database has encoding %s.',
                                             pg_catalog.current_setting('server_encoding')),
                  HINT = 'The hash chain is defined over UTF-8 bytes; create the database with ENCODING ''UTF8''.';
    END IF;
END
$guard$;

COMMENT ON SCHEMA escrowgrid IS
    'escrowgrid: escrow positions, their lifecycle and their records. Call the escrow_* functions; read the tables.';
-- Currencies and their minor units. ISO 4217 codes that have a minor unit; funds, metals and
-- testing codes without one (XAU, XDR, XTS, ...) are left for an administrator to add with the
-- exponent that fits the use.

CREATE TABLE escrowgrid.currencies (
    code text COLLATE "C" NOT NULL,
    exponent smallint NOT NULL,
    name text NOT NULL,
    builtin boolean NOT NULL DEFAULT false,
    CONSTRAINT currencies_pkey PRIMARY KEY (code),
    CONSTRAINT currencies_code_form CHECK (code ~ '^[A-Z][A-Z0-9]{2,11}$'),
    CONSTRAINT currencies_exponent_range CHECK (exponent BETWEEN 0 AND 8),
    CONSTRAINT currencies_name_length CHECK (octet_length(name) BETWEEN 1 AND 400)
);
COMMENT ON TABLE escrowgrid.currencies IS
    'Currencies that positions may be held in. ISO 4217 is built in; an administrator may add codes, for example (BTC, 8). A code in use cannot be changed or removed.';
COMMENT ON COLUMN escrowgrid.currencies.code IS 'ISO 4217 code, or a code of the administrator''s own: 3 to 12 upper-case letters and digits.';
COMMENT ON COLUMN escrowgrid.currencies.exponent IS 'Digits after the decimal point of the minor unit, 0 to 8: USD 2, JPY 0, BHD 3 (source: ISO 4217).';
COMMENT ON COLUMN escrowgrid.currencies.name IS 'English name.';
COMMENT ON COLUMN escrowgrid.currencies.builtin IS 'True for rows that came with the extension; those cannot be changed, and a dump leaves them out.';

INSERT INTO escrowgrid.currencies (code, exponent, name, builtin) VALUES
    ('AED', 2, 'UAE Dirham', true),
    ('AFN', 2, 'Afghani', true),
    ('ALL', 2, 'Lek', true),
    ('AMD', 2, 'Armenian Dram', true),
    ('ANG', 2, 'Netherlands Antillean Guilder', true),
    ('AOA', 2, 'Kwanza', true),
    ('ARS', 2, 'Argentine Peso', true),
    ('AUD', 2, 'Australian Dollar', true),
    ('AWG', 2, 'Aruban Florin', true),
    ('AZN', 2, 'Azerbaijan Manat', true),
    ('BAM', 2, 'Convertible Mark', true),
    ('BBD', 2, 'Barbados Dollar', true),
    ('BDT', 2, 'Taka', true),
    ('BGN', 2, 'Bulgarian Lev', true),
    ('BHD', 3, 'Bahraini Dinar', true),
    ('BIF', 0, 'Burundi Franc', true),
    ('BMD', 2, 'Bermudian Dollar', true),
    ('BND', 2, 'Brunei Dollar', true),
    ('BOB', 2, 'Boliviano', true),
    ('BOV', 2, 'Mvdol', true),
    ('BRL', 2, 'Brazilian Real', true),
    ('BSD', 2, 'Bahamian Dollar', true),
    ('BTN', 2, 'Ngultrum', true),
    ('BWP', 2, 'Pula', true),
    ('BYN', 2, 'Belarusian Ruble', true),
    ('BZD', 2, 'Belize Dollar', true),
    ('CAD', 2, 'Canadian Dollar', true),
    ('CDF', 2, 'Congolese Franc', true),
    ('CHE', 2, 'WIR Euro', true),
    ('CHF', 2, 'Swiss Franc', true),
    ('CHW', 2, 'WIR Franc', true),
    ('CLF', 4, 'Unidad de Fomento', true),
    ('CLP', 0, 'Chilean Peso', true),
    ('CNY', 2, 'Yuan Renminbi', true),
    ('COP', 2, 'Colombian Peso', true),
    ('COU', 2, 'Unidad de Valor Real', true),
    ('CRC', 2, 'Costa Rican Colon', true),
    ('CUP', 2, 'Cuban Peso', true),
    ('CVE', 2, 'Cabo Verde Escudo', true),
    ('CZK', 2, 'Czech Koruna', true),
    ('DJF', 0, 'Djibouti Franc', true),
    ('DKK', 2, 'Danish Krone', true),
    ('DOP', 2, 'Dominican Peso', true),
    ('DZD', 2, 'Algerian Dinar', true),
    ('EGP', 2, 'Egyptian Pound', true),
    ('ERN', 2, 'Nakfa', true),
    ('ETB', 2, 'Ethiopian Birr', true),
    ('EUR', 2, 'Euro', true),
    ('FJD', 2, 'Fiji Dollar', true),
    ('FKP', 2, 'Falkland Islands Pound', true),
    ('GBP', 2, 'Pound Sterling', true),
    ('GEL', 2, 'Lari', true),
    ('GHS', 2, 'Ghana Cedi', true),
    ('GIP', 2, 'Gibraltar Pound', true),
    ('GMD', 2, 'Dalasi', true),
    ('GNF', 0, 'Guinean Franc', true),
    ('GTQ', 2, 'Quetzal', true),
    ('GYD', 2, 'Guyana Dollar', true),
    ('HKD', 2, 'Hong Kong Dollar', true),
    ('HNL', 2, 'Lempira', true),
    ('HTG', 2, 'Gourde', true),
    ('HUF', 2, 'Forint', true),
    ('IDR', 2, 'Rupiah', true),
    ('ILS', 2, 'New Israeli Sheqel', true),
    ('INR', 2, 'Indian Rupee', true),
    ('IQD', 3, 'Iraqi Dinar', true),
    ('IRR', 2, 'Iranian Rial', true),
    ('ISK', 0, 'Iceland Krona', true),
    ('JMD', 2, 'Jamaican Dollar', true),
    ('JOD', 3, 'Jordanian Dinar', true),
    ('JPY', 0, 'Yen', true),
    ('KES', 2, 'Kenyan Shilling', true),
    ('KGS', 2, 'Som', true),
    ('KHR', 2, 'Riel', true),
    ('KMF', 0, 'Comorian Franc', true),
    ('KPW', 2, 'North Korean Won', true),
    ('KRW', 0, 'Won', true),
    ('KWD', 3, 'Kuwaiti Dinar', true),
    ('KYD', 2, 'Cayman Islands Dollar', true),
    ('KZT', 2, 'Tenge', true),
    ('LAK', 2, 'Lao Kip', true),
    ('LBP', 2, 'Lebanese Pound', true),
    ('LKR', 2, 'Sri Lanka Rupee', true),
    ('LRD', 2, 'Liberian Dollar', true),
    ('LSL', 2, 'Loti', true),
    ('LYD', 3, 'Libyan Dinar', true),
    ('MAD', 2, 'Moroccan Dirham', true),
    ('MDL', 2, 'Moldovan Leu', true),
    ('MGA', 2, 'Malagasy Ariary', true),
    ('MKD', 2, 'Denar', true),
    ('MMK', 2, 'Kyat', true),
    ('MNT', 2, 'Tugrik', true),
    ('MOP', 2, 'Pataca', true),
    ('MRU', 2, 'Ouguiya', true),
    ('MUR', 2, 'Mauritius Rupee', true),
    ('MVR', 2, 'Rufiyaa', true),
    ('MWK', 2, 'Malawi Kwacha', true),
    ('MXN', 2, 'Mexican Peso', true),
    ('MXV', 2, 'Mexican Unidad de Inversion', true),
    ('MYR', 2, 'Malaysian Ringgit', true),
    ('MZN', 2, 'Mozambique Metical', true),
    ('NAD', 2, 'Namibia Dollar', true),
    ('NGN', 2, 'Naira', true),
    ('NIO', 2, 'Cordoba Oro', true),
    ('NOK', 2, 'Norwegian Krone', true),
    ('NPR', 2, 'Nepalese Rupee', true),
    ('NZD', 2, 'New Zealand Dollar', true),
    ('OMR', 3, 'Rial Omani', true),
    ('PAB', 2, 'Balboa', true),
    ('PEN', 2, 'Sol', true),
    ('PGK', 2, 'Kina', true),
    ('PHP', 2, 'Philippine Peso', true),
    ('PKR', 2, 'Pakistan Rupee', true),
    ('PLN', 2, 'Zloty', true),
    ('PYG', 0, 'Guarani', true),
    ('QAR', 2, 'Qatari Rial', true),
    ('RON', 2, 'Romanian Leu', true),
    ('RSD', 2, 'Serbian Dinar', true),
    ('RUB', 2, 'Russian Ruble', true),
    ('RWF', 0, 'Rwanda Franc', true),
    ('SAR', 2, 'Saudi Riyal', true),
    ('SBD', 2, 'Solomon Islands Dollar', true),
    ('SCR', 2, 'Seychelles Rupee', true),
    ('SDG', 2, 'Sudanese Pound', true),
    ('SEK', 2, 'Swedish Krona', true),
    ('SGD', 2, 'Singapore Dollar', true),
    ('SHP', 2, 'Saint Helena Pound', true),
    ('SLE', 2, 'Leone', true),
    ('SOS', 2, 'Somali Shilling', true),
    ('SRD', 2, 'Surinam Dollar', true),
    ('SSP', 2, 'South Sudanese Pound', true),
    ('STN', 2, 'Dobra', true),
    ('SVC', 2, 'El Salvador Colon', true),
    ('SYP', 2, 'Syrian Pound', true),
    ('SZL', 2, 'Lilangeni', true),
    ('THB', 2, 'Baht', true),
    ('TJS', 2, 'Somoni', true),
    ('TMT', 2, 'Turkmenistan New Manat', true),
    ('TND', 3, 'Tunisian Dinar', true),
    ('TOP', 2, 'Pa''anga', true),
    ('TRY', 2, 'Turkish Lira', true),
    ('TTD', 2, 'Trinidad and Tobago Dollar', true),
    ('TWD', 2, 'New Taiwan Dollar', true),
    ('TZS', 2, 'Tanzanian Shilling', true),
    ('UAH', 2, 'Hryvnia', true),
    ('UGX', 0, 'Uganda Shilling', true),
    ('USD', 2, 'US Dollar', true),
    ('USN', 2, 'US Dollar (Next day)', true),
    ('UYI', 0, 'Uruguay Peso en Unidades Indexadas', true),
    ('UYU', 2, 'Peso Uruguayo', true),
    ('UYW', 4, 'Unidad Previsional', true),
    ('UZS', 2, 'Uzbekistan Sum', true),
    ('VED', 2, 'Bolivar Digital', true),
    ('VES', 2, 'Bolivar Soberano', true),
    ('VND', 0, 'Dong', true),
    ('VUV', 0, 'Vatu', true),
    ('WST', 2, 'Tala', true),
    ('XAF', 0, 'CFA Franc BEAC', true),
    ('XCD', 2, 'East Caribbean Dollar', true),
    ('XCG', 2, 'Caribbean Guilder', true),
    ('XOF', 0, 'CFA Franc BCEAO', true),
    ('XPF', 0, 'CFP Franc', true),
    ('YER', 2, 'Yemeni Rial', true),
    ('ZAR', 2, 'Rand', true),
    ('ZMW', 2, 'Zambian Kwacha', true),
    ('ZWG', 2, 'Zimbabwe Gold', true);
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
-- Set-up: institutions, asset templates, assets.

CREATE FUNCTION escrowgrid.escrow_create_institution(
    name text,
    regions text[],
    verticals text[] DEFAULT ARRAY['CONSTRUCTION', 'TRADE_FINANCE']
) RETURNS escrowgrid.institutions
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'escrow_create_institution';
COMMENT ON FUNCTION escrowgrid.escrow_create_institution(text, text[], text[]) IS
    'Creates an institution (a tenant) and returns its row. regions: US, EU_UK, SG, UAE; verticals: CONSTRUCTION, TRADE_FINANCE (default: all). Writes an audit row. Errors: ZE001 for missing, blank, too long, unknown or repeated values; ZE401.';

CREATE FUNCTION escrowgrid.escrow_create_asset_template(
    code text,
    name text,
    vertical text,
    region text,
    config jsonb,
    institution_id text DEFAULT NULL
) RETURNS escrowgrid.asset_templates
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'escrow_create_asset_template';
COMMENT ON FUNCTION escrowgrid.escrow_create_asset_template(text, text, text, text, jsonb, text) IS
    'Creates an asset template and returns its row. config is a JSON object whose keys the code decides (CONSTR_ESCROW, CONSTR_RETAINAGE, TF_INVOICE, TF_LC; other codes: free but for currency and the reserved onchain). An administrator names the institution. Writes a ledger and an audit row. Errors: ZE001 for invalid values, ZE002 for an unknown institution, ZE301 for invalid amounts in config, ZE401.';

CREATE FUNCTION escrowgrid.escrow_create_asset(
    template_id text,
    label text,
    metadata jsonb DEFAULT NULL
) RETURNS escrowgrid.assets
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'escrow_create_asset';
COMMENT ON FUNCTION escrowgrid.escrow_create_asset(text, text, jsonb) IS
    'Creates an asset from a template, in the template''s institution, and returns its row. metadata: a JSON object of at most 64 KB and 10 levels. Writes a ledger and an audit row. Errors: ZE001 for invalid values, ZE002 for an unknown template, ZE401.';

CREATE FUNCTION escrowgrid.escrow_set_policy(
    institution_id text,
    region text,
    config jsonb
) RETURNS escrowgrid.institution_policies
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'escrow_set_policy';
COMMENT ON FUNCTION escrowgrid.escrow_set_policy(text, text, jsonb) IS
    'Sets (replaces) the policy of an institution in a region and returns its row. It holds for every call that starts after it committed. config: {"position": {"minAmount", "maxAmount", "allowedCurrencies", "requireReleaseAmount", "maxTenorDays", "maxOpenAmount": {currency: amount}, "requiredMetadata": {state: [key]}}}, each key optional. Writes an audit row with the old and the new config. Errors: ZE001, ZE002, ZE301, ZE401, ZE403.';

CREATE FUNCTION escrowgrid.escrow_get_policy(institution_id text, region text) RETURNS jsonb
    LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'escrow_get_policy';
COMMENT ON FUNCTION escrowgrid.escrow_get_policy(text, text) IS
    'The policy of an institution in a region as a JSON document with camelCase keys. Errors: ZE001, ZE002, ZE401.';

CREATE FUNCTION escrowgrid.escrow_list_policies(institution_id text DEFAULT NULL)
RETURNS SETOF escrowgrid.institution_policies
    LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'escrow_list_policies';
COMMENT ON FUNCTION escrowgrid.escrow_list_policies(text) IS
    'The policies of an institution (for root and NULL: of all), by region. Errors: ZE401.';
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
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'escrow_create_api_key';
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
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'escrow_rotate_api_key';
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
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'escrow_revoke_api_key';
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
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'escrow_grant_access';
COMMENT ON FUNCTION escrowgrid.escrow_grant_access(regrole, text) IS
    'Grants a database role exactly what an application, an auditor or a reader (level) needs: USAGE, EXECUTE, SELECT by column, never a right to write or to make triggers. What its callers see and may do is decided by the key they sign in with. For root. Writes an audit row. Errors: ZE001, ZE401, ZE403.';
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
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'escrow_purge_idempotency_keys';
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
-- Reading. Pages are in id order; pass the last id of a page as after_id of the next.

CREATE FUNCTION escrowgrid.escrow_get_institution(id text) RETURNS jsonb
    LANGUAGE c STABLE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'escrow_get_institution';
COMMENT ON FUNCTION escrowgrid.escrow_get_institution(text) IS
    'The institution as a JSON document with camelCase keys. Errors: ZE001, ZE002, ZE401.';

CREATE FUNCTION escrowgrid.escrow_get_asset_template(id text) RETURNS jsonb
    LANGUAGE c STABLE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'escrow_get_asset_template';
COMMENT ON FUNCTION escrowgrid.escrow_get_asset_template(text) IS
    'The asset template as a JSON document with camelCase keys. Errors: ZE001, ZE002, ZE401.';

CREATE FUNCTION escrowgrid.escrow_get_asset(id text) RETURNS jsonb
    LANGUAGE c STABLE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'escrow_get_asset';
COMMENT ON FUNCTION escrowgrid.escrow_get_asset(text) IS
    'The asset as a JSON document with camelCase keys. Errors: ZE001, ZE002, ZE401.';

CREATE FUNCTION escrowgrid.escrow_get_position(id text) RETURNS jsonb
    LANGUAGE c STABLE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'escrow_get_position';
COMMENT ON FUNCTION escrowgrid.escrow_get_position(text) IS
    'The position with its events as a JSON document with camelCase keys; amounts are JSON numbers in the currency''s major unit, times are UTC in ISO 8601 with microseconds. Errors: ZE001, ZE002, ZE401.';

CREATE FUNCTION escrowgrid.escrow_list_institutions(
    after_id text DEFAULT NULL,
    max_count integer DEFAULT 100
) RETURNS SETOF escrowgrid.institutions
    LANGUAGE c STABLE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'escrow_list_institutions';
COMMENT ON FUNCTION escrowgrid.escrow_list_institutions(text, integer) IS
    'A page of institutions in id order, after after_id; max_count from 1 to 1000. Errors: ZE001, ZE401.';

CREATE FUNCTION escrowgrid.escrow_list_asset_templates(
    institution_id text DEFAULT NULL,
    after_id text DEFAULT NULL,
    max_count integer DEFAULT 100
) RETURNS SETOF escrowgrid.asset_templates
    LANGUAGE c STABLE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'escrow_list_asset_templates';
COMMENT ON FUNCTION escrowgrid.escrow_list_asset_templates(text, text, integer) IS
    'A page of asset templates in id order, after after_id; NULL filters do not filter; max_count from 1 to 1000. Errors: ZE001, ZE401.';

CREATE FUNCTION escrowgrid.escrow_list_assets(
    institution_id text DEFAULT NULL,
    template_id text DEFAULT NULL,
    after_id text DEFAULT NULL,
    max_count integer DEFAULT 100
) RETURNS SETOF escrowgrid.assets
    LANGUAGE c STABLE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'escrow_list_assets';
COMMENT ON FUNCTION escrowgrid.escrow_list_assets(text, text, text, integer) IS
    'A page of assets in id order, after after_id; NULL filters do not filter; max_count from 1 to 1000. Errors: ZE001, ZE401.';

CREATE FUNCTION escrowgrid.escrow_list_positions(
    institution_id text DEFAULT NULL,
    asset_id text DEFAULT NULL,
    holder_reference text DEFAULT NULL,
    state text DEFAULT NULL,
    after_id text DEFAULT NULL,
    max_count integer DEFAULT 100
) RETURNS SETOF escrowgrid.positions
    LANGUAGE c STABLE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'escrow_list_positions';
COMMENT ON FUNCTION escrowgrid.escrow_list_positions(text, text, text, text, text, integer) IS
    'A page of positions in id order, after after_id; NULL filters do not filter; max_count from 1 to 1000. Errors: ZE001, ZE401.';

CREATE FUNCTION escrowgrid.escrow_list_ledger_events(
    institution_id text DEFAULT NULL,
    position_id text DEFAULT NULL,
    after_id text DEFAULT NULL,
    max_count integer DEFAULT 100
) RETURNS SETOF escrowgrid.ledger_events
    LANGUAGE c STABLE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'escrow_list_ledger_events';
COMMENT ON FUNCTION escrowgrid.escrow_list_ledger_events(text, text, text, integer) IS
    'A page of ledger events in id order, after after_id; NULL filters do not filter; max_count from 1 to 1000. Ids are not commit order: to follow changes, use logical decoding. Errors: ZE001, ZE401.';

CREATE FUNCTION escrowgrid.escrow_list_audit_events(
    institution_id text DEFAULT NULL,
    action text DEFAULT NULL,
    after_id text DEFAULT NULL,
    max_count integer DEFAULT 100
) RETURNS SETOF escrowgrid.audit_events
    LANGUAGE c STABLE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'escrow_list_audit_events';
COMMENT ON FUNCTION escrowgrid.escrow_list_audit_events(text, text, text, integer) IS
    'A page of audit events in id order, after after_id; NULL filters do not filter; max_count from 1 to 1000. Ids are not commit order: to follow changes, use logical decoding. Errors: ZE001, ZE401.';

CREATE VIEW escrowgrid.balances WITH (security_invoker = true) AS
SELECT
    p.institution_id,
    p.currency,
    COALESCE(sum(p.amount - p.released_amount - p.refunded_amount)
        FILTER (WHERE p.state IN ('FUNDED', 'PARTIALLY_RELEASED')), 0) AS held,
    sum(p.released_amount) AS released,
    sum(p.refunded_amount) AS refunded,
    count(*) FILTER (WHERE p.state IN ('CREATED', 'FUNDED', 'PARTIALLY_RELEASED')) AS open_positions
FROM escrowgrid.positions AS p
GROUP BY p.institution_id, p.currency;
COMMENT ON VIEW escrowgrid.balances IS 'Balances per institution and currency, in the currency''s major unit.';
COMMENT ON COLUMN escrowgrid.balances.institution_id IS 'The institution.';
COMMENT ON COLUMN escrowgrid.balances.currency IS 'Currency code.';
COMMENT ON COLUMN escrowgrid.balances.held IS 'Sum held by funded positions: funded, neither released nor refunded.';
COMMENT ON COLUMN escrowgrid.balances.released IS 'Sum released to holders.';
COMMENT ON COLUMN escrowgrid.balances.refunded IS 'Sum refunded by cancellation or expiry.';
COMMENT ON COLUMN escrowgrid.balances.open_positions IS 'Number of positions that have not ended.';
-- What the extension says of itself.

CREATE FUNCTION escrowgrid.escrow_version() RETURNS text
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'escrow_version';
COMMENT ON FUNCTION escrowgrid.escrow_version() IS
    'The version of the loaded library, for example 0.1.0; escrow_health() compares it with the installed extension.';

CREATE FUNCTION escrowgrid.escrow_lifecycle(
    OUT from_state text,
    OUT to_state text,
    OUT is_final boolean
) RETURNS SETOF record
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'escrow_lifecycle';
COMMENT ON FUNCTION escrowgrid.escrow_lifecycle() IS
    'Every transition of the lifecycle, a row each; from_state is NULL for the creation, is_final says that to_state has no way out.';

CREATE FUNCTION escrowgrid.escrow_can_transition(from_state text, to_state text) RETURNS boolean
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'escrow_can_transition';
COMMENT ON FUNCTION escrowgrid.escrow_can_transition(text, text) IS
    'Whether the lifecycle has the transition; from_state NULL stands for a position that does not exist yet. Errors: ZE001 for an unknown state or a NULL to_state.';

CREATE FUNCTION escrowgrid.escrow_health(OUT ok boolean, OUT reasons text[]) RETURNS record
    LANGUAGE c STABLE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'escrow_health';
COMMENT ON FUNCTION escrowgrid.escrow_health() IS
    'Whether the installation is sound; reasons names what is not: library_version_mismatch, trigger_disabled, trigger_missing, drop_guard_disabled, row_security_disabled, public_privileges, bind_parameters_logged. Errors: ZE401.';
-- Triggers hold raw DML to the rules of the functions. They are ENABLE ALWAYS: in the replica role
-- they refuse what contradicts itself and record nothing.

CREATE FUNCTION escrowgrid.decide_position() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'escrowgrid_decide_position';
COMMENT ON FUNCTION escrowgrid.decide_position() IS
    'Trigger: decides a raw INSERT or UPDATE of a position as the functions would, or refuses it.';

CREATE FUNCTION escrowgrid.record_position() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'escrowgrid_record_position';
COMMENT ON FUNCTION escrowgrid.record_position() IS
    'Trigger: checks that a raw change was written as decided, and writes its event, ledger and audit rows.';

CREATE FUNCTION escrowgrid.check_record() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'escrowgrid_check_record';
COMMENT ON FUNCTION escrowgrid.check_record() IS
    'Trigger: takes a record inserted by hand only where it belongs to its position''s history, as a restore brings it.';

CREATE FUNCTION escrowgrid.refuse_change() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'escrowgrid_refuse_change';
COMMENT ON FUNCTION escrowgrid.refuse_change() IS 'Trigger: refuses the operation with ZE501.';

CREATE FUNCTION escrowgrid.keep_columns() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'escrowgrid_keep_columns';
COMMENT ON FUNCTION escrowgrid.keep_columns() IS
    'Trigger: refuses with ZE501 an UPDATE that changes one of the columns it is given.';

CREATE FUNCTION escrowgrid.guard_currency() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'escrowgrid_guard_currency';
COMMENT ON FUNCTION escrowgrid.guard_currency() IS
    'Trigger: refuses with ZE501 a change to a built-in currency or to one that positions use.';

CREATE TRIGGER escrowgrid_decide BEFORE INSERT OR UPDATE ON escrowgrid.positions
    FOR EACH ROW EXECUTE FUNCTION escrowgrid.decide_position();
COMMENT ON TRIGGER escrowgrid_decide ON escrowgrid.positions IS 'Decides a raw INSERT or UPDATE as the functions would.';
CREATE TRIGGER escrowgrid_record AFTER INSERT OR UPDATE ON escrowgrid.positions
    FOR EACH ROW EXECUTE FUNCTION escrowgrid.record_position();
COMMENT ON TRIGGER escrowgrid_record ON escrowgrid.positions IS 'Records a raw INSERT or UPDATE as the functions would.';
CREATE TRIGGER escrowgrid_refuse_delete BEFORE DELETE ON escrowgrid.positions
    FOR EACH ROW EXECUTE FUNCTION escrowgrid.refuse_change();
COMMENT ON TRIGGER escrowgrid_refuse_delete ON escrowgrid.positions IS 'Positions are never deleted.';
CREATE TRIGGER escrowgrid_refuse_truncate BEFORE TRUNCATE ON escrowgrid.positions
    FOR EACH STATEMENT EXECUTE FUNCTION escrowgrid.refuse_change();
COMMENT ON TRIGGER escrowgrid_refuse_truncate ON escrowgrid.positions IS 'The table is never truncated.';
ALTER TABLE escrowgrid.positions ENABLE ALWAYS TRIGGER escrowgrid_decide;
ALTER TABLE escrowgrid.positions ENABLE ALWAYS TRIGGER escrowgrid_record;
ALTER TABLE escrowgrid.positions ENABLE ALWAYS TRIGGER escrowgrid_refuse_delete;
ALTER TABLE escrowgrid.positions ENABLE ALWAYS TRIGGER escrowgrid_refuse_truncate;

CREATE TRIGGER escrowgrid_check BEFORE INSERT ON escrowgrid.position_events
    FOR EACH ROW EXECUTE FUNCTION escrowgrid.check_record();
COMMENT ON TRIGGER escrowgrid_check ON escrowgrid.position_events IS 'Takes records inserted by hand only as a restore.';
CREATE TRIGGER escrowgrid_refuse_change BEFORE UPDATE OR DELETE ON escrowgrid.position_events
    FOR EACH ROW EXECUTE FUNCTION escrowgrid.refuse_change();
COMMENT ON TRIGGER escrowgrid_refuse_change ON escrowgrid.position_events IS 'Records are never changed or deleted.';
CREATE TRIGGER escrowgrid_refuse_truncate BEFORE TRUNCATE ON escrowgrid.position_events
    FOR EACH STATEMENT EXECUTE FUNCTION escrowgrid.refuse_change();
COMMENT ON TRIGGER escrowgrid_refuse_truncate ON escrowgrid.position_events IS 'The table is never truncated.';
ALTER TABLE escrowgrid.position_events ENABLE ALWAYS TRIGGER escrowgrid_check;
ALTER TABLE escrowgrid.position_events ENABLE ALWAYS TRIGGER escrowgrid_refuse_change;
ALTER TABLE escrowgrid.position_events ENABLE ALWAYS TRIGGER escrowgrid_refuse_truncate;

CREATE TRIGGER escrowgrid_check BEFORE INSERT ON escrowgrid.ledger_events
    FOR EACH ROW EXECUTE FUNCTION escrowgrid.check_record();
COMMENT ON TRIGGER escrowgrid_check ON escrowgrid.ledger_events IS 'Takes records inserted by hand only as a restore.';
CREATE TRIGGER escrowgrid_refuse_change BEFORE UPDATE OR DELETE ON escrowgrid.ledger_events
    FOR EACH ROW EXECUTE FUNCTION escrowgrid.refuse_change();
COMMENT ON TRIGGER escrowgrid_refuse_change ON escrowgrid.ledger_events IS 'Records are never changed or deleted.';
CREATE TRIGGER escrowgrid_refuse_truncate BEFORE TRUNCATE ON escrowgrid.ledger_events
    FOR EACH STATEMENT EXECUTE FUNCTION escrowgrid.refuse_change();
COMMENT ON TRIGGER escrowgrid_refuse_truncate ON escrowgrid.ledger_events IS 'The table is never truncated.';
ALTER TABLE escrowgrid.ledger_events ENABLE ALWAYS TRIGGER escrowgrid_check;
ALTER TABLE escrowgrid.ledger_events ENABLE ALWAYS TRIGGER escrowgrid_refuse_change;
ALTER TABLE escrowgrid.ledger_events ENABLE ALWAYS TRIGGER escrowgrid_refuse_truncate;

CREATE TRIGGER escrowgrid_check BEFORE INSERT ON escrowgrid.audit_events
    FOR EACH ROW EXECUTE FUNCTION escrowgrid.check_record();
COMMENT ON TRIGGER escrowgrid_check ON escrowgrid.audit_events IS 'Takes records inserted by hand only as a restore.';
CREATE TRIGGER escrowgrid_refuse_change BEFORE UPDATE OR DELETE ON escrowgrid.audit_events
    FOR EACH ROW EXECUTE FUNCTION escrowgrid.refuse_change();
COMMENT ON TRIGGER escrowgrid_refuse_change ON escrowgrid.audit_events IS 'Records are never changed or deleted.';
CREATE TRIGGER escrowgrid_refuse_truncate BEFORE TRUNCATE ON escrowgrid.audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION escrowgrid.refuse_change();
COMMENT ON TRIGGER escrowgrid_refuse_truncate ON escrowgrid.audit_events IS 'The table is never truncated.';
ALTER TABLE escrowgrid.audit_events ENABLE ALWAYS TRIGGER escrowgrid_check;
ALTER TABLE escrowgrid.audit_events ENABLE ALWAYS TRIGGER escrowgrid_refuse_change;
ALTER TABLE escrowgrid.audit_events ENABLE ALWAYS TRIGGER escrowgrid_refuse_truncate;

CREATE TRIGGER escrowgrid_keep_columns BEFORE UPDATE ON escrowgrid.institutions
    FOR EACH ROW EXECUTE FUNCTION escrowgrid.keep_columns('id', 'created_at');
COMMENT ON TRIGGER escrowgrid_keep_columns ON escrowgrid.institutions IS 'What identifies the row and what others build on stays.';
CREATE TRIGGER escrowgrid_keep_columns BEFORE UPDATE ON escrowgrid.asset_templates
    FOR EACH ROW EXECUTE FUNCTION escrowgrid.keep_columns(
        'id', 'institution_id', 'code', 'vertical', 'region', 'config', 'created_at');
COMMENT ON TRIGGER escrowgrid_keep_columns ON escrowgrid.asset_templates IS 'What identifies the row and what others build on stays.';
CREATE TRIGGER escrowgrid_keep_columns BEFORE UPDATE ON escrowgrid.assets
    FOR EACH ROW EXECUTE FUNCTION escrowgrid.keep_columns('id', 'institution_id', 'template_id', 'created_at');
COMMENT ON TRIGGER escrowgrid_keep_columns ON escrowgrid.assets IS 'What identifies the row and what others build on stays.';
CREATE TRIGGER escrowgrid_keep_columns BEFORE UPDATE ON escrowgrid.institution_policies
    FOR EACH ROW EXECUTE FUNCTION escrowgrid.keep_columns('id', 'institution_id', 'region', 'created_at');
COMMENT ON TRIGGER escrowgrid_keep_columns ON escrowgrid.institution_policies IS 'What identifies the row and what others build on stays.';
CREATE TRIGGER escrowgrid_keep_columns BEFORE UPDATE ON escrowgrid.api_keys
    FOR EACH ROW EXECUTE FUNCTION escrowgrid.keep_columns('id', 'institution_id', 'key_hash', 'role', 'created_at');
COMMENT ON TRIGGER escrowgrid_keep_columns ON escrowgrid.api_keys IS 'What identifies the row and what others build on stays.';
ALTER TABLE escrowgrid.institutions ENABLE ALWAYS TRIGGER escrowgrid_keep_columns;
ALTER TABLE escrowgrid.asset_templates ENABLE ALWAYS TRIGGER escrowgrid_keep_columns;
ALTER TABLE escrowgrid.assets ENABLE ALWAYS TRIGGER escrowgrid_keep_columns;
ALTER TABLE escrowgrid.institution_policies ENABLE ALWAYS TRIGGER escrowgrid_keep_columns;
ALTER TABLE escrowgrid.api_keys ENABLE ALWAYS TRIGGER escrowgrid_keep_columns;

CREATE TRIGGER escrowgrid_guard BEFORE INSERT OR UPDATE OR DELETE ON escrowgrid.currencies
    FOR EACH ROW EXECUTE FUNCTION escrowgrid.guard_currency();
COMMENT ON TRIGGER escrowgrid_guard ON escrowgrid.currencies IS 'Built-in currencies and those in use never change.';
CREATE TRIGGER escrowgrid_refuse_truncate BEFORE TRUNCATE ON escrowgrid.currencies
    FOR EACH STATEMENT EXECUTE FUNCTION escrowgrid.refuse_change();
COMMENT ON TRIGGER escrowgrid_refuse_truncate ON escrowgrid.currencies IS 'The table is never truncated.';
ALTER TABLE escrowgrid.currencies ENABLE ALWAYS TRIGGER escrowgrid_guard;
ALTER TABLE escrowgrid.currencies ENABLE ALWAYS TRIGGER escrowgrid_refuse_truncate;
-- Evidence: checkpoints to be signed and kept elsewhere, verification, the two sanctioned removals, and
-- the guard against dropping it all by mistake.

CREATE TABLE escrowgrid.checkpoints (
    id text COLLATE "C" NOT NULL,
    number bigint NOT NULL,
    position_count bigint NOT NULL,
    root_hash bytea NOT NULL,
    previous_hash bytea NOT NULL,
    hash bytea NOT NULL,
    created_at timestamptz NOT NULL,
    db_role text COLLATE "C" NOT NULL,
    CONSTRAINT checkpoints_pkey PRIMARY KEY (id),
    CONSTRAINT checkpoints_number_key UNIQUE (number),
    CONSTRAINT checkpoints_id_form CHECK (starts_with(id, 'chk_') AND octet_length(id) BETWEEN 5 AND 100),
    CONSTRAINT checkpoints_number_positive CHECK (number >= 1),
    CONSTRAINT checkpoints_position_count_valid CHECK (position_count >= 0),
    CONSTRAINT checkpoints_hash_lengths CHECK (
        octet_length(root_hash) = 32 AND octet_length(previous_hash) = 32 AND octet_length(hash) = 32
    )
);
COMMENT ON TABLE escrowgrid.checkpoints IS 'Checkpoints: each stands for every position''s head at a moment, chained by hash, append-only; sign and keep what escrow_checkpoint_export() gives.';
COMMENT ON COLUMN escrowgrid.checkpoints.id IS 'TypeID with prefix chk.';
COMMENT ON COLUMN escrowgrid.checkpoints.number IS '1, 2, 3 and so on without a gap.';
COMMENT ON COLUMN escrowgrid.checkpoints.position_count IS 'Number of positions it covers: the leaves of its Merkle tree.';
COMMENT ON COLUMN escrowgrid.checkpoints.root_hash IS 'Merkle root (RFC 9162) over the heads of all positions in id order, 32 bytes.';
COMMENT ON COLUMN escrowgrid.checkpoints.previous_hash IS 'Hash of the checkpoint before, 32 bytes; zeros for the first.';
COMMENT ON COLUMN escrowgrid.checkpoints.hash IS 'SHA-256 of what escrow_checkpoint_export() gives, 32 bytes.';
COMMENT ON COLUMN escrowgrid.checkpoints.created_at IS 'When it was made.';
COMMENT ON COLUMN escrowgrid.checkpoints.db_role IS 'The database role that made it.';

CREATE TABLE escrowgrid.checkpoint_heads (
    position_id text COLLATE "C" NOT NULL,
    checkpoint_number bigint NOT NULL,
    institution_id text COLLATE "C" NOT NULL,
    version integer,
    head_hash bytea,
    CONSTRAINT checkpoint_heads_pkey PRIMARY KEY (position_id, checkpoint_number),
    CONSTRAINT checkpoint_heads_complete CHECK ((version IS NULL) = (head_hash IS NULL)),
    CONSTRAINT checkpoint_heads_version_positive CHECK (version >= 1),
    CONSTRAINT checkpoint_heads_head_hash_length CHECK (octet_length(head_hash) = 32)
);
COMMENT ON TABLE escrowgrid.checkpoint_heads IS 'Heads of checkpoints: a row for each position that changed since the checkpoint before, append-only.';
COMMENT ON COLUMN escrowgrid.checkpoint_heads.position_id IS 'The position.';
COMMENT ON COLUMN escrowgrid.checkpoint_heads.checkpoint_number IS 'The first checkpoint that has it so.';
COMMENT ON COLUMN escrowgrid.checkpoint_heads.institution_id IS 'The position''s institution.';
COMMENT ON COLUMN escrowgrid.checkpoint_heads.version IS 'The position''s version; NULL once it was purged.';
COMMENT ON COLUMN escrowgrid.checkpoint_heads.head_hash IS 'The position''s head hash, 32 bytes; NULL once it was purged.';

SELECT pg_catalog.pg_extension_config_dump('escrowgrid.checkpoints', '');
SELECT pg_catalog.pg_extension_config_dump('escrowgrid.checkpoint_heads', '');

CREATE FUNCTION escrowgrid.escrow_verify(
    institution_id text DEFAULT NULL,
    OUT position_id text,
    OUT seq integer,
    OUT discrepancy text,
    OUT expected text,
    OUT found text
) RETURNS SETOF record
    LANGUAGE c STABLE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'escrow_verify';
COMMENT ON FUNCTION escrowgrid.escrow_verify(text) IS
    'Every discrepancy as a row, none when sound: hash chains, sequences, sums, states, ledger and audit rows, and positions against the last checkpoint; of one institution, or of all (NULL; a key verifies its own). Reads one snapshot. Errors: ZE002, ZE401.';

CREATE FUNCTION escrowgrid.escrow_checkpoint() RETURNS escrowgrid.checkpoints
    LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'escrow_checkpoint';
COMMENT ON FUNCTION escrowgrid.escrow_checkpoint() IS
    'Makes a checkpoint over every position''s head. Root only; one at a time. Errors: ZE401, ZE403, ZE502 when a position no longer has the history that an earlier checkpoint stands for.';

CREATE FUNCTION escrowgrid.escrow_checkpoint_export(checkpoint_id text DEFAULT NULL) RETURNS text
    LANGUAGE c STABLE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'escrow_checkpoint_export';
COMMENT ON FUNCTION escrowgrid.escrow_checkpoint_export(text) IS
    'The text of a checkpoint, the last one by default, to be signed and kept elsewhere; its SHA-256 is the checkpoint''s hash. Errors: ZE002, ZE401.';

CREATE FUNCTION escrowgrid.escrow_inclusion_proof(
    position_id text,
    checkpoint_id text,
    OUT leaf_index bigint,
    OUT tree_size bigint,
    OUT version integer,
    OUT head_hash bytea,
    OUT leaf_hash bytea,
    OUT path bytea[],
    OUT root_hash bytea
) RETURNS record
    LANGUAGE c STABLE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'escrow_inclusion_proof';
COMMENT ON FUNCTION escrowgrid.escrow_inclusion_proof(text, text) IS
    'Proof (RFC 9162, section 2.1.3) that a position was in a checkpoint with this version and head; leaf_index counts from 0. Errors: ZE001, ZE002, ZE401, ZE502 when the stored heads no longer give the root.';

CREATE FUNCTION escrowgrid.escrow_redact_event(event_id text) RETURNS escrowgrid.position_events
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'escrow_redact_event';
COMMENT ON FUNCTION escrowgrid.escrow_redact_event(text) IS
    'Erases reason and metadata of an event; their salted digest stays, so that the hash chain stays whole. An event without content stays as it is. Errors: ZE001, ZE002, ZE401, ZE403.';

CREATE FUNCTION escrowgrid.escrow_purge_institution(
    institution_id text,
    confirm text,
    OUT positions bigint,
    OUT position_events bigint,
    OUT ledger_events bigint
) RETURNS record
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'escrow_purge_institution';
COMMENT ON FUNCTION escrowgrid.escrow_purge_institution(text, text) IS
    'Deletes an institution with all that belongs to it except its audit rows, and leaves a tombstone there with counts and the last heads; confirm repeats the institution''s name. Root only. Errors: ZE001, ZE002, ZE401, ZE403, ZE501 while a position holds money.';

CREATE FUNCTION escrowgrid.check_checkpoint() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'escrowgrid_check_checkpoint';
COMMENT ON FUNCTION escrowgrid.check_checkpoint() IS
    'Trigger: takes checkpoints inserted by hand only as a restore, with the hash that follows from the row.';

CREATE TRIGGER escrowgrid_check BEFORE INSERT ON escrowgrid.checkpoints
    FOR EACH ROW EXECUTE FUNCTION escrowgrid.check_checkpoint();
COMMENT ON TRIGGER escrowgrid_check ON escrowgrid.checkpoints IS 'Takes checkpoints inserted by hand only as a restore.';
CREATE TRIGGER escrowgrid_refuse_change BEFORE UPDATE OR DELETE ON escrowgrid.checkpoints
    FOR EACH ROW EXECUTE FUNCTION escrowgrid.refuse_change();
COMMENT ON TRIGGER escrowgrid_refuse_change ON escrowgrid.checkpoints IS 'Checkpoints are never changed or deleted.';
CREATE TRIGGER escrowgrid_refuse_truncate BEFORE TRUNCATE ON escrowgrid.checkpoints
    FOR EACH STATEMENT EXECUTE FUNCTION escrowgrid.refuse_change();
COMMENT ON TRIGGER escrowgrid_refuse_truncate ON escrowgrid.checkpoints IS 'The table is never truncated.';
ALTER TABLE escrowgrid.checkpoints ENABLE ALWAYS TRIGGER escrowgrid_check;
ALTER TABLE escrowgrid.checkpoints ENABLE ALWAYS TRIGGER escrowgrid_refuse_change;
ALTER TABLE escrowgrid.checkpoints ENABLE ALWAYS TRIGGER escrowgrid_refuse_truncate;

CREATE TRIGGER escrowgrid_check BEFORE INSERT ON escrowgrid.checkpoint_heads
    FOR EACH STATEMENT EXECUTE FUNCTION escrowgrid.check_checkpoint();
COMMENT ON TRIGGER escrowgrid_check ON escrowgrid.checkpoint_heads IS 'Lets root alone insert; escrow_verify() recomputes the root from these rows.';
CREATE TRIGGER escrowgrid_refuse_change BEFORE UPDATE OR DELETE ON escrowgrid.checkpoint_heads
    FOR EACH ROW EXECUTE FUNCTION escrowgrid.refuse_change();
COMMENT ON TRIGGER escrowgrid_refuse_change ON escrowgrid.checkpoint_heads IS 'Heads are never changed or deleted.';
CREATE TRIGGER escrowgrid_refuse_truncate BEFORE TRUNCATE ON escrowgrid.checkpoint_heads
    FOR EACH STATEMENT EXECUTE FUNCTION escrowgrid.refuse_change();
COMMENT ON TRIGGER escrowgrid_refuse_truncate ON escrowgrid.checkpoint_heads IS 'The table is never truncated.';
ALTER TABLE escrowgrid.checkpoint_heads ENABLE ALWAYS TRIGGER escrowgrid_check;
ALTER TABLE escrowgrid.checkpoint_heads ENABLE ALWAYS TRIGGER escrowgrid_refuse_change;
ALTER TABLE escrowgrid.checkpoint_heads ENABLE ALWAYS TRIGGER escrowgrid_refuse_truncate;

CREATE POLICY signed_in_reads ON escrowgrid.checkpoints FOR SELECT
    USING ((SELECT escrowgrid.escrow_current_institution_id()) IS NOT NULL);
COMMENT ON POLICY signed_in_reads ON escrowgrid.checkpoints IS 'Checkpoints hold nothing but hashes and a count: every signed-in key sees them.';
CREATE POLICY tenant_reads ON escrowgrid.checkpoint_heads FOR SELECT
    USING (institution_id = (SELECT escrowgrid.escrow_current_institution_id()));
COMMENT ON POLICY tenant_reads ON escrowgrid.checkpoint_heads IS 'A signed-in key sees the rows of its institution.';

CREATE FUNCTION escrowgrid.guard_drop() RETURNS event_trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'escrowgrid_guard_drop';
COMMENT ON FUNCTION escrowgrid.guard_drop() IS
    'Event trigger: refuses to drop the extension, its schema or its parts, or what its owner owns, while positions exist; a superuser may SET escrowgrid.allow_drop = on.';
CREATE EVENT TRIGGER escrowgrid_guard_drop ON ddl_command_start
    WHEN TAG IN ('DROP EXTENSION', 'DROP SCHEMA', 'DROP OWNED', 'ALTER EXTENSION')
    EXECUTE FUNCTION escrowgrid.guard_drop();
COMMENT ON EVENT TRIGGER escrowgrid_guard_drop IS 'Refuses to drop escrowgrid while positions exist.';
ALTER EVENT TRIGGER escrowgrid_guard_drop ENABLE ALWAYS;
-- Row-level security: other roles than the owner see the institution that is signed in, and write nothing.
-- The sub-select is evaluated once per query and its result can be looked up in an index.

CREATE POLICY tenant_reads ON escrowgrid.institutions FOR SELECT
    USING (id = (SELECT escrowgrid.escrow_current_institution_id()));
COMMENT ON POLICY tenant_reads ON escrowgrid.institutions IS 'A signed-in key sees its own institution.';
CREATE POLICY everyone_reads ON escrowgrid.currencies FOR SELECT
    USING (true);
COMMENT ON POLICY everyone_reads ON escrowgrid.currencies IS 'Currencies belong to no institution.';
CREATE POLICY tenant_reads ON escrowgrid.asset_templates FOR SELECT
    USING (institution_id = (SELECT escrowgrid.escrow_current_institution_id()));
COMMENT ON POLICY tenant_reads ON escrowgrid.asset_templates IS 'A signed-in key sees the rows of its institution.';
CREATE POLICY tenant_reads ON escrowgrid.assets FOR SELECT
    USING (institution_id = (SELECT escrowgrid.escrow_current_institution_id()));
COMMENT ON POLICY tenant_reads ON escrowgrid.assets IS 'A signed-in key sees the rows of its institution.';
CREATE POLICY tenant_reads ON escrowgrid.positions FOR SELECT
    USING (institution_id = (SELECT escrowgrid.escrow_current_institution_id()));
COMMENT ON POLICY tenant_reads ON escrowgrid.positions IS 'A signed-in key sees the rows of its institution.';
CREATE POLICY tenant_reads ON escrowgrid.position_events FOR SELECT
    USING (institution_id = (SELECT escrowgrid.escrow_current_institution_id()));
COMMENT ON POLICY tenant_reads ON escrowgrid.position_events IS 'A signed-in key sees the rows of its institution.';
CREATE POLICY tenant_reads ON escrowgrid.ledger_events FOR SELECT
    USING (institution_id = (SELECT escrowgrid.escrow_current_institution_id()));
COMMENT ON POLICY tenant_reads ON escrowgrid.ledger_events IS 'A signed-in key sees the rows of its institution.';
CREATE POLICY tenant_reads ON escrowgrid.institution_policies FOR SELECT
    USING (institution_id = (SELECT escrowgrid.escrow_current_institution_id()));
COMMENT ON POLICY tenant_reads ON escrowgrid.institution_policies IS 'A signed-in key sees the rows of its institution.';
CREATE POLICY tenant_reads ON escrowgrid.api_keys FOR SELECT
    USING (institution_id = (SELECT escrowgrid.escrow_current_institution_id()));
COMMENT ON POLICY tenant_reads ON escrowgrid.api_keys IS 'A signed-in key sees the rows of its institution.';
CREATE POLICY tenant_reads ON escrowgrid.audit_events FOR SELECT
    USING (institution_id = (SELECT escrowgrid.escrow_current_institution_id()));
COMMENT ON POLICY tenant_reads ON escrowgrid.audit_events IS 'A signed-in key sees the rows of its institution.';
-- Rights, last: nothing for PUBLIC. Row-level security is on but not forced, so that a dump by the
-- tables' owner is whole; without a policy other roles see no row.

ALTER TABLE escrowgrid.currencies ENABLE ROW LEVEL SECURITY;
ALTER TABLE escrowgrid.institutions ENABLE ROW LEVEL SECURITY;
ALTER TABLE escrowgrid.asset_templates ENABLE ROW LEVEL SECURITY;
ALTER TABLE escrowgrid.assets ENABLE ROW LEVEL SECURITY;
ALTER TABLE escrowgrid.positions ENABLE ROW LEVEL SECURITY;
ALTER TABLE escrowgrid.position_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE escrowgrid.ledger_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE escrowgrid.institution_policies ENABLE ROW LEVEL SECURITY;
ALTER TABLE escrowgrid.api_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE escrowgrid.audit_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE escrowgrid.checkpoints ENABLE ROW LEVEL SECURITY;
ALTER TABLE escrowgrid.checkpoint_heads ENABLE ROW LEVEL SECURITY;
ALTER TABLE escrowgrid.idempotency_keys ENABLE ROW LEVEL SECURITY;

REVOKE ALL ON ALL TABLES IN SCHEMA escrowgrid FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA escrowgrid FROM PUBLIC;
