-- Triggers and row security during writes are those of PostgreSQL's executor; and a raw UPDATE is recorded whatever a
-- trigger has forged before.
BEGIN;
SET search_path = public;
SELECT no_plan();
\ir include/table_owner.psql
\set institution_name Executor
\set template_config '{"currency": "USD"}'
\ir include/direct.psql
\ir include/direct_moved.psql
SAVEPOINT plain;

-- --- triggers
CREATE TRIGGER escrowgrid_mine BEFORE UPDATE ON escrowgrid.positions
    FOR EACH ROW EXECUTE FUNCTION escrowgrid.keep_columns('state');
SELECT is(pg_temp.moved(), 'ZE501',
    'a trigger of a user''s is run although its name and its function are like those of the extension''s own');
ROLLBACK TO plain;

-- Statement triggers of the ledger note when they fired and for how many rows.
CREATE TABLE public.statements (what text, operation text, level text, size bigint);
CREATE FUNCTION public.count_before() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.statements VALUES (TG_ARGV[0], TG_OP, TG_WHEN, NULL);
    RETURN NULL;
END $$;
CREATE FUNCTION public.count_after() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.statements VALUES (TG_ARGV[0], TG_OP, TG_WHEN, (SELECT count(*) FROM written));
    RETURN NULL;
END $$;
SELECT pg_temp.created(1) AS p, pg_temp.created(2) AS q \gset
CREATE TRIGGER user_before BEFORE INSERT ON escrowgrid.ledger_events
    FOR EACH STATEMENT EXECUTE FUNCTION public.count_before('ledger');
CREATE TRIGGER user_after AFTER INSERT ON escrowgrid.ledger_events REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION public.count_after('ledger');
SELECT count(b) FROM escrowgrid.escrow_transition_batch(ARRAY[:'p', :'q'], 'FUNDED') AS b \g /dev/null
SELECT results_eq(
    'SELECT what, operation, level, size FROM public.statements ORDER BY level DESC',
    $$VALUES ('ledger', 'INSERT', 'BEFORE', NULL::bigint), ('ledger', 'INSERT', 'AFTER', 2)$$,
    'statement triggers on ledger_events fire once for a batch of two, with both rows in the transition table');
ROLLBACK TO plain;

-- --- row security applies to an owner of positions that does not own the other tables
CREATE ROLE owner_of_positions;
CREATE ROLE owner_of_ledger;
GRANT CREATE, USAGE ON SCHEMA escrowgrid TO owner_of_positions, owner_of_ledger;
SELECT pg_temp.give_tables_to('owner_of_positions') \g /dev/null
SELECT is(pg_temp.moved(), 'ok',
    'a move succeeds when one role owns all tables: their row security does not apply to it');
ALTER TABLE escrowgrid.ledger_events OWNER TO owner_of_ledger;
GRANT ALL ON escrowgrid.ledger_events TO owner_of_positions;
SELECT pg_temp.set_way('auto') \g /dev/null
SELECT is(pg_temp.moved(), '42501',
    'debug_write_path = auto: a move is refused by the row security of ledger_events when another role owns it');
SELECT pg_temp.set_way('ordinary') \g /dev/null
SELECT is(pg_temp.moved(), '42501',
    'debug_write_path = ordinary: a move is refused by the row security of ledger_events when another role owns it');
ROLLBACK TO plain;

-- --- a trigger that inserts the event of a raw UPDATE before the extension does, with an amount of its own
CREATE FUNCTION public.forges_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO escrowgrid.position_events (id, position_id, institution_id, seq, from_state, to_state, amount, at,
        created_at, hash)
    VALUES ('ple_00000000000000000000000000', NEW.id, NEW.institution_id, NEW.version, OLD.state, NEW.state, 0,
        NEW.updated_at, NEW.updated_at, NEW.head_hash);
    RETURN NULL;
END $$;
SELECT pg_temp.created() AS p \gset
CREATE TRIGGER aaa AFTER UPDATE ON escrowgrid.positions
    FOR EACH ROW EXECUTE FUNCTION public.forges_event();
SELECT throws_ok(format('UPDATE escrowgrid.positions SET state = %L WHERE id = %L', 'FUNDED', :'p'), '23505', NULL,
    'a raw UPDATE whose event a user''s trigger has forged writes its own event and so fails');
ROLLBACK TO plain;

SELECT is_empty('SELECT * FROM escrowgrid.escrow_verify()',
    'escrow_verify() finds nothing wrong after users'' triggers came and went');
SELECT * FROM finish();
ROLLBACK;
