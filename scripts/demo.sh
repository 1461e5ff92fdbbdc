#!/usr/bin/env bash
# Plays a construction escrow on a throwaway server. KEEP=1 leaves the server running.
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

# The story must have ended as told; a demo that went wrong should not look like one that went right.
outcome=$("$STAGED_BIN/psql" -XAt -d demo -c \
  "SELECT state || ' ' || released_amount || ' ' || version FROM escrowgrid.positions")
[ "$outcome" = "RELEASED 100000.00 5" ] || die "the demo ended with \"$outcome\""

if [ -n "${KEEP:-}" ]; then
  trap - EXIT
  cat <<DONE

The server is still running. Connect with:

    ${SERVER_USER:+runuser -u $SERVER_USER -- }$STAGED_BIN/psql -h $PGHOST -U postgres -d demo

and stop it, with all that belongs to it, by:

    ${SERVER_USER:+runuser -u $SERVER_USER -- }$STAGED_BIN/pg_ctl -D $THROWAWAY/data/pg -m immediate stop
    rm -rf $THROWAWAY
DONE
else
  say "done; the throwaway server is gone (make demo KEEP=1 leaves it running)"
fi
