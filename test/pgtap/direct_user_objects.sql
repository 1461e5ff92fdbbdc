-- What users put on the tables (triggers, columns, rules, indexes, constraints, child tables, foreign keys) works the
-- same as with plain INSERT and UPDATE; and which of it makes the extension write through SPI.
BEGIN;
SET search_path = public;
SELECT no_plan();
\set institution_name Direct
\set policy '{"position": {"maxAmount": 5000}}'
\ir include/direct.psql
SET LOCAL escrowgrid.request_id = 'req-1';

CREATE FUNCTION public.stamp() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.request_id := 'stamped';
    RETURN NEW;
END $$;
CREATE FUNCTION public.do_nothing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RETURN NULL;
END $$;
SELECT is(pg_temp.way(), 'direct', 'rows are written directly when nothing of a user''s is on the tables');
SAVEPOINT plain;

-- --- triggers
CREATE TRIGGER user_stamp BEFORE INSERT ON escrowgrid.ledger_events
    FOR EACH ROW EXECUTE FUNCTION public.stamp();
SELECT pg_temp.funded() AS p \gset
SELECT is(
    (SELECT string_agg(request_id, ',') FROM escrowgrid.ledger_events WHERE position_id = :'p'),
    'stamped,stamped',
    'a BEFORE INSERT trigger on ledger_events changes the ledger rows of a creation and a transition');
ROLLBACK TO plain;

CREATE TRIGGER user_stamp BEFORE INSERT ON escrowgrid.ledger_events
    FOR EACH ROW EXECUTE FUNCTION public.stamp();
SELECT is(pg_temp.reason('ledger_events'), 'ordinary: trigger "user_stamp" runs before each row',
    'escrow_write_paths() names a BEFORE trigger as the reason');
SELECT is(pg_temp.reason('positions'), 'ordinary: its rows are written together with those of ledger_events',
    'escrow_write_paths() names, for the other tables, the table that has the BEFORE trigger');
ALTER TABLE escrowgrid.ledger_events DISABLE TRIGGER user_stamp;
SELECT is(pg_temp.way(), 'direct', 'rows are written directly with a BEFORE trigger that is disabled');
ROLLBACK TO plain;

CREATE TRIGGER user_statement AFTER INSERT ON escrowgrid.audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION public.do_nothing();
SELECT is(pg_temp.reason('audit_events'), 'ordinary: trigger "user_statement" runs for each statement',
    'escrow_write_paths() names a statement trigger as the reason');
ROLLBACK TO plain;

CREATE TRIGGER user_transition AFTER INSERT ON escrowgrid.audit_events REFERENCING NEW TABLE AS written
    FOR EACH ROW EXECUTE FUNCTION public.do_nothing();
SELECT is(pg_temp.reason('audit_events'), 'ordinary: trigger "user_transition" has a transition table',
    'escrow_write_paths() names a trigger with a transition table as the reason');
ROLLBACK TO plain;

CREATE TRIGGER user_delete BEFORE DELETE ON escrowgrid.audit_events
    FOR EACH ROW EXECUTE FUNCTION public.do_nothing();
SELECT is(pg_temp.way(), 'direct', 'rows are written directly with a BEFORE DELETE trigger on audit_events');
ROLLBACK TO plain;

CREATE TRIGGER frozen BEFORE INSERT ON escrowgrid.ledger_events
    FOR EACH ROW EXECUTE FUNCTION escrowgrid.refuse_change();
SELECT throws_ok('SELECT pg_temp.funded()', 'ZE501', NULL,
    'a trigger of a user''s that calls a trigger function of the extension is run');
ROLLBACK TO plain;

