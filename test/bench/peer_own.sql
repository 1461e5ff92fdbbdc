-- Peer (b): the same PL/pgSQL on this extension's schema: its columns, constraints, indexes and foreign keys without
-- its triggers and its library. It fills what the columns ask for, so it hashes as well, over a simpler text.
CREATE SCHEMA own;
SET search_path = own;
CREATE TABLE institutions (LIKE escrowgrid.institutions INCLUDING ALL);
CREATE TABLE asset_templates (LIKE escrowgrid.asset_templates INCLUDING ALL);
CREATE TABLE assets (LIKE escrowgrid.assets INCLUDING ALL);
CREATE TABLE positions (LIKE escrowgrid.positions INCLUDING ALL);
CREATE TABLE position_events (LIKE escrowgrid.position_events INCLUDING ALL);
CREATE TABLE ledger_events (LIKE escrowgrid.ledger_events INCLUDING ALL);
CREATE TABLE audit_events (LIKE escrowgrid.audit_events INCLUDING ALL);
CREATE TABLE institution_policies (LIKE escrowgrid.institution_policies INCLUDING ALL);
ALTER TABLE positions ADD FOREIGN KEY (institution_id, asset_id) REFERENCES assets (institution_id, id);
ALTER TABLE position_events ADD FOREIGN KEY (position_id) REFERENCES positions (id);
ALTER TABLE ledger_events ADD FOREIGN KEY (position_id) REFERENCES positions (id);

CREATE FUNCTION check_policy(asset text, currency text, to_state text, moved numeric) RETURNS void LANGUAGE plpgsql AS $$
DECLARE p jsonb; t jsonb;
BEGIN
    SELECT y.config -> 'position', m.config INTO p, t FROM assets AS a JOIN asset_templates AS m ON m.id = a.template_id
    LEFT JOIN institution_policies AS y ON y.institution_id = a.institution_id AND y.region = m.region WHERE a.id = asset;
    IF t ->> 'currency' IS NOT NULL AND t ->> 'currency' <> currency THEN RAISE EXCEPTION 'currency'; END IF;
    IF to_state = 'PARTIALLY_RELEASED' AND moved IS NULL AND (p ->> 'requireReleaseAmount')::boolean THEN RAISE EXCEPTION 'release amount'; END IF;
END $$;

CREATE FUNCTION transition(position_id text, to_state text, reason text = NULL, metadata jsonb = NULL, amount numeric = NULL,
    expected_version int = NULL) RETURNS positions LANGUAGE plpgsql AS $$
#variable_conflict use_variable
DECLARE p positions; held numeric; moved numeric; previous text; now timestamptz; link bytea; event_id text := 'ple_' || gen_random_uuid();
BEGIN
    SELECT * INTO p FROM positions AS x WHERE x.id = position_id FOR NO KEY UPDATE;
    IF NOT FOUND THEN RAISE EXCEPTION 'no such position'; END IF;
    IF expected_version <> p.version THEN RAISE EXCEPTION 'conflict'; END IF;
    PERFORM 1 FROM position_events AS e WHERE e.position_id = position_id AND e.seq = p.version AND e.hash = p.head_hash;
    IF NOT FOUND THEN RAISE EXCEPTION 'integrity'; END IF;
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
    PERFORM check_policy(p.asset_id, p.currency, to_state, moved);
    previous := p.state;
    link := sha256(p.head_hash || convert_to(concat_ws('|', p.id, p.version + 1, previous, to_state, moved, now), 'UTF8'));
    UPDATE positions AS x SET state = to_state, updated_at = now, version = x.version + 1, head_hash = link,
        due_at = CASE WHEN to_state IN ('RELEASED', 'CANCELLED', 'EXPIRED') THEN NULL ELSE x.expires_at END,
        released_amount = x.released_amount + CASE WHEN to_state IN ('PARTIALLY_RELEASED', 'RELEASED') THEN coalesce(moved, 0) ELSE 0 END,
        refunded_amount = x.refunded_amount + CASE WHEN to_state IN ('CANCELLED', 'EXPIRED') THEN moved ELSE 0 END
    WHERE x.id = position_id RETURNING * INTO p;
    INSERT INTO position_events (id, position_id, from_state, to_state, reason, at, metadata, created_at, institution_id, seq, amount, hash)
        VALUES (event_id, p.id, previous, p.state, reason, now, metadata, now, p.institution_id, p.version, moved, link);
    INSERT INTO ledger_events VALUES ('led_' || gen_random_uuid(), 'POSITION_STATE_CHANGED', p.id, now, previous, p.state,
        jsonb_build_object('eventId', event_id, 'seq', p.version, 'amount', moved, 'releasedAmount', p.released_amount,
        'refundedAmount', p.refunded_amount, 'currency', p.currency), now, p.institution_id, NULL);
    INSERT INTO audit_events VALUES ('aud_' || gen_random_uuid(), now, now, NULL, p.institution_id, 'SQL', 'transition', 'POSITION_TRANSITIONED', 'position', p.id,
        jsonb_build_object('eventId', event_id, 'fromState', previous, 'toState', p.state, 'amount', moved, 'currency', p.currency), 'success', NULL, 200, NULL, NULL, session_user);
    RETURN p;
END $$;
