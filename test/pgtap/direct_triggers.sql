-- Users' AFTER ROW triggers fire once per row and after all rows of the call are written, by both ways of writing.
BEGIN;
SET search_path = public;
SELECT no_plan();

SELECT id FROM escrowgrid.escrow_create_institution('Triggers', '{US}') \gset i_
SELECT id FROM escrowgrid.escrow_create_asset_template('OWN', 'T', 'CONSTRUCTION', 'US', '{}', :'i_id') \gset t_
SELECT id FROM escrowgrid.escrow_create_asset(:'t_id', 'A') \gset a_

CREATE TABLE public.fired (n serial, relation text, operation text, position_id text, seq int, seen text, argument text);
-- What is there of a position: its state and version, and how many of its event, ledger and audit rows.
CREATE FUNCTION public.story(p text) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ', state, version, (SELECT count(*) FROM escrowgrid.position_events AS e WHERE e.position_id = p.id),
        (SELECT count(*) FROM escrowgrid.ledger_events AS l WHERE l.position_id = p.id),
        (SELECT count(*) FROM escrowgrid.audit_events AS a WHERE a.resource_id = p.id AND a.outcome = 'success'))
    FROM escrowgrid.positions AS p WHERE p.id = $1 $$;
CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE p text; s int;
BEGIN
    CASE TG_TABLE_NAME
        WHEN 'positions' THEN p := NEW.id; s := NEW.version;
        WHEN 'position_events' THEN p := NEW.position_id; s := NEW.seq;
        WHEN 'ledger_events' THEN p := NEW.position_id; s := NEW.payload ->> 'seq';
        ELSE p := NEW.resource_id; s := (SELECT e.seq FROM escrowgrid.position_events AS e WHERE e.id = NEW.payload ->> 'eventId');
    END CASE;
    INSERT INTO public.fired (relation, operation, position_id, seq, seen, argument) VALUES (TG_TABLE_NAME, TG_OP, p, s, public.story(p), TG_ARGV[0]);
    RETURN NULL;
END $$;
-- Every position has a name by its holder, so that what is expected can be written down.
CREATE FUNCTION pg_temp.created(asset text, holder text, expires_at timestamptz DEFAULT NULL) RETURNS text LANGUAGE sql AS
$$ SELECT id FROM escrowgrid.escrow_create_position(asset, holder, 'USD', 100, expires_at => expires_at) $$;
CREATE FUNCTION pg_temp.pos(holder text) RETURNS text LANGUAGE sql AS $$ SELECT id FROM escrowgrid.positions WHERE holder_reference = holder $$;
CREATE FUNCTION pg_temp.moved(holder text, state text, amount numeric DEFAULT NULL) RETURNS text LANGUAGE sql AS
$$ SELECT m.state || ' ' || m.version FROM escrowgrid.escrow_transition(pg_temp.pos(holder), state, amount => amount) AS m $$;
-- Lines of what fired, in no order: relation operation holder seq: what was seen.
CREATE FUNCTION pg_temp.firings() RETURNS SETOF text LANGUAGE sql AS $$
    SELECT format('%s %s %s %s: %s', f.relation, f.operation, p.holder_reference, f.seq, f.seen)
    FROM public.fired AS f LEFT JOIN escrowgrid.positions AS p ON p.id = f.position_id $$;
CREATE FUNCTION pg_temp.note_all(timing text DEFAULT '') RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE %s TRIGGER user_note AFTER INSERT OR UPDATE ON escrowgrid.positions %s FOR EACH ROW EXECUTE FUNCTION public.note()', CASE timing WHEN '' THEN '' ELSE 'CONSTRAINT' END, timing);
    EXECUTE format('CREATE %s TRIGGER user_note AFTER INSERT ON escrowgrid.position_events %s FOR EACH ROW EXECUTE FUNCTION public.note()', CASE timing WHEN '' THEN '' ELSE 'CONSTRAINT' END, timing);
    EXECUTE format('CREATE %s TRIGGER user_note AFTER INSERT ON escrowgrid.ledger_events %s FOR EACH ROW EXECUTE FUNCTION public.note()', CASE timing WHEN '' THEN '' ELSE 'CONSTRAINT' END, timing);
    EXECUTE format('CREATE %s TRIGGER user_note AFTER INSERT ON escrowgrid.audit_events %s FOR EACH ROW EXECUTE FUNCTION public.note()', CASE timing WHEN '' THEN '' ELSE 'CONSTRAINT' END, timing);
END $$;
-- The lines of one call: each of the four tables once, all of them seeing the same.
CREATE FUNCTION pg_temp.call_of(holder text, seq int, seen text) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT format('%s %s %s %s: %s', r, CASE WHEN r = 'positions' AND seq > 1 THEN 'UPDATE' ELSE 'INSERT' END, holder, seq, seen)
    FROM unnest(ARRAY['positions', 'position_events', 'ledger_events', 'audit_events']) AS r $$;

\set way auto
\ir include/triggers.psql
\set way ordinary
\ir include/triggers.psql

SELECT is_empty('SELECT * FROM escrowgrid.escrow_verify()', 'after the cases of both ways everything verifies');
SELECT * FROM finish();
ROLLBACK;
