-- Users' code that runs within a call (defaults, triggers, constraints, policies of row security) and changes, in the
-- middle of the call, definitions of the tables or the rules that the call is judged by.
BEGIN;
SET search_path = public;
SELECT no_plan();
\ir include/table_owner.psql
\set institution_name Executor
\set template_config '{"currency": "USD"}'
\ir include/direct.psql
\ir include/direct_moved.psql
SAVEPOINT plain;

-- --- definitions
CREATE FUNCTION public.never_called() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE 'called';
END $$;
CREATE FUNCTION public.adds_trigger() RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    CREATE TRIGGER late BEFORE INSERT ON escrowgrid.audit_events
        FOR EACH ROW EXECUTE FUNCTION public.never_called();
    RETURN 1;
END $$;
ALTER TABLE escrowgrid.position_events ADD COLUMN x int;
ALTER TABLE escrowgrid.position_events ALTER COLUMN x SET DEFAULT public.adds_trigger();
SELECT is(pg_temp.moved(), '55006',
    'a call is refused when a default in it adds a BEFORE trigger to a table that the call writes to later');
ROLLBACK TO plain;

CREATE FUNCTION public.alters_positions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    ALTER TABLE escrowgrid.positions ADD COLUMN late int;
    RETURN NULL;
END $$;
CREATE TRIGGER alters AFTER INSERT ON escrowgrid.audit_events
    FOR EACH ROW EXECUTE FUNCTION public.alters_positions();
SELECT is(pg_temp.moved(), '55006',
    'an AFTER trigger cannot alter positions while a call is going to return one of its rows');
ROLLBACK TO plain;

-- A BEFORE trigger on position_events moves another position; the event of that move is suppressed by the same trigger,
-- which the call in the trigger refuses. The outer call goes on with the plan that it started with.
CREATE FUNCTION public.moves_another() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_trigger_depth() > 1 THEN
        RETURN NULL;
    END IF;
    BEGIN
        PERFORM escrowgrid.escrow_transition(current_setting('test.other'), 'FUNDED');
    EXCEPTION WHEN sqlstate '09000' THEN NULL;
    END;
    RETURN NEW;
END $$;
SELECT pg_temp.created() AS p, pg_temp.created() AS q \gset
SELECT set_config('test.other', :'q', true) \g /dev/null
CREATE TRIGGER aaa BEFORE INSERT ON escrowgrid.position_events
    FOR EACH ROW EXECUTE FUNCTION public.moves_another();
SELECT is((SELECT state FROM escrowgrid.escrow_transition(:'p', 'FUNDED')), 'FUNDED',
    'a transition succeeds when a trigger within it tries another one whose event is suppressed');
SELECT is((SELECT state FROM escrowgrid.escrow_transition(:'p', 'RELEASED')), 'RELEASED',
    'the next transition succeeds, too, when a trigger within it tries another one whose event is suppressed');
ROLLBACK TO plain;

-- --- rules: a constraint that sets a policy when the first row of a batch is written
CREATE FUNCTION public.sets_policy(institution text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM escrowgrid.institution_policies) THEN
        PERFORM escrowgrid.escrow_set_policy(institution, 'US', '{"position": {"requireReleaseAmount": true}}');
    END IF;
    RETURN true;
END $$;
SELECT array_agg(pg_temp.created(10, 'h' || n)) AS ids FROM generate_series(1, 120) AS n \gset
SELECT count(b) FROM escrowgrid.escrow_transition_batch(:'ids', 'FUNDED') AS b \g /dev/null
ALTER TABLE escrowgrid.position_events ADD CHECK (public.sets_policy(institution_id)) NOT VALID;
SELECT throws_ok(
    format('SELECT count(b) FROM escrowgrid.escrow_transition_batch(%L, %L) AS b', :'ids', 'PARTIALLY_RELEASED'),
    'ZE201', NULL,
    'a policy that a constraint sets in the middle of a batch holds for the rest of the batch');
ROLLBACK TO plain;

-- --- rules: kept rules that are replaced while they are in use
-- A role owns the tables, and row security is forced on it for policies. Its policy of row security runs users' code
-- while an exposure limit of US is judged. That code judges so many assets of another region that all kept rules are
-- replaced.
SELECT region
FROM escrowgrid.escrow_set_policy(:'institution_id', 'US', '{"position": {"maxOpenAmount": {"USD": 3500}}}')
\g /dev/null
SELECT count(pg_temp.created(1000, 'h' || n)) FROM generate_series(1, 3) AS n \g /dev/null
SELECT id FROM escrowgrid.escrow_create_institution('Two regions', '{US,EU_UK}') \gset other_institution_
SELECT id
FROM escrowgrid.escrow_create_asset_template('OTHER', 'T', 'CONSTRUCTION', 'EU_UK', '{"currency": "USD"}',
    :'other_institution_id')
\gset other_template_
CREATE TABLE public.other_assets AS
SELECT a.id
FROM generate_series(1, 120) AS n, LATERAL escrowgrid.escrow_create_asset(:'other_template_id', 'B' || n) AS a;
CREATE SEQUENCE public.times_judged;

CREATE ROLE owner_of_all;
GRANT USAGE ON SEQUENCE public.times_judged TO owner_of_all;
GRANT CREATE, USAGE ON SCHEMA escrowgrid TO owner_of_all;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA escrowgrid TO owner_of_all;
GRANT SELECT ON public.other_assets TO owner_of_all;
SELECT pg_temp.give_tables_to('owner_of_all') \g /dev/null

CREATE FUNCTION public.judges_others() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('test.judges', true) IS DISTINCT FROM 'yes' THEN
        RETURN true;
    END IF;
    PERFORM set_config('test.judges', 'no', true);
    PERFORM e
    FROM public.other_assets AS o,
        LATERAL escrowgrid.escrow_explain_create_position(o.id, 'h', 'USD', 1) AS e;
    PERFORM nextval('public.times_judged');
    RETURN true;
END $$;
ALTER TABLE escrowgrid.institution_policies FORCE ROW LEVEL SECURITY;
CREATE POLICY judges ON escrowgrid.institution_policies USING (public.judges_others());
SELECT is(pg_temp.moved('h', 1000), 'ZE201',
    'a creation that exceeds maxOpenAmount is refused when row security is forced on institution_policies');
SELECT set_config('test.judges', 'yes', true) \g /dev/null
SELECT is(pg_temp.moved('h', 1000), 'ZE201',
    'a creation that exceeds maxOpenAmount is refused when users'' code replaces the kept rules it is judged by');
SELECT ok((SELECT is_called FROM public.times_judged),
    'the users'' code that replaces the kept rules has run');
ROLLBACK TO plain;

SELECT is_empty('SELECT * FROM escrowgrid.escrow_verify()',
    'escrow_verify() finds nothing wrong after users'' code changed definitions and rules');
SELECT * FROM finish();
ROLLBACK;