-- --- columns
ALTER TABLE escrowgrid.positions ADD COLUMN branch text;
SELECT is(pg_temp.way(), 'direct', 'rows are written directly with an added column without a default');
SELECT pg_temp.funded() AS p \gset
UPDATE escrowgrid.positions SET branch = 'north' WHERE id = :'p';
SELECT version FROM escrowgrid.escrow_transition(:'p', 'RELEASED') \g /dev/null
SELECT is((SELECT branch || ' ' || state FROM escrowgrid.positions WHERE id = :'p'), 'north RELEASED',
    'a transition keeps the value of a column that a user added to positions');
ALTER TABLE escrowgrid.positions DROP COLUMN branch;
SELECT is(pg_temp.way(), 'direct', 'rows are written directly with a dropped column');
SELECT lives_ok('SELECT pg_temp.funded()', 'positions are created and moved after an added column was dropped');
ROLLBACK TO plain;

ALTER TABLE escrowgrid.positions ADD COLUMN branch text NOT NULL DEFAULT 'main';
ALTER TABLE escrowgrid.position_events
    ADD COLUMN day date GENERATED ALWAYS AS ((at AT TIME ZONE 'UTC')::date) STORED;
SELECT is(pg_temp.way(), 'direct', 'rows are written directly with an added column that has a default or is generated');
SELECT pg_temp.funded() AS p \gset
SELECT is((SELECT branch FROM escrowgrid.positions WHERE id = :'p'), 'main',
    'a column with a default that a user added to positions gets the default');
SELECT is((SELECT count(day) FROM escrowgrid.position_events WHERE position_id = :'p'), 2::bigint,
    'a generated column that a user added to position_events is computed for each event');
ROLLBACK TO plain;

-- --- rules
CREATE RULE twice AS ON INSERT TO escrowgrid.audit_events DO ALSO NOTIFY audited;
SELECT is(pg_temp.way(), 'spi', 'rows are written through SPI when a table has a rule');
SELECT is(pg_temp.reason('audit_events'), 'ordinary: it has a rule',
    'escrow_write_paths() names a rule as the reason');
ROLLBACK TO plain;

CREATE RULE never AS ON INSERT TO escrowgrid.audit_events DO INSTEAD NOTHING;
SELECT throws_ok('SELECT pg_temp.funded()', '09000', 'a row of table "audit_events" was suppressed by a trigger or a rule',
    'a creation whose audit row a rule suppresses is refused');
DROP RULE never ON escrowgrid.audit_events;
SELECT pg_temp.set_way('ordinary') \g /dev/null
SELECT lives_ok('SELECT pg_temp.funded()',
    'a creation through SPI succeeds after the rule that suppressed its audit row was dropped in the same session');
ROLLBACK TO plain;

-- --- row security that does not apply to the owner
ALTER TABLE escrowgrid.positions FORCE ROW LEVEL SECURITY;
SELECT is(pg_temp.way(), 'direct',
    'rows are written directly with forced row security when the owner of the tables is a superuser');
ROLLBACK TO plain;

-- --- indexes and constraints
CREATE UNIQUE INDEX one_per_holder ON escrowgrid.positions (holder_reference)
    WHERE holder_reference LIKE 'unique%';
SELECT is(pg_temp.way(), 'direct', 'rows are written directly with a unique index of a user''s');
SELECT lives_ok($$SELECT pg_temp.created(1, 'unique 1')$$,
    'a position with a value that is new in a user''s unique index is created');
SELECT throws_ok($$SELECT pg_temp.created(1, 'unique 1')$$, '23505', NULL,
    'a second position with the same value in a user''s unique index is refused');
ALTER TABLE escrowgrid.positions ADD CONSTRAINT no_strangers CHECK (holder_reference <> 'stranger');
SELECT throws_ok($$SELECT pg_temp.created(1, 'stranger')$$, '23514', NULL,
    'a position that violates a user''s CHECK is refused');
CREATE INDEX state_idx ON escrowgrid.positions (state);
SELECT pg_temp.funded() AS p \gset
SET LOCAL enable_seqscan = off;
SELECT is((SELECT state FROM escrowgrid.positions WHERE state = 'FUNDED' AND id = :'p'), 'FUNDED',
    'a position is found by its new state in a user''s index on state');
