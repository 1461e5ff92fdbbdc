#!/usr/bin/env bash
# proof.sh NAME [ARGUMENTS]: runs a proof that takes too long for every test run, on a throwaway server.
#   model CALLS SEED             random calls of 4 sessions give the results of the reference model
#   agreement REQUESTS SEED      explain, try and the real call give the same answer to the same request
#   batches ROUNDS               8 sessions run batches with overlapping ids in opposite orders without a deadlock
#   escape ATTEMPTS              a tenant's attempts to reach another tenant's rows fail
#   tampering ROUNDS SEED        escrow_verify() and the independent verifier agree about random tampering
#   verify EVENTS                verifies EVENTS events, and prints the rate and the memory used
#   storm SECONDS SEED           runs calls against DDL that changes their tables without pause
#   grants SECONDS SEED RATE...  opens connections against GRANT and REVOKE of all tables, RATE times a second
#   keys COUNT                   signing in among COUNT keys is an index lookup
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
# The peak memory of a backend includes the shared buffers, so these are small.
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
