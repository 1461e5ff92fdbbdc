#!/usr/bin/env bash
# proof-valgrind.sh: the regression tests and pgTAP on a server with assertions that runs under valgrind, which notices
# reads of freed and of unset memory. Ends with "N passed, N failed".
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/server.sh"
. "$(dirname "$0")/suites.sh"

# Every process of the server writes a log of its own.
write_wrapper() { # path, suppressions
  cat >"$1" <<WRAPPER
#!/bin/sh
exec valgrind --quiet --leak-check=no --gen-suppressions=all --suppressions=$2 --time-stamp=yes \\
  --error-markers=VALGRINDERROR-BEGIN,VALGRINDERROR-END --log-file=$THROWAWAY/data/%p.valgrind --trace-children=yes \\
  $STAGED_BIN/postgres "\$@"
WRAPPER
  chmod 755 "$1"
}

# The cluster is made without valgrind, which would take minutes for PostgreSQL's own work.
restart_under_valgrind() {
  local wrapper=$THROWAWAY/postgres-under-valgrind
  write_wrapper "$wrapper" "$(dirname "$(dirname "$PG_CONFIG")")/valgrind.supp"
  as_server_user "$STAGED_BIN/pg_ctl" -D "$THROWAWAY/data/pg" -w -s stop
  as_server_user "$STAGED_BIN/pg_ctl" -D "$THROWAWAY/data/pg" -l "$THROWAWAY/data/server.log" -p "$wrapper" \
    -w -t 300 -s start ||
    { tail -20 "$THROWAWAY/data/server.log" >&2; die "the server did not start under valgrind"; }
}

# Each error counts as a failed test. The first are shown with their stacks.
check_valgrind_logs() {
  local errors
  as_server_user "$STAGED_BIN/pg_ctl" -D "$THROWAWAY/data/pg" -w -t 300 -s stop
  compgen -G "$THROWAWAY/data/*.valgrind" >/dev/null || die "valgrind wrote no log"
  errors=$(cat "$THROWAWAY"/data/*.valgrind | grep -c VALGRINDERROR-BEGIN || true)
  if [ "$errors" -gt 0 ]; then
    cat "$THROWAWAY"/data/*.valgrind | sed -n '/VALGRINDERROR-BEGIN/,/VALGRINDERROR-END/p' | head -400
    echo "valgrind found $errors errors" >&2
    failed=$((failed + errors))
  else
    passed=$((passed + 1))
  fi
}

PG_CONFIG=$("$(dirname "$0")/assertion-server.sh")
export PG_CONFIG
need_packages "postgresql-$PGVERSION" "postgresql-$PGVERSION-pgtap" libtap-parser-sourcehandler-pgtap-perl valgrind
make_throwaway_directory
trap stop_server EXIT
use_copy_of_checkout
build_module
stage_server
# Statistics that arrive in the middle of a slow test would change its plans.
start_server 'authentication_timeout = 10min' 'autovacuum = off'
restart_under_valgrind

suite 'regression tests, under valgrind' count_regress run_regress
suite 'pgTAP, under valgrind' count_prove run_pgtap
check_valgrind_logs
check_server_log
show_differences
finish_suites
