#!/usr/bin/env bash
# proof-assert.sh [SECONDS [SEED]]: the tests on a PostgreSQL server with assertions, which stops at misuse that
# Debian's server lets pass. Some of them run again with every cache entry discarded as soon as possible. Then calls run
# against DDL that changes their tables without pause, for SECONDS (300 by default). Ends with "N passed, N failed".
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/server.sh"
. "$(dirname "$0")/suites.sh"

seconds=${1:-300}
seed=${2:-1}

# With debug_discard_caches = 1 a transition takes 2 seconds instead of 2 milliseconds, so these suites take about 15
# minutes. A call that resolves its tables again whenever they are invalidated never ends. The limit makes that a
# failure.
discarding_caches() { # seconds, command...
  local limit=$1
  shift
  PGOPTIONS='-c debug_discard_caches=1' timeout --foreground --kill-after=10 "$limit" "$@"
}
# CREATE EXTENSION alone would take a minute, so the first test makes the database as usual and the others use it.
discard_regress() {
  make -C "$ROOT" -s installcheck PG_CONFIG="$PG_CONFIG" ISOLATION= bindir="$STAGED_BIN" REGRESS=install
  discarding_caches 1800 make -C "$ROOT" -s installcheck PG_CONFIG="$PG_CONFIG" ISOLATION= bindir="$STAGED_BIN" \
    REGRESS='main_job savepoints raw_dml records reading' \
    REGRESS_OPTS='--inputdir=. --outputdir=build/regress --use-existing --dbname=contrib_regression'
}
discard_pgtap() {
  (cd "$ROOT/test/pgtap" && discarding_caches 1800 pg_prove --psql-bin "$STAGED_BIN/psql" -d pgtap direct.sql)
}
run_direct() { PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 "$ROOT/test/direct/run.py" 150 "$seed"; }

PG_CONFIG=$("$(dirname "$0")/assertion-server.sh")
export PG_CONFIG
need_packages "postgresql-$PGVERSION" "postgresql-$PGVERSION-pgtap" libtap-parser-sourcehandler-pgtap-perl \
  python3 python3-psycopg2
make_throwaway_directory
trap stop_server EXIT
use_copy_of_checkout
build_module
stage_server
start_server

suite 'regression tests, with assertions' count_regress run_regress
suite 'isolation tests, with assertions' count_regress run_isolation
suite 'pgTAP, with assertions' count_prove run_pgtap
suite 'rows written with and without SPI, with assertions' count_summary run_direct
# Rebuilding a relation cache entry takes longer with assertions, so more GRANTs a second than these would overflow the
# stack within PostgreSQL itself (docs/testing.md).
suite 'new connections against GRANT and REVOKE' count_summary \
  run_python grants "$ROOT/test/storm/run.py" --grants 60 "$seed" 10 50
suite 'calls against DDL' count_summary run_python storm "$ROOT/test/storm/run.py" "$seconds" "$seed"
suite 'regression tests, caches discarded' count_regress discard_regress
suite 'pgTAP of the direct writes, caches discarded' count_prove discard_pgtap

check_server_log
show_differences
finish_suites
