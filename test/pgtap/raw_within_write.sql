-- Raw DML that users' triggers, rules and CHECK functions run while the extension writes a row is judged like any other
-- raw DML: that the extension has noted its own write allows nothing to them. Each case is played by both ways of
-- writing.
BEGIN;
SET search_path = public;
SELECT no_plan();
\set institution_name 'Raw within a write'
\ir include/fixtures.psql
-- The library is loaded by now, so the settings escrowgrid.* are known.

-- --- a statement that waits for the user's code which is reached first
-- The code passes the id and the hash of the row that is written; the statement has them as %1$L and %2$L.
CREATE TABLE public.raw_statement (sql text);
CREATE FUNCTION public.run_raw(id text, hash bytea) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    waiting text;
BEGIN
    DELETE FROM public.raw_statement RETURNING sql INTO waiting;
    IF waiting IS NOT NULL THEN
        EXECUTE format(waiting, id, hash);
    END IF;
    RETURN true;
END $$;

-- Trigger functions that run it with what their table's rows have.
CREATE FUNCTION public.run_raw_by_position() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM public.run_raw(NEW.id, NEW.head_hash);
    RETURN NEW;
END $$;
CREATE FUNCTION public.run_raw_by_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM public.run_raw(NEW.position_id, NEW.hash);
    RETURN NEW;
END $$;
CREATE FUNCTION public.run_raw_by_ledger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM public.run_raw(NEW.position_id, NULL);
    RETURN NEW;
END $$;
CREATE FUNCTION public.run_raw_by_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM public.run_raw(NEW.resource_id, NULL);
    RETURN NEW;
END $$;
-- The same with the event's own id in place of the position's.
CREATE FUNCTION public.run_raw_by_event_id() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM public.run_raw(NEW.id, NEW.hash);
    RETURN NEW;
END $$;

-- What becomes of a call (create or fund) when `installed` is on the tables and `statement` waits: the SQLSTATE of the
-- call; or, if the call succeeds, 'verified' or 'does not verify'; or 'not reached' if nothing ran the statement. In
-- the statement OTHER stands for the id of another position. All of it is undone.
CREATE FUNCTION pg_temp.attempt(way text, installed text, statement text, call text, asset text)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    moved text;
    other text;
    outcome text;
BEGIN
    PERFORM set_config('escrowgrid.debug_write_path', way, true);
    moved := (escrowgrid.escrow_create_position(asset, 'holder', 'USD', 100)).id;
    other := (escrowgrid.escrow_create_position(asset, 'other', 'USD', 100)).id;
    PERFORM escrowgrid.escrow_transition(other, 'FUNDED', 'a reason');
    EXECUTE installed;
    INSERT INTO public.raw_statement VALUES (replace(statement, 'OTHER', quote_literal(other)));
    IF call = 'create' THEN
        PERFORM escrowgrid.escrow_create_position(asset, 'holder', 'USD', 100);
    ELSE
        PERFORM escrowgrid.escrow_transition(moved, 'FUNDED', 'a reason');
    END IF;
    SELECT CASE
        WHEN EXISTS (SELECT FROM public.raw_statement) THEN 'not reached'
        WHEN count(*) = 0 THEN 'verified'
        ELSE 'does not verify'
    END INTO outcome
    FROM escrowgrid.escrow_verify() AS v;
    RAISE EXCEPTION SQLSTATE 'OKOKO';
EXCEPTION
    WHEN SQLSTATE 'OKOKO' THEN RETURN outcome;
    WHEN OTHERS THEN RETURN SQLSTATE;
END $$;

CREATE TABLE public.ways (way text);
INSERT INTO public.ways VALUES ('auto'), ('ordinary');

