-- Rows that are written directly are the rows that SPI writes, value by value.
BEGIN;
SET search_path = public;
SELECT no_plan();
\set institution_name Direct
\set template_config '{"currency": "BHD"}'
\set currency BHD
\set policy '{"position": {"maxAmount": 5000}}'
\ir include/direct.psql
SET LOCAL escrowgrid.request_id = 'req-1';
SET LOCAL escrowgrid.client_ip = '10.1.2.3';
SET LOCAL escrowgrid.traceparent = '00-aa-bb-01';

-- A history with every kind of call: all arguments and none, amounts with decimals, idempotency keys that are repeated,
-- a refusal that is told, batches. Positions are found by their holder.
CREATE FUNCTION pg_temp.history(holder text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    asset text := current_setting('test.asset_id');
    p text;
    q text;
BEGIN
    p := (escrowgrid.escrow_create_position(asset, holder, 'BHD', 1234.5, 'ref', now() + interval '1 day',
        '{"b": [1.50, null], "a": "ü"}', 'create ' || holder)).id;
    PERFORM escrowgrid.escrow_transition(p, 'FUNDED', 'reason', '{"x": 1}');
    PERFORM escrowgrid.escrow_transition(p, 'PARTIALLY_RELEASED', amount => 0.125);
    PERFORM escrowgrid.escrow_transition(p, 'PARTIALLY_RELEASED', 'undeclared');
    PERFORM escrowgrid.escrow_transition(p, 'PARTIALLY_RELEASED', amount => 1000,
        idempotency_key => 'part ' || holder);
    PERFORM escrowgrid.escrow_transition(p, 'PARTIALLY_RELEASED', amount => 1000,
        idempotency_key => 'part ' || holder);
    PERFORM escrowgrid.escrow_transition(p, 'CANCELLED', metadata => '{}');
    PERFORM escrowgrid.escrow_try_transition(p, 'FUNDED');

    p := (escrowgrid.escrow_create_position(asset, holder, 'BHD', 5000)).id;
    q := (escrowgrid.escrow_create_position(asset, holder, 'BHD', 0.001,
        expires_at => now() + interval '1 day')).id;
    PERFORM escrowgrid.escrow_transition_batch(ARRAY[q, p], 'FUNDED', 'both', '{"y": 2}');
    PERFORM escrowgrid.escrow_transition_batch(ARRAY[p, q], 'RELEASED', amounts => ARRAY[5000, 0.001],
        idempotency_key => 'batch ' || holder);
END $$;

-- The rows of a history without what differs by nature: ids, times, hashes. Amounts are text, so that their scale
-- counts.
CREATE FUNCTION pg_temp.rows_of(holder text) RETURNS SETOF text LANGUAGE sql AS $$
    WITH p AS (
        SELECT *, row_number() OVER (ORDER BY created_at, id) AS n
        FROM escrowgrid.positions
        WHERE holder_reference = holder
    ),
    e AS (
        SELECT x.*, p.n FROM escrowgrid.position_events AS x JOIN p ON p.id = x.position_id
    )
    SELECT concat_ws('|', 'position', n, institution_id, asset_id, currency, amount, state, external_reference,
        released_amount, refunded_amount, version, updated_at >= created_at, expires_at IS NULL, due_at IS NULL)
    FROM p
    UNION ALL
    SELECT concat_ws('|', 'event', n, seq, from_state, to_state, reason, metadata, institution_id, amount, api_key_id,
        salt IS NULL, content_digest IS NULL, at = created_at)
    FROM e
    UNION ALL
    SELECT concat_ws('|', 'ledger', n, seq, l.kind, l.previous_state, l.new_state, l.institution_id, l.request_id,
        l.at = e.at, l.created_at = e.at, (l.payload - 'eventId' - 'holderReference')::text)
    FROM escrowgrid.ledger_events AS l
    JOIN e ON e.id = l.payload ->> 'eventId' AND l.position_id = e.position_id
    UNION ALL
    SELECT concat_ws('|', 'audit', n, seq, a.method, a.path, a.action, a.resource_type, a.outcome, a.error IS NULL,
        a.status_code, a.request_id, a.client_ip, a.db_role, a.institution_id, a.api_key_id, a.occurred_at = e.at,
        (a.payload - 'eventId')::text)
    FROM escrowgrid.audit_events AS a
    JOIN e ON e.id = a.payload ->> 'eventId' AND a.resource_id = e.position_id
    UNION ALL
    SELECT concat_ws('|', 'refusal', a.action, a.error ->> 'state', a.path, a.status_code, a.request_id, a.client_ip)
    FROM escrowgrid.audit_events AS a
    JOIN p ON a.resource_id = p.id
    WHERE a.outcome = 'failure'
$$;

-- --- written directly
SELECT is(pg_temp.way(), 'direct', 'rows are written directly when nothing of a user''s is on the tables');
SELECT is_empty($$SELECT * FROM escrowgrid.escrow_write_paths() WHERE path <> 'direct' OR reason IS NOT NULL$$,
    'escrow_write_paths() says direct without a reason when nothing of a user''s is on the tables');
SELECT is((SELECT count(*) FROM escrowgrid.escrow_write_paths()), 4::bigint,
    'escrow_write_paths() has a row for each of the four tables that a move writes');
SELECT pg_temp.history('direct') \g /dev/null
SAVEPOINT plain;

-- --- written directly with an AFTER trigger of a user's
CREATE TABLE public.fired (relation text, operation text);
CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.fired VALUES (TG_TABLE_NAME, TG_OP);
    RETURN NULL;
END $$;
CREATE TRIGGER user_note AFTER INSERT OR UPDATE ON escrowgrid.positions
    FOR EACH ROW EXECUTE FUNCTION public.note();
SELECT is(pg_temp.way(), 'direct', 'rows are written directly with an AFTER ROW trigger on positions');
SELECT pg_temp.history('with trigger') \g /dev/null
SELECT is((SELECT count(*) FROM public.fired), 12::bigint,
    'an AFTER ROW trigger on positions fires for each of twelve creations and transitions written directly');
DELETE FROM public.fired;

-- --- written through SPI
SELECT pg_temp.set_way('ordinary') \g /dev/null
SELECT is(pg_temp.way(), 'spi', 'rows are written through SPI when debug_write_path is ordinary');
SELECT is(pg_temp.reason('audit_events'), 'ordinary: escrowgrid.debug_write_path is ordinary',
    'escrow_write_paths() names debug_write_path as the reason when it is ordinary');
SELECT pg_temp.history('spi') \g /dev/null
SELECT pg_temp.set_way('auto') \g /dev/null
SELECT bag_eq($$SELECT pg_temp.rows_of('spi')$$, $$SELECT pg_temp.rows_of('direct')$$,
    'the same history written directly and through SPI leaves the same rows in all four tables');
SELECT cmp_ok((SELECT count(*) FROM pg_temp.rows_of('direct')), '>', 39::bigint,
    'the history that is compared has at least 40 rows');
SELECT is((SELECT count(*) FROM public.fired), 12::bigint,
    'an AFTER ROW trigger on positions fires for each of twelve creations and transitions written through SPI');
SELECT is_empty('SELECT * FROM escrowgrid.escrow_verify()',
    'escrow_verify() finds nothing wrong with histories written directly and through SPI');
ROLLBACK TO plain;

SELECT is(pg_temp.way(), 'direct',
    'rows are written directly again after the user''s trigger and debug_write_path = ordinary are gone');

SELECT * FROM finish();
ROLLBACK;
