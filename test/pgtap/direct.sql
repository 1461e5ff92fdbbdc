-- Rows written without SPI are the rows that SPI writes; whatever users put on the tables still works.
BEGIN;
SET search_path = public;
SELECT no_plan();

SELECT id FROM escrowgrid.escrow_create_institution('Direct', '{US}') \gset i_
SELECT id FROM escrowgrid.escrow_create_asset_template('OWN', 'T', 'CONSTRUCTION', 'US', '{"currency": "BHD"}', :'i_id') \gset t_
SELECT id FROM escrowgrid.escrow_create_asset(:'t_id', 'A') \gset a_
SELECT region FROM escrowgrid.escrow_set_policy(:'i_id', 'US', '{"position": {"maxAmount": 5000}}') \g /dev/null
SET LOCAL escrowgrid.request_id = 'req-1';
SET LOCAL escrowgrid.client_ip = '10.1.2.3';
SET LOCAL escrowgrid.traceparent = '00-aa-bb-01';

-- What the error of a failed write says tells the ways apart: by SPI there is a statement in its context.
CREATE FUNCTION pg_temp.way(asset text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE context text := 'nothing failed';
BEGIN
    BEGIN
        ALTER TABLE escrowgrid.ledger_events ADD CONSTRAINT nothing_more CHECK (id = 'led_x') NOT VALID;
        PERFORM escrowgrid.escrow_create_position(asset, 'h', 'BHD', 1);
    EXCEPTION WHEN check_violation THEN
        GET STACKED DIAGNOSTICS context = PG_EXCEPTION_CONTEXT;
    END;
    RETURN CASE WHEN context = 'nothing failed' THEN context WHEN context LIKE '%INSERT INTO escrowgrid.ledger_events%' THEN 'spi' ELSE 'direct' END;
END $$;

-- --- the same history both ways
CREATE FUNCTION pg_temp.history(asset text, name text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE p text; q text;
BEGIN
    p := (escrowgrid.escrow_create_position(asset, name, 'BHD', 1234.5, 'ref', now() + interval '1 day', '{"b": [1.50, null], "a": "ü"}', 'create ' || name)).id;
    PERFORM escrowgrid.escrow_transition(p, 'FUNDED', 'reason', '{"x": 1}');
    PERFORM escrowgrid.escrow_transition(p, 'PARTIALLY_RELEASED', amount => 0.125);
    PERFORM escrowgrid.escrow_transition(p, 'PARTIALLY_RELEASED', 'undeclared');
    PERFORM escrowgrid.escrow_transition(p, 'PARTIALLY_RELEASED', amount => 1000, idempotency_key => 'part ' || name);
    PERFORM escrowgrid.escrow_transition(p, 'PARTIALLY_RELEASED', amount => 1000, idempotency_key => 'part ' || name);
    PERFORM escrowgrid.escrow_transition(p, 'CANCELLED', metadata => '{}');
    PERFORM escrowgrid.escrow_try_transition(p, 'FUNDED');
    p := (escrowgrid.escrow_create_position(asset, name, 'BHD', 5000)).id;
    q := (escrowgrid.escrow_create_position(asset, name, 'BHD', 0.001, expires_at => now() + interval '1 day')).id;
    PERFORM escrowgrid.escrow_transition_batch(ARRAY[q, p], 'FUNDED', 'both', '{"y": 2}');
    PERFORM escrowgrid.escrow_transition_batch(ARRAY[p, q], 'RELEASED', amounts => ARRAY[5000, 0.001], idempotency_key => 'batch ' || name);
END $$;
-- Rows without what differs by nature: ids, times, hashes. Amounts as text, so that their scale counts.
CREATE FUNCTION pg_temp.rows_of(name text) RETURNS SETOF text LANGUAGE sql AS $$
    WITH p AS (SELECT *, row_number() OVER (ORDER BY created_at, id) AS n FROM escrowgrid.positions WHERE holder_reference = name),
    e AS (SELECT x.*, p.n FROM escrowgrid.position_events AS x JOIN p ON p.id = x.position_id)
    SELECT concat_ws('|', 'position', n, institution_id, asset_id, currency, amount, state, external_reference, released_amount, refunded_amount, version,
        updated_at >= created_at, expires_at IS NULL, due_at IS NULL) FROM p
    UNION ALL SELECT concat_ws('|', 'event', n, seq, from_state, to_state, reason, metadata, institution_id, amount, api_key_id, salt IS NULL, content_digest IS NULL, at = created_at) FROM e
    UNION ALL SELECT concat_ws('|', 'ledger', n, seq, l.kind, l.previous_state, l.new_state, l.institution_id, l.request_id, l.at = e.at, l.created_at = e.at,
        (l.payload - 'eventId' - 'holderReference')::text) FROM escrowgrid.ledger_events AS l JOIN e ON e.id = l.payload ->> 'eventId' AND l.position_id = e.position_id
    UNION ALL SELECT concat_ws('|', 'audit', n, seq, a.method, a.path, a.action, a.resource_type, a.outcome, a.error IS NULL, a.status_code, a.request_id, a.client_ip, a.db_role,
        a.institution_id, a.api_key_id, a.occurred_at = e.at, (a.payload - 'eventId')::text) FROM escrowgrid.audit_events AS a JOIN e ON e.id = a.payload ->> 'eventId' AND a.resource_id = e.position_id
    UNION ALL SELECT concat_ws('|', 'refusal', a.action, a.error ->> 'state', a.path, a.status_code, a.request_id, a.client_ip) FROM escrowgrid.audit_events AS a JOIN p ON a.resource_id = p.id WHERE a.outcome = 'failure'
$$;
SELECT is(pg_temp.way(:'a_id'), 'direct', 'without anything of a user''s on the tables rows are written directly');
SELECT is_empty($$SELECT * FROM escrowgrid.escrow_write_paths() WHERE path <> 'direct' OR reason IS NOT NULL$$, 'escrow_write_paths() says direct for each of the four tables');
SELECT is((SELECT count(*) FROM escrowgrid.escrow_write_paths()), 4::bigint, 'escrow_write_paths() has a row for each of the four tables');
SELECT pg_temp.history(:'a_id', 'direct') \g /dev/null
-- The reason of the table that has one, and of another that goes along with it.
CREATE FUNCTION pg_temp.reason(relation text) RETURNS text LANGUAGE sql AS $$
    SELECT path || ': ' || reason FROM escrowgrid.escrow_write_paths() WHERE table_name = relation
$$;
CREATE FUNCTION pg_temp.moved(asset text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE p text;
BEGIN
    p := (escrowgrid.escrow_create_position(asset, 'h', 'BHD', 10)).id;
    PERFORM escrowgrid.escrow_transition(p, 'FUNDED');
    RETURN p;
END $$;
CREATE FUNCTION public.stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.request_id := 'stamped'; RETURN NEW; END $$;
CREATE TABLE public.fired (relation text, operation text);
CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.fired VALUES (TG_TABLE_NAME, TG_OP); RETURN NULL; END $$;
SAVEPOINT plain;

CREATE TRIGGER user_note AFTER INSERT OR UPDATE ON escrowgrid.positions FOR EACH ROW EXECUTE FUNCTION public.note();
SELECT is(pg_temp.way(:'a_id'), 'direct', 'a user''s AFTER ROW trigger is no obstacle');
SELECT pg_temp.history(:'a_id', 'with trigger') \g /dev/null
SELECT is((SELECT count(*) FROM public.fired), 12::bigint, 'the trigger fires for every creation and transition written directly');
DELETE FROM public.fired;
SET LOCAL escrowgrid.debug_write_path = ordinary;
SELECT is(pg_temp.way(:'a_id'), 'spi', 'debug_write_path = ordinary takes the ordinary way');
SELECT is(pg_temp.reason('audit_events'), 'ordinary: escrowgrid.debug_write_path is ordinary', 'escrow_write_paths() says that a setting forces the ordinary way');
SELECT pg_temp.history(:'a_id', 'spi') \g /dev/null
SET LOCAL escrowgrid.debug_write_path = auto;
SELECT bag_eq($$SELECT pg_temp.rows_of('spi')$$, $$SELECT pg_temp.rows_of('direct')$$, 'both ways leave the same rows');
SELECT cmp_ok((SELECT count(*) FROM pg_temp.rows_of('direct')), '>', 39::bigint, 'of every kind');
SELECT is((SELECT count(*) FROM public.fired), 12::bigint, 'the trigger fires for every creation and transition written by SPI');
SELECT is_empty('SELECT * FROM escrowgrid.escrow_verify()', 'and all of them verify');
ROLLBACK TO plain;
SELECT is(pg_temp.way(:'a_id'), 'direct', 'once it is gone, so is the reason');

-- --- what users put on the tables, one after the other, each in a session that has written directly before
CREATE TRIGGER user_stamp BEFORE INSERT ON escrowgrid.ledger_events FOR EACH ROW EXECUTE FUNCTION public.stamp();
SELECT pg_temp.moved(:'a_id') AS p \gset
SELECT is((SELECT string_agg(request_id, ',') FROM escrowgrid.ledger_events WHERE position_id = :'p'), 'stamped,stamped', 'BEFORE triggers');
ROLLBACK TO plain;

ALTER TABLE escrowgrid.positions ADD COLUMN branch text;
SELECT is(pg_temp.way(:'a_id'), 'direct', 'a column without a default is no obstacle');
SELECT pg_temp.moved(:'a_id') AS p \gset
UPDATE escrowgrid.positions SET branch = 'north' WHERE id = :'p';
SELECT version FROM escrowgrid.escrow_transition(:'p', 'RELEASED') \g /dev/null
SELECT is((SELECT branch || ' ' || state FROM escrowgrid.positions WHERE id = :'p'), 'north RELEASED', 'and keeps its value');
ALTER TABLE escrowgrid.positions DROP COLUMN branch;
SELECT is(pg_temp.way(:'a_id'), 'direct', 'nor is one that was dropped');
SELECT lives_ok(format('SELECT pg_temp.moved(%L)', :'a_id'), 'which takes nothing');
ROLLBACK TO plain;

ALTER TABLE escrowgrid.positions ADD COLUMN branch text NOT NULL DEFAULT 'main';
ALTER TABLE escrowgrid.position_events ADD COLUMN day date GENERATED ALWAYS AS ((at AT TIME ZONE 'UTC')::date) STORED;
SELECT is(pg_temp.way(:'a_id'), 'direct', 'defaults and generated columns are no obstacle');
SELECT pg_temp.moved(:'a_id') AS p \gset
SELECT is((SELECT branch FROM escrowgrid.positions WHERE id = :'p'), 'main', 'defaults');
SELECT is((SELECT count(day) FROM escrowgrid.position_events WHERE position_id = :'p'), 2::bigint, 'generated columns');
ROLLBACK TO plain;

CREATE TRIGGER user_stamp BEFORE INSERT ON escrowgrid.ledger_events FOR EACH ROW EXECUTE FUNCTION public.stamp();
SELECT is(pg_temp.reason('ledger_events'), 'ordinary: trigger "user_stamp" runs before each row', 'escrow_write_paths() names a BEFORE trigger');
SELECT is(pg_temp.reason('positions'), 'ordinary: its rows are written together with those of ledger_events', 'escrow_write_paths() names the table that others go along with');
ALTER TABLE escrowgrid.ledger_events DISABLE TRIGGER user_stamp;
SELECT is(pg_temp.way(:'a_id'), 'direct', 'a disabled BEFORE trigger is no obstacle');
ROLLBACK TO plain;
CREATE TRIGGER user_statement AFTER INSERT ON escrowgrid.audit_events FOR EACH STATEMENT EXECUTE FUNCTION public.note();
SELECT is(pg_temp.reason('audit_events'), 'ordinary: trigger "user_statement" runs for each statement', 'escrow_write_paths() names a statement trigger');
ROLLBACK TO plain;
CREATE TRIGGER user_transition AFTER INSERT ON escrowgrid.audit_events REFERENCING NEW TABLE AS written FOR EACH ROW EXECUTE FUNCTION public.note();
SELECT is(pg_temp.reason('audit_events'), 'ordinary: trigger "user_transition" has a transition table', 'escrow_write_paths() names a trigger with a transition table');
ROLLBACK TO plain;
CREATE TRIGGER user_delete BEFORE DELETE ON escrowgrid.audit_events FOR EACH ROW EXECUTE FUNCTION public.note();
SELECT is(pg_temp.way(:'a_id'), 'direct', 'a trigger for an event that a move does not cause is no obstacle');
ROLLBACK TO plain;

CREATE RULE twice AS ON INSERT TO escrowgrid.audit_events DO ALSO NOTIFY audited;
SELECT is(pg_temp.way(:'a_id'), 'spi', 'a rule takes the ordinary way');
SELECT is(pg_temp.reason('audit_events'), 'ordinary: it has a rule', 'escrow_write_paths() says that a table has a rule');
ROLLBACK TO plain;
CREATE RULE never AS ON INSERT TO escrowgrid.audit_events DO INSTEAD NOTHING;
SELECT throws_ok(format($$SELECT pg_temp.moved(%L)$$, :'a_id'), '09000', 'a record was suppressed by a trigger or a rule', 'a rule that drops a record is refused');
DROP RULE never ON escrowgrid.audit_events;
SET LOCAL escrowgrid.debug_write_path = ordinary;
SELECT lives_ok(format($$SELECT pg_temp.moved(%L)$$, :'a_id'), 'once the rule is gone, the same session writes through SPI again');
ROLLBACK TO plain;
ALTER TABLE escrowgrid.positions FORCE ROW LEVEL SECURITY;
SELECT is(pg_temp.way(:'a_id'), 'direct', 'forced row security is no obstacle where the owner is a superuser');
ROLLBACK TO plain;

CREATE UNIQUE INDEX one_per_holder ON escrowgrid.positions (holder_reference) WHERE holder_reference LIKE 'unique%';
SELECT is(pg_temp.way(:'a_id'), 'direct', 'an index is no obstacle');
SELECT lives_ok(format($$SELECT escrowgrid.escrow_create_position(%L, 'unique 1', 'BHD', 1)$$, :'a_id'), 'its first value');
SELECT throws_ok(format($$SELECT escrowgrid.escrow_create_position(%L, 'unique 1', 'BHD', 1)$$, :'a_id'), '23505', NULL, 'is its only one');
ALTER TABLE escrowgrid.positions ADD CONSTRAINT no_strangers CHECK (holder_reference <> 'stranger');
SELECT throws_ok(format($$SELECT escrowgrid.escrow_create_position(%L, 'stranger', 'BHD', 1)$$, :'a_id'), '23514', NULL, 'a user''s CHECK holds');
CREATE INDEX state_idx ON escrowgrid.positions (state);
SELECT pg_temp.moved(:'a_id') AS p \gset
SET LOCAL enable_seqscan = off;
SELECT is((SELECT state FROM escrowgrid.positions WHERE state = 'FUNDED' AND id = :'p'), 'FUNDED', 'an index on what changes is kept up');
ROLLBACK TO plain;

CREATE INDEX payload_idx ON escrowgrid.ledger_events USING gin (payload);
SELECT is(pg_temp.way(:'a_id'), 'direct', 'an index that is no btree is no obstacle');
SELECT pg_temp.moved(:'a_id') AS p \gset
SELECT is((SELECT count(*) FROM escrowgrid.ledger_events WHERE payload @> '{"seq": 2}' AND position_id = :'p'), 1::bigint, 'a GIN index is kept up');
ROLLBACK TO plain;
CREATE TRIGGER frozen BEFORE INSERT ON escrowgrid.ledger_events FOR EACH ROW EXECUTE FUNCTION escrowgrid.refuse_change();
SELECT throws_ok(format($$SELECT pg_temp.moved(%L)$$, :'a_id'), 'ZE501', NULL, 'a user''s trigger with a function of ours runs');
ROLLBACK TO plain;
CREATE TABLE public.more_positions () INHERITS (escrowgrid.positions);
SELECT is(pg_temp.way(:'a_id'), 'spi', 'a table with children takes the ordinary way');
SELECT is(pg_temp.reason('positions'), 'ordinary: it has child tables', 'escrow_write_paths() says that a table has children');
DROP TABLE public.more_positions;
SELECT is(pg_temp.way(:'a_id'), 'direct', 'a table whose last child is gone is written directly again');
ROLLBACK TO plain;

CREATE TABLE public.note_of_position (position_id text COLLATE "C" REFERENCES escrowgrid.positions (id), text text);
SELECT is(pg_temp.way(:'a_id'), 'direct', 'a user''s foreign key to a position is no obstacle');
SELECT pg_temp.moved(:'a_id') AS p \gset
INSERT INTO public.note_of_position VALUES (:'p', 'seen');
SELECT version FROM escrowgrid.escrow_transition(:'p', 'RELEASED') \g /dev/null
SELECT throws_ok($$INSERT INTO public.note_of_position VALUES ('pos_none', 'x')$$, '23503', NULL, 'and holds');
ROLLBACK TO plain;
ALTER TABLE escrowgrid.positions ADD UNIQUE (id, version);
CREATE TABLE public.follows (id text COLLATE "C", version int, FOREIGN KEY (id, version) REFERENCES escrowgrid.positions (id, version) ON UPDATE CASCADE);
SELECT is(pg_temp.way(:'a_id'), 'direct', 'a user''s foreign key to a column that transitions change is no obstacle');
SELECT pg_temp.moved(:'a_id') AS p \gset
INSERT INTO public.follows VALUES (:'p', 2);
SELECT version FROM escrowgrid.escrow_transition(:'p', 'RELEASED') \g /dev/null
SELECT is((SELECT version FROM public.follows), 3, 'and its action runs');
ROLLBACK TO plain;
CREATE TABLE public.approved (request_id text PRIMARY KEY);
ALTER TABLE escrowgrid.ledger_events ADD FOREIGN KEY (request_id) REFERENCES public.approved (request_id) NOT VALID;
SELECT throws_ok(format($$SELECT pg_temp.moved(%L)$$, :'a_id'), '23503', NULL, 'a user''s foreign key from a record is checked');
ROLLBACK TO plain;

-- Rules of an asset whose table cannot be read directly are parsed into memory of the call.
CREATE TABLE public.more_assets () INHERITS (escrowgrid.assets);
SELECT pg_temp.moved(:'a_id') AS p \gset
SELECT is((SELECT state FROM escrowgrid.escrow_transition(:'p', 'RELEASED')), 'RELEASED', 'a move whose asset is read through SPI succeeds');
SELECT throws_ok(format($$SELECT escrowgrid.escrow_create_position(%L, 'h', 'BHD', 9999)$$, :'a_id'), 'ZE201', NULL, 'a policy holds for an asset that is read through SPI');
ROLLBACK TO plain;

-- The rights of the tables' owner are asked for, also those that the owner may take from itself.
CREATE ROLE plain_owner;
GRANT CREATE, USAGE ON SCHEMA escrowgrid TO plain_owner;
DO $$
DECLARE relation regclass;
BEGIN
    FOR relation IN SELECT oid FROM pg_class WHERE relnamespace = 'escrowgrid'::regnamespace AND relkind IN ('r', 'v') LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO plain_owner', relation);
    END LOOP;
END $$;
SELECT is(pg_temp.way(:'a_id'), 'direct', 'tables of an owner without superuser rights are written directly');
ALTER TABLE escrowgrid.positions FORCE ROW LEVEL SECURITY;
SELECT is(pg_temp.reason('positions'), 'ordinary: its row security applies to the owner of positions', 'escrow_write_paths() says that row security is forced');
ALTER TABLE escrowgrid.positions NO FORCE ROW LEVEL SECURITY;
REVOKE INSERT ON escrowgrid.ledger_events FROM plain_owner;
SELECT is(pg_temp.reason('ledger_events'), 'ordinary: the owner of positions may not write to it', 'escrow_write_paths() says that the owner lacks a right');
SELECT throws_ok(format($$SELECT pg_temp.moved(%L)$$, :'a_id'), '42501', 'permission denied for table ledger_events', 'an owner who lacks a right is refused');
GRANT INSERT ON escrowgrid.ledger_events TO plain_owner;
SELECT lives_ok(format($$SELECT pg_temp.moved(%L)$$, :'a_id'), 'an owner who has the right again may write');
REVOKE SELECT ON escrowgrid.assets FROM plain_owner;
SELECT throws_ok(format($$SELECT pg_temp.moved(%L)$$, :'a_id'), '42501', 'permission denied for table assets', 'an owner who may not read assets is refused');
ROLLBACK TO plain;

-- Users' code runs with the owner's rights, and so not by the caller's search_path. hijacked() says who was led astray.
CREATE SCHEMA hostile;
CREATE TABLE hostile.hijacked (place text);
CREATE FUNCTION hostile.lower(text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN INSERT INTO hostile.hijacked VALUES ($1); RETURN $1; END $$;
CREATE FUNCTION public.calls_lower() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM lower(TG_NAME); RETURN NEW; END $$;
CREATE FUNCTION public.lower_ok(text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RETURN lower($1) IS NOT NULL; END $$;
CREATE FUNCTION pg_temp.hijacks(asset text, way text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE p text; path text;
BEGIN
    PERFORM set_config('search_path', 'hostile, pg_catalog, public', true), set_config('escrowgrid.debug_write_path', way, true);
    p := pg_temp.moved(asset);
    PERFORM escrowgrid.escrow_transition_batch(ARRAY[p], 'RELEASED');
    PERFORM escrowgrid.escrow_try_create_position(asset, 'h', 'BHD', 10);
    PERFORM escrowgrid.escrow_create_asset((SELECT template_id FROM escrowgrid.assets WHERE id = asset), 'Another');
    path := current_setting('search_path');
    PERFORM set_config('search_path', 'public', true), set_config('escrowgrid.debug_write_path', 'auto', true);
    IF path <> 'hostile, pg_catalog, public' THEN RAISE 'the caller''s search_path is now %', path; END IF;
    RETURN (SELECT count(*) FROM hostile.hijacked);
END $$;
CREATE TRIGGER user_after AFTER INSERT OR UPDATE ON escrowgrid.positions FOR EACH ROW EXECUTE FUNCTION public.calls_lower();
CREATE TRIGGER user_after AFTER INSERT ON escrowgrid.audit_events FOR EACH ROW EXECUTE FUNCTION public.calls_lower();
ALTER TABLE escrowgrid.ledger_events ADD CHECK (public.lower_ok(id));
SELECT is(pg_temp.hijacks(:'a_id', 'auto'), 0::bigint, 'AFTER triggers and CHECK functions do not run by the caller''s search_path');
SELECT is(pg_temp.hijacks(:'a_id', 'ordinary'), 0::bigint, 'AFTER triggers and CHECK functions do not run by the caller''s search_path when rows are written by SPI');
CREATE TRIGGER user_before BEFORE INSERT ON escrowgrid.position_events FOR EACH ROW EXECUTE FUNCTION public.calls_lower();
SELECT is(pg_temp.hijacks(:'a_id', 'auto'), 0::bigint, 'BEFORE triggers do not run by the caller''s search_path');
SET LOCAL search_path = hostile, pg_catalog, public;
SELECT public.lower_ok('control') \g /dev/null
SET LOCAL search_path = public;
SELECT is((SELECT count(*) FROM hostile.hijacked), 1::bigint, 'the hostile function is found by whoever calls the same code directly');
ROLLBACK TO plain;

-- Replication of a table whose changes cannot be told apart is PostgreSQL's own refusal.
SELECT pg_temp.moved(:'a_id') AS p \gset
ALTER TABLE escrowgrid.positions REPLICA IDENTITY NOTHING;
CREATE PUBLICATION regress_direct FOR TABLE escrowgrid.positions;
SELECT throws_ok(format($$SELECT escrowgrid.escrow_transition(%L, 'RELEASED')$$, :'p'), '55000', NULL, 'no replica identity, no update');
ROLLBACK TO plain;

-- --- foreign keys that are proven, not checked
SELECT throws_ok($$SELECT escrowgrid.escrow_create_position('ast_none', 'h', 'BHD', 1)$$, 'ZE002', NULL, 'a position needs its asset');
SELECT pg_temp.moved(:'a_id') AS p \gset
SELECT throws_ok(format($$DELETE FROM escrowgrid.assets WHERE id = %L$$, :'a_id'), '23503', NULL, 'which cannot go while it is there');
SELECT is_empty($$SELECT e.id FROM escrowgrid.position_events AS e LEFT JOIN escrowgrid.positions AS p ON p.id = e.position_id WHERE p.id IS NULL$$, 'no event without its position');

-- --- in one statement, in one transaction, after an error
SELECT is((SELECT string_agg(version::text, ' ') FROM (VALUES ('PARTIALLY_RELEASED', 1), ('PARTIALLY_RELEASED', 2), ('RELEASED', NULL)) AS s (state, amount),
    LATERAL escrowgrid.escrow_transition(:'p', s.state, amount => s.amount)), '3 4 5', 'three calls of one statement see each other');
SELECT throws_ok(format($$SELECT escrowgrid.escrow_create_position(%L, 'h', 'BHD', 9999)$$, :'a_id'), 'ZE201', NULL, 'a policy is read without SPI');
SELECT region FROM escrowgrid.escrow_set_policy(:'i_id', 'US', '{"position": {"maxAmount": 20000}}') \g /dev/null
SELECT lives_ok(format($$SELECT escrowgrid.escrow_create_position(%L, 'h', 'BHD', 9999)$$, :'a_id'), 'and its new version at once');
SAVEPOINT looser;
SELECT region FROM escrowgrid.escrow_set_policy(:'i_id', 'US', '{"position": {"maxAmount": 1}}') \g /dev/null
SELECT throws_ok(format($$SELECT escrowgrid.escrow_create_position(%L, 'h', 'BHD', 9999)$$, :'a_id'), 'ZE201');
ROLLBACK TO looser;
SELECT lives_ok(format($$SELECT escrowgrid.escrow_create_position(%L, 'h', 'BHD', 9999)$$, :'a_id'), 'and the old one when that was rolled back');
SELECT is_empty('SELECT * FROM escrowgrid.escrow_verify()', 'everything verifies');

SELECT * FROM finish();
ROLLBACK;
