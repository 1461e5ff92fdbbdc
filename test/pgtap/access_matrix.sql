-- The table in docs/access.md, cell by cell.
BEGIN;
SET search_path = public;
SELECT no_plan();
\set page `cat ../../docs/access.md`
CREATE TEMPORARY TABLE matrix AS
SELECT cell[1] AS name, caller, cell[column_number] AS expected
FROM (SELECT regexp_match(line, '^\| `(\w+)` \| (\w+) \| (\w+) \| (\w+) \| (\w+) \|$') AS cell FROM regexp_split_to_table(:'page', '\n') AS line) AS l
CROSS JOIN (VALUES ('root', 2), ('admin', 3), ('read_only', 4), ('nobody', 5)) AS c (caller, column_number)
WHERE cell IS NOT NULL;
GRANT SELECT ON matrix TO PUBLIC;

CREATE ROLE regress_app;
SELECT escrowgrid.escrow_grant_access('regress_app', 'application') \g /dev/null
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA escrowgrid TO regress_app;
SELECT id FROM escrowgrid.escrow_create_institution('M', '{US}') \gset i_
SELECT id FROM escrowgrid.escrow_create_asset_template('OWN', 'T', 'CONSTRUCTION', 'US', '{}', :'i_id') \gset t_
SELECT id FROM escrowgrid.escrow_create_asset(:'t_id', 'A') \gset a_
SELECT id FROM escrowgrid.escrow_create_position(:'a_id', 'h', 'USD', 10) \gset p_
SELECT region FROM escrowgrid.escrow_set_policy(:'i_id', 'US', '{}') \g /dev/null
SELECT id AS k FROM escrowgrid.escrow_create_api_key(:'i_id', 'k', 'admin') \gset
SELECT id FROM escrowgrid.escrow_checkpoint() \gset c_
SELECT id FROM escrowgrid.position_events WHERE position_id = :'p_id' \gset e_
SELECT api_key AS admin FROM escrowgrid.escrow_create_api_key(:'i_id', 'a', 'admin') \gset token_
SELECT api_key AS read_only FROM escrowgrid.escrow_create_api_key(:'i_id', 'r', 'read_only') \gset token_

CREATE TEMPORARY TABLE calls (name text, call text);
INSERT INTO calls VALUES
    ('escrow_create_institution', $$('X', '{US}')$$),
    ('escrow_create_asset_template', format($$('OWN', 'T', 'CONSTRUCTION', 'US', '{}', %L)$$, :'i_id')),
    ('escrow_create_asset', format($$(%L, 'A')$$, :'t_id')),
    ('escrow_create_position', format($$(%L, 'h', 'USD', 1)$$, :'a_id')),
    ('escrow_transition', format($$(%L, 'FUNDED')$$, :'p_id')),
    ('escrow_transition_batch', format($$(ARRAY[%L], 'FUNDED')$$, :'p_id')),
    ('escrow_position_at', format($$(%L, now())$$, :'p_id')),
    ('escrow_purge_idempotency_keys', $$('1 day')$$),
    ('escrow_set_policy', format($$(%L, 'US', '{}')$$, :'i_id')),
    ('escrow_get_policy', format($$(%L, 'US')$$, :'i_id')),
    ('escrow_try_create_position', format($$(%L, 'h', 'USD', 1)$$, :'a_id')),
    ('escrow_try_transition', format($$(%L, 'FUNDED')$$, :'p_id')),
    ('escrow_explain_create_position', format($$(%L, 'h', 'USD', 1)$$, :'a_id')),
    ('escrow_explain_transition', format($$(%L, 'FUNDED')$$, :'p_id')),
    ('escrow_create_api_key', format($$(%L, 'k', 'admin')$$, :'i_id')),
    ('escrow_rotate_api_key', format('(%L)', :'k')),
    ('escrow_revoke_api_key', format('(%L)', :'k')),
    ('escrow_list_api_keys', format('(%L)', :'i_id')),
    ('escrow_grant_access', $$('regress_app', 'reader')$$),
    ('escrow_get_institution', format('(%L)', :'i_id')),
    ('escrow_get_asset_template', format('(%L)', :'t_id')),
    ('escrow_get_asset', format('(%L)', :'a_id')),
    ('escrow_get_position', format('(%L)', :'p_id')),
    ('escrow_inclusion_proof', format('(%L, %L)', :'p_id', :'c_id')),
    ('escrow_redact_event', format('(%L)', :'e_id')),
    ('escrow_purge_institution', format($$(%L, 'M')$$, :'i_id')),
    ('escrow_authenticate', format('(%L)', :'token_admin')),
    ('escrow_verify_api_key', $$('x')$$),
    ('escrow_can_transition', $$('CREATED', 'FUNDED')$$);
INSERT INTO calls SELECT DISTINCT name, '()' FROM matrix WHERE name NOT IN (SELECT name FROM calls);

CREATE FUNCTION pg_temp.outcome(caller text, token text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text := 'ok';
BEGIN
    -- Undone whatever comes of it, so that each cell starts from the same rows.
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

SELECT bag_eq('SELECT DISTINCT name FROM matrix',
    $$SELECT p.proname::text FROM pg_proc AS p WHERE p.pronamespace = 'escrowgrid'::regnamespace AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)$$,
    'the table has every function');
SELECT is((SELECT count(*) FROM matrix), (SELECT count(DISTINCT name) * 4 FROM matrix), 'and every cell');
SELECT is(
    pg_temp.outcome(m.caller, CASE m.caller WHEN 'admin' THEN :'token_admin' WHEN 'read_only' THEN :'token_read_only' END,
        format('SELECT * FROM escrowgrid.%I%s', m.name, c.call)),
    CASE WHEN m.expected IN ('yes', 'own', 'told') THEN 'ok' ELSE m.expected END,
    format('%s calls %s: %s', m.caller, m.name, m.expected))
FROM matrix AS m JOIN calls AS c ON c.name = m.name ORDER BY m.name, m.caller;

SELECT * FROM finish();
ROLLBACK;
