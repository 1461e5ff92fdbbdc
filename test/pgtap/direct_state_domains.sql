-- A session that has written before keeps what it found out about the tables. Columns of a domain that a user adds
-- later nevertheless get the domain's default and are held to its constraints.
BEGIN;
SET search_path = public;
SELECT no_plan();
\set institution_name 'Direct state'
\set template_config '{"currency": "USD"}'
\ir include/direct.psql
SELECT is(pg_temp.creation(), 'ok', 'a creation succeeds before a user adds columns to the tables');

CREATE DOMAIN public.with_default AS text DEFAULT 'main';
CREATE DOMAIN public.over_default AS public.with_default;
CREATE DOMAIN public.never_null AS text NOT NULL;
CREATE DOMAIN public.checks_null AS text CHECK (VALUE IS NOT NULL);
SAVEPOINT domains;

-- --- defaults of domains
ALTER TABLE escrowgrid.positions ADD COLUMN branch public.with_default, ADD COLUMN office public.over_default;
ALTER TABLE escrowgrid.position_events ADD COLUMN branch public.with_default;
ALTER TABLE escrowgrid.ledger_events ADD COLUMN branch public.over_default;
ALTER TABLE escrowgrid.audit_events ADD COLUMN branch public.with_default;
SELECT pg_temp.funded() AS p \gset
SELECT is((SELECT concat_ws(' ', branch, office) FROM escrowgrid.positions WHERE id = :'p'), 'main main',
    'columns of positions of a domain with a default, and of a domain over that domain, get the default');
SELECT is((SELECT string_agg(branch, ' ') FROM escrowgrid.position_events WHERE position_id = :'p'), 'main main',
    'a column of position_events of a domain with a default gets the default');
SELECT is((SELECT string_agg(branch, ' ') FROM escrowgrid.ledger_events WHERE position_id = :'p'), 'main main',
    'a column of ledger_events of a domain over a domain with a default gets the default');
SELECT is((SELECT string_agg(branch, ' ') FROM escrowgrid.audit_events WHERE resource_id = :'p'), 'main main',
    'a column of audit_events of a domain with a default gets the default');
UPDATE escrowgrid.positions SET branch = 'north', office = NULL WHERE id = :'p';
SELECT state FROM escrowgrid.escrow_transition(:'p', 'RELEASED') \g /dev/null
SELECT is((SELECT concat_ws(' ', branch, office) FROM escrowgrid.positions WHERE id = :'p'), 'north',
    'a transition keeps the values, NULL included, of columns of a domain with a default');
ROLLBACK TO domains;

-- --- constraints of domains, in a column for which a creation has no value
-- Existing rows get a value first, so that the column can be given the domain at all; then a position is created.
CREATE FUNCTION pg_temp.create_with_domain(relation text, domain text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    t name;
BEGIN
    EXECUTE format('ALTER TABLE escrowgrid.%I ADD COLUMN branch text', relation);
    EXECUTE format('ALTER TABLE escrowgrid.%I DISABLE TRIGGER USER', relation);
    EXECUTE format('UPDATE escrowgrid.%I SET branch = %L', relation, 'old');
    EXECUTE format('ALTER TABLE escrowgrid.%I ALTER COLUMN branch TYPE public.%I', relation, domain);
    FOR t IN
        SELECT tgname FROM pg_trigger WHERE tgrelid = ('escrowgrid.' || relation)::regclass AND NOT tgisinternal
    LOOP
        EXECUTE format('ALTER TABLE escrowgrid.%I ENABLE ALWAYS TRIGGER %I', relation, t);
    END LOOP;
    PERFORM pg_temp.created();
END $$;
SELECT is(pg_temp.outcome(format('SELECT pg_temp.create_with_domain(%L, %L)', relation, domain)), code,
    format('a creation %s when %s has a column of a domain %s, for which the creation has no value',
        CASE code WHEN 'ok' THEN 'succeeds' ELSE 'is refused' END, relation, what))
FROM unnest(ARRAY['positions', 'position_events', 'ledger_events', 'audit_events']) AS relation,
    (VALUES
        ('never_null', 'with NOT NULL', '23502'),
        ('checks_null', 'with CHECK (VALUE IS NOT NULL)', '23514'),
        ('with_default', 'with a default', 'ok')
    ) AS d (domain, what, code);

SELECT * FROM finish();
ROLLBACK;
