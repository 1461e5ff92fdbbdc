#!/usr/bin/env bash
# bench.sh [ARGUMENTS of test/bench/run.py]: compares the extension with its peers on throwaway servers with fsync on.
# It measures in the locale en_US.UTF-8, which users have, and in C. With WRITE=1 it writes the table of results into
# docs/performance.md.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/server.sh"

build_module
need_packages python3 python3-psycopg2 locales
make_throwaway_directory
trap stop_server EXIT
stage_server
# The locale is compiled for these servers alone; the machine's own locales stay as they are.
mkdir -p "$THROWAWAY/locale"
localedef -i en_US -f UTF-8 "$THROWAWAY/locale/en_US.UTF-8"
chmod -R a+rX "$THROWAWAY/locale"

measure() { # locale, arguments
  local locale=$1
  shift
  say "locale $locale"
  export LOCPATH=$THROWAWAY/locale
  SERVER_LOCALE=$locale start_server 'fsync = on' 'shared_buffers = 1GB' 'max_wal_size = 8GB' \
    'checkpoint_timeout = 1h' 'autovacuum = off'
  "$STAGED_BIN/createdb" bench
  "$STAGED_BIN/psql" -Xq -d bench -v ON_ERROR_STOP=1 -v positions=20000 -c 'CREATE EXTENSION escrowgrid' \
    -f "$ROOT/test/bench/peer_seed.sql" -f "$ROOT/test/bench/peer_own.sql" -f "$ROOT/test/bench/fill.sql"
  PATH="$STAGED_BIN:$PATH" PGDATABASE=bench PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 "$ROOT/test/bench/run.py" \
    --json "$THROWAWAY/$locale.json" "$@"
  drop_server
}

measure en_US.UTF-8 "$@"
measure C "$@"
say "ratios"
/usr/bin/python3 "$ROOT/test/bench/table.py" "$THROWAWAY/en_US.UTF-8.json" "$THROWAWAY/C.json" \
  "$("$STAGED_BIN/postgres" --version)" >"$THROWAWAY/table.md"
cat "$THROWAWAY/table.md"
if [ -n "${WRITE:-}" ]; then
  page=$ROOT/docs/performance.md
  sed -i '/^<!-- table -->$/,/^<!-- end of table -->$/{/^<!-- table -->$/!{/^<!-- end of table -->$/!d}}' "$page"
  sed -i "/^<!-- table -->$/r $THROWAWAY/table.md" "$page"
fi
