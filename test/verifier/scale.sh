#!/usr/bin/env bash
# scale.sh EVENTS: measures escrow_verify() with a tenth of EVENTS events and with all of them. Prints events a second and
# peak memory, which must not grow with the number of events. Connects as a superuser with libpq's environment variables,
# to a fresh database with the extension.
set -euo pipefail

events=${1:-1000000}
run() { psql -XAtq -v ON_ERROR_STOP=1 "$@"; }

grow() { # to the given number of positions, with four events each
  run -v count="$1" <<'SQL'
SET search_path = escrowgrid; SET synchronous_commit = off;
SELECT count(i)
FROM escrow_create_institution('Large', '{US}') AS i
WHERE NOT EXISTS (SELECT FROM institutions) \g /dev/null
SELECT count(a)
FROM institutions AS i,
  escrow_create_asset_template('OWN', 'T', 'CONSTRUCTION', 'US', '{}', i.id) AS t,
  escrow_create_asset(t.id, 'A') AS a
WHERE NOT EXISTS (SELECT FROM assets) \g /dev/null
SELECT id AS asset FROM assets \gset
SELECT count(p)
FROM generate_series((SELECT count(*) + 1 FROM positions), :count) AS n,
  escrow_create_position(:'asset', 'holder ' || n, 'USD', 100) AS p \g /dev/null
CREATE TEMPORARY TABLE batches AS
SELECT array_agg(id) AS ids
FROM (SELECT id, row_number() OVER () / 1000 AS part FROM positions WHERE state = 'CREATED') AS p
GROUP BY part;
SELECT count(t)
FROM batches AS b, escrow_transition_batch(b.ids, 'FUNDED', 'wire received', '{"reference": "x"}') AS t \g /dev/null
SELECT count(t)
FROM batches AS b,
  escrow_transition_batch(
    b.ids, 'PARTIALLY_RELEASED', amounts => ARRAY(SELECT 25 FROM unnest(b.ids))) AS t \g /dev/null
SELECT count(t) FROM batches AS b, escrow_transition_batch(b.ids, 'RELEASED') AS t \g /dev/null
SQL
  run -c 'VACUUM ANALYZE'
}

measure() { # prints: events, seconds, peak memory in kB, discrepancies
  run <<'SQL'
SELECT clock_timestamp() AS began \gset
SELECT count(*) AS discrepancies FROM escrowgrid.escrow_verify() \gset
SELECT (SELECT count(*) FROM escrowgrid.position_events), round(extract(epoch FROM clock_timestamp() - :'began')::numeric, 2),
  substring(pg_read_file('/proc/self/status') FROM 'VmHWM:\s+(\d+)'), :discrepancies;
SQL
}

grow $((events / 40))
IFS='|' read -r small_events small_seconds small_memory small_found < <(measure)
grow $((events / 4))
IFS='|' read -r large_events large_seconds large_memory large_found < <(measure)
printf '%s events in %s s, peak memory %s kB\n' "$small_events" "$small_seconds" "$small_memory" \
  "$large_events" "$large_seconds" "$large_memory"
echo "$large_events $large_seconds" | awk '{printf "%d events a second\n", $1 / $2}'
failed=0
[ "$small_found" = 0 ] && [ "$large_found" = 0 ] || failed=$((failed + 1))
# Ten times the events may need some more memory for buffers and plans, but not for events.
[ "$large_memory" -lt $((small_memory + 16384)) ] || failed=$((failed + 1))
echo "$((2 - failed)) passed, $failed failed"
[ "$failed" -eq 0 ]