ROLLBACK TO plain;

CREATE INDEX payload_idx ON escrowgrid.ledger_events USING gin (payload);
SELECT is(pg_temp.way(), 'direct', 'rows are written directly with a GIN index of a user''s');
SELECT pg_temp.funded() AS p \gset
SELECT is(
    (SELECT count(*) FROM escrowgrid.ledger_events WHERE payload @> '{"seq": 2}' AND position_id = :'p'),
    1::bigint,
    'a ledger row is found by its payload with a user''s GIN index on payload');
ROLLBACK TO plain;

-- --- child tables
CREATE TABLE public.more_positions () INHERITS (escrowgrid.positions);
SELECT is(pg_temp.way(), 'spi', 'rows are written through SPI when positions has a child table');
SELECT is(pg_temp.reason('positions'), 'ordinary: it has child tables',
    'escrow_write_paths() names child tables as the reason');
DROP TABLE public.more_positions;
SELECT is(pg_temp.way(), 'direct', 'rows are written directly again after the last child table was dropped');
ROLLBACK TO plain;

-- --- foreign keys
CREATE TABLE public.note_of_position (position_id text COLLATE "C" REFERENCES escrowgrid.positions (id), text text);
SELECT is(pg_temp.way(), 'direct', 'rows are written directly when a user''s foreign key refers to positions');
SELECT pg_temp.funded() AS p \gset
INSERT INTO public.note_of_position VALUES (:'p', 'seen');
SELECT version FROM escrowgrid.escrow_transition(:'p', 'RELEASED') \g /dev/null
SELECT throws_ok($$INSERT INTO public.note_of_position VALUES ('pos_none', 'x')$$, '23503', NULL,
    'a user''s foreign key to positions refuses a reference to an unknown position');
ROLLBACK TO plain;

ALTER TABLE escrowgrid.positions ADD UNIQUE (id, version);
CREATE TABLE public.follows (
    id text COLLATE "C",
    version int,
    FOREIGN KEY (id, version) REFERENCES escrowgrid.positions (id, version) ON UPDATE CASCADE
);
SELECT is(pg_temp.way(), 'direct',
    'rows are written directly when a user''s foreign key refers to a column that transitions change');
SELECT pg_temp.funded() AS p \gset
INSERT INTO public.follows VALUES (:'p', 2);
SELECT version FROM escrowgrid.escrow_transition(:'p', 'RELEASED') \g /dev/null
SELECT is((SELECT version FROM public.follows), 3,
    'a transition cascades to a user''s foreign key with ON UPDATE CASCADE that refers to version');
ROLLBACK TO plain;

CREATE TABLE public.approved (request_id text PRIMARY KEY);
ALTER TABLE escrowgrid.ledger_events
    ADD FOREIGN KEY (request_id) REFERENCES public.approved (request_id) NOT VALID;
SELECT throws_ok('SELECT pg_temp.funded()', '23503', NULL,
    'a creation whose ledger row violates a user''s foreign key on ledger_events is refused');
ROLLBACK TO plain;

-- Logical replication of a table without a replica identity: an UPDATE is PostgreSQL's own refusal.
SELECT pg_temp.funded() AS p \gset
ALTER TABLE escrowgrid.positions REPLICA IDENTITY NOTHING;
SET LOCAL client_min_messages = error;  -- a warning where wal_level is not logical
CREATE PUBLICATION regress_direct FOR TABLE escrowgrid.positions;
SELECT throws_ok(format($$SELECT escrowgrid.escrow_transition(%L, 'RELEASED')$$, :'p'), '55000', NULL,
    'a transition is refused when positions is published for updates and has no replica identity');
ROLLBACK TO plain;

SELECT is_empty('SELECT * FROM escrowgrid.escrow_verify()',
    'escrow_verify() finds nothing wrong after users'' objects came and went');
SELECT * FROM finish();
ROLLBACK;
