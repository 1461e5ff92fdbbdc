#!/usr/bin/env bash
# proof.sh NAME [ARGUMENTS]: a proof that is too long for every test run, on a throwaway server.
#   model CALLS SEED    random calls of 4 sessions against the reference model
#   agreement REQUESTS SEED  explain, try and the real call, asked the same
#   batches ROUNDS      batches with overlapping ids in opposite orders by 8 sessions
#   escape ATTEMPTS     attempts of one tenant to reach another's rows
#   tampering ROUNDS SEED  random tampering, told alike by escrow_verify() and the independent verifier
#   verify EVENTS       verifying EVENTS events: rate, and memory that does not grow
#   storm SECONDS SEED  calls against DDL that changes their tables without pause
#   grants SECONDS SEED RATE...  new connections against GRANT and REVOKE of all tables, RATE a second
#   keys COUNT          signing in stays an index lookup among COUNT keys
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/server.sh"

name=${1:?which proof}
shift
build_module
need_packages python3 python3-psycopg2
make_throwaway_directory
trap stop_server EXIT
stage_server
# Small shared buffers, so that a backend's peak memory is its own.
if [ "$name" = verify ]; then start_server 'shared_buffers = 16MB'; else start_server; fi
"$STAGED_BIN/createdb" proof
"$STAGED_BIN/psql" -Xq -d proof -c 'CREATE EXTENSION escrowgrid'
export PGDATABASE=proof PYTHONDONTWRITEBYTECODE=1
case $name in
  model) /usr/bin/python3 "$ROOT/test/model/run.py" "$@" ;;
  agreement) /usr/bin/python3 "$ROOT/test/model/agreement.py" "$@" ;;
  batches) /usr/bin/python3 "$ROOT/test/model/batches.py" "$@" ;;
  escape) /usr/bin/python3 "$ROOT/test/escape/run.py" "$@" ;;
  tampering) /usr/bin/python3 "$ROOT/test/verifier/run.py" "$@" ;;
  verify) PATH="$STAGED_BIN:$PATH" "$ROOT/test/verifier/scale.sh" "$@" ;;
  storm) /usr/bin/python3 "$ROOT/test/storm/run.py" "$@" ;;
  grants) /usr/bin/python3 "$ROOT/test/storm/run.py" --grants "$@" ;;
  keys) "$STAGED_BIN/psql" -X -q -v ON_ERROR_STOP=1 -v count="$1" -f "$ROOT/test/escape/keys.sql" ;;
  *) die "no proof is named $name" ;;
esac
