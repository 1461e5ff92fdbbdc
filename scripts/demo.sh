#!/usr/bin/env bash
# demo.sh: plays a construction escrow on a throwaway server. KEEP=1 leaves the server running.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/server.sh"

build_module
make_throwaway_directory
trap stop_server EXIT
say "starting a throwaway server in $THROWAWAY"
stage_server
start_server
"$STAGED_BIN/createdb" demo

"$STAGED_BIN/psql" -X -v VERBOSITY=default -d demo -f "$ROOT/scripts/demo.sql" 2>&1 |
  sed -E "s/^psql:[^ ]*: ERROR:/   ERROR:/; s/^(DETAIL|HINT):/   \1:/"

# psql continues after an error, because the demo shows one. So check that the position ended as it should.
outcome=$("$STAGED_BIN/psql" -XAt -d demo -c \
  "SELECT state || ' ' || released_amount || ' ' || version FROM escrowgrid.positions")
[ "$outcome" = "RELEASED 100000.00 5" ] ||
  die "the demo's position ended as \"$outcome\", not as \"RELEASED 100000.00 5\""

if [ -n "${KEEP:-}" ]; then
  trap - EXIT
  cat <<DONE

The server is still running. Connect with:

    ${SERVER_USER:+runuser -u $SERVER_USER -- }$STAGED_BIN/psql -h $PGHOST -U postgres -d demo

Stop it and remove its files with:

    ${SERVER_USER:+runuser -u $SERVER_USER -- }$STAGED_BIN/pg_ctl -D $THROWAWAY/data/pg -m immediate stop
    rm -rf $THROWAWAY
DONE
else
  say "done; the throwaway server is removed (make demo KEEP=1 leaves it running)"
fi
