#!/usr/bin/env bash
# Every test: unit and corpus, regression, isolation, pgTAP, TAP, the model. On a throwaway server;
# ends with "N passed, N failed".
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/server.sh"

passed=0
failed=0

# Runs a suite, shows its output, and adds what `count` reads from it. A suite that ends badly without
# naming a failed test counts as one.
suite() { # name, counter, command...
  local name=$1 counter=$2 log good bad code=0
  shift 2
  log=$THROWAWAY/$(printf '%s' "$name" | tr -c 'a-z0-9' -).log
  say "$name"
  "$@" 2>&1 | tee "$log" || code=$?
  read -r good bad < <("$counter" "$log")
  if [ "$code" -ne 0 ] && [ "$bad" -eq 0 ]; then bad=1; fi
  if [ "$good" -eq 0 ] && [ "$bad" -eq 0 ]; then
    echo "no test was run: $name" >&2
    bad=1
  fi
  passed=$((passed + good))
  failed=$((failed + bad))
}

count_ctest() {
  sed -n 's/.* tests passed, \([0-9]*\) tests failed out of \([0-9]*\).*/\1 \2/p' "$1" | { read -r bad all || true; echo "$((${all:-0} - ${bad:-0})) ${bad:-0}"; }
}
count_regress() { echo "$(grep -cE '^test .* ok( |$)' "$1" || true) $(grep -cE '^test .* FAILED' "$1" || true)"; }
count_prove() {
  local all bad
  all=$(sed -n 's/^Files=[0-9]*, Tests=\([0-9]*\).*/\1/p' "$1" | tail -1)
  bad=$(sed -n 's/.*(Wstat: .* Tests: [0-9]* Failed: \([0-9]*\)).*/\1/p' "$1" | paste -sd+ | bc_sum)
  echo "$((${all:-0} - bad)) $bad"
}
bc_sum() { local sum; read -r sum || true; echo "$((${sum:-0}))"; }
count_summary() { sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' "$1" | tail -1; }

run_regress() { make -C "$ROOT" -s installcheck PG_CONFIG="$PG_CONFIG" ISOLATION= bindir="$STAGED_BIN"; }
run_isolation() { make -C "$ROOT" -s installcheck PG_CONFIG="$PG_CONFIG" REGRESS= bindir="$STAGED_BIN"; }
run_pgtap() {
  "$STAGED_BIN/createdb" pgtap
  "$STAGED_BIN/psql" -Xq -d pgtap -c 'CREATE EXTENSION escrowgrid; CREATE EXTENSION pgtap'
  (cd "$ROOT/test/pgtap" && pg_prove --psql-bin "$STAGED_BIN/psql" -d pgtap ./*.sql)
}
run_python() { # database, program, arguments
  local database=$1
  shift
  "$STAGED_BIN/createdb" "$database"
  "$STAGED_BIN/psql" -Xq -d "$database" -c 'CREATE EXTENSION escrowgrid'
  PGDATABASE=$database PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 "$@"
}

build_module
need_packages cmake libgtest-dev "postgresql-$PGVERSION-pgtap" libtap-parser-sourcehandler-pgtap-perl \
  libipc-run-perl pgbouncer openssl python3 python3-psycopg2
make_throwaway_directory
trap stop_server EXIT
stage_server
start_server 'wal_level = logical' 'max_prepared_transactions = 10'

suite 'structure' count_summary "$ROOT/scripts/lint-structure.sh"
suite 'unit tests and fuzz corpus (ASan, UBSan)' count_ctest "$ROOT/scripts/unit.sh"
suite 'regression tests' count_regress run_regress
suite 'isolation tests' count_regress run_isolation
suite 'pgTAP' count_prove run_pgtap
suite 'TAP: dumps, backups, replicas, upgrade, crash, identity, pooler' count_prove "$ROOT/scripts/tap.sh" "$THROWAWAY"
suite 'random calls against the model' count_summary run_python model "$ROOT/test/model/run.py" 5000 "${SEED:-1}"
suite 'tampering, told by two verifiers' count_summary run_python verifier "$ROOT/test/verifier/run.py" 1000 "${SEED:-1}"
suite 'explain, try and call agree' count_summary run_python agreement "$ROOT/test/model/agreement.py" 5000 "${SEED:-1}"
suite 'batches in opposite orders' count_summary run_python batches "$ROOT/test/model/batches.py" 400
suite 'rows written with and without SPI' count_summary env PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 "$ROOT/test/direct/run.py" 40 "${SEED:-1}"
suite 'attempts to reach another tenant' count_summary run_python escape "$ROOT/test/escape/run.py" 10000

if grep -E 'PANIC|TRAP|terminated by signal' "$THROWAWAY/data/server.log"; then
  echo 'the server crashed during the tests' >&2
  failed=$((failed + 1))
fi
[ -f "$ROOT/build/regress/regression.diffs" ] && head -100 "$ROOT/build/regress/regression.diffs"
[ -f "$ROOT/build/isolation/regression.diffs" ] && head -100 "$ROOT/build/isolation/regression.diffs"
echo
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
