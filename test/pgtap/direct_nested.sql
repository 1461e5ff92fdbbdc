-- A CHECK function that itself calls the extension's functions, while the row of another call is being checked; and
-- rules that are read through SPI.
BEGIN;
SET search_path = public;
SELECT no_plan();
\set institution_name 'Direct state'
\set template_config '{"currency": "USD"}'
\ir include/direct.psql
SAVEPOINT plain;

-- --- calls within a CHECK
-- In partners a position has a partner: another position, or an asset. The first CHECK of the position's row funds the
-- partner, or creates a position for it. The CHECKs compare what they computed before the function was called
-- (repeat(id, 2)) with what they compute after it: the memory that holds the former must survive the inner call.
CREATE TABLE public.partners (position_id text, partner text);
CREATE FUNCTION public.move_partner(moved text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    other text;
BEGIN
    DELETE FROM public.partners WHERE position_id = moved RETURNING partner INTO other;
    IF other IS NOT NULL THEN
        PERFORM escrowgrid.escrow_transition(other, 'FUNDED');
    END IF;
    RETURN '';
END $$;
CREATE FUNCTION public.create_partner(moved text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    asset text;
BEGIN
    DELETE FROM public.partners WHERE position_id = moved RETURNING partner INTO asset;
    IF asset IS NOT NULL THEN
        PERFORM escrowgrid.escrow_create_position(asset, 'partner', 'USD', 77);
    END IF;
    RETURN '';
END $$;
SELECT pg_temp.created(11) AS p, pg_temp.created(12) AS q, pg_temp.created(13) AS r \gset
INSERT INTO public.partners VALUES (:'p', :'q');
SAVEPOINT partners;

ALTER TABLE escrowgrid.positions ADD CONSTRAINT moves_partner
    CHECK (repeat(id, 2) || public.move_partner(id) = id || id) NOT VALID;
SELECT lives_ok(format('SELECT escrowgrid.escrow_transition(%L, %L)', :'p', 'FUNDED'),
    'a transition succeeds when a CHECK of positions moves another position');
SELECT is(
    (SELECT string_agg(state || ' ' || version || ' ' || amount, ', ' ORDER BY amount)
     FROM escrowgrid.positions
     WHERE id IN (:'p', :'q', :'r')),
    'FUNDED 2 11.00, FUNDED 2 12.00, CREATED 1 13.00',
    'a transition whose CHECK of positions moves another position leaves both funded and a third as it was');
SELECT is_empty('SELECT * FROM escrowgrid.escrow_verify()',
    'escrow_verify() finds nothing wrong after a CHECK of positions moved another position');
ROLLBACK TO partners;

ALTER TABLE escrowgrid.position_events ADD CONSTRAINT moves_partner
    CHECK (repeat(position_id, 2) || public.move_partner(position_id) = position_id || position_id) NOT VALID;
SELECT lives_ok(format('SELECT escrowgrid.escrow_transition(%L, %L)', :'p', 'FUNDED'),
    'a transition succeeds when a CHECK of position_events moves another position');
SELECT is(
    (SELECT string_agg(position_id || ' ' || seq || ' ' || amount, ', ' ORDER BY amount)
     FROM escrowgrid.position_events
     WHERE to_state = 'FUNDED' AND position_id IN (:'p', :'q')),
    format('%s 2 11.00, %s 2 12.00', :'p', :'q'),
    'a transition whose CHECK of position_events moves another position leaves an event of each');
SELECT is_empty('SELECT * FROM escrowgrid.escrow_verify()',
    'escrow_verify() finds nothing wrong after a CHECK of position_events moved another position');
ROLLBACK TO partners;

DELETE FROM public.partners;
INSERT INTO public.partners VALUES (:'p', :'asset_id'), (:'q', :'asset_id'), (:'r', :'asset_id');
ALTER TABLE escrowgrid.ledger_events ADD CONSTRAINT creates_partner
    CHECK (repeat(position_id, 2) || public.create_partner(position_id) = position_id || position_id) NOT VALID;
SELECT lives_ok(
    format('SELECT count(t) FROM escrowgrid.escrow_transition_batch(ARRAY[%L, %L, %L], %L) AS t',
        :'p', :'q', :'r', 'FUNDED'),
    'a batch succeeds when a CHECK of ledger_events creates a position for each of its rows');
SELECT is(
    (SELECT count(*) FROM escrowgrid.positions WHERE holder_reference = 'partner' AND amount = 77),
    3::bigint,
    'a batch of three whose CHECK of ledger_events creates a position for each row leaves three new positions');
SELECT is_empty('SELECT * FROM escrowgrid.escrow_verify()',
    'escrow_verify() finds nothing wrong after a CHECK of ledger_events created positions in a batch');
ROLLBACK TO plain;

-- --- rules that are read through SPI, because their table has a child; repeated, so that kept ones would show
CREATE TABLE public.more_templates () INHERITS (escrowgrid.asset_templates);
SELECT is(
    (SELECT string_agg(DISTINCT pg_temp.creation(10, repeat('h', n)), ' ') FROM generate_series(1, 40) AS n),
    'ok',
    'forty creations succeed when asset_templates has a child table');
SELECT is(pg_temp.outcome('SELECT pg_temp.funded(10 + n) FROM generate_series(1, 20) AS n'), 'ok',
    'twenty moves succeed when asset_templates has a child table');
SELECT region
FROM escrowgrid.escrow_set_policy(:'institution_id', 'US', '{"position": {"maxAmount": 50}}') \g /dev/null
SELECT is(pg_temp.creation(60) || ' ' || pg_temp.creation(40), 'ZE201 ok',
    'a creation above maxAmount of the policy is refused and one below succeeds when asset_templates has a child');

SELECT * FROM finish();
ROLLBACK;
