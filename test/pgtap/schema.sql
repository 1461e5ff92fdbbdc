-- Every object of the extension is described, locked down and of the promised shape. CHECK constraints hold without
-- triggers.
BEGIN;
SET search_path = public;
SELECT no_plan();

-- --- COMMENTs
SELECT is_empty($$
    SELECT c.relname
    FROM pg_class AS c
    WHERE c.relnamespace = 'escrowgrid'::regnamespace
      AND c.relkind IN ('r', 'v')
      AND obj_description(c.oid, 'pg_class') IS NULL
$$, 'every table and view of the extension has a COMMENT');
SELECT is_empty($$
    SELECT c.relname, a.attname
    FROM pg_class AS c
    JOIN pg_attribute AS a ON a.attrelid = c.oid
    WHERE c.relnamespace = 'escrowgrid'::regnamespace
      AND c.relkind IN ('r', 'v')
      AND a.attnum > 0 AND NOT a.attisdropped
      AND col_description(c.oid, a.attnum) IS NULL
$$, 'every column of the extension''s tables and views has a COMMENT');
SELECT is_empty($$
    SELECT p.proname
    FROM pg_proc AS p
    WHERE p.pronamespace = 'escrowgrid'::regnamespace AND obj_description(p.oid, 'pg_proc') IS NULL
$$, 'every function of the extension has a COMMENT');
SELECT is_empty($$
    SELECT t.tgname, t.tgrelid::regclass
    FROM pg_trigger AS t
    JOIN pg_class AS c ON c.oid = t.tgrelid
    WHERE c.relnamespace = 'escrowgrid'::regnamespace
      AND NOT t.tgisinternal
      AND obj_description(t.oid, 'pg_trigger') IS NULL
$$, 'every trigger on the extension''s tables has a COMMENT');

-- --- triggers, functions, columns, indexes, foreign keys
SELECT is_empty($$
    SELECT t.tgname, t.tgrelid::regclass
    FROM pg_trigger AS t
    JOIN pg_class AS c ON c.oid = t.tgrelid
    WHERE c.relnamespace = 'escrowgrid'::regnamespace AND NOT t.tgisinternal AND t.tgenabled <> 'A'
$$, 'every trigger on the extension''s tables fires whatever session_replication_role is');
SELECT is_empty($$
    SELECT p.proname
    FROM pg_proc AS p
    WHERE p.pronamespace = 'escrowgrid'::regnamespace
      AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
      AND p.proname !~ '^escrow_[a-z_]+$'
$$, 'every function of the extension that can be called is named escrow_<verb>_<noun>');
SELECT is_empty($$
    SELECT p.proname FROM pg_proc AS p WHERE p.pronamespace = 'escrowgrid'::regnamespace AND p.prosecdef
$$, 'no function of the extension is SECURITY DEFINER');
SELECT is_empty($$
    SELECT p.proname, unnest(p.proargnames)
    FROM pg_proc AS p
    WHERE p.pronamespace = 'escrowgrid'::regnamespace AND p.proargnames::text ~ '[{,]p_'
$$, 'no argument of a function of the extension has the prefix p_');
SELECT is_empty($$
    SELECT p.proname
    FROM pg_proc AS p
    CROSS JOIN LATERAL unnest(p.proargnames) AS a (name)
    JOIN pg_get_keywords() AS k ON k.word = a.name AND k.catcode IN ('R', 'T')
    WHERE p.pronamespace = 'escrowgrid'::regnamespace
$$, 'no argument of a function of the extension is named like a reserved word');
SELECT is_empty($$
    SELECT c.relname, a.attname
    FROM pg_class AS c
    JOIN pg_attribute AS a ON a.attrelid = c.oid
    WHERE c.relnamespace = 'escrowgrid'::regnamespace
      AND c.relkind = 'r'
      AND a.attnum > 0
      AND (a.attname = 'id' OR a.attname LIKE '%\_id')
      AND a.attname <> 'request_id'
      AND a.attcollation <> '"C"'::regcollation
$$, 'every column of ids in the extension''s tables has the collation C');
SELECT is_empty($$
    SELECT c.relname
    FROM pg_class AS c, pg_extension AS x
    WHERE x.extname = 'escrowgrid'
      AND c.relnamespace = 'escrowgrid'::regnamespace
      AND c.relkind = 'r'
      AND c.oid <> ALL (x.extconfig)
$$, 'pg_dump includes the rows of every table of the extension');
SELECT is_empty($$
    SELECT i.indexrelid::regclass
    FROM pg_index AS i
    JOIN pg_attribute AS a ON a.attrelid = i.indrelid
    WHERE i.indrelid = 'escrowgrid.positions'::regclass
      AND a.attname IN ('state', 'updated_at', 'version', 'head_hash', 'released_amount', 'refunded_amount')
      AND (a.attnum = ANY (i.indkey) OR pg_get_expr(i.indpred, i.indrelid) ~ a.attname::text)
$$, 'no index of positions has a column that transitions change');
SELECT is_empty($$
    SELECT c.conname
    FROM pg_constraint AS c
    WHERE c.connamespace = 'escrowgrid'::regnamespace
      AND c.contype = 'f'
      AND (c.confdeltype <> 'a' OR c.confupdtype <> 'a')
$$, 'no foreign key of the extension cascades');
SELECT has_check('escrowgrid', 'positions', 'the table positions has a CHECK constraint');
SELECT is(
    (SELECT reloptions::text FROM pg_class WHERE oid = 'escrowgrid.balances'::regclass),
    '{security_invoker=true}',
    'the view balances is security_invoker: it checks the privileges of the role that reads it');

