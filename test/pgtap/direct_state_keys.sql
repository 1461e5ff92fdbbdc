-- Direct writing finds rows by the index of their key. Another unique index on the same columns, in another order, must
-- not be taken for it: every row is found beside it.
BEGIN;
SET search_path = public;
SELECT no_plan();
\set institution_name 'Direct state'
\set template_config '{"currency": "USD"}'
\ir include/direct.psql

-- Ids with upper and lower case, digits, punctuation and accents, which sort differently in each of the orders.
INSERT INTO escrowgrid.positions (id, asset_id, holder_reference, currency, amount)
SELECT 'pos_' || id, :'asset_id', 'h', 'USD', 10
FROM unnest(ARRAY['a', 'B', 'c', 'D', 'e', 'F', '1', '2a', '2B', '10', '9', 'aa', 'a_b', 'a-b', 'ab', 'Z', 'z9', 'Zz',
    '~x', 'é', 'É1']) AS id;
CREATE COLLATION public.letters_first (provider = icu, locale = 'en-u-kr-latn-digit');
CREATE COLLATION public.no_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);

-- The positions that cannot be funded, with the SQLSTATE.
CREATE FUNCTION pg_temp.unmoved() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    p text;
    code text;
BEGIN
    FOR p IN SELECT id FROM escrowgrid.positions WHERE state = 'CREATED' ORDER BY id LOOP
        code := pg_temp.outcome(format('SELECT escrowgrid.escrow_transition(%L, %L)', p, 'FUNDED'));
        IF code <> 'ok' THEN
            RETURN NEXT p || ' ' || code;
        END IF;
    END LOOP;
END $$;
SELECT is_empty('SELECT pg_temp.unmoved()', 'every position is found by its id in the index of the primary key');
SAVEPOINT ids;

-- --- other orders of positions.id
CREATE UNIQUE INDEX another_order ON escrowgrid.positions (id COLLATE "en-x-icu");
SELECT is_empty('SELECT pg_temp.unmoved()',
    'every position is found by its id when there is a unique index on id in an ICU collation');
ROLLBACK TO ids;
CREATE UNIQUE INDEX another_order ON escrowgrid.positions (id COLLATE public.letters_first);
SELECT is_empty('SELECT pg_temp.unmoved()',
    'every position is found by its id when there is a unique index on id in a collation of the user''s own');
ROLLBACK TO ids;
CREATE UNIQUE INDEX another_order ON escrowgrid.positions (id COLLATE public.no_case);
SELECT is_empty('SELECT pg_temp.unmoved()',
    'every position is found by its id when there is a unique index on id in a nondeterministic collation');
ROLLBACK TO ids;
CREATE UNIQUE INDEX another_order ON escrowgrid.positions (id text_pattern_ops);
SELECT is_empty('SELECT pg_temp.unmoved()',
    'every position is found by its id when there is a unique index on id with text_pattern_ops');
ROLLBACK TO ids;
CREATE UNIQUE INDEX another_order ON escrowgrid.positions (id DESC);
SELECT is_empty('SELECT pg_temp.unmoved()',
    'every position is found by its id when there is a unique index on id in descending order');
ROLLBACK TO ids;

-- --- other tables that are read by their keys
CREATE UNIQUE INDEX another_order ON escrowgrid.position_events (position_id COLLATE public.letters_first, seq);
SELECT is_empty('SELECT pg_temp.unmoved()',
    'every position''s last event is found when position_events has a unique index on its key in another collation');
ROLLBACK TO ids;

INSERT INTO escrowgrid.assets (id, institution_id, template_id, label, created_at, updated_at)
SELECT 'ast_' || id, :'institution_id', :'template_id', 'A', now(), now()
FROM unnest(ARRAY['a', 'B', '1', '2a', '9', 'Z', 'z9', 'é']) AS id;
CREATE UNIQUE INDEX another_order ON escrowgrid.assets (id COLLATE public.letters_first);
SELECT is(
    (SELECT string_agg(a.id || ' ' || o, ', ')
     FROM escrowgrid.assets AS a,
         LATERAL pg_temp.outcome(
             format('SELECT escrowgrid.escrow_create_position(%L, %L, %L, 10)', a.id, 'h', 'USD')) AS o
     WHERE o <> 'ok'),
    NULL,
    'every asset is found by a creation when assets has a unique index on id in another collation');
ROLLBACK TO ids;

-- Keys are found by the digest of their token, which has digits and letters in any order.
SELECT string_agg(api_key, ' ') AS keys
FROM generate_series(1, 40),
    LATERAL escrowgrid.escrow_create_api_key(:'institution_id', 'k', 'admin')
\gset
CREATE FUNCTION pg_temp.refused_keys(keys text) RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*)
    FROM string_to_table(keys, ' ') AS k
    WHERE pg_temp.outcome(format('SELECT escrowgrid.escrow_authenticate(%L)', k)) <> 'ok'
$$;
SELECT is(pg_temp.refused_keys(:'keys'), 0::bigint, 'each of 40 API keys signs in');
CREATE UNIQUE INDEX another_order ON escrowgrid.api_keys (key_hash COLLATE public.letters_first);
SELECT is(pg_temp.refused_keys(:'keys'), 0::bigint,
    'each of 40 API keys signs in when api_keys has a unique index on key_hash in another collation');

SELECT * FROM finish();
ROLLBACK;
