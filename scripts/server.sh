# A throwaway PostgreSQL server: sourced, not run.
#
# The server's own programs and files are staged into a temporary directory together with the
# extension, so that neither the machine's PostgreSQL installation nor its clusters are touched and
# nothing has to be installed as root. PostgreSQL finds its files relative to its executable.
# shellcheck shell=bash

THROWAWAY=
SERVER_USER=

# PostgreSQL refuses to run as root; its own account is there once its package is.
as_server_user() {
  if [ -n "$SERVER_USER" ]; then
    # The caller's directory may be closed to that account.
    (cd "$THROWAWAY" && exec runuser -u "$SERVER_USER" -- "$@")
  else
    "$@"
  fi
}

make_throwaway_directory() {
  THROWAWAY=$(mktemp -d "${TMPDIR:-/tmp}/escrowgrid.XXXXXX")
  chmod 755 "$THROWAWAY"
  mkdir "$THROWAWAY/socket" "$THROWAWAY/data"
  chmod 700 "$THROWAWAY/socket" "$THROWAWAY/data"
  if [ "$(id -u)" = 0 ]; then
    SERVER_USER=postgres
    chown "$SERVER_USER" "$THROWAWAY/socket" "$THROWAWAY/data"
  fi
}

# Goes on with a copy of the checkout in the throwaway directory. Objects built for a server with assertions must not
# end up among those built for Debian's, because assertions change the macros of PostgreSQL's headers.
use_copy_of_checkout() {
  mkdir "$THROWAWAY/checkout"
  tar -C "$ROOT" --exclude=./.git --exclude=./build --exclude='./*.so' -cf - . |
    tar -C "$THROWAWAY/checkout" --no-same-owner -xf -
  ROOT=$THROWAWAY/checkout
}

link_all() { # from, to, pattern
  local entry
  # shellcheck disable=SC2231
  for entry in "$1"/${3:-*}; do
    [ ! -e "$entry" ] || [ -e "$2/${entry##*/}" ] || ln -s "$entry" "$2/${entry##*/}"
  done
}

stage_server() {
  local stage=$THROWAWAY/stage bindir sharedir pkglibdir
  bindir=$("$PG_CONFIG" --bindir)
  sharedir=$("$PG_CONFIG" --sharedir)
  pkglibdir=$("$PG_CONFIG" --pkglibdir)
  mkdir -p "$stage$bindir" "$stage$sharedir/extension" "$stage$pkglibdir"
  # Copies, because a link would lead PostgreSQL back to where it is installed.
  cp "$bindir"/* "$stage$bindir/"
  make -C "$ROOT" -s PG_CONFIG="$PG_CONFIG" DESTDIR="$stage" install >/dev/null
  link_all "$sharedir/extension" "$stage$sharedir/extension"
  link_all "$sharedir" "$stage$sharedir"
  link_all "$pkglibdir" "$stage$pkglibdir"
  # pgTAP is SQL only, so Debian's package serves any server of the same version.
  link_all "/usr/share/postgresql/$PGVERSION/extension" "$stage$sharedir/extension" 'pgtap*'
  STAGED_BIN=$stage$bindir
  export STAGED_BIN
}

# Settings beyond the defaults come as arguments, one "name = value" each; SERVER_LOCALE names another locale.
start_server() {
  as_server_user "$STAGED_BIN/initdb" -D "$THROWAWAY/data/pg" -U postgres --auth=trust --encoding=UTF8 \
    --locale="${SERVER_LOCALE:-C.UTF-8}" --no-sync >"$THROWAWAY/initdb.log" 2>&1 ||
    { cat "$THROWAWAY/initdb.log" >&2; die "initdb failed"; }
  {
    printf "listen_addresses = ''\n"
    printf "unix_socket_directories = '%s'\n" "$THROWAWAY/socket"
    printf 'fsync = off\nmax_connections = 60\n'
    [ $# -eq 0 ] || printf '%s\n' "$@"
  } | as_server_user tee -a "$THROWAWAY/data/pg/postgresql.conf" >/dev/null
  as_server_user "$STAGED_BIN/pg_ctl" -D "$THROWAWAY/data/pg" -l "$THROWAWAY/data/server.log" -w -s start ||
    { tail -20 "$THROWAWAY/data/server.log" >&2; die "the throwaway server did not start"; }
  export PGHOST=$THROWAWAY/socket PGPORT=5432 PGUSER=postgres PGDATABASE=postgres
  unset PGSERVICE PGPASSWORD PGOPTIONS
}

# The server and its data, so that another can be started in its place.
drop_server() {
  if [ -f "$THROWAWAY/data/pg/postmaster.pid" ]; then
    as_server_user "$STAGED_BIN/pg_ctl" -D "$THROWAWAY/data/pg" -m immediate -s stop || true
  fi
  rm -rf "$THROWAWAY/data/pg"
}

stop_server() {
  [ -n "$THROWAWAY" ] || return 0
  drop_server
  rm -rf "$THROWAWAY"
  THROWAWAY=
}

# How many instructions a backend takes for a statement, by callgrind; the server is stopped.
count_instructions() { # database, search_path, statement
  local out=$THROWAWAY/data/callgrind.$RANDOM
  as_server_user valgrind --tool=callgrind --callgrind-out-file="$out" "$STAGED_BIN/postgres" --single \
    -D "$THROWAWAY/data/pg" -c shared_buffers=128MB -c search_path="$2" "$1" >/dev/null 2>&1 <<<"$3"
  sed -n 's/^summary: //p; s/^totals: //p' "$out" | head -1
  rm -f "$out"
}
