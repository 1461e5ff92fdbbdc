#!/usr/bin/env bash
# bench-extras.sh [ARGUMENTS of test/bench/compare.py]: measures what users' triggers and indexes cost. It compares
# transitions of the same module without and with each of test/bench/extra_*.sql.
set -euo pipefail
. "$(dirname "$0")/common.sh"

for extra in "$ROOT"/test/bench/extra_*.sql; do
  say "$(sed -n '1s/^-- //p' "$extra")"
  EXTRA=$extra COUNT=no "$ROOT/scripts/bench-compare.sh" . --labels without with --only two "$@"
done
