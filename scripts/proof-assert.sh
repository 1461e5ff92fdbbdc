#!/usr/bin/env bash
# proof-assert.sh [SECONDS [SEED]]: the tests on a PostgreSQL server with assertions, which stops at misuse that Debian's
# server lets pass; some of them again with every cache entry discarded as soon as it can be; and a DDL storm of SECONDS
# (300 by default) against the calls. Ends with "N passed, N failed".
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/server.sh"
. "$(dirname "$0")/suites.sh"

seconds=${1:-300}
seed=${2:-1}

# debug_discard_caches = 1 makes a call 100 times slower: only these suites end in minutes. A call that resolves its
# tables again and again for as long as they are invalidated never ends then, so a suite has a limit of its own.
discarding_caches() { # seconds, command...
  local limit=$1
  shift
  PGOPTIONS='-c debug_discard_caches=1' timeout --foreground --kill-after=10 "$limit" "$@"
}
discard_regress() {
  discarding_caches 1800 make -C "$ROOT" -s installcheck PG_CONFIG="$PG_CONFIG" ISOLATION= bindir="$STAGED_BIN" \
    REGRESS='install main_job raw_dml savepoints'
}
discard_pgtap() {
  (cd "$ROOT/test/pgtap" && discarding_caches 1800 pg_prove --psql-bin "$STAGED_BIN/psql" -d pgtap direct.sql)
}

PG_CONFIG=$("$(dirname "$0")/assertion-server.sh")
export PG_CONFIG
need_packages "postgresql-$PGVERSION" "postgresql-$PGVERSION-pgtap" libtap-parser-sourcehandler-pgtap-perl python3 python3-psycopg2
make_throwaway_directory
trap stop_server EXIT
use_copy_of_checkout
build_module
stage_server
start_server

suite 'regression tests, with assertions' count_regress run_regress
suite 'isolation tests, with assertions' count_regress run_isolation
suite 'pgTAP, with assertions' count_prove run_pgtap
suite 'direct writes are what SPI writes, with assertions' count_summary run_python direct "$ROOT/test/direct/run.py" 150 "$seed"
suite 'regression tests, caches discarded' count_regress discard_regress
suite 'pgTAP of the direct writes, caches discarded' count_prove discard_pgtap
suite 'new connections against GRANT and REVOKE' count_summary run_python grants "$ROOT/test/storm/run.py" --grants 60 "$seed"
suite 'DDL storm' count_summary run_python storm "$ROOT/test/storm/run.py" "$seconds" "$seed"

check_server_log
show_differences
finish_suites
