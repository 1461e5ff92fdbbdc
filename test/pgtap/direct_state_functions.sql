-- A session that has written before keeps what it found out about the tables. CHECK constraints are nevertheless judged
-- by their functions as these are at each call: replaced functions, and functions that fail at first.
BEGIN;
SET search_path = public;
SELECT no_plan();
\set institution_name 'Direct state'
\set template_config '{"currency": "USD"}'
\ir include/direct.psql
SAVEPOINT plain;

-- --- functions that are replaced
CREATE FUNCTION public.inlined_ok(amount numeric) RETURNS boolean
    LANGUAGE sql IMMUTABLE AS 'SELECT $1 < 100';
CREATE FUNCTION public.called_ok(amount numeric) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER AS 'SELECT $1 < 100';
CREATE FUNCTION public.plpgsql_ok(amount numeric) RETURNS boolean
    LANGUAGE plpgsql AS 'BEGIN RETURN $1 < 100; END';
CREATE FUNCTION public.inner_ok(amount numeric) RETURNS boolean
    LANGUAGE sql IMMUTABLE AS 'SELECT $1 < 100';
CREATE FUNCTION public.outer_ok(amount numeric) RETURNS boolean
    LANGUAGE sql IMMUTABLE AS 'SELECT public.inner_ok($1)';
CREATE FUNCTION public.inner_called_ok(amount numeric) RETURNS boolean
    LANGUAGE plpgsql AS 'BEGIN RETURN $1 < 100; END';
CREATE FUNCTION public.outer_called_ok(amount numeric) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER AS 'SELECT public.inner_called_ok($1)';

-- A session funds a position of 50, `replacement` limits amounts to 20, and the session funds one of 50 and one of 10:
-- the outcomes of the last two. The first belongs to the same subtransaction as the others, because what a function
-- keeps is often bound to that.
CREATE FUNCTION pg_temp.before_and_after(relation text, checked text, replacement text)
RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE escrowgrid.%I ADD CONSTRAINT user_limit CHECK (public.%I(amount)) NOT VALID',
        relation, checked);
    PERFORM pg_temp.funded(50);
    EXECUTE replacement;
    RETURN concat_ws(' ',
        pg_temp.outcome('SELECT pg_temp.funded(50)'),
        pg_temp.outcome('SELECT pg_temp.funded(10)'));
END $$;
-- The same, undone.
CREATE FUNCTION pg_temp.replacing(relation text, checked text, replacement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    seen text := 'nothing seen';
BEGIN
    BEGIN
        seen := pg_temp.before_and_after(relation, checked, replacement);
        RAISE EXCEPTION SQLSTATE 'OKOKO';
    EXCEPTION WHEN SQLSTATE 'OKOKO' THEN NULL;
    END;
    RETURN seen;
END $$;
SELECT is(pg_temp.replacing(relation, checked, replacement), '23514 ok',
    format('after the session has written and %s was replaced, a CHECK of %s judges by the new body', what, relation))
FROM unnest(ARRAY['positions', 'position_events']) AS relation, (VALUES
    ('an SQL function that can be inlined', 'inlined_ok',
        $$CREATE OR REPLACE FUNCTION public.inlined_ok(amount numeric) RETURNS boolean
          LANGUAGE sql IMMUTABLE AS 'SELECT $1 < 20'$$),
    ('an SQL function that cannot be inlined', 'called_ok',
        $$CREATE OR REPLACE FUNCTION public.called_ok(amount numeric) RETURNS boolean
          LANGUAGE sql STABLE SECURITY DEFINER AS 'SELECT $1 < 20'$$),
    ('a PL/pgSQL function', 'plpgsql_ok',
        $$CREATE OR REPLACE FUNCTION public.plpgsql_ok(amount numeric) RETURNS boolean
          LANGUAGE plpgsql AS 'BEGIN RETURN $1 < 20; END'$$),
    ('an inlined SQL function that an inlined SQL function calls', 'outer_ok',
        $$CREATE OR REPLACE FUNCTION public.inner_ok(amount numeric) RETURNS boolean
          LANGUAGE sql IMMUTABLE AS 'SELECT $1 < 20'$$),
    ('a PL/pgSQL function that an SQL function calls', 'outer_called_ok',
        $$CREATE OR REPLACE FUNCTION public.inner_called_ok(amount numeric) RETURNS boolean
          LANGUAGE plpgsql AS 'BEGIN RETURN $1 < 20; END'$$),
    ('an SQL function, now a PL/pgSQL function with a setting of its own,', 'called_ok',
        $$CREATE OR REPLACE FUNCTION public.called_ok(amount numeric) RETURNS boolean
          LANGUAGE plpgsql SET work_mem = '1MB' AS 'BEGIN RETURN $1 < 20; END'$$)
) AS f (what, checked, replacement);
ROLLBACK TO plain;

-- --- a function that fails while the session lacks a table
-- Preparing the CHECK inlines limit_ok() and so fails with 42P01 until there is a table limits. The CHECK that comes
-- after it in the order of names must not be skipped because of that.
SET LOCAL check_function_bodies = off;
CREATE FUNCTION public.limit_ok(amount numeric) RETURNS boolean LANGUAGE sql STABLE AS
    'SELECT $1 < max FROM pg_temp.limits';
SET LOCAL client_min_messages = warning;
ALTER TABLE escrowgrid.positions ADD CONSTRAINT a_limit CHECK (public.limit_ok(amount)) NOT VALID;
ALTER TABLE escrowgrid.positions
    ADD CONSTRAINT z_no_strangers CHECK (holder_reference <> 'stranger') NOT VALID;
SAVEPOINT limited;
SELECT is(pg_temp.creation(500), '42P01',
    'a creation fails while the function of a CHECK of positions lacks a table');
SELECT is(pg_temp.creation(500), '42P01',
    'a second creation of the session fails while the function of a CHECK of positions lacks a table');
SELECT is(pg_temp.creation(500), '42P01',
    'a third creation of the session fails while the function of a CHECK of positions lacks a table');
SELECT is(pg_temp.creation(10, 'stranger'), '42P01',
    'a creation that also violates the next CHECK by name fails while the function of a CHECK lacks a table');

CREATE TEMPORARY TABLE limits AS SELECT 100::numeric AS max;
SELECT is(pg_temp.creation(500), '23514',
    'a creation with a forbidden amount is refused once the function of the CHECK finds its table');
SELECT is(pg_temp.creation(50), 'ok',
    'a creation with an allowed amount succeeds once the function of the CHECK finds its table');
SELECT is(pg_temp.creation(50, 'stranger'), '23514',
    'a creation that violates the next CHECK by name is refused once the function of the CHECK before finds its table');
DROP TABLE pg_temp.limits;
SELECT is(pg_temp.creation(50), '42P01',
    'a creation fails again after the table that the function of a CHECK needs was dropped');
ROLLBACK TO limited;

-- The extension's own CHECKs are not skipped either. A row that violates one of them (made with the triggers and the
-- constraint off) cannot be written again by a transition.
CREATE TEMPORARY TABLE limits AS SELECT 100::numeric AS max;
SELECT pg_temp.created() AS p \gset
ALTER TABLE escrowgrid.positions DISABLE TRIGGER USER;
ALTER TABLE escrowgrid.positions DROP CONSTRAINT positions_external_reference_length;
UPDATE escrowgrid.positions SET external_reference = repeat('x', 401) WHERE id = :'p';
ALTER TABLE escrowgrid.positions ADD CONSTRAINT positions_external_reference_length
    CHECK (octet_length(external_reference) BETWEEN 1 AND 400) NOT VALID;
