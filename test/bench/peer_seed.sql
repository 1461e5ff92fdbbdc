-- Peer (a): what a careful engineer writes in PL/pgSQL on the original's schema. Same rules, same rows, one transaction,
-- a row lock; no hash chain and no tamper evidence. Peer (c) shares its tables: one statement that only writes.
CREATE SCHEMA seed;
SET search_path = seed;

CREATE TABLE institutions (id text PRIMARY KEY, name text NOT NULL, regions text[] NOT NULL, verticals text[] NOT NULL,
    created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL);
CREATE TABLE asset_templates (id text PRIMARY KEY, institution_id text NOT NULL REFERENCES institutions (id) ON DELETE CASCADE,
    code text NOT NULL, name text NOT NULL, vertical text NOT NULL, region text NOT NULL, config jsonb NOT NULL,
    created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL);
CREATE TABLE assets (id text PRIMARY KEY, institution_id text NOT NULL REFERENCES institutions (id) ON DELETE CASCADE,
    template_id text NOT NULL REFERENCES asset_templates (id) ON DELETE CASCADE, label text NOT NULL, metadata jsonb,
    created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL);
CREATE TABLE positions (id text PRIMARY KEY, institution_id text NOT NULL REFERENCES institutions (id) ON DELETE CASCADE,
    asset_id text NOT NULL REFERENCES assets (id) ON DELETE CASCADE, holder_reference text NOT NULL, currency text NOT NULL,
    amount numeric(32, 8) NOT NULL CHECK (amount > 0), state text NOT NULL CHECK (state IN ('CREATED', 'FUNDED',
    'PARTIALLY_RELEASED', 'RELEASED', 'CANCELLED', 'EXPIRED')), external_reference text, created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL, released_amount numeric(32, 8) NOT NULL DEFAULT 0, refunded_amount numeric(32, 8) NOT NULL DEFAULT 0,
    expires_at timestamptz);
CREATE INDEX ON positions (institution_id, asset_id);
CREATE INDEX ON positions (institution_id, created_at);
CREATE INDEX ON positions (state);
CREATE TABLE position_events (id text PRIMARY KEY, position_id text NOT NULL REFERENCES positions (id) ON DELETE CASCADE,
    from_state text, to_state text NOT NULL, reason text, at timestamptz NOT NULL, metadata jsonb, created_at timestamptz NOT NULL);
CREATE INDEX ON position_events (position_id);
CREATE TABLE ledger_events (id text PRIMARY KEY, kind text NOT NULL, position_id text NOT NULL REFERENCES positions (id) ON DELETE CASCADE,
    at timestamptz NOT NULL, previous_state text, new_state text, payload jsonb, created_at timestamptz NOT NULL);
CREATE INDEX ON ledger_events (position_id);
CREATE TABLE institution_policies (id text PRIMARY KEY, institution_id text NOT NULL REFERENCES institutions (id) ON DELETE CASCADE,
    region text NOT NULL, config jsonb NOT NULL, created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL, UNIQUE (institution_id, region));
CREATE TABLE api_keys (id text PRIMARY KEY, institution_id text NOT NULL REFERENCES institutions (id) ON DELETE CASCADE,
    key_hash text NOT NULL UNIQUE, label text NOT NULL, role text NOT NULL, created_at timestamptz NOT NULL, revoked_at timestamptz, expires_at timestamptz);
CREATE TABLE audit_events (id text PRIMARY KEY, occurred_at timestamptz NOT NULL, created_at timestamptz NOT NULL, api_key_id text,
    institution_id text, method text NOT NULL, path text NOT NULL, action text NOT NULL, resource_type text, resource_id text, payload jsonb,
    outcome text NOT NULL, db_role text NOT NULL);
CREATE INDEX ON audit_events (institution_id, created_at);

