#!/usr/bin/env bash
# tap.sh DIRECTORY [NAME...]: runs test/tap, or the tests named, with the server programs that are staged in DIRECTORY.
# test.sh calls it. The tests start servers of their own, so they run as the server's account, from copies that this
# account can read.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/server.sh"

THROWAWAY=$1
shift
[ "$(id -u)" != 0 ] || SERVER_USER=postgres
work=$THROWAWAY/tap
mkdir -p "$work/tmp"  # for sockets, too, so that nothing of a failed test stays behind
cp -R "$ROOT"/test/tap/*.pl "$ROOT/test/tap/lib" "$ROOT/docs" "$ROOT/tools" "$work/"
# old.so stands for the library of 0.1.0: it has the functions that the script of 0.1.0 names, and no other ones.
{
  echo '{ global: Pg_magic_func; _PG_init;'
  sed -n "s/.*AS 'MODULE_PATHNAME', '\([a-z_]*\)'.*/\1; pg_finfo_\1;/p" "$ROOT/src/sql/released/escrowgrid--0.1.0.sql"
  echo 'local: *; };'
} >"$work/old.map"
g++ -shared -o "$work/old.so" "$ROOT"/build/core/*.o "$ROOT"/build/pg/*.o "$ROOT"/build/pg/*/*.o \
  -Wl,--version-script="$work/old.map" -lcrypto
tests=("$work"/*.pl)
[ $# -eq 0 ] || tests=("${@/#/$work/}")
[ -z "$SERVER_USER" ] || chown -R "$SERVER_USER" "$work"
pgxs=$(dirname "$("$PG_CONFIG" --pgxs)")/../..
# The tests connect to servers of their own, so the settings for the throwaway server must not reach them.
as_server_user env -u PGHOST -u PGPORT -u PGUSER -u PGDATABASE \
  PATH="$STAGED_BIN:$PATH" TMPDIR="$work/tmp" TESTDIR="$work" ESCROWGRID_OLD_LIBRARY="$work/old.so" \
  ESCROWGRID_DOCS="$work/docs" ESCROWGRID_TOOLS="$work/tools" \
  PG_REGRESS="$pgxs/src/test/regress/pg_regress" \
  LANG=C.UTF-8 prove -I "$pgxs/src/test/perl" "${tests[@]}"
