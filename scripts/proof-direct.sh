#!/usr/bin/env bash
# proof-direct.sh ROUNDS SEED [--control] [ARGUMENTS of test/direct/run.py]: compares the rows that are written without
# SPI with the rows that SPI writes, on a throwaway server. With --control it checks the proof itself: it breaks one
# line of the direct writing at a time, in a copy of this tree, and requires that the proof fails. PG_CONFIG names
# another server to run on, for instance one with assertions.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/server.sh"

# A mutation is a file, a line that is in it exactly once, and the line that replaces it. These are the effects, in
# order: CHECKs are not checked, users' defaults are not filled in, updated rows get no index entries, users' code sees
# the tables as they were before the call, users' triggers do not fire, an update writes the currency as the holder_reference.
mutations() {
  cat <<'MUTATIONS'
src/pg/direct/check_row.cpp|    ExecConstraints(target.result, slot, call.estate);|    static_cast<void>(call.estate);
src/pg/direct/write_row.cpp|    fill_columns(call, target, slot);|    static_cast<void>(call.estate);
src/pg/direct/write_row.cpp|  List* rechecks = needs_entries() ? insert_index_entries(call, target, target.slot, true) : NIL;|  List* rechecks = needs_entries() ? NIL : NIL;
src/pg/direct/write_row.cpp|  if (!call.runs_users_code) {|  if (!call.runs_users_code || target.plan != nullptr) {
src/pg/direct/write_row.cpp|  ExecARInsertTriggers(call.estate, target.result, slot, rechecks, nullptr);|  static_cast<void>(call.estate);
src/pg/direct/write_row.cpp|      row.values[i] = found.slot()->tts_values[i];|      row.values[i] = found.slot()->tts_values[i == 3 ? 4 : i];
MUTATIONS
}

mutate() { # tree, file, line, replacement
  local count
  count=$(grep -cxF -- "$3" "$1/$2" || true)
  [ "$count" = 1 ] || die "$2 must have the line of the mutation once, but has it $count times: $3"
  LINE=$3 REPLACEMENT=$4 awk '$0 == ENVIRON["LINE"] {$0 = ENVIRON["REPLACEMENT"]} {print}' "$1/$2" >"$1/$2.mutated"
  mv "$1/$2.mutated" "$1/$2"
}

copy_tree() { # to
  mkdir -p "$1"
  (cd "$ROOT" && tar -c --exclude=.git .) | tar -x -C "$1"
}

# Runs the proof in a tree and prints the number of failed checks, or nothing if the proof did not finish.
failures_in() { # tree, log, arguments...
  local tree=$1 log=$2
  shift 2
  "$tree/scripts/proof-direct.sh" "$@" >"$log" 2>&1 </dev/null || true
  sed -n 's/^[0-9]* passed, \([0-9]*\) failed$/\1/p' "$log" | tail -1
}

# The proof must pass in the tree as it is. It must fail in a fresh copy with each of the mutations.
control() { # arguments of the proof...
  local copies file line replacement found good=0 bad=0
  copies=$(mktemp -d "${TMPDIR:-/tmp}/escrowgrid-control.XXXXXX")
  # shellcheck disable=SC2064
  trap "rm -rf '$copies'" EXIT
  judge() { # yes if the proof ended as it must, description
    if [ "$1" = yes ]; then
      good=$((good + 1))
      printf 'ok: %s\n' "$2"
    else
      bad=$((bad + 1))
      printf 'not ok: %s\n' "$2"
      tail -5 "$copies/log"
    fi
  }
  found=$(failures_in "$ROOT" "$copies/log" "$@")
  judge "$([ "$found" = 0 ] && echo yes)" "nothing is mutated: ${found:-no result} failed"
  while IFS='|' read -r file line replacement; do
    rm -rf "$copies/tree"
    copy_tree "$copies/tree"
    mutate "$copies/tree" "$file" "$line" "$replacement"
    found=$(failures_in "$copies/tree" "$copies/log" "$@")
    judge "$([ "${found:-0}" -gt 0 ] && echo yes)" "$file: $replacement: ${found:-no result} failed"
  done < <(mutations)
  printf '%s passed, %s failed\n' "$good" "$bad"
  [ "$bad" = 0 ]
}

rounds=${1:?how many rounds}
seed=${2:?which seed}
shift 2
if [ "${1:-}" = --control ]; then
  shift
  control "$rounds" "$seed" "$@"
  exit
fi
build_module
need_packages python3 python3-psycopg2
make_throwaway_directory
trap stop_server EXIT
stage_server
start_server 'wal_level = logical' 'max_prepared_transactions = 10' 'autovacuum = off'
code=0
PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 "$ROOT/test/direct/run.py" "$rounds" "$seed" "$@" || code=$?
if grep -E 'PANIC|TRAP|terminated by signal' "$THROWAWAY/data/server.log"; then
  die "the server crashed during the proof"
fi
exit "$code"
