#!/usr/bin/env bash
# tap.sh: runs test/tap with the staged server programs; called by test.sh with a throwaway directory.
# The tests start servers of their own, so they run as the server's account, from copies it can read.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/server.sh"

THROWAWAY=$1
[ "$(id -u)" != 0 ] || SERVER_USER=postgres
work=$THROWAWAY/tap
mkdir -p "$work/tmp"  # sockets too: what a failing test leaves behind goes with the rest
cp "$ROOT"/test/tap/*.pl "$work/"
[ -z "$SERVER_USER" ] || chown -R "$SERVER_USER" "$work"
pgxs=$(dirname "$("$PG_CONFIG" --pgxs)")/../..
# The servers of these tests are found by their own settings, not by ours.
as_server_user env -u PGHOST -u PGPORT -u PGUSER -u PGDATABASE \
  PATH="$STAGED_BIN:$PATH" TMPDIR="$work/tmp" TESTDIR="$work" PG_REGRESS="$pgxs/src/test/regress/pg_regress" \
  LANG=C.UTF-8 prove -I "$pgxs/src/test/perl" "$work"/*.pl
