#!/usr/bin/env bash
# bench-instructions.sh: counts the instructions that one transition takes in the backend. Unlike times, instructions
# hardly vary. callgrind counts a few and many calls, and the difference is divided by the number of calls.
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

few=100
many=400
for name in escrowgrid.escrow_transition seed.transition; do
  say "$name"
  count() { # calls
    count_instructions bench "${name%.*}, public" \
      "SELECT count(t) FROM generate_series(1, $1) AS n, \
LATERAL $name('pos_' || lpad(n::text, 26, '0'), 'PARTIALLY_RELEASED', amount => 0.01) AS t"
  }
  printf '%s: %d instructions a call\n' "$name" $((($(count $many) - $(count $few)) / (many - few)))
done