CREATE FUNCTION authenticate(token text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE k api_keys;
BEGIN
    SELECT * INTO k FROM api_keys WHERE key_hash = encode(sha256(convert_to(token, 'UTF8')), 'hex');
    IF NOT FOUND OR k.revoked_at IS NOT NULL OR k.expires_at <= clock_timestamp() THEN
        RAISE EXCEPTION 'invalid key';
    END IF;
    PERFORM set_config('app.institution_id', k.institution_id, true), set_config('app.api_key_id', k.id, true);
    RETURN k.id;
END $$;

CREATE FUNCTION caller(OUT institution_id text, OUT api_key_id text) LANGUAGE plpgsql STABLE AS $$
BEGIN
    institution_id := nullif(current_setting('app.institution_id', true), '');
    api_key_id := nullif(current_setting('app.api_key_id', true), '');
END $$;

CREATE FUNCTION check_policy(asset text, currency text, amount numeric, to_state text, moved numeric) RETURNS void LANGUAGE plpgsql AS $$
DECLARE p jsonb; t jsonb;
BEGIN
    SELECT y.config -> 'position', m.config INTO p, t FROM assets AS a JOIN asset_templates AS m ON m.id = a.template_id
    LEFT JOIN institution_policies AS y ON y.institution_id = a.institution_id AND y.region = m.region WHERE a.id = asset;
    IF t ->> 'currency' IS NOT NULL AND t ->> 'currency' <> currency THEN RAISE EXCEPTION 'currency'; END IF;
    IF p IS NULL THEN RETURN; END IF;
    IF to_state = 'CREATED' THEN
        IF amount < (p ->> 'minAmount')::numeric OR amount > (p ->> 'maxAmount')::numeric THEN RAISE EXCEPTION 'amount'; END IF;
        IF p -> 'allowedCurrencies' IS NOT NULL AND NOT p -> 'allowedCurrencies' ? currency THEN RAISE EXCEPTION 'currency'; END IF;
    ELSIF to_state = 'PARTIALLY_RELEASED' AND moved IS NULL AND (p ->> 'requireReleaseAmount')::boolean THEN
        RAISE EXCEPTION 'release amount';
    END IF;
END $$;

CREATE FUNCTION record(p positions, previous text, moved numeric, reason text, metadata jsonb, api_key text, at timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE event_id text := 'ple_' || gen_random_uuid();
BEGIN
    INSERT INTO position_events VALUES (event_id, p.id, previous, p.state, reason, at, metadata, at);
    INSERT INTO ledger_events VALUES ('led_' || gen_random_uuid(), CASE WHEN previous IS NULL THEN 'POSITION_CREATED' ELSE 'POSITION_STATE_CHANGED' END,
        p.id, at, previous, p.state, jsonb_build_object('eventId', event_id, 'amount', moved, 'releasedAmount', p.released_amount,
        'refundedAmount', p.refunded_amount, 'currency', p.currency), at);
    INSERT INTO audit_events VALUES ('aud_' || gen_random_uuid(), at, at, api_key, p.institution_id, 'SQL', 'transition',
        CASE WHEN previous IS NULL THEN 'POSITION_CREATED' ELSE 'POSITION_TRANSITIONED' END, 'position', p.id,
        jsonb_build_object('eventId', event_id, 'fromState', previous, 'toState', p.state, 'amount', moved, 'currency', p.currency), 'success', session_user);
END $$;

CREATE FUNCTION transition(position_id text, to_state text, reason text = NULL, metadata jsonb = NULL, amount numeric = NULL,
    expected_state text = NULL) RETURNS positions LANGUAGE plpgsql AS $$
#variable_conflict use_variable
DECLARE p positions; who record; held numeric; moved numeric; previous text; now timestamptz;
BEGIN
    who := caller();
    SELECT * INTO p FROM positions AS x WHERE x.id = position_id AND (who.institution_id IS NULL OR x.institution_id = who.institution_id) FOR UPDATE;
    IF NOT FOUND THEN RAISE EXCEPTION 'no such position'; END IF;
    IF expected_state IS NOT NULL AND expected_state <> p.state THEN RAISE EXCEPTION 'conflict'; END IF;
    IF NOT (CASE p.state WHEN 'CREATED' THEN to_state IN ('FUNDED', 'CANCELLED', 'EXPIRED')
        WHEN 'FUNDED' THEN to_state IN ('PARTIALLY_RELEASED', 'RELEASED', 'CANCELLED', 'EXPIRED')
        WHEN 'PARTIALLY_RELEASED' THEN to_state IN ('PARTIALLY_RELEASED', 'RELEASED', 'CANCELLED', 'EXPIRED') ELSE false END) THEN
        RAISE EXCEPTION 'no such transition';
    END IF;
    now := greatest(clock_timestamp(), p.updated_at);
    IF p.expires_at <= now AND to_state NOT IN ('CANCELLED', 'EXPIRED') THEN RAISE EXCEPTION 'expired'; END IF;
    held := CASE WHEN p.state = 'CREATED' THEN 0 ELSE p.amount - p.released_amount - p.refunded_amount END;
    moved := CASE to_state WHEN 'FUNDED' THEN p.amount WHEN 'PARTIALLY_RELEASED' THEN amount ELSE held END;
    IF to_state = 'PARTIALLY_RELEASED' AND (moved <= 0 OR moved >= held OR scale(moved) > 2) THEN RAISE EXCEPTION 'amount'; END IF;
    PERFORM check_policy(p.asset_id, p.currency, p.amount, to_state, moved);
    previous := p.state;
    UPDATE positions AS x SET state = to_state, updated_at = now,
        released_amount = x.released_amount + CASE WHEN to_state IN ('PARTIALLY_RELEASED', 'RELEASED') THEN coalesce(moved, 0) ELSE 0 END,
        refunded_amount = x.refunded_amount + CASE WHEN to_state IN ('CANCELLED', 'EXPIRED') THEN moved ELSE 0 END
    WHERE x.id = position_id RETURNING * INTO p;
    PERFORM record(p, previous, moved, reason, metadata, who.api_key_id, now);
    RETURN p;
END $$;

CREATE FUNCTION create_position(asset_id text, holder_reference text, currency text, amount numeric, metadata jsonb = NULL) RETURNS positions LANGUAGE plpgsql AS $$
#variable_conflict use_variable
DECLARE p positions; who record; institution text; now timestamptz := clock_timestamp();
BEGIN
    who := caller();
    SELECT a.institution_id INTO institution FROM assets AS a WHERE a.id = asset_id AND (who.institution_id IS NULL OR a.institution_id = who.institution_id);
    IF NOT FOUND THEN RAISE EXCEPTION 'no such asset'; END IF;
    IF amount <= 0 OR amount > 1e15 OR scale(amount) > 2 OR currency !~ '^[A-Z]{3}$' THEN RAISE EXCEPTION 'amount'; END IF;
    PERFORM check_policy(asset_id, currency, amount, 'CREATED', NULL);
    INSERT INTO positions AS x VALUES ('pos_' || gen_random_uuid(), institution, asset_id, holder_reference, currency, amount, 'CREATED', NULL, now, now, 0, 0, NULL)
    RETURNING * INTO p;
    PERFORM record(p, NULL, 0, NULL, metadata, who.api_key_id, now);
    RETURN p;
END $$;

-- The same for many, as sets: one statement a table.
CREATE FUNCTION transition_batch(ids text[], to_state text, amounts numeric[] = NULL) RETURNS SETOF positions LANGUAGE plpgsql AS $$
#variable_conflict use_variable
DECLARE who record; now timestamptz; locked int;
BEGIN
    who := caller();
    PERFORM 1 FROM positions AS x WHERE x.id = ANY (ids) AND (who.institution_id IS NULL OR x.institution_id = who.institution_id) ORDER BY x.id FOR UPDATE;
    GET DIAGNOSTICS locked = ROW_COUNT;
    IF locked <> cardinality(ids) THEN RAISE EXCEPTION 'no such position'; END IF;
    now := clock_timestamp();
    IF EXISTS (SELECT FROM unnest(ids, amounts) AS u (id, amount) JOIN positions AS x ON x.id = u.id WHERE NOT CASE x.state
        WHEN 'CREATED' THEN to_state IN ('FUNDED', 'CANCELLED', 'EXPIRED') WHEN 'FUNDED' THEN to_state IN ('PARTIALLY_RELEASED', 'RELEASED', 'CANCELLED', 'EXPIRED')
        WHEN 'PARTIALLY_RELEASED' THEN to_state IN ('PARTIALLY_RELEASED', 'RELEASED', 'CANCELLED', 'EXPIRED') ELSE false END
        OR (to_state = 'PARTIALLY_RELEASED' AND (u.amount <= 0 OR u.amount >= x.amount - x.released_amount OR scale(u.amount) > 2))
        OR (x.expires_at <= now AND to_state NOT IN ('CANCELLED', 'EXPIRED'))) THEN
        RAISE EXCEPTION 'refused';
    END IF;
    PERFORM check_policy(a.asset_id, a.currency, 1, to_state, 1) FROM (SELECT DISTINCT x.asset_id, x.currency FROM positions AS x WHERE x.id = ANY (ids)) AS a;
    RETURN QUERY
    WITH wanted AS (SELECT u.id, u.amount, x.state AS previous, CASE to_state WHEN 'FUNDED' THEN x.amount WHEN 'PARTIALLY_RELEASED' THEN u.amount
            ELSE x.amount - x.released_amount - x.refunded_amount END AS moved, 'ple_' || gen_random_uuid() AS event_id
            FROM unnest(ids, amounts) AS u (id, amount) JOIN positions AS x ON x.id = u.id),
    moved AS (UPDATE positions AS x SET state = to_state, updated_at = now,
            released_amount = x.released_amount + CASE WHEN to_state IN ('PARTIALLY_RELEASED', 'RELEASED') THEN coalesce(w.moved, 0) ELSE 0 END,
            refunded_amount = x.refunded_amount + CASE WHEN to_state IN ('CANCELLED', 'EXPIRED') THEN w.moved ELSE 0 END
            FROM wanted AS w WHERE x.id = w.id RETURNING x.*),
    events AS (INSERT INTO position_events SELECT w.event_id, w.id, w.previous, to_state, NULL, now, NULL, now FROM wanted AS w),
    ledger AS (INSERT INTO ledger_events SELECT 'led_' || gen_random_uuid(), 'POSITION_STATE_CHANGED', m.id, now, w.previous, to_state,
            jsonb_build_object('eventId', w.event_id, 'amount', w.moved, 'releasedAmount', m.released_amount, 'refundedAmount', m.refunded_amount, 'currency', m.currency), now
            FROM moved AS m JOIN wanted AS w ON w.id = m.id),
    audit AS (INSERT INTO audit_events SELECT 'aud_' || gen_random_uuid(), now, now, who.api_key_id, m.institution_id, 'SQL', 'transition_batch', 'POSITION_TRANSITIONED',
            'position', m.id, jsonb_build_object('eventId', w.event_id, 'fromState', w.previous, 'toState', to_state, 'amount', w.moved, 'currency', m.currency), 'success', session_user
            FROM moved AS m JOIN wanted AS w ON w.id = m.id)
    SELECT * FROM moved;
END $$;
