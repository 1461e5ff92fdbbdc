-- The table of who may call what in docs/access.md, cell by cell.
BEGIN;
SET search_path = public;
SELECT no_plan();

-- A cell is a function, a caller and what the page says: yes, own, told, or an SQLSTATE.
\set page `cat ../../docs/access.md`
CREATE TEMPORARY TABLE matrix AS
SELECT cell[1] AS name, caller, cell[column_number] AS expected
FROM (
    SELECT regexp_match(line, '^\| `(\w+)` \| (\w+) \| (\w+) \| (\w+) \| (\w+) \|$') AS cell
    FROM regexp_split_to_table(:'page', '\n') AS line
) AS l
CROSS JOIN (VALUES ('root', 2), ('admin', 3), ('read_only', 4), ('nobody', 5)) AS c (caller, column_number)
WHERE cell IS NOT NULL;
GRANT SELECT ON matrix TO PUBLIC;

-- The application's role may execute every function here, so that only the extension's own check is tested.
\ir include/application.psql
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA escrowgrid TO regress_app;

\set institution_name M
\ir include/fixtures.psql
SELECT id FROM escrowgrid.escrow_create_position(:'asset_id', 'h', 'USD', 10) \gset position_
SELECT region FROM escrowgrid.escrow_set_policy(:'institution_id', 'US', '{}') \g /dev/null
SELECT id FROM escrowgrid.escrow_create_api_key(:'institution_id', 'k', 'admin') \gset key_
SELECT id FROM escrowgrid.escrow_checkpoint() \gset checkpoint_
SELECT id FROM escrowgrid.position_events WHERE position_id = :'position_id' \gset event_
SELECT api_key AS admin FROM escrowgrid.escrow_create_api_key(:'institution_id', 'a', 'admin') \gset token_
SELECT api_key AS read_only FROM escrowgrid.escrow_create_api_key(:'institution_id', 'r', 'read_only') \gset token_

-- The arguments of a call of each function that would succeed for root.
CREATE TEMPORARY TABLE calls (name text, arguments text);
INSERT INTO calls VALUES
    ('escrow_create_institution', $$('X', '{US}')$$),
    ('escrow_create_asset_template', format($$('OWN', 'T', 'CONSTRUCTION', 'US', '{}', %L)$$, :'institution_id')),
    ('escrow_create_asset', format($$(%L, 'A')$$, :'template_id')),
    ('escrow_create_position', format($$(%L, 'h', 'USD', 1)$$, :'asset_id')),
    ('escrow_transition', format($$(%L, 'FUNDED')$$, :'position_id')),
    ('escrow_transition_batch', format($$(ARRAY[%L], 'FUNDED')$$, :'position_id')),
    ('escrow_position_at', format($$(%L, now())$$, :'position_id')),
    ('escrow_purge_idempotency_keys', $$('1 day')$$),
    ('escrow_set_policy', format($$(%L, 'US', '{}')$$, :'institution_id')),
    ('escrow_get_policy', format($$(%L, 'US')$$, :'institution_id')),
    ('escrow_try_create_position', format($$(%L, 'h', 'USD', 1)$$, :'asset_id')),
    ('escrow_try_transition', format($$(%L, 'FUNDED')$$, :'position_id')),
    ('escrow_explain_create_position', format($$(%L, 'h', 'USD', 1)$$, :'asset_id')),
    ('escrow_explain_transition', format($$(%L, 'FUNDED')$$, :'position_id')),
    ('escrow_create_api_key', format($$(%L, 'k', 'admin')$$, :'institution_id')),
    ('escrow_rotate_api_key', format('(%L)', :'key_id')),
    ('escrow_revoke_api_key', format('(%L)', :'key_id')),
    ('escrow_list_api_keys', format('(%L)', :'institution_id')),
    ('escrow_grant_access', $$('regress_app', 'reader')$$),
    ('escrow_get_institution', format('(%L)', :'institution_id')),
    ('escrow_get_asset_template', format('(%L)', :'template_id')),
    ('escrow_get_asset', format('(%L)', :'asset_id')),
    ('escrow_get_position', format('(%L)', :'position_id')),
    ('escrow_inclusion_proof', format('(%L, %L)', :'position_id', :'checkpoint_id')),
    ('escrow_redact_event', format('(%L)', :'event_id')),
    ('escrow_purge_institution', format($$(%L, 'M')$$, :'institution_id')),
    ('escrow_authenticate', format('(%L)', :'token_admin')),
    ('escrow_verify_api_key', $$('x')$$),
    ('escrow_can_transition', $$('CREATED', 'FUNDED')$$);
INSERT INTO calls
SELECT DISTINCT name, '()' FROM matrix WHERE name NOT IN (SELECT name FROM calls);

-- 'ok' or the SQLSTATE of a call. It is undone in any case, so that each cell starts from the same rows.
CREATE FUNCTION pg_temp.outcome(caller text, token text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text := 'ok';
BEGIN
    BEGIN
        IF token IS NOT NULL THEN
            PERFORM escrowgrid.escrow_authenticate(token);
        END IF;
        IF caller <> 'root' THEN
            SET LOCAL ROLE regress_app;
        END IF;
        EXECUTE statement;
        RAISE EXCEPTION 'undo';
    EXCEPTION
        WHEN raise_exception THEN NULL;
        WHEN OTHERS THEN result := SQLSTATE;
    END;
    RETURN result;
END $$;

SELECT bag_eq(
    'SELECT DISTINCT name FROM matrix',
    $$SELECT p.proname::text
      FROM pg_proc AS p
      WHERE p.pronamespace = 'escrowgrid'::regnamespace
        AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)$$,
    'the table in docs/access.md names exactly the functions of the extension that can be called');
SELECT is((SELECT count(*) FROM matrix), (SELECT count(DISTINCT name) * 4 FROM matrix),
    'the table in docs/access.md has four cells for each function');
SELECT is(
    pg_temp.outcome(
        m.caller,
        CASE m.caller WHEN 'admin' THEN :'token_admin' WHEN 'read_only' THEN :'token_read_only' END,
        format('SELECT * FROM escrowgrid.%I%s', m.name, c.arguments)),
    CASE WHEN m.expected IN ('yes', 'own', 'told') THEN 'ok' ELSE m.expected END,
    format('%s() called by %s %s',
        m.name,
        CASE m.caller
            WHEN 'root' THEN 'root'
            WHEN 'nobody' THEN 'an application without a key'
            ELSE format('an application with a key of role %s', m.caller)
        END,
        CASE WHEN m.expected IN ('yes', 'own', 'told') THEN 'succeeds' ELSE 'is refused with ' || m.expected END))
FROM matrix AS m
JOIN calls AS c ON c.name = m.name
ORDER BY m.name, m.caller;

SELECT * FROM finish();
ROLLBACK;
