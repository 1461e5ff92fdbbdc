#!/usr/bin/env bash
# bench-compare.sh REVISION [ARGUMENTS of test/bench/compare.py]: compares the module of a git revision (base) with that
# of the present tree. Each runs on a throwaway server of its own. They are measured in turns. Then callgrind counts the
# instructions of both.
#   REVISION  the git revision; `.` puts the present tree's module on both servers
#   EXTRA     an SQL file to run on the present server only, for example one that creates an index
#   COUNT=no  does not run callgrind
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/server.sh"

revision=${1:?which revision to compare with}
shift
[ -z "${EXTRA:-}" ] || [ -r "$EXTRA" ] || die "the file EXTRA=$EXTRA cannot be read"
need_build_packages
need_packages git python3 python3-psycopg2 locales valgrind

work=$(mktemp -d "${TMPDIR:-/tmp}/escrowgrid-compare.XXXXXX")
chmod 755 "$work"
base_throwaway=
present_throwaway=
# From here on the functions of server.sh work with the server of this side.
at_side() { # base or present
  local name=$1_throwaway
  THROWAWAY=${!name}
  STAGED_BIN=$THROWAWAY/stage$("$PG_CONFIG" --bindir)
  PGHOST=$THROWAWAY/socket
}
clean_up() {
  local side name
  [ -z "$THROWAWAY" ] || stop_server  # a server that was still being started
  for side in base present; do
    name=${side}_throwaway
    [ -d "${!name}" ] || continue
    at_side "$side"
    stop_server
  done
  rm -rf "$work"
}
trap clean_up EXIT

build_module
if [ "$revision" = . ]; then
  base_root=$ROOT
else
  commit=$(git -C "$ROOT" rev-parse --verify --quiet "$revision^{commit}") || die "no revision is named $revision"
  base_root=$work/base
  git clone -q --shared --no-checkout "$ROOT" "$base_root"
  git -C "$base_root" -c advice.detachedHead=false checkout -q --detach "$commit"
  say "building $(git -C "$base_root" log -1 --format='%h (%s)')"
  make -C "$base_root" -j "$(nproc)" PG_CONFIG="$PG_CONFIG" >/dev/null || die "the build of $revision failed"
fi

# The locale is compiled for these servers alone; the machine's own locales stay as they are.
mkdir "$work/locale"
localedef -i en_US -f UTF-8 "$work/locale/en_US.UTF-8"
chmod -R a+rX "$work/locale"
export LOCPATH=$work/locale

fill() { # database, positions
  "$STAGED_BIN/createdb" "$1"
  "$STAGED_BIN/psql" -Xq -d "$1" -v ON_ERROR_STOP=1 -v positions="$2" -c 'CREATE EXTENSION escrowgrid' \
    -f "$ROOT/test/bench/peer_seed.sql" -f "$ROOT/test/bench/peer_own.sql" -f "$ROOT/test/bench/fill.sql"
}
start_side() { # base or present, source tree
  make_throwaway_directory
  ROOT=$2 stage_server
  SERVER_LOCALE=en_US.UTF-8 start_server 'fsync = on' 'shared_buffers = 1GB' 'max_wal_size = 8GB' \
    'checkpoint_timeout = 1h' 'autovacuum = off'
  fill bench 20000
  fill instructions 1000
  if [ "$1" = present ] && [ -n "${EXTRA:-}" ]; then
    for database in bench instructions; do
      "$STAGED_BIN/psql" -Xq -d "$database" -v ON_ERROR_STOP=1 -f "$EXTRA"
    done
  fi
  declare -g "$1_throwaway=$THROWAWAY"
  THROWAWAY=
}
say "filling two servers"
start_side base "$base_root"
start_side present "$ROOT"

say "measuring${EXTRA:+; the present server has ${EXTRA##*/}}"
PATH="$present_throwaway/stage$("$PG_CONFIG" --bindir):$PATH" PGDATABASE=bench PYTHONDONTWRITEBYTECODE=1 \
  /usr/bin/python3 "$ROOT/test/bench/compare.py" "$base_throwaway/socket" "$present_throwaway/socket" "$@"
[ "${COUNT:-}" != no ] || exit 0

batch_of() { # size
  echo "SELECT count(t) FROM generate_series(1, \$calls / $1) AS n, LATERAL escrowgrid.escrow_transition_batch( \
ARRAY(SELECT 'pos_' || lpad((n * $1 + i)::text, 26, '0') FROM generate_series(1, $1) AS i), \
'PARTIALLY_RELEASED', amounts => ARRAY(SELECT 0.01 FROM generate_series(1, $1))) AS t"
}
# Statements of which $calls says how often they do their work. Each is one line, as the single-user mode wants it.
declare -A statements=(
  [transition]="SELECT count(t) FROM generate_series(1, \$calls) AS n, \
LATERAL escrowgrid.escrow_transition('pos_' || lpad(n::text, 26, '0'), 'PARTIALLY_RELEASED', amount => 0.01) AS t"
  [hot]="SELECT count(t) FROM generate_series(1, \$calls) AS n, \
LATERAL escrowgrid.escrow_transition('pos_' || lpad((n * 0 + 7)::text, 26, '0'), 'PARTIALLY_RELEASED', \
amount => 0.01) AS t"
  [sign-in]="SELECT count(t) FROM public.bench AS b, generate_series(1, \$calls) AS n, \
LATERAL escrowgrid.escrow_authenticate(CASE WHEN n > 0 THEN b.token END, 'session') AS t"
  [creation]="SELECT count(t) FROM public.bench AS b, generate_series(1, \$calls) AS n, \
LATERAL escrowgrid.escrow_create_position(b.asset, 'holder ' || n, 'USD', 100) AS t"
  [batch of 10]=$(batch_of 10)
  [batch of 100]=$(batch_of 100)
)
few=100
many=400
instructions() { # base or present, statement: of one of its works
  local of_many of_few
  at_side "$1"
  of_many=$(count_instructions instructions 'escrowgrid, public' "${2//\$calls/$many}")
  of_few=$(count_instructions instructions 'escrowgrid, public' "${2//\$calls/$few}")
  echo $(((of_many - of_few) / (many - few)))
}
for side in base present; do
  at_side "$side"
  as_server_user "$STAGED_BIN/pg_ctl" -D "$THROWAWAY/data/pg" -w -s stop
done
THROWAWAY=
printf '%-58s %12s %12s %13s\n' 'instructions of one (hot: always the same position)' base present present/base
for name in transition hot creation 'batch of 10' 'batch of 100' sign-in; do
  old=$(instructions base "${statements[$name]}")
  new=$(instructions present "${statements[$name]}")
  printf '%-58s %12d %12d %12.3fx\n' "$name" "$old" "$new" "$(awk "BEGIN { print $new / $old }")"
done
