#!/usr/bin/env bash
# bench-scale.sh EVENTS: transitions a second among 100 thousand events and among EVENTS, on one server, in turns.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/server.sh"

events=${1:-10000000}
build_module
need_packages python3 python3-psycopg2
make_throwaway_directory
trap stop_server EXIT
stage_server
start_server 'fsync = on' 'shared_buffers = 2GB' 'max_wal_size = 16GB' 'checkpoint_timeout = 1h' 'autovacuum = off' \
  'synchronous_commit = off'
for pair in "small 100000" "large $events"; do
  read -r name size <<<"$pair"
  say "filling a database with $size events"
  "$STAGED_BIN/createdb" "$name"
  "$STAGED_BIN/psql" -Xq -d "$name" -v ON_ERROR_STOP=1 -v events="$size" -c 'CREATE EXTENSION escrowgrid' \
    -f "$ROOT/test/bench/fill_scale.sql"
done
PATH="$STAGED_BIN:$PATH" /usr/bin/python3 "$ROOT/test/bench/scale.py"
