-- The layout that the library is compiled with (src/pg/layout/layout.hpp) is the catalog's: every table with its columns
-- in order, their types and nullability, and its keys. A column that is added in SQL alone makes these tests fail.
BEGIN;
SELECT no_plan();

CREATE FUNCTION pg_temp.layout(
    OUT table_name text,
    OUT number integer,
    OUT column_name text,
    OUT type regtype,
    OUT is_nullable boolean,
    OUT is_changed_by_transitions boolean,
    OUT primary_place integer,
    OUT secondary_place integer
) RETURNS SETOF record LANGUAGE c AS '$libdir/escrowgrid', 'escrowgrid_layout';

CREATE TEMPORARY TABLE layout AS
SELECT l.table_name COLLATE "C", l.number, l.column_name COLLATE "C", l.type, l.is_nullable,
    l.is_changed_by_transitions, l.primary_place, l.secondary_place
FROM pg_temp.layout() AS l;

-- Members of the extension, so that tables of users in the schema are left alone.
CREATE TEMPORARY TABLE catalog AS
SELECT c.relname::text COLLATE "C" AS table_name, a.attnum::integer AS number, a.attname::text COLLATE "C" AS column_name,
    a.atttypid::regtype AS type, NOT a.attnotnull AS is_nullable, a.atttypmod, a.attgenerated, a.attidentity
FROM pg_class AS c
JOIN pg_depend AS d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
JOIN pg_extension AS x ON x.oid = d.refobjid AND x.extname = 'escrowgrid'
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
WHERE c.relkind IN ('r', 'p');

SELECT isnt_empty('SELECT FROM layout', 'the library tells its layout');

SELECT set_eq(
    'SELECT DISTINCT table_name FROM catalog',
    'SELECT DISTINCT table_name FROM layout',
    'the layout has the same tables as the extension'
);

SELECT results_eq(
    format('SELECT number, column_name, type, is_nullable FROM catalog WHERE table_name = %L ORDER BY number', t.table_name),
    format('SELECT number, column_name, type, is_nullable FROM layout WHERE table_name = %L ORDER BY number', t.table_name),
    format('the layout has the columns of table %s in order, with type and nullability', t.table_name)
)
FROM (SELECT DISTINCT table_name FROM catalog) AS t
ORDER BY t.table_name;

-- Values are written and compared as they are: no type modifier rounds them and no expression replaces them.
SELECT is_empty(
    $$SELECT table_name, column_name FROM catalog WHERE atttypmod <> -1 OR attgenerated <> '' OR attidentity <> ''$$,
    'no column has a type modifier, is generated or is an identity'
);

-- A key of the layout is a unique index over all rows, which is how rows are found by it.
SELECT results_eq(
    format(
        $$SELECT column_name FROM layout WHERE table_name = %L AND %I > 0 ORDER BY %I$$,
        k.table_name, k.place, k.place
    ),
    format(
        $$SELECT a.attname::text COLLATE "C" FROM pg_index AS i
          CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS u (number, place)
          JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = u.number
          WHERE i.indrelid = 'escrowgrid.%I'::regclass AND i.indisunique AND i.indpred IS NULL
          AND (i.indisprimary = %L)
          AND ARRAY(SELECT b.attname::text FROM unnest(i.indkey) WITH ORDINALITY AS v (number, place)
                    JOIN pg_attribute AS b ON b.attrelid = i.indrelid AND b.attnum = v.number ORDER BY v.place)
            = ARRAY(SELECT column_name::text FROM layout WHERE table_name = %L AND %I > 0 ORDER BY %I)
          ORDER BY u.place$$,
        k.table_name, k.place = 'primary_place', k.table_name, k.place, k.place
    ),
    format('the layout''s key %s of table %s is a unique index', replace(k.place, '_place', ''), k.table_name)
)
FROM (
    SELECT DISTINCT table_name, 'primary_place' AS place FROM layout
    UNION SELECT DISTINCT table_name, 'secondary_place' FROM layout WHERE secondary_place > 0
) AS k
ORDER BY k.table_name, k.place;

-- Rows are found by these indexes without SPI only if they compare texts bytewise and are checked at once.
SELECT is_empty(
    $$SELECT c.relname, a.attname FROM pg_index AS i
      JOIN pg_class AS c ON c.oid = i.indrelid
      JOIN layout AS l ON l.table_name = c.relname AND c.relnamespace = 'escrowgrid'::regnamespace
      JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = l.column_name AND a.attnum = ANY (i.indkey::smallint[])
      WHERE i.indisunique AND (l.primary_place > 0 OR l.secondary_place > 0)
      AND (NOT i.indimmediate OR NOT i.indisvalid OR i.indpred IS NOT NULL OR i.indexprs IS NOT NULL
        OR (l.type = 'text'::regtype AND a.attcollation <> 'pg_catalog."C"'::regcollation))$$,
    'every key of the layout is checked at once, valid, whole, and compares texts bytewise'
);

SELECT set_eq(
    'SELECT DISTINCT table_name FROM layout WHERE is_changed_by_transitions',
    ARRAY['positions'],
    'transitions update rows of positions alone'
);

-- The comparison notices a column that SQL alone adds.
ALTER TABLE escrowgrid.positions ADD COLUMN added_in_sql text;
SELECT results_ne(
    $$SELECT attname::text COLLATE "C" FROM pg_attribute
      WHERE attrelid = 'escrowgrid.positions'::regclass AND attnum > 0 ORDER BY attnum$$,
    $$SELECT column_name FROM layout WHERE table_name = 'positions' ORDER BY number$$,
    'a column of positions that is added in SQL alone is not in the layout'
);

SELECT * FROM finish();
ROLLBACK;
