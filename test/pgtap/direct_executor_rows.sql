-- What PostgreSQL's executor does for the rows of an INSERT or UPDATE, direct writing does as well: snapshots,
-- expressions, defaults, dropped and generated columns, type modifiers. Where it says so, both ways are played.
BEGIN;
SET search_path = public;
SELECT no_plan();
\set institution_name Executor
\set template_config '{"currency": "USD"}'
\ir include/direct.psql
\ir include/direct_moved.psql

CREATE FUNCTION pg_temp.batch(size int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM escrowgrid.escrow_transition_batch(
        ARRAY(SELECT pg_temp.created(n, 'batch') FROM generate_series(1, size) AS n), 'FUNDED');
END $$;
SAVEPOINT plain;

-- --- users' functions see the rows that the call wrote before
CREATE FUNCTION public.state_of(text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT state FROM escrowgrid.positions WHERE id = $1
$$;
CREATE TABLE public.fired (way text, state text);
CREATE FUNCTION public.note_state() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.fired VALUES (current_setting('escrowgrid.debug_write_path'), NEW.new_state);
    RETURN NULL;
END $$;
ALTER TABLE escrowgrid.ledger_events ADD CONSTRAINT tells_the_state
    CHECK (position_id IS NULL OR public.state_of(position_id) = new_state) NOT VALID;
CREATE TRIGGER user_note AFTER INSERT ON escrowgrid.ledger_events
    FOR EACH ROW WHEN (public.state_of(NEW.position_id) = NEW.new_state) EXECUTE FUNCTION public.note_state();
SELECT pg_temp.set_way('auto') \g /dev/null
SELECT is(pg_temp.moved(), 'ok',
    'debug_write_path = auto: a CHECK of ledger_events with a STABLE function sees the position written before');
SELECT pg_temp.set_way('ordinary') \g /dev/null
SELECT is(pg_temp.moved(), 'ok',
    'debug_write_path = ordinary: a CHECK of ledger_events with a STABLE function sees the position written before');
SELECT results_eq(
    'SELECT way, string_agg(state, '' '') FROM public.fired GROUP BY way ORDER BY way',
    $$VALUES ('auto', 'CREATED FUNDED'), ('ordinary', 'CREATED FUNDED')$$,
    'by both ways a trigger''s WHEN with a STABLE function sees the position written before the ledger row');
ROLLBACK TO plain;

-- A default that numbers rows by counting those that are there: in a batch each row has to see the rows before it.
ALTER TABLE escrowgrid.ledger_events ADD COLUMN no int;
CREATE FUNCTION public.next_no() RETURNS int LANGUAGE sql VOLATILE AS $$
    SELECT coalesce(max(no), 0) + 1 FROM escrowgrid.ledger_events
$$;
ALTER TABLE escrowgrid.ledger_events ALTER COLUMN no SET DEFAULT public.next_no();
SAVEPOINT numbered;
SELECT pg_temp.set_way('ordinary'), pg_temp.batch(3) \g /dev/null
SELECT string_agg(no::text, ' ' ORDER BY no) AS numbers FROM escrowgrid.ledger_events \gset
ROLLBACK TO numbered;
SELECT pg_temp.set_way('auto'), pg_temp.batch(3) \g /dev/null
SELECT is((SELECT string_agg(no::text, ' ' ORDER BY no) FROM escrowgrid.ledger_events), :'numbers',
    'a volatile default that counts ledger rows gives the same numbers in a batch written directly as through SPI');
SELECT is((SELECT count(DISTINCT no) FROM escrowgrid.ledger_events), 6::bigint,
    'a volatile default that counts ledger rows gives six rows of a batch written directly six different numbers');
ROLLBACK TO plain;

-- --- expressions that are kept from call to call
CREATE INDEX whole_row ON escrowgrid.position_events (at) WHERE position_events IS NOT NULL;
CREATE INDEX no_row ON escrowgrid.position_events (at) WHERE position_events IS NULL;
SELECT is(string_agg(pg_temp.moved(), ' '), 'ok ok ok',
    'three moves in a row succeed with indexes whose predicate is on the whole row')
FROM generate_series(1, 3);
ROLLBACK TO plain;

CREATE FUNCTION public.never(numeric) RETURNS boolean LANGUAGE sql AS 'SELECT $1 <> 11';
ALTER TABLE escrowgrid.positions
    ADD CONSTRAINT aa_user CHECK (public.never(amount)),
    ADD CONSTRAINT zz_builtin CHECK (1 / (amount - 11) IS NOT NULL);
SELECT is(pg_temp.moved('h', 11), '23514 aa_user',
    'of a CHECK with a user''s function and one with operators only, the first by name is reported as violated');
ROLLBACK TO plain;

-- --- columns
SET LOCAL client_min_messages = warning;  -- not that the type is a shell until it is complete
CREATE FUNCTION public.seven_in(cstring) RETURNS public.seven LANGUAGE internal STRICT IMMUTABLE AS 'int4in';
CREATE FUNCTION public.seven_out(public.seven) RETURNS cstring LANGUAGE internal STRICT IMMUTABLE AS 'int4out';
CREATE TYPE public.seven (INPUT = public.seven_in, OUTPUT = public.seven_out, LIKE = int4, DEFAULT = '7');
ALTER TABLE escrowgrid.ledger_events ADD COLUMN seven public.seven;
SELECT max(id) AS last_before FROM escrowgrid.ledger_events \gset
SELECT pg_temp.set_way(w) IS NULL AS is_set, pg_temp.moved() FROM unnest('{auto,ordinary}'::text[]) AS w \g /dev/null
SELECT is(
    (SELECT string_agg(seven::text, ' ') FROM escrowgrid.ledger_events WHERE id > :'last_before'),
    '7 7 7 7',
    'by both ways a column without a default of its own gets the default of its type');
ROLLBACK TO plain;

ALTER TABLE escrowgrid.positions ADD COLUMN private text;
SELECT pg_temp.created() AS p \gset
UPDATE escrowgrid.positions
SET private = string_agg
FROM (SELECT string_agg(md5(n::text), '') FROM generate_series(1, 30) AS n) AS s
WHERE id = :'p';
ALTER TABLE escrowgrid.positions DROP COLUMN private;
SELECT cmp_ok((SELECT pg_column_size(p) FROM escrowgrid.positions AS p WHERE id = :'p'), '>', 960,
    'the value of a column that is dropped is still in the position''s row before the next transition');
SELECT version FROM escrowgrid.escrow_transition(:'p', 'FUNDED') \g /dev/null
SELECT cmp_ok((SELECT pg_column_size(p) FROM escrowgrid.positions AS p WHERE id = :'p'), '<', 960,
    'the value of a column that is dropped is not in the row that a transition writes');
ROLLBACK TO plain;

ALTER TABLE escrowgrid.positions
    ADD COLUMN tag text GENERATED ALWAYS AS (id || ':' || state) STORED,
    ADD UNIQUE (tag);
SELECT pg_temp.created() AS p \gset
CREATE TABLE public.tagged (tag text REFERENCES escrowgrid.positions (tag));
INSERT INTO public.tagged SELECT tag FROM escrowgrid.positions WHERE id = :'p';
SELECT throws_ok(format('SELECT escrowgrid.escrow_transition(%L, %L)', :'p', 'FUNDED'), '23503', NULL,
    'a transition that changes a generated column to which a row of a user''s refers is refused');
ROLLBACK TO plain;

ALTER TABLE escrowgrid.position_events ALTER COLUMN amount TYPE numeric(6,2);
SELECT is(pg_temp.moved('h', 123456), '22003',
    'an amount that does not fit the type modifier that a user gave the column amount of position_events is refused');
ROLLBACK TO plain;

CREATE FUNCTION public.deletes_asset() RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM escrowgrid.assets WHERE id = current_setting('test.asset_id');
    RETURN 1;
END $$;
SELECT id FROM escrowgrid.escrow_create_asset(:'template_id', 'B') \gset asset_b_
SELECT set_config('test.asset_id', :'asset_b_id', true) \g /dev/null
ALTER TABLE escrowgrid.positions ADD COLUMN x int;
ALTER TABLE escrowgrid.positions ALTER COLUMN x SET DEFAULT public.deletes_asset();
SELECT is(pg_temp.moved(), '23503 positions_asset_fkey',
    'a creation is refused when a column''s default deletes the asset of the position that is being written');
ROLLBACK TO plain;

-- --- errors leave nothing behind
CREATE UNIQUE INDEX one_reference ON escrowgrid.positions (external_reference);
CREATE FUNCTION pg_temp.duplicates(times int) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    FOR n IN 1 .. times LOOP
        BEGIN
            PERFORM escrowgrid.escrow_create_position(current_setting('test.asset_id'), 'h', 'USD', 10,
                external_reference => 'same');
        EXCEPTION WHEN unique_violation THEN NULL;
        END;
    END LOOP;
    RETURN (SELECT count(*) FROM pg_backend_memory_contexts WHERE name LIKE 'escrowgrid %');
END $$;
SELECT is(pg_temp.duplicates(200), pg_temp.duplicates(5),
    'two hundred creations that fail at a unique index leave as many memory contexts as five');
ROLLBACK TO plain;

SELECT is_empty('SELECT * FROM escrowgrid.escrow_verify()',
    'escrow_verify() finds nothing wrong after users'' columns and constraints came and went');
SELECT * FROM finish();
ROLLBACK;
