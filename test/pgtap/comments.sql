-- The COMMENT of each function lists the errors that the function raises.
BEGIN;
SET search_path = public;
SELECT no_plan();
\set access `cat ../../docs/access.md`
\set errors `cat ../../docs/errors.md`
CREATE TEMPORARY VIEW functions AS
SELECT proname::text AS name, obj_description(oid, 'pg_proc') AS comment
FROM pg_proc WHERE pronamespace = 'escrowgrid'::regnamespace;

SELECT matches(comment, '\mErrors: (none\.|.*(ZE\d{3}))', format('the COMMENT of %s() has a list of errors', name))
FROM functions ORDER BY name;
SELECT is_empty(
    format($$SELECT f.name, s.state[1]
        FROM functions AS f CROSS JOIN LATERAL regexp_matches(f.comment, 'ZE\d{3}', 'g') AS s (state)
        WHERE strpos(%L, '| ' || s.state[1] || ' |') = 0$$, :'errors'),
    'every SQLSTATE of class ZE that a COMMENT lists is in docs/errors.md');

-- What docs/access.md says that a caller is refused with.
CREATE TEMPORARY TABLE refusals AS
SELECT DISTINCT cell[1] AS name, refusal
FROM (SELECT regexp_match(line, '^\| `(\w+)` \| (\w+) \| (\w+) \| (\w+) \| (\w+) \|$') AS cell
      FROM regexp_split_to_table(:'access', '\n') AS line) AS l
CROSS JOIN LATERAL unnest(cell[2:5]) AS r (refusal)
WHERE cell IS NOT NULL AND refusal ~ '^ZE';
SELECT cmp_ok((SELECT count(*) FROM refusals), '>=', 50::bigint, 'docs/access.md has a table of who may call what');
SELECT matches((SELECT f.comment FROM functions AS f WHERE f.name = r.name), r.refusal,
    format('the COMMENT of %s() lists %s, with which docs/access.md says that it refuses callers', r.name, r.refusal))
FROM refusals AS r ORDER BY r.name, r.refusal;

SELECT * FROM finish();
ROLLBACK;
