#!/usr/bin/env bash
# test.sh: what contributors and CI run. The checks of the sources that are quick, unit tests and the fuzzers' corpus, and
# on a throwaway server regression tests, isolation tests, pgTAP, TAP and shortened proofs (SEED=1).
# Ends with "N passed, N failed".
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/server.sh"
. "$(dirname "$0")/suites.sh"

build_module
need_packages cmake libgtest-dev "postgresql-$PGVERSION-pgtap" libtap-parser-sourcehandler-pgtap-perl \
  libipc-run-perl pgbouncer openssl python3 python3-psycopg2
make_throwaway_directory
trap stop_server EXIT
stage_server
start_server 'wal_level = logical' 'max_prepared_transactions = 10'

suite 'structure' count_summary "$ROOT/scripts/lint-structure.sh"
suite 'clang-format, .editorconfig, shellcheck' count_summary "$ROOT/scripts/lint.sh" format editor shell
suite 'no type with a destructor in the shell' count_summary "$ROOT/scripts/lint-destructors.sh"
suite 'unit tests and fuzz corpus (ASan, UBSan)' count_ctest "$ROOT/scripts/unit.sh"
suite 'regression tests' count_regress run_regress
suite 'isolation tests' count_regress run_isolation
suite 'pgTAP' count_prove run_pgtap
suite 'TAP: dumps, backups, replicas, upgrade, crash, identity, pooler' count_prove "$ROOT/scripts/tap.sh" "$THROWAWAY"
suite 'random calls against the model' count_summary run_python model "$ROOT/test/model/run.py" 5000 "${SEED:-1}"
suite 'tampering, noticed by two verifiers' count_summary \
  run_python verifier "$ROOT/test/verifier/run.py" 1000 "${SEED:-1}"
suite 'explain, try and call agree' count_summary run_python agreement "$ROOT/test/model/agreement.py" 5000 "${SEED:-1}"
suite 'batches in opposite orders' count_summary run_python batches "$ROOT/test/model/batches.py" 400
suite 'rows written with and without SPI' count_summary \
  env PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 "$ROOT/test/direct/run.py" 40 "${SEED:-1}"
suite 'attempts to reach another tenant' count_summary run_python escape "$ROOT/test/escape/run.py" 10000

check_server_log
show_differences
finish_suites
