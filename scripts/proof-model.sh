#!/usr/bin/env bash
# proof-model.sh CALLS SEED: random calls of 4 sessions against the reference model, on a throwaway server.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/server.sh"

build_module
need_packages python3 python3-psycopg2
make_throwaway_directory
trap stop_server EXIT
stage_server
start_server
"$STAGED_BIN/createdb" model
"$STAGED_BIN/psql" -Xq -d model -c 'CREATE EXTENSION escrowgrid'
PGDATABASE=model PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 "$ROOT/test/model/run.py" "${1:-100000}" "${2:-1}"
