-- What the executor does for every statement, direct writing does as well. Each case is played both ways.
BEGIN;
SET search_path = public;
SELECT no_plan();

SELECT id FROM escrowgrid.escrow_create_institution('Executor', '{US}') \gset i_
SELECT id FROM escrowgrid.escrow_create_asset_template('OWN', 'T', 'CONSTRUCTION', 'US', '{"currency": "USD"}', :'i_id') \gset t_
SELECT id FROM escrowgrid.escrow_create_asset(:'t_id', 'A') \gset a_

CREATE FUNCTION pg_temp.way(name text) RETURNS void LANGUAGE sql AS $$ SELECT set_config('escrowgrid.debug_write_path', name, true) $$;
-- A position is created and funded; what a statement of that raised, or ok.
CREATE FUNCTION pg_temp.moved(asset text, holder text DEFAULT 'h', amount numeric DEFAULT 10) RETURNS text LANGUAGE plpgsql AS $$
DECLARE p text; state text; told text;
BEGIN
    p := (escrowgrid.escrow_create_position(asset, holder, 'USD', amount)).id;
    PERFORM escrowgrid.escrow_transition(p, 'FUNDED');
    RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, told = CONSTRAINT_NAME;
    RETURN concat_ws(' ', state, NULLIF(told, ''));
