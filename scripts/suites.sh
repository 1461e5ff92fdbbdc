# Runs suites of tests against the throwaway server, and counts what passed and failed. This file is sourced after
# server.sh, not run.
# shellcheck shell=bash

passed=0
failed=0

# Runs a suite and shows its output. The counter is a function that reads from the output how many tests passed and
# failed. A suite that fails without a failed test counts as one failed test.
suite() { # name, counter, command...
  local name=$1 counter=$2 log good=0 bad=0 code=0
  shift 2
  log=$THROWAWAY/$(printf '%s' "$name" | tr -c 'a-z0-9' -).log
  say "$name"
  "$@" 2>&1 | tee "$log" || code=$?
  read -r good bad < <("$counter" "$log") || true  # a suite that was cut short has no summary
  good=${good:-0} bad=${bad:-0}
  if [ "$code" -ne 0 ] && [ "$bad" -eq 0 ]; then bad=1; fi
  if [ "$good" -eq 0 ] && [ "$bad" -eq 0 ]; then
    echo "the suite ran no test: $name" >&2
    bad=1
  fi
  passed=$((passed + good))
  failed=$((failed + bad))
}

count_ctest() {
  local bad=0 all=0
  read -r bad all < <(sed -n 's/.* tests passed, \([0-9]*\) tests failed out of \([0-9]*\).*/\1 \2/p' "$1") || true
  echo "$((${all:-0} - ${bad:-0})) ${bad:-0}"
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
  # Autovacuum leaves the tables alone. A worker that holds a table's lock waits for a test that has granted rights on the
  # table, because both change its row in pg_class. The test deadlocks when it then needs the table's lock itself.
  "$STAGED_BIN/psql" -Xq -v ON_ERROR_STOP=1 -d pgtap <<'SQL' || return
CREATE EXTENSION escrowgrid;
CREATE EXTENSION pgtap;
SELECT format('ALTER TABLE %s SET (autovacuum_enabled = off)', oid::regclass)
FROM pg_class
WHERE relnamespace = 'escrowgrid'::regnamespace AND relkind = 'r' \gexec
SQL
  (cd "$ROOT/test/pgtap" && pg_prove --psql-bin "$STAGED_BIN/psql" -d pgtap ./*.sql)
}
run_python() { # database, program, arguments
  local database=$1
  shift
  "$STAGED_BIN/createdb" "$database"
  "$STAGED_BIN/psql" -Xq -d "$database" -c 'CREATE EXTENSION escrowgrid'
  PGDATABASE=$database PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 "$@"
}

# A crash that the server has logged counts as a failed test.
check_server_log() {
  if grep -aE 'PANIC|TRAP|terminated by signal' "$THROWAWAY/data/server.log"; then
    echo 'the server crashed during the tests' >&2
    failed=$((failed + 1))
  fi
}

show_differences() {
  local suite
  for suite in regress isolation; do
    [ ! -f "$ROOT/build/$suite/regression.diffs" ] || head -100 "$ROOT/build/$suite/regression.diffs"
  done
}

# Prints the last line of a run. Its status is that of the script.
finish_suites() {
  echo
  echo "$passed passed, $failed failed"
  [ "$failed" -eq 0 ]
}
