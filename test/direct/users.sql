-- What users' objects on the tables are made of: logs, and functions for triggers, CHECKs and defaults. They are in a
-- schema of their own. Everyone may use them, because triggers run with the rights of the tables' owner.

-- No autovacuum: sessions would wait for its locks in one twin only.
DO $$ DECLARE name text; BEGIN
    FOREACH name IN ARRAY ARRAY['positions', 'position_events', 'ledger_events', 'audit_events'] LOOP
        EXECUTE format('ALTER TABLE escrowgrid.%I SET (autovacuum_enabled = off)', name);
    END LOOP;
END $$;

CREATE SCHEMA users;
GRANT ALL ON SCHEMA users TO PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA users GRANT ALL ON TABLES TO PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA users GRANT ALL ON SEQUENCES TO PUBLIC;

CREATE TABLE users.log (n bigserial, what text);
CREATE TABLE users.outbox (n bigserial, body jsonb);
CREATE TABLE users.blocklist (word text PRIMARY KEY);
INSERT INTO users.blocklist VALUES ('bad');
-- Sequences start at a number by which the comparison recognises their values, which it does not compare.
CREATE SEQUENCE users.counter START 7000000001;

CREATE FUNCTION users.volatile() RETURNS text LANGUAGE plpgsql VOLATILE AS $$ BEGIN RETURN 'volatile'; END $$;

CREATE FUNCTION users.position_of(line jsonb) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT COALESCE(line ->> 'position_id', line ->> 'resource_id', line ->> 'id') $$;

-- The columns of a row that tell which change it belongs to.
CREATE FUNCTION users.gist_of(line jsonb) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT concat_ws(' ', users.position_of(line), line ->> 'state', line ->> 'version', line ->> 'seq',
    line ->> 'new_state', line ->> 'action', line ->> 'outcome') $$;

CREATE FUNCTION users.keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;

CREATE FUNCTION users.note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO users.log (what) VALUES (concat_ws(' ', TG_NAME, TG_WHEN, TG_LEVEL, TG_OP, TG_TABLE_NAME, array_to_string(TG_ARGV, ','),
        CASE WHEN TG_LEVEL = 'ROW' THEN users.gist_of(to_jsonb(NEW)) END,
        CASE WHEN TG_LEVEL = 'ROW' AND TG_OP = 'UPDATE' THEN 'was ' || users.gist_of(to_jsonb(OLD)) END, 'as ' || current_user));
    RETURN NEW;
END $$;

-- Notes what the four tables hold of the row's position at this moment.
CREATE FUNCTION users.see() RETURNS trigger LANGUAGE plpgsql AS $$
<<this>>
DECLARE
    position_id text := users.position_of(to_jsonb(NEW));
BEGIN
    INSERT INTO users.log (what)
    SELECT concat_ws(' ', TG_NAME, TG_WHEN, TG_OP, TG_TABLE_NAME, users.gist_of(to_jsonb(NEW)), 'sees',
        (SELECT concat_ws(' ', p.state, p.version, p.released_amount) FROM escrowgrid.positions AS p WHERE p.id = this.position_id),
        (SELECT concat_ws(' ', 'events', count(*), max(e.seq)) FROM escrowgrid.position_events AS e WHERE e.position_id = this.position_id),
        (SELECT concat_ws(' ', 'ledger', count(*)) FROM escrowgrid.ledger_events AS l WHERE l.position_id = this.position_id),
        (SELECT concat_ws(' ', 'audit', count(*)) FROM escrowgrid.audit_events AS a WHERE a.resource_id = this.position_id));
    RETURN NEW;
END $$;

CREATE FUNCTION users.publish() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO users.outbox (body) VALUES (to_jsonb(NEW) || jsonb_build_object('table', TG_TABLE_NAME, 'operation', TG_OP));
    RETURN NULL;
END $$;

-- Arguments: a column and the value it is given.
CREATE FUNCTION users.stamp() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RETURN jsonb_populate_record(NEW, jsonb_build_object(TG_ARGV[0], TG_ARGV[1]));
END $$;

-- Arguments: a column and the value for which the row is suppressed.
CREATE FUNCTION users.suppress() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RETURN CASE WHEN to_jsonb(NEW) ->> TG_ARGV[0] = TG_ARGV[1] THEN NULL ELSE NEW END;
END $$;

-- Arguments: a column and the value for which the row is refused.
CREATE FUNCTION users.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_jsonb(NEW) ->> TG_ARGV[0] = TG_ARGV[1] THEN
        RAISE EXCEPTION 'refused: % of % is %', TG_ARGV[0], TG_TABLE_NAME, TG_ARGV[1]
            USING ERRCODE = 'U0001', DETAIL = TG_NAME, HINT = TG_WHEN;
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION users.count_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO users.log (what)
    SELECT concat_ws(' ', TG_NAME, TG_OP, TG_TABLE_NAME, string_agg(users.gist_of(to_jsonb(t)), '; ')) FROM changed AS t;
    RETURN NULL;
END $$;

CREATE FUNCTION users.note_statement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO users.log (what) VALUES (concat_ws(' ', TG_NAME, TG_WHEN, TG_LEVEL, TG_OP, TG_TABLE_NAME));
    RETURN NULL;
END $$;

-- Moves another position of the same institution by the extension's own function.
CREATE FUNCTION users.chain() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    next_id text;
BEGIN
    IF pg_trigger_depth() < 3 THEN
        SELECT p.id INTO next_id FROM escrowgrid.positions AS p
        WHERE p.holder_reference = 'chained' AND p.state = 'CREATED' AND p.institution_id = to_jsonb(NEW) ->> 'institution_id'
        ORDER BY p.created_at LIMIT 1;
        IF next_id IS NOT NULL THEN
            PERFORM escrowgrid.escrow_transition(next_id, 'FUNDED', 'chained to ' || users.gist_of(to_jsonb(NEW)));
        END IF;
    END IF;
    RETURN NEW;
END $$;

-- Runs a statement and returns its result, or its error as text.
CREATE FUNCTION users.attempt(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
    detail text;
BEGIN
    EXECUTE statement INTO result;
    RETURN result;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN concat_ws(' ', SQLSTATE, SQLERRM, detail);
END $$;

-- Runs a statement, undoes what it wrote by raising an error, and returns its result.
CREATE FUNCTION users.undone(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    EXECUTE statement INTO result;
    RAISE EXCEPTION 'undone' USING ERRCODE = 'U0002', DETAIL = result;
EXCEPTION WHEN SQLSTATE 'U0002' THEN
    RETURN 'undone ' || result;
END $$;

-- Runs a statement and returns what the four tables have of the position directly afterwards.
CREATE FUNCTION users.call_and_look(statement text, position_id text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RETURN QUERY SELECT 'position ' || p::text FROM escrowgrid.positions AS p WHERE p.id = call_and_look.position_id;
    RETURN QUERY SELECT 'event ' || e::text FROM escrowgrid.position_events AS e
        WHERE e.position_id = call_and_look.position_id ORDER BY e.seq;
    RETURN QUERY SELECT 'ledger ' || l::text FROM escrowgrid.ledger_events AS l
        WHERE l.position_id = call_and_look.position_id ORDER BY l.at;
    RETURN QUERY SELECT 'audit ' || a::text FROM escrowgrid.audit_events AS a
        WHERE a.resource_id = call_and_look.position_id ORDER BY a.occurred_at;
END $$;
GRANT ALL ON ALL TABLES IN SCHEMA users TO PUBLIC;
GRANT ALL ON ALL SEQUENCES IN SCHEMA users TO PUBLIC;