END $$;
CREATE FUNCTION pg_temp.batch(asset text, size int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM escrowgrid.escrow_transition_batch(ARRAY(
        SELECT p.id FROM generate_series(1, size) AS n, LATERAL escrowgrid.escrow_create_position(asset, 'batch', 'USD', n) AS p), 'FUNDED');
END $$;
SAVEPOINT plain;

-- --- statements see what was written before them
CREATE FUNCTION public.state_of(text) RETURNS text LANGUAGE sql STABLE AS $$ SELECT state FROM escrowgrid.positions WHERE id = $1 $$;
CREATE TABLE public.fired (way text, state text);
CREATE FUNCTION public.note_state() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN INSERT INTO public.fired VALUES (current_setting('escrowgrid.debug_write_path'), NEW.new_state); RETURN NULL; END $$;
ALTER TABLE escrowgrid.ledger_events ADD CONSTRAINT tells_the_state CHECK (position_id IS NULL OR public.state_of(position_id) = new_state);
CREATE TRIGGER user_note AFTER INSERT ON escrowgrid.ledger_events FOR EACH ROW
    WHEN (public.state_of(NEW.position_id) = NEW.new_state) EXECUTE FUNCTION public.note_state();
SELECT pg_temp.way('auto') \g /dev/null
SELECT is(pg_temp.moved(:'a_id'), 'ok', 'auto: a CHECK of a record with a STABLE function sees the position that was written before it');
SELECT pg_temp.way('ordinary') \g /dev/null
SELECT is(pg_temp.moved(:'a_id'), 'ok', 'ordinary: a CHECK of a record with a STABLE function sees the position that was written before it');
SELECT results_eq('SELECT way, string_agg(state, '' '') FROM public.fired GROUP BY way ORDER BY way',
    $$VALUES ('auto', 'CREATED FUNDED'), ('ordinary', 'CREATED FUNDED')$$, 'a WHEN condition with a STABLE function sees the position that was written before the record');
ROLLBACK TO plain;

ALTER TABLE escrowgrid.ledger_events ADD COLUMN no int;
CREATE FUNCTION public.next_no() RETURNS int LANGUAGE sql VOLATILE AS $$ SELECT coalesce(max(no), 0) + 1 FROM escrowgrid.ledger_events $$;
ALTER TABLE escrowgrid.ledger_events ALTER COLUMN no SET DEFAULT public.next_no();
SAVEPOINT numbered;
SELECT pg_temp.way('ordinary'), pg_temp.batch(:'a_id', 3) \g /dev/null
SELECT string_agg(no::text, ' ' ORDER BY no) AS numbers FROM escrowgrid.ledger_events \gset
ROLLBACK TO numbered;
SELECT pg_temp.way('auto'), pg_temp.batch(:'a_id', 3) \g /dev/null
SELECT is((SELECT string_agg(no::text, ' ' ORDER BY no) FROM escrowgrid.ledger_events), :'numbers', 'a volatile default in a batch sees the rows before it, as by SPI');
SELECT is((SELECT count(DISTINCT no) FROM escrowgrid.ledger_events), 6::bigint, 'and so numbers them one after the other');
ROLLBACK TO plain;

-- --- kept expressions
CREATE INDEX whole_row ON escrowgrid.position_events (at) WHERE position_events IS NOT NULL;
CREATE INDEX no_row ON escrowgrid.position_events (at) WHERE position_events IS NULL;
SELECT is(string_agg(pg_temp.moved(:'a_id'), ' '), 'ok ok ok', 'an index with a predicate on the whole row takes entries in call after call') FROM generate_series(1, 3);
ROLLBACK TO plain;
CREATE FUNCTION public.never(numeric) RETURNS boolean LANGUAGE sql AS 'SELECT $1 <> 11';
ALTER TABLE escrowgrid.positions ADD CONSTRAINT aa_user CHECK (public.never(amount)), ADD CONSTRAINT zz_builtin CHECK (1 / (amount - 11) IS NOT NULL);
SELECT is(pg_temp.moved(:'a_id', 'h', 11), '23514 aa_user', 'of two constraints that a row violates, the first by name is told, whoever''s function it calls');
ROLLBACK TO plain;

-- --- columns
CREATE FUNCTION public.seven_in(cstring) RETURNS public.seven LANGUAGE internal STRICT IMMUTABLE AS 'int4in';
CREATE FUNCTION public.seven_out(public.seven) RETURNS cstring LANGUAGE internal STRICT IMMUTABLE AS 'int4out';
CREATE TYPE public.seven (INPUT = public.seven_in, OUTPUT = public.seven_out, LIKE = int4, DEFAULT = '7');
ALTER TABLE escrowgrid.ledger_events ADD COLUMN seven public.seven;
SELECT pg_temp.way(w) IS NULL AS is_set, pg_temp.moved(:'a_id') FROM unnest('{auto,ordinary}'::text[]) AS w \g /dev/null
SELECT is((SELECT string_agg(seven::text, ' ') FROM escrowgrid.ledger_events WHERE position_id IS NOT NULL), '7 7 7 7', 'a column gets the default of its type');
ROLLBACK TO plain;
ALTER TABLE escrowgrid.positions ADD COLUMN private text;
SELECT id FROM escrowgrid.escrow_create_position(:'a_id', 'h', 'USD', 10) \gset p_
UPDATE escrowgrid.positions SET private = string_agg FROM (SELECT string_agg(md5(n::text), '') FROM generate_series(1, 30) AS n) AS s WHERE id = :'p_id';
ALTER TABLE escrowgrid.positions DROP COLUMN private;
SELECT cmp_ok((SELECT pg_column_size(p) FROM escrowgrid.positions AS p WHERE id = :'p_id'), '>', 960, 'the value of a dropped column stays in its row at first');
SELECT version FROM escrowgrid.escrow_transition(:'p_id', 'FUNDED') \g /dev/null
SELECT cmp_ok((SELECT pg_column_size(p) FROM escrowgrid.positions AS p WHERE id = :'p_id'), '<', 960, 'and goes with the next transition');
ROLLBACK TO plain;

-- --- triggers and row security
CREATE TRIGGER escrowgrid_mine BEFORE UPDATE ON escrowgrid.positions FOR EACH ROW EXECUTE FUNCTION escrowgrid.keep_columns('state');
SELECT is(pg_temp.moved(:'a_id'), 'ZE501', 'a user''s trigger runs although its name and its function are like the extension''s own');
ROLLBACK TO plain;
CREATE TABLE public.statements (way text, operation text, level text, size bigint);
CREATE FUNCTION public.count_statements() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN INSERT INTO public.statements VALUES (TG_ARGV[0], TG_OP, TG_WHEN, CASE TG_WHEN WHEN 'AFTER' THEN (SELECT count(*) FROM written) END); RETURN NULL; END $$;
CREATE FUNCTION public.count_before() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.statements VALUES (TG_ARGV[0], TG_OP, TG_WHEN, NULL); RETURN NULL; END $$;
SELECT id FROM escrowgrid.escrow_create_position(:'a_id', 'h', 'USD', 1) \gset p_
SELECT id FROM escrowgrid.escrow_create_position(:'a_id', 'h', 'USD', 2) \gset q_
CREATE TRIGGER user_before BEFORE INSERT ON escrowgrid.ledger_events FOR EACH STATEMENT EXECUTE FUNCTION public.count_before('ledger');
CREATE TRIGGER user_after AFTER INSERT ON escrowgrid.ledger_events REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION public.count_statements('ledger');
SELECT count(b) FROM escrowgrid.escrow_transition_batch(ARRAY[:'p_id', :'q_id'], 'FUNDED') AS b \g /dev/null
SELECT results_eq('SELECT way, operation, level, size FROM public.statements ORDER BY level DESC',
    $$VALUES ('ledger', 'INSERT', 'BEFORE', NULL::bigint), ('ledger', 'INSERT', 'AFTER', 2)$$, 'a statement trigger fires once for a batch, with all rows in its transition table');
ROLLBACK TO plain;
CREATE ROLE owner_of_positions;
CREATE ROLE owner_of_ledger;
GRANT CREATE, USAGE ON SCHEMA escrowgrid TO owner_of_positions, owner_of_ledger;
DO $$
DECLARE relation regclass;
BEGIN
    FOR relation IN SELECT oid FROM pg_class WHERE relnamespace = 'escrowgrid'::regnamespace AND relkind IN ('r', 'v') LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO owner_of_positions', relation);
    END LOOP;
END $$;
SELECT is(pg_temp.moved(:'a_id'), 'ok', 'an owner of all tables is not held by their row security');
ALTER TABLE escrowgrid.ledger_events OWNER TO owner_of_ledger;
GRANT ALL ON escrowgrid.ledger_events TO owner_of_positions;
SELECT pg_temp.way('auto') \g /dev/null
SELECT is(pg_temp.moved(:'a_id'), '42501', 'auto: an owner of positions alone is held by the row security of ledger_events');
SELECT pg_temp.way('ordinary') \g /dev/null
SELECT is(pg_temp.moved(:'a_id'), '42501', 'ordinary: an owner of positions alone is held by the row security of ledger_events');
ROLLBACK TO plain;

-- --- keys and types that a user's column or alteration changes
ALTER TABLE escrowgrid.positions ADD COLUMN tag text GENERATED ALWAYS AS (id || ':' || state) STORED, ADD UNIQUE (tag);
SELECT id FROM escrowgrid.escrow_create_position(:'a_id', 'h', 'USD', 10) \gset p_
CREATE TABLE public.tagged (tag text REFERENCES escrowgrid.positions (tag));
INSERT INTO public.tagged SELECT tag FROM escrowgrid.positions WHERE id = :'p_id';
SELECT throws_ok(format('SELECT escrowgrid.escrow_transition(%L, %L)', :'p_id', 'FUNDED'), '23503', NULL, 'a foreign key to a generated column is checked when a transition changes the column');
ROLLBACK TO plain;
ALTER TABLE escrowgrid.position_events ALTER COLUMN amount TYPE numeric(6,2);
SELECT is(pg_temp.moved(:'a_id', 'h', 123456), '22003', 'a type modifier on one of the extension''s columns is applied');
ROLLBACK TO plain;
CREATE FUNCTION public.deletes_asset() RETURNS int LANGUAGE plpgsql AS $$ BEGIN DELETE FROM escrowgrid.assets WHERE id = current_setting('test.asset'); RETURN 1; END $$;
SELECT id FROM escrowgrid.escrow_create_asset(:'t_id', 'B') \gset b_
SELECT set_config('test.asset', :'b_id', true) \g /dev/null
ALTER TABLE escrowgrid.positions ADD COLUMN x int;
ALTER TABLE escrowgrid.positions ALTER COLUMN x SET DEFAULT public.deletes_asset();
SELECT is(pg_temp.moved(:'b_id'), '23503 positions_asset_fkey', 'a position whose default deletes its asset is refused');
ROLLBACK TO plain;

-- --- users' code that changes definitions
CREATE FUNCTION public.adds_trigger() RETURNS int LANGUAGE plpgsql AS $$
BEGIN CREATE TRIGGER late BEFORE INSERT ON escrowgrid.audit_events FOR EACH ROW EXECUTE FUNCTION public.never_called(); RETURN 1; END $$;
CREATE FUNCTION public.never_called() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'called'; END $$;
ALTER TABLE escrowgrid.position_events ADD COLUMN x int;
ALTER TABLE escrowgrid.position_events ALTER COLUMN x SET DEFAULT public.adds_trigger();
SELECT is(pg_temp.moved(:'a_id'), '55006', 'a call is refused when a default in it adds a BEFORE trigger to a table that it writes to next');
ROLLBACK TO plain;
CREATE FUNCTION public.alters_positions() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ALTER TABLE escrowgrid.positions ADD COLUMN late int; RETURN NULL; END $$;
CREATE TRIGGER alters AFTER INSERT ON escrowgrid.audit_events FOR EACH ROW EXECUTE FUNCTION public.alters_positions();
SELECT is(pg_temp.moved(:'a_id'), '55006', 'a trigger cannot alter positions, a row of which the call is going to return');
ROLLBACK TO plain;
-- A suppressed record within a write of the same table: the statement further up goes on with its own plan.
CREATE FUNCTION public.moves_another() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_trigger_depth() > 1 THEN RETURN NULL; END IF;
    BEGIN PERFORM escrowgrid.escrow_transition(current_setting('test.other'), 'FUNDED'); EXCEPTION WHEN sqlstate '09000' THEN NULL; END;
    RETURN NEW;
END $$;
SELECT id FROM escrowgrid.escrow_create_position(:'a_id', 'h', 'USD', 10) \gset p_
SELECT id FROM escrowgrid.escrow_create_position(:'a_id', 'h', 'USD', 10) \gset q_
SELECT set_config('test.other', :'q_id', true) \g /dev/null
CREATE TRIGGER aaa BEFORE INSERT ON escrowgrid.position_events FOR EACH ROW EXECUTE FUNCTION public.moves_another();
SELECT is((SELECT state FROM escrowgrid.escrow_transition(:'p_id', 'FUNDED')), 'FUNDED', 'a record that is suppressed within another write of its table leaves that write whole');
SELECT is((SELECT state FROM escrowgrid.escrow_transition(:'p_id', 'RELEASED')), 'RELEASED', 'and the next one');
ROLLBACK TO plain;

-- --- users' code that changes the rules
CREATE FUNCTION public.sets_policy(institution text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM escrowgrid.institution_policies) THEN
        PERFORM escrowgrid.escrow_set_policy(institution, 'US', '{"position": {"requireReleaseAmount": true}}');
    END IF;
    RETURN true;
END $$;
SELECT array_agg(p.id) AS ids FROM generate_series(1, 120) AS n, LATERAL escrowgrid.escrow_create_position(:'a_id', 'h' || n, 'USD', 10) AS p \gset
SELECT count(b) FROM escrowgrid.escrow_transition_batch(:'ids', 'FUNDED') AS b \g /dev/null
ALTER TABLE escrowgrid.position_events ADD CHECK (public.sets_policy(institution_id)) NOT VALID;
SELECT throws_ok(format('SELECT count(b) FROM escrowgrid.escrow_transition_batch(%L, %L) AS b', :'ids', 'PARTIALLY_RELEASED'), 'ZE201', NULL,
    'a policy that a constraint sets in the middle of a batch holds for the rest of the batch');
ROLLBACK TO plain;
-- A role owns the tables, to which forced row security applies: its policy runs users' code while an exposure limit of US is
-- judged, and that code judges so many assets of another region that all kept rules are replaced.
SELECT region FROM escrowgrid.escrow_set_policy(:'i_id', 'US', '{"position": {"maxOpenAmount": {"USD": 3500}}}') \g /dev/null
SELECT count(p) FROM generate_series(1, 3) AS n, LATERAL escrowgrid.escrow_create_position(:'a_id', 'h' || n, 'USD', 1000) AS p \g /dev/null
SELECT id FROM escrowgrid.escrow_create_institution('Two regions', '{US,EU_UK}') \gset j_
SELECT id FROM escrowgrid.escrow_create_asset_template('OTHER', 'T', 'CONSTRUCTION', 'EU_UK', '{"currency": "USD"}', :'j_id') \gset u_
CREATE TABLE public.other_assets AS SELECT a.id FROM generate_series(1, 120) AS n, LATERAL escrowgrid.escrow_create_asset(:'u_id', 'B' || n) AS a;
CREATE SEQUENCE public.times_judged;
CREATE ROLE owner_of_all;
GRANT USAGE ON SEQUENCE public.times_judged TO owner_of_all;
GRANT CREATE, USAGE ON SCHEMA escrowgrid TO owner_of_all;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA escrowgrid TO owner_of_all;
GRANT SELECT ON public.other_assets TO owner_of_all;
DO $$
DECLARE relation regclass;
BEGIN
    FOR relation IN SELECT oid FROM pg_class WHERE relnamespace = 'escrowgrid'::regnamespace AND relkind IN ('r', 'v') LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO owner_of_all', relation);
    END LOOP;
END $$;
CREATE FUNCTION public.judges_others() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('test.judges', true) IS DISTINCT FROM 'yes' THEN RETURN true; END IF;
    PERFORM set_config('test.judges', 'no', true);
    PERFORM e FROM public.other_assets AS o, LATERAL escrowgrid.escrow_explain_create_position(o.id, 'h', 'USD', 1) AS e;
    PERFORM nextval('public.times_judged');
    RETURN true;
END $$;
ALTER TABLE escrowgrid.institution_policies FORCE ROW LEVEL SECURITY;
CREATE POLICY judges ON escrowgrid.institution_policies USING (public.judges_others());
SELECT is(pg_temp.moved(:'a_id', 'h', 1000), 'ZE201', 'an exposure limit holds');
SELECT set_config('test.judges', 'yes', true) \g /dev/null
SELECT is(pg_temp.moved(:'a_id', 'h', 1000), 'ZE201', 'an exposure limit holds while users'' code replaces the kept rules it is judged by');
SELECT ok((SELECT is_called FROM public.times_judged), 'and that code did run');
ROLLBACK TO plain;

-- --- errors leave nothing behind
CREATE UNIQUE INDEX one_reference ON escrowgrid.positions (external_reference);
CREATE FUNCTION pg_temp.duplicates(asset text, times int) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    FOR n IN 1 .. times LOOP
        BEGIN PERFORM escrowgrid.escrow_create_position(asset, 'h', 'USD', 10, external_reference => 'same'); EXCEPTION WHEN unique_violation THEN NULL; END;
    END LOOP;
    RETURN (SELECT count(*) FROM pg_backend_memory_contexts WHERE name LIKE 'escrowgrid %');
END $$;
SELECT is(pg_temp.duplicates(:'a_id', 200), pg_temp.duplicates(:'a_id', 5), 'calls that fail after their constraints were evaluated keep no memory in the transaction');
ROLLBACK TO plain;

-- --- raw DML whose event a user's trigger forges
CREATE FUNCTION public.forges_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO escrowgrid.position_events (id, position_id, institution_id, seq, from_state, to_state, amount, at, created_at, hash)
    VALUES ('ple_00000000000000000000000000', NEW.id, NEW.institution_id, NEW.version, OLD.state, NEW.state, 0, NEW.updated_at, NEW.updated_at, NEW.head_hash);
    RETURN NULL;
END $$;
SELECT id FROM escrowgrid.escrow_create_position(:'a_id', 'h', 'USD', 10) \gset p_
CREATE TRIGGER aaa AFTER UPDATE ON escrowgrid.positions FOR EACH ROW EXECUTE FUNCTION public.forges_event();
SELECT throws_ok(format('UPDATE escrowgrid.positions SET state = %L WHERE id = %L', 'FUNDED', :'p_id'), '23505', NULL, 'a raw UPDATE whose event was forged is recorded nevertheless, and so fails');
ROLLBACK TO plain;

SELECT is_empty('SELECT * FROM escrowgrid.escrow_verify()', 'everything verifies');
SELECT * FROM finish();
ROLLBACK;