-- --- CHECK constraints of positions repeat the rules about amounts, for when the triggers are off
ALTER TABLE escrowgrid.positions DISABLE TRIGGER USER;
\set suffix test
\ir include/known_ids.psql
CREATE FUNCTION pg_temp.put(state text, amount numeric, released numeric, refunded numeric)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO escrowgrid.positions (id, institution_id, asset_id, holder_reference, currency, amount, state,
        released_amount, refunded_amount, created_at, updated_at, version, head_hash)
    VALUES ('pos_' || md5(random()::text), 'inst_test', 'ast_test', 'h', 'USD', amount, state,
        released, refunded, now(), now(), 1, sha256('x'))
$$;
SELECT throws_ok(format('SELECT pg_temp.put(%L, %L, %L, %L)', state, amount, released, refunded), '23514', NULL,
    format('a CHECK refuses a position in %s with amount %s, released %s, refunded %s',
        state, amount, released, refunded))
FROM (VALUES
    ('CREATED', 'NaN', '0', '0'),
    ('CREATED', 'Infinity', '0', '0'),
    ('CREATED', '0', '0', '0'),
    ('CREATED', '-1', '0', '0'),
    ('CREATED', '1000000000000000.01', '0', '0'),
    ('CREATED', '0.000000001', '0', '0'),
    ('CREATED', '10', '1', '0'),
    ('CREATED', '10', '0', '1'),
    ('FUNDED', '10', '1', '0'),
    ('FUNDED', '10', '0', '1'),
    ('PARTIALLY_RELEASED', '10', '10', '0'),
    ('PARTIALLY_RELEASED', '10', '1', '1'),
    ('RELEASED', '10', '9', '0'),
    ('RELEASED', '10', '9', '1'),
    ('CANCELLED', '10', '5', '4'),
    ('EXPIRED', '10', '5', '6'),
    ('CREATED', '10', 'NaN', '0'),
    ('PARTIALLY_RELEASED', '10', '-1', '0'),
    ('PAID', '10', '0', '0')
) AS v (state, amount, released, refunded);
SELECT lives_ok(format('SELECT pg_temp.put(%L, %L, %L, %L)', state, amount, released, refunded),
    format('the CHECKs accept a position in %s with amount %s, released %s, refunded %s',
        state, amount, released, refunded))
FROM (VALUES
    ('CREATED', '1000000000000000', 0, 0),
    ('CREATED', '0.00000001', 0, 0),
    ('FUNDED', '10', 0, 0),
    ('PARTIALLY_RELEASED', '10', 0, 0),
    ('PARTIALLY_RELEASED', '10', 9.99, 0),
    ('RELEASED', '10', 10, 0),
    ('CANCELLED', '10', 4, 6),
    ('CANCELLED', '10', 0, 0),
    ('EXPIRED', '10', 0, 10)
) AS v (state, amount, released, refunded);

SELECT * FROM finish();
ROLLBACK;
