-- A session that has written before keeps what it resolved of the tables. Nothing of it may outlive what it was made
-- from: constraints, functions, defaults of domains and indexes are judged as they are at each call.
BEGIN;
SET search_path = public;
SELECT no_plan();

SELECT id FROM escrowgrid.escrow_create_institution('Direct state', '{US}') \gset i_
SELECT id FROM escrowgrid.escrow_create_asset_template('OWN', 'T', 'CONSTRUCTION', 'US', '{"currency": "USD"}', :'i_id') \gset t_
SELECT id FROM escrowgrid.escrow_create_asset(:'t_id', 'A') \gset a_

CREATE FUNCTION pg_temp.created(asset text, amount numeric DEFAULT 10, holder text DEFAULT 'holder') RETURNS text LANGUAGE sql AS
$$ SELECT id FROM escrowgrid.escrow_create_position(asset, holder, 'USD', amount) $$;
CREATE FUNCTION pg_temp.funded(asset text, amount numeric DEFAULT 10) RETURNS text LANGUAGE sql AS
$$ SELECT id FROM escrowgrid.escrow_transition(pg_temp.created(asset, amount), 'FUNDED') $$;
-- The statement's SQLSTATE; 'ok' when it succeeds. What it wrote is undone.
CREATE FUNCTION pg_temp.outcome(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RAISE EXCEPTION SQLSTATE 'OKOKO';
EXCEPTION WHEN OTHERS THEN RETURN CASE SQLSTATE WHEN 'OKOKO' THEN 'ok' ELSE SQLSTATE END;
END $$;
CREATE FUNCTION pg_temp.creation(asset text, amount numeric DEFAULT 10, holder text DEFAULT 'holder') RETURNS text LANGUAGE sql AS
$$ SELECT pg_temp.outcome(format('SELECT pg_temp.created(%L, %L, %L)', asset, amount, holder)) $$;
SELECT is(pg_temp.creation(:'a_id'), 'ok', 'a creation succeeds before anything is put on the tables');
SAVEPOINT plain;

-- --- columns of users whose defaults and constraints are those of a domain
CREATE DOMAIN public.with_default AS text DEFAULT 'main';
CREATE DOMAIN public.over_default AS public.with_default;
CREATE DOMAIN public.never_null AS text NOT NULL;
CREATE DOMAIN public.checks_null AS text CHECK (VALUE IS NOT NULL);
SAVEPOINT domains;
SELECT pg_temp.funded(:'a_id') \g /dev/null
ALTER TABLE escrowgrid.positions ADD COLUMN branch public.with_default, ADD COLUMN office public.over_default;
ALTER TABLE escrowgrid.position_events ADD COLUMN branch public.with_default;
ALTER TABLE escrowgrid.ledger_events ADD COLUMN branch public.over_default;
ALTER TABLE escrowgrid.audit_events ADD COLUMN branch public.with_default;
SELECT pg_temp.funded(:'a_id') AS p \gset
SELECT is((SELECT concat_ws(' ', branch, office) FROM escrowgrid.positions WHERE id = :'p'), 'main main', 'columns of a domain with DEFAULT on positions get the default');
SELECT is((SELECT string_agg(branch, ' ') FROM escrowgrid.position_events WHERE position_id = :'p'), 'main main', 'a column of a domain with DEFAULT on position_events gets the default');
SELECT is((SELECT string_agg(branch, ' ') FROM escrowgrid.ledger_events WHERE position_id = :'p'), 'main main', 'a column of a domain over one with DEFAULT on ledger_events gets the default');
SELECT is((SELECT string_agg(branch, ' ') FROM escrowgrid.audit_events WHERE resource_id = :'p'), 'main main', 'a column of a domain with DEFAULT on audit_events gets the default');
UPDATE escrowgrid.positions SET branch = 'north', office = NULL WHERE id = :'p';
SELECT state FROM escrowgrid.escrow_transition(:'p', 'RELEASED') \g /dev/null
SELECT is((SELECT concat_ws(' ', branch, office) FROM escrowgrid.positions WHERE id = :'p'), 'north', 'a transition keeps what a column of a domain with DEFAULT holds');
ROLLBACK TO domains;
-- Existing rows get a value first, so that the column can be given the domain at all; then a position is created.
CREATE FUNCTION pg_temp.create_with_domain(relation text, domain text, asset text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE t name;
BEGIN
    EXECUTE format('ALTER TABLE escrowgrid.%I ADD COLUMN branch text', relation);
    EXECUTE format('ALTER TABLE escrowgrid.%I DISABLE TRIGGER USER', relation);
    EXECUTE format('UPDATE escrowgrid.%I SET branch = %L', relation, 'old');
    EXECUTE format('ALTER TABLE escrowgrid.%I ALTER COLUMN branch TYPE public.%I', relation, domain);
    FOR t IN SELECT tgname FROM pg_trigger WHERE tgrelid = ('escrowgrid.' || relation)::regclass AND NOT tgisinternal LOOP
        EXECUTE format('ALTER TABLE escrowgrid.%I ENABLE ALWAYS TRIGGER %I', relation, t);
    END LOOP;
    PERFORM pg_temp.created(asset);
END $$;
SELECT is(pg_temp.outcome(format('SELECT pg_temp.create_with_domain(%L, %L, %L)', relation, domain, :'a_id')), code,
    format('with a column of domain %s on %s, for which a creation has no value, the creation %s', domain, relation,
        CASE code WHEN 'ok' THEN 'succeeds' ELSE 'is refused' END))
FROM unnest(ARRAY['positions', 'position_events', 'ledger_events', 'audit_events']) AS relation,
    (VALUES ('never_null', '23502'), ('checks_null', '23514'), ('with_default', 'ok')) AS d (domain, code);
ROLLBACK TO plain;

-- --- functions of CHECK constraints that are replaced
CREATE FUNCTION public.inlined_ok(amount numeric) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 < 100';
CREATE FUNCTION public.called_ok(amount numeric) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER AS 'SELECT $1 < 100';
CREATE FUNCTION public.plpgsql_ok(amount numeric) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN $1 < 100; END';
CREATE FUNCTION public.inner_ok(amount numeric) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 < 100';
CREATE FUNCTION public.outer_ok(amount numeric) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT public.inner_ok($1)';
CREATE FUNCTION public.inner_called_ok(amount numeric) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN $1 < 100; END';
CREATE FUNCTION public.outer_called_ok(amount numeric) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER AS 'SELECT public.inner_called_ok($1)';
-- A session funds a position of 50, `replacement` limits amounts to 20, and it funds one of 50 and one of 10. The first
-- belongs to the same subtransaction as the others: what a function keeps is often bound to that.
CREATE FUNCTION pg_temp.before_and_after(relation text, checked text, replacement text, asset text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE escrowgrid.%I ADD CONSTRAINT user_limit CHECK (public.%I(amount)) NOT VALID', relation, checked);
    PERFORM pg_temp.funded(asset, 50);
    EXECUTE replacement;
    RETURN concat_ws(' ', pg_temp.outcome(format('SELECT pg_temp.funded(%L, 50)', asset)), pg_temp.outcome(format('SELECT pg_temp.funded(%L, 10)', asset)));
END $$;
CREATE FUNCTION pg_temp.replacing(relation text, checked text, replacement text, asset text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE seen text := 'nothing seen';
BEGIN
    BEGIN
        seen := pg_temp.before_and_after(relation, checked, replacement, asset);
        RAISE EXCEPTION SQLSTATE 'OKOKO';
    EXCEPTION WHEN SQLSTATE 'OKOKO' THEN NULL;
    END;
    RETURN seen;
END $$;
SELECT is(pg_temp.replacing(relation, checked, replacement, :'a_id'), '23514 ok',
    format('a CHECK of %s follows the new body, after the session has written, of %s', relation, what))
FROM unnest(ARRAY['positions', 'position_events']) AS relation, (VALUES
    ('an SQL function that can be inlined', 'inlined_ok',
        $$CREATE OR REPLACE FUNCTION public.inlined_ok(amount numeric) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 < 20'$$),
    ('an SQL function that cannot be inlined', 'called_ok',
        $$CREATE OR REPLACE FUNCTION public.called_ok(amount numeric) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER AS 'SELECT $1 < 20'$$),
    ('a PL/pgSQL function', 'plpgsql_ok',
        $$CREATE OR REPLACE FUNCTION public.plpgsql_ok(amount numeric) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN $1 < 20; END'$$),
    ('an inlined SQL function that an inlined SQL function calls', 'outer_ok',
        $$CREATE OR REPLACE FUNCTION public.inner_ok(amount numeric) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 < 20'$$),
    ('a PL/pgSQL function that an SQL function calls', 'outer_called_ok',
        $$CREATE OR REPLACE FUNCTION public.inner_called_ok(amount numeric) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN $1 < 20; END'$$),
    ('an SQL function that becomes a PL/pgSQL function with settings of its own', 'called_ok',
        $$CREATE OR REPLACE FUNCTION public.called_ok(amount numeric) RETURNS boolean LANGUAGE plpgsql SET work_mem = '1MB' AS 'BEGIN RETURN $1 < 20; END'$$)
) AS f (what, checked, replacement);
ROLLBACK TO plain;

-- --- unique indexes on the key's columns with another order than the key's
-- Upper case, digits and punctuation sort differently in each of the orders.
INSERT INTO escrowgrid.positions (id, asset_id, holder_reference, currency, amount)
SELECT 'pos_' || id, :'a_id', 'h', 'USD', 10
FROM unnest(ARRAY['a', 'B', 'c', 'D', 'e', 'F', '1', '2a', '2B', '10', '9', 'aa', 'a_b', 'a-b', 'ab', 'Z', 'z9', 'Zz', '~x', 'é', 'É1']) AS id;
CREATE FUNCTION pg_temp.unmoved() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE p text; code text;
BEGIN
    FOR p IN SELECT id FROM escrowgrid.positions WHERE state = 'CREATED' ORDER BY id LOOP
        code := pg_temp.outcome(format('SELECT escrowgrid.escrow_transition(%L, %L)', p, 'FUNDED'));
        IF code <> 'ok' THEN RETURN NEXT p || ' ' || code; END IF;
    END LOOP;
END $$;
CREATE COLLATION public.letters_first (provider = icu, locale = 'en-u-kr-latn-digit');
CREATE COLLATION public.no_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
SELECT is_empty('SELECT pg_temp.unmoved()', 'every position is found by its id');
SAVEPOINT ids;
CREATE UNIQUE INDEX another_order ON escrowgrid.positions (id COLLATE "en-x-icu");
SELECT is_empty('SELECT pg_temp.unmoved()', 'every position is found by its id beside a later unique index in an ICU collation');
ROLLBACK TO ids;
CREATE UNIQUE INDEX another_order ON escrowgrid.positions (id COLLATE public.letters_first);
SELECT is_empty('SELECT pg_temp.unmoved()', 'every position is found by its id beside a later unique index in a collation of the user''s own');
ROLLBACK TO ids;
CREATE UNIQUE INDEX another_order ON escrowgrid.positions (id COLLATE public.no_case);
SELECT is_empty('SELECT pg_temp.unmoved()', 'every position is found by its id beside a later unique index in a nondeterministic collation');
ROLLBACK TO ids;
CREATE UNIQUE INDEX another_order ON escrowgrid.positions (id text_pattern_ops);
SELECT is_empty('SELECT pg_temp.unmoved()', 'every position is found by its id beside a later unique index with text_pattern_ops');
ROLLBACK TO ids;
CREATE UNIQUE INDEX another_order ON escrowgrid.positions (id DESC);
SELECT is_empty('SELECT pg_temp.unmoved()', 'every position is found by its id beside a later unique index in descending order');
ROLLBACK TO ids;
CREATE UNIQUE INDEX another_order ON escrowgrid.position_events (position_id COLLATE public.letters_first, seq);
SELECT is_empty('SELECT pg_temp.unmoved()', 'the last event of every position is found beside a later unique index of position_events in another collation');
ROLLBACK TO ids;
INSERT INTO escrowgrid.assets (id, institution_id, template_id, label, created_at, updated_at)
SELECT 'ast_' || id, :'i_id', :'t_id', 'A', now(), now() FROM unnest(ARRAY['a', 'B', '1', '2a', '9', 'Z', 'z9', 'é']) AS id;
CREATE UNIQUE INDEX another_order ON escrowgrid.assets (id COLLATE public.letters_first);
SELECT is((SELECT string_agg(a.id || ' ' || o, ', ') FROM escrowgrid.assets AS a, pg_temp.creation(a.id) AS o WHERE o <> 'ok'), NULL, 'every asset is found beside a later unique index of assets in another collation');
ROLLBACK TO ids;
-- Signing in finds its key by the digest, which has digits and letters in any order.
SELECT string_agg(api_key, ' ') AS keys FROM generate_series(1, 40), LATERAL escrowgrid.escrow_create_api_key(:'i_id', 'k', 'admin') \gset
CREATE FUNCTION pg_temp.refused_keys(keys text) RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*) FROM string_to_table(keys, ' ') AS k WHERE pg_temp.outcome(format('SELECT escrowgrid.escrow_authenticate(%L)', k)) <> 'ok' $$;
SELECT is(pg_temp.refused_keys(:'keys'), 0::bigint, 'every API key signs in');
CREATE UNIQUE INDEX another_order ON escrowgrid.api_keys (key_hash COLLATE public.letters_first);
SELECT is(pg_temp.refused_keys(:'keys'), 0::bigint, 'every API key signs in beside a later unique index of api_keys in another collation');
ROLLBACK TO plain;

-- --- a CHECK function that writes by the extension's functions
-- While a transition's row is checked, the function moves another position; the memory that holds what the expression
-- has computed so far must survive that.
CREATE TABLE public.partners (position_id text, partner text);
CREATE FUNCTION public.move_partner(moved text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE other text;
BEGIN
    DELETE FROM public.partners WHERE position_id = moved RETURNING partner INTO other;
    IF other IS NOT NULL THEN PERFORM escrowgrid.escrow_transition(other, 'FUNDED'); END IF;
    RETURN '';
END $$;
CREATE FUNCTION public.create_partner(moved text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE asset text;
BEGIN
    DELETE FROM public.partners WHERE position_id = moved RETURNING partner INTO asset;
    IF asset IS NOT NULL THEN PERFORM escrowgrid.escrow_create_position(asset, 'partner', 'USD', 77); END IF;
    RETURN '';
END $$;
SELECT pg_temp.created(:'a_id', 11) AS p \gset
SELECT pg_temp.created(:'a_id', 12) AS q \gset
SELECT pg_temp.created(:'a_id', 13) AS r \gset
INSERT INTO public.partners VALUES (:'p', :'q');
SAVEPOINT partners;
ALTER TABLE escrowgrid.positions ADD CONSTRAINT moves_partner
    CHECK (repeat(id, 2) || public.move_partner(id) = id || id) NOT VALID;
SELECT lives_ok(format('SELECT escrowgrid.escrow_transition(%L, %L)', :'p', 'FUNDED'),
    'a transition succeeds whose CHECK on positions moves another position');
SELECT is((SELECT string_agg(state || version || amount, ' ' ORDER BY amount) FROM escrowgrid.positions WHERE id IN (:'p', :'q', :'r')), 'FUNDED211.00 FUNDED212.00 CREATED113.00',
    'a transition whose CHECK on positions moves another position leaves both as decided');
SELECT is_empty('SELECT * FROM escrowgrid.escrow_verify()', 'what a transition within a CHECK wrote verifies');
ROLLBACK TO partners;
ALTER TABLE escrowgrid.position_events ADD CONSTRAINT moves_partner
    CHECK (repeat(position_id, 2) || public.move_partner(position_id) = position_id || position_id) NOT VALID;
SELECT lives_ok(format('SELECT escrowgrid.escrow_transition(%L, %L)', :'p', 'FUNDED'),
    'a transition succeeds whose CHECK on position_events moves another position');
SELECT is((SELECT string_agg(position_id || seq || amount, ' ' ORDER BY amount) FROM escrowgrid.position_events WHERE to_state = 'FUNDED' AND position_id IN (:'p', :'q')),
    :'p' || '211.00 ' || :'q' || '212.00', 'each event of a transition within a CHECK names its own position');
SELECT is_empty('SELECT * FROM escrowgrid.escrow_verify()', 'what a transition within a CHECK of position_events wrote verifies');
ROLLBACK TO partners;
DELETE FROM public.partners;
INSERT INTO public.partners VALUES (:'p', :'a_id'), (:'q', :'a_id'), (:'r', :'a_id');
ALTER TABLE escrowgrid.ledger_events ADD CONSTRAINT creates_partner
    CHECK (repeat(position_id, 2) || public.create_partner(position_id) = position_id || position_id) NOT VALID;
SELECT lives_ok(format('SELECT count(t) FROM escrowgrid.escrow_transition_batch(ARRAY[%L, %L, %L], %L) AS t', :'p', :'q', :'r', 'FUNDED'),
    'a batch succeeds whose CHECK on ledger_events creates positions');
SELECT is((SELECT count(*) FROM escrowgrid.positions WHERE holder_reference = 'partner' AND amount = 77), 3::bigint, 'a batch whose CHECK on ledger_events creates positions leaves all of them');
SELECT is_empty('SELECT * FROM escrowgrid.escrow_verify()', 'what creations within a CHECK of a batch wrote verifies');
ROLLBACK TO plain;

-- --- rules that cannot be read directly: their tables have a child, and are read by SPI
CREATE FUNCTION pg_temp.creations(asset text) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(DISTINCT pg_temp.creation(asset, 10, repeat('h', n)), ' ') FROM generate_series(1, 40) AS n $$;
CREATE TABLE public.more_templates () INHERITS (escrowgrid.asset_templates);
SELECT is(pg_temp.creations(:'a_id'), 'ok', 'positions are created while asset_templates has a child table');
SELECT is(pg_temp.outcome(format('SELECT pg_temp.funded(%L, 10 + n) FROM generate_series(1, 20) AS n', :'a_id')), 'ok', 'positions are moved while asset_templates has a child table');
SELECT region FROM escrowgrid.escrow_set_policy(:'i_id', 'US', '{"position": {"maxAmount": 50}}') \g /dev/null
SELECT is(pg_temp.creation(:'a_id', 60) || ' ' || pg_temp.creation(:'a_id', 40), 'ZE201 ok', 'a policy is enforced while asset_templates has a child table');
ROLLBACK TO plain;

-- --- a CHECK that cannot be initialised while search_path lacks a table
CREATE SCHEMA limits_here;
CREATE TABLE limits_here.limits (max numeric);
INSERT INTO limits_here.limits VALUES (100);
SET LOCAL search_path = limits_here, public;
CREATE FUNCTION public.limit_ok(amount numeric) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT $1 < max FROM limits';
SET LOCAL search_path = public;
ALTER TABLE escrowgrid.positions ADD CONSTRAINT a_limit CHECK (public.limit_ok(amount)) NOT VALID;
ALTER TABLE escrowgrid.positions ADD CONSTRAINT z_no_strangers CHECK (holder_reference <> 'stranger') NOT VALID;
SAVEPOINT limited;
SELECT is(pg_temp.creation(:'a_id', 500), '42P01', 'a CHECK whose function lacks a table fails at the first creation');
SELECT is(pg_temp.creation(:'a_id', 500), '42P01', 'a CHECK whose function lacks a table fails at the second creation of the session, too');
SELECT is(pg_temp.creation(:'a_id', 500), '42P01', 'a CHECK whose function lacks a table fails at the third creation of the session, too');
SELECT is(pg_temp.creation(:'a_id', 10, 'stranger'), '42P01', 'after a CHECK that could not be initialised no row is written that violates a CHECK behind it in name order');
SET LOCAL search_path = limits_here, public;
SELECT is(pg_temp.creation(:'a_id', 500), '23514', 'the CHECK refuses a forbidden amount once its function finds the table');
SELECT is(pg_temp.creation(:'a_id', 50), 'ok', 'the CHECK takes an allowed amount once its function finds the table');
SELECT is(pg_temp.creation(:'a_id', 50, 'stranger'), '23514', 'a CHECK behind the one that failed before is enforced');
SET LOCAL search_path = public;
SELECT is(pg_temp.creation(:'a_id', 50), '42P01', 'the CHECK fails again when search_path lacks the table again');
ROLLBACK TO limited;

-- The extension's own CHECKs: a row that violates one of them (made with the triggers and the constraint off) cannot
-- be written again by a transition.
SET LOCAL search_path = limits_here, public;
SELECT pg_temp.created(:'a_id') AS p \gset
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
SET LOCAL search_path = public;  -- from the first transition on: what was initialised once would be kept
SELECT is(pg_temp.outcome(:'fund'), '42P01', 'a transition fails while another CHECK cannot be initialised');
SELECT is(pg_temp.outcome(:'fund'), '42P01', 'a transition fails again while another CHECK cannot be initialised, so that no CHECK of the extension is skipped');
SET LOCAL search_path = limits_here, public;
SELECT is(pg_temp.outcome(:'fund'), '23514', 'a CHECK of the extension is enforced after another CHECK could not be initialised');
ROLLBACK TO limited;

-- The same on a record table, and by a batch.
ALTER TABLE escrowgrid.positions DROP CONSTRAINT a_limit;
ALTER TABLE escrowgrid.position_events ADD CONSTRAINT a_limit CHECK (public.limit_ok(amount)) NOT VALID;
SELECT is(pg_temp.creation(:'a_id', 500), '42P01', 'a CHECK of position_events that cannot be initialised fails at the first creation');
SELECT is(pg_temp.creation(:'a_id', 500), '42P01', 'a CHECK of position_events that cannot be initialised fails at the second creation of the session, too');
SET LOCAL search_path = limits_here, public;
SELECT is(pg_temp.outcome(format('SELECT pg_temp.funded(%L, 500)', :'a_id')), '23514', 'a CHECK of position_events is enforced once its function finds the table');
SELECT pg_temp.created(:'a_id') AS p \gset
SELECT pg_temp.created(:'a_id') AS q \gset
SET LOCAL search_path = public;
SELECT format('SELECT escrowgrid.escrow_transition_batch(ARRAY[%L, %L], %L)', :'p', :'q', 'FUNDED') AS batch \gset
SELECT is(pg_temp.outcome(:'batch'), '42P01', 'a CHECK that cannot be initialised fails in a batch');
SELECT is(pg_temp.outcome(:'batch'), '42P01', 'a CHECK that cannot be initialised fails in the second batch of the session, too');
ROLLBACK TO plain;

SELECT is(pg_temp.creation(:'a_id'), 'ok', 'a creation succeeds after everything on the tables is gone');
SELECT * FROM finish();
ROLLBACK;