ALTER TABLE escrowgrid.positions ENABLE ALWAYS TRIGGER escrowgrid_decide;
ALTER TABLE escrowgrid.positions ENABLE ALWAYS TRIGGER escrowgrid_record;
ALTER TABLE escrowgrid.positions ENABLE ALWAYS TRIGGER escrowgrid_refuse_delete;
ALTER TABLE escrowgrid.positions ENABLE ALWAYS TRIGGER escrowgrid_refuse_truncate;
SELECT format('SELECT escrowgrid.escrow_transition(%L, %L)', :'p', 'FUNDED') AS fund \gset
-- Dropped before the first transition: a CHECK that was prepared once could be kept.
DROP TABLE pg_temp.limits;
SELECT is(pg_temp.outcome(:'fund'), '42P01',
    'a transition fails while the function of a CHECK of positions lacks a table');
SELECT is(pg_temp.outcome(:'fund'), '42P01',
    'a second transition of a row that violates a CHECK of the extension fails while a user''s CHECK lacks a table');
CREATE TEMPORARY TABLE limits AS SELECT 100::numeric AS max;
SELECT is(pg_temp.outcome(:'fund'), '23514',
    'a transition of a row that violates a CHECK of the extension is refused once the user''s CHECK finds its table');
ROLLBACK TO limited;

-- The same with a CHECK of position_events, and in a batch.
ALTER TABLE escrowgrid.positions DROP CONSTRAINT a_limit;
ALTER TABLE escrowgrid.position_events ADD CONSTRAINT a_limit CHECK (public.limit_ok(amount)) NOT VALID;
SELECT is(pg_temp.creation(500), '42P01',
    'a creation fails while the function of a CHECK of position_events lacks a table');
SELECT is(pg_temp.creation(500), '42P01',
    'a second creation of the session fails while the function of a CHECK of position_events lacks a table');
CREATE TEMPORARY TABLE limits AS SELECT 100::numeric AS max;
SELECT is(pg_temp.outcome('SELECT pg_temp.funded(500)'), '23514',
    'a move with a forbidden amount is refused once the function of a CHECK of position_events finds its table');
SELECT pg_temp.created() AS p, pg_temp.created() AS q \gset
DROP TABLE pg_temp.limits;
SELECT format('SELECT escrowgrid.escrow_transition_batch(ARRAY[%L, %L], %L)', :'p', :'q', 'FUNDED') AS batch \gset
SELECT is(pg_temp.outcome(:'batch'), '42P01',
    'a batch fails while the function of a CHECK of position_events lacks a table');
SELECT is(pg_temp.outcome(:'batch'), '42P01',
    'a second batch of the session fails while the function of a CHECK of position_events lacks a table');
ROLLBACK TO plain;

SELECT is(pg_temp.creation(), 'ok', 'a creation succeeds after the users'' CHECKs are gone');
SELECT * FROM finish();
ROLLBACK;
