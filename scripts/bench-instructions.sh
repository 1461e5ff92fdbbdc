#!/usr/bin/env bash
# bench-instructions.sh: how many instructions one transition takes in the backend, without the noise of a clock: the
# difference between few and many calls in a backend that callgrind counts.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/server.sh"

build_module
need_packages valgrind python3
make_throwaway_directory
trap stop_server EXIT
stage_server
start_server
"$STAGED_BIN/createdb" bench
"$STAGED_BIN/psql" -Xq -d bench -v ON_ERROR_STOP=1 -v positions=1000 -c 'CREATE EXTENSION escrowgrid' \
  -f "$ROOT/test/bench/peer_seed.sql" -f "$ROOT/test/bench/peer_own.sql" -f "$ROOT/test/bench/fill.sql"
as_server_user "$STAGED_BIN/pg_ctl" -D "$THROWAWAY/data/pg" -w -s stop

count() { # function, calls: instructions of a backend that makes them
  local out=$THROWAWAY/data/callgrind.$RANDOM
  as_server_user valgrind --tool=callgrind --callgrind-out-file="$out" "$STAGED_BIN/postgres" --single -D "$THROWAWAY/data/pg" bench \
    >/dev/null 2>&1 <<<"SELECT count(t) FROM generate_series(1, $2) AS n, LATERAL $1('pos_' || lpad(n::text, 26, '0'), 'PARTIALLY_RELEASED', amount => 0.01) AS t"
  sed -n 's/^summary: //p; s/^totals: //p' "$out" | head -1
}

few=100
many=400
for name in escrowgrid.escrow_transition seed.transition; do
  say "$name"
  if [ "$name" = seed.transition ]; then path='seed, public'; else path='escrowgrid, public'; fi
  printf "search_path = '%s'\n" "$path" | as_server_user tee -a "$THROWAWAY/data/pg/postgresql.conf" >/dev/null
  printf '%s: %d instructions a call\n' "$name" $((($(count "$name" $many) - $(count "$name" $few)) / (many - few)))
done
