# A throwaway PostgreSQL server. This file is sourced, not run.
#
# The server's programs and files are staged into a temporary directory together with the extension. PostgreSQL finds
# its files relative to its executable. So the machine's PostgreSQL installation and its clusters stay as they are, and
# nothing has to be installed as root.
# shellcheck shell=bash

THROWAWAY=
SERVER_USER=

# PostgreSQL refuses to run as root. Root runs it as the account that its package creates.
as_server_user() {
  if [ -n "$SERVER_USER" ]; then
    # That account may not be allowed to enter the current directory.
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

# Copies the checkout into the throwaway directory and sets ROOT to the copy. Objects that are built for a server with
# assertions must not mix with those built for Debian's server, because assertions change macros of PostgreSQL's
# headers.
use_copy_of_checkout() {
  mkdir "$THROWAWAY/checkout"
  tar -C "$ROOT" --exclude=./.git --exclude=./build --exclude='./*.so' -cf - . |
    tar -C "$THROWAWAY/checkout" --no-same-owner -xf -
  ROOT=$THROWAWAY/checkout
}

# Links the files of a directory into another one, unless they are there already.
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
  # These are copies, because PostgreSQL would follow a link to the place where it is installed.
  cp "$bindir"/* "$stage$bindir/"
  make -C "$ROOT" -s PG_CONFIG="$PG_CONFIG" DESTDIR="$stage" install >/dev/null
  link_all "$sharedir/extension" "$stage$sharedir/extension"
  link_all "$sharedir" "$stage$sharedir"
  link_all "$pkglibdir" "$stage$pkglibdir"
  # pgTAP consists of SQL only, so Debian's package works with any server of the same version.
  link_all "/usr/share/postgresql/$PGVERSION/extension" "$stage$sharedir/extension" 'pgtap*'
  STAGED_BIN=$stage$bindir
  export STAGED_BIN
}

# Each argument is a setting, "name = value". SERVER_LOCALE names another locale than C.UTF-8.
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

# Stops the server and removes its data. Another one can be started in its place.
drop_server() {
  if [ -f "$THROWAWAY/data/pg/postmaster.pid" ]; then
    as_server_user "$STAGED_BIN/pg_ctl" -D "$THROWAWAY/data/pg" -m immediate -s stop || true
  fi
  rm -rf "$THROWAWAY/data/pg"
}

# Stops the server and removes the throwaway directory.
stop_server() {
  [ -n "$THROWAWAY" ] || return 0
  drop_server
  rm -rf "$THROWAWAY"
  THROWAWAY=
}

# Prints how many instructions a backend takes for a statement, which must be one line. The server must be stopped.
count_instructions() { # database, search_path, statement
  local out=$THROWAWAY/data/callgrind.$RANDOM
  as_server_user valgrind --tool=callgrind --callgrind-out-file="$out" "$STAGED_BIN/postgres" --single \
    -D "$THROWAWAY/data/pg" -c shared_buffers=128MB -c search_path="$2" "$1" >/dev/null 2>&1 <<<"$3"
  sed -n 's/^summary: //p; s/^totals: //p' "$out" | head -1
  rm -f "$out"
}