-- The places where users' code can run while a call writes, and the call that reaches them.
CREATE TABLE public.places (place text, installed text, call text);
INSERT INTO public.places VALUES
    ('an AFTER UPDATE trigger on positions',
        'CREATE TRIGGER user_raw AFTER UPDATE ON escrowgrid.positions
         FOR EACH ROW EXECUTE FUNCTION public.run_raw_by_position()', 'fund'),
    ('an AFTER INSERT trigger on positions',
        'CREATE TRIGGER user_raw AFTER INSERT ON escrowgrid.positions
         FOR EACH ROW EXECUTE FUNCTION public.run_raw_by_position()', 'create'),
    ('a constraint trigger on positions',
        'CREATE CONSTRAINT TRIGGER user_raw AFTER UPDATE ON escrowgrid.positions INITIALLY IMMEDIATE
         FOR EACH ROW EXECUTE FUNCTION public.run_raw_by_position()', 'fund'),
    ('an AFTER INSERT trigger on position_events',
        'CREATE TRIGGER user_raw AFTER INSERT ON escrowgrid.position_events
         FOR EACH ROW EXECUTE FUNCTION public.run_raw_by_event()', 'fund'),
    ('an AFTER INSERT trigger on ledger_events',
        'CREATE TRIGGER user_raw AFTER INSERT ON escrowgrid.ledger_events
         FOR EACH ROW EXECUTE FUNCTION public.run_raw_by_ledger()', 'fund'),
    ('an AFTER INSERT trigger on audit_events',
        'CREATE TRIGGER user_raw AFTER INSERT ON escrowgrid.audit_events
         FOR EACH ROW EXECUTE FUNCTION public.run_raw_by_audit()', 'fund'),
    ('a BEFORE INSERT trigger on position_events',
        'CREATE TRIGGER user_raw BEFORE INSERT ON escrowgrid.position_events
         FOR EACH ROW EXECUTE FUNCTION public.run_raw_by_event()', 'fund'),
    ('a BEFORE INSERT trigger on ledger_events',
        'CREATE TRIGGER user_raw BEFORE INSERT ON escrowgrid.ledger_events
         FOR EACH ROW EXECUTE FUNCTION public.run_raw_by_ledger()', 'fund'),
    ('a BEFORE INSERT trigger on audit_events',
        'CREATE TRIGGER user_raw BEFORE INSERT ON escrowgrid.audit_events
         FOR EACH ROW EXECUTE FUNCTION public.run_raw_by_audit()', 'fund'),
    ('a CHECK of position_events',
        'ALTER TABLE escrowgrid.position_events ADD CONSTRAINT user_raw
         CHECK (public.run_raw(position_id, hash)) NOT VALID', 'fund'),
    ('a CHECK of ledger_events',
        'ALTER TABLE escrowgrid.ledger_events ADD CONSTRAINT user_raw
         CHECK (public.run_raw(position_id, NULL)) NOT VALID', 'fund'),
    ('a CHECK of audit_events',
        'ALTER TABLE escrowgrid.audit_events ADD CONSTRAINT user_raw
         CHECK (public.run_raw(resource_id, NULL)) NOT VALID', 'fund');

-- --- the position that is being written: its terms cannot be changed
SELECT is(pg_temp.attempt(way, installed, statement, call, :'asset_id'), 'ZE501',
    format('debug_write_path = %s: raw DML in %s cannot change %s of the position that is being written',
        way, place, term))
FROM public.ways, public.places, (VALUES
    ('the amount', 'UPDATE escrowgrid.positions SET amount = 1000 WHERE id = %1$L'),
    ('the holder', 'UPDATE escrowgrid.positions SET holder_reference = ''thief'' WHERE id = %1$L'),
    ('the external reference', 'UPDATE escrowgrid.positions SET external_reference = ''another'' WHERE id = %1$L'),
    ('the time of creation', 'UPDATE escrowgrid.positions SET created_at = now() - interval ''1 year'' WHERE id = %1$L')
) AS s (term, statement);

-- Its state and its amounts change together with their records, or not at all.
SELECT matches(pg_temp.attempt(way, installed, statement, call, :'asset_id'), '^(ZE...|27000|verified)$',
    format('debug_write_path = %s: raw DML in %s cannot set %s of the position that is being written without leaving'
        ' records', way, place, what))
FROM public.ways, public.places, (VALUES
    ('the state to RELEASED',
        'UPDATE escrowgrid.positions SET state = ''RELEASED'', released_amount = amount WHERE id = %1$L'),
    ('the state to CANCELLED',
        'UPDATE escrowgrid.positions SET state = ''CANCELLED'', refunded_amount = amount WHERE id = %1$L'),
    ('the version',
        'UPDATE escrowgrid.positions SET version = version + 1 WHERE id = %1$L'),
    ('the released amount',
        'UPDATE escrowgrid.positions SET state = ''PARTIALLY_RELEASED'', released_amount = 50 WHERE id = %1$L')
) AS s (what, statement);

-- --- another position: giving it the hash of the one that is being written does not pass for the extension's own write
INSERT INTO public.places VALUES
    ('a BEFORE UPDATE trigger on positions that runs before the extension''s',
        'CREATE TRIGGER a_user_raw BEFORE UPDATE ON escrowgrid.positions
         FOR EACH ROW EXECUTE FUNCTION public.run_raw_by_position()', 'fund'),
    ('a BEFORE UPDATE trigger on positions that runs after the extension''s',
        'CREATE TRIGGER user_raw BEFORE UPDATE ON escrowgrid.positions
         FOR EACH ROW EXECUTE FUNCTION public.run_raw_by_position()', 'fund'),
    ('a BEFORE INSERT trigger on positions',
        'CREATE TRIGGER user_raw BEFORE INSERT ON escrowgrid.positions
         FOR EACH ROW EXECUTE FUNCTION public.run_raw_by_position()', 'create'),
    ('a CHECK of positions',
        'ALTER TABLE escrowgrid.positions ADD CONSTRAINT user_raw
         CHECK (public.run_raw(id, head_hash)) NOT VALID', 'fund');
SELECT is(pg_temp.attempt(way, installed, statement, call, :'asset_id'), 'ZE501',
    format('debug_write_path = %s: raw DML in %s cannot change %s of another position by giving it the hash of the'
        ' position that is being written', way, place, term))
FROM public.ways, public.places, (VALUES
    ('the amount',
        'UPDATE escrowgrid.positions SET amount = 1000, head_hash = %2$L WHERE id = OTHER'),
    ('the holder',
        'UPDATE escrowgrid.positions SET holder_reference = ''thief'', head_hash = %2$L WHERE id = OTHER'),
    ('the state',
        'UPDATE escrowgrid.positions
         SET state = ''RELEASED'', released_amount = amount, version = version + 1, head_hash = %2$L
         WHERE id = OTHER')
) AS s (term, statement)
WHERE place LIKE '%on positions%' OR place = 'a CHECK of positions';

-- --- the event that is being written: its content cannot be erased, nor other records changed or deleted
SELECT is(
    pg_temp.attempt(way, installed,
        $$UPDATE escrowgrid.position_events
          SET reason = NULL, metadata = NULL, salt = NULL, content_digest = sha256(
              salt || int4send(octet_length(reason)) || convert_to(reason, 'UTF8') || '\xffffffff'::bytea)
          WHERE id = %1$L$$,
        'fund', :'asset_id'),
    'ZE501',
    format('debug_write_path = %s: raw DML in an AFTER INSERT trigger on %s cannot erase the reason of the event that'
        ' is being written', way, relation))
FROM public.ways, (VALUES
    ('position_events',
        'CREATE TRIGGER user_raw AFTER INSERT ON escrowgrid.position_events
         FOR EACH ROW EXECUTE FUNCTION public.run_raw_by_event_id()')
) AS p (relation, installed);
SELECT is(pg_temp.attempt(way, installed, statement, call, :'asset_id'), 'ZE501',
    format('debug_write_path = %s: raw DML in %s cannot %s', way, place, what))
FROM public.ways, public.places, (VALUES
    ('change the event of another position',
        'UPDATE escrowgrid.position_events SET reason = ''forged'' WHERE position_id = OTHER'),
    ('delete the events of another position',
        'DELETE FROM escrowgrid.position_events WHERE position_id = OTHER'),
    ('delete ledger rows of another position',
        'DELETE FROM escrowgrid.ledger_events WHERE position_id = OTHER'),
    ('delete another position',
        'DELETE FROM escrowgrid.positions WHERE id = OTHER')
) AS s (what, statement);

-- --- a BEFORE trigger that alters the position's row itself, after the extension's own trigger has decided on it
CREATE FUNCTION public.alter_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM public.run_raw(NEW.id, NEW.head_hash);
    RETURN jsonb_populate_record(NEW, TG_ARGV[0]::jsonb);
END $$;
SELECT is(
    pg_temp.attempt(way,
        format(
            'CREATE TRIGGER user_alters BEFORE %s ON escrowgrid.positions
             FOR EACH ROW EXECUTE FUNCTION public.alter_row(%L)', event, alteration),
        'SELECT %1$L, %2$L', call, :'asset_id'),
    'ZE501',
    format('debug_write_path = %s: a BEFORE %s trigger on positions cannot write %s instead of what was decided',
        way, event, alteration))
FROM public.ways,
    (VALUES ('INSERT', 'create'), ('UPDATE', 'fund')) AS e (event, call),
    (VALUES
        ('{"amount": 7}'),
        ('{"holder_reference": "thief"}'),
        ('{"created_at": "2020-01-01Z"}'),
        ('{"updated_at": "2020-01-01Z"}'),
        ('{"version": 9}')
    ) AS v (alteration);

-- --- rules
SELECT is(
    pg_temp.attempt(way,
        format(
            'CREATE RULE user_raw AS ON INSERT TO escrowgrid.%I
             DO ALSO UPDATE escrowgrid.positions SET %s WHERE id = NEW.%I', relation, change, id),
        'SELECT %1$L, %2$L', 'fund', :'asset_id'),
    'ZE501',
    format('debug_write_path = %s: a rule on %s cannot set %s of the position that is being written',
        way, relation, change))
FROM public.ways,
    (VALUES
        ('position_events', 'position_id'),
        ('ledger_events', 'position_id'),
        ('audit_events', 'resource_id')
    ) AS r (relation, id),
    (VALUES ('amount = 1000'), ('holder_reference = ''thief''')) AS c (change);

SELECT * FROM finish();
ROLLBACK;
