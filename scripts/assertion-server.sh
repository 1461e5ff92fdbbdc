#!/usr/bin/env bash
# assertion-server.sh: builds PostgreSQL from Debian's source with assertions and valgrind's annotations, and prints
# the path of its pg_config. A build is kept by version and options: as root in /var/cache/escrowgrid, otherwise in the
# user's cache directory. Nothing of the machine's own PostgreSQL installation is touched.
set -euo pipefail
. "$(dirname "$0")/common.sh"

# ICU and OpenSSL as Debian's server has them; readline is for people.
options=(--enable-cassert --enable-debug --with-icu --with-openssl --without-readline
  'CFLAGS=-O1 -fno-omit-frame-pointer' CPPFLAGS=-DUSE_VALGRIND)
options_digest=$(printf '%s\n' "${options[@]}" | cksum | cut -d ' ' -f 1)

umask 022  # the server's account has to read the build, whatever the caller's umask is
if [ "$(id -u)" = 0 ]; then
  cache=/var/cache/escrowgrid
else
  cache=${XDG_CACHE_HOME:-$HOME/.cache}/escrowgrid
fi
mkdir -p "$cache"
work=$(mktemp -d "${TMPDIR:-/tmp}/escrowgrid-source.XXXXXX")
trap 'rm -rf "$work"' EXIT

# One "deb-src" line for each of the machine's own sources that is Debian's, whatever file and format it is
# configured in. apt knows the origin of a source once its lists were read. The keys come with Debian itself.
debian_sources() {
  # shellcheck disable=SC2016
  apt-get indextargets --format '$(ORIGIN)|$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
    sed -n 's,^Debian|,deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ,p' | sort -u
}

# apt with lists of its own: the machine's lists usually name binary packages only.
configure_apt() {
  mkdir -p "$work/state/lists/partial" "$work/cache/archives/partial"
  debian_sources >"$work/sources.list"
  if [ ! -s "$work/sources.list" ]; then
    as_root apt-get update -q >&2 || die "the package lists could not be read"
    debian_sources >"$work/sources.list"
  fi
  [ -s "$work/sources.list" ] || die "no mirror of Debian is configured in /etc/apt"
  cat >"$work/apt.conf" <<CONF
Dir::Etc::sourcelist "$work/sources.list";
Dir::Etc::sourceparts "-";
Dir::State "$work/state";
Dir::State::status "/var/lib/dpkg/status";
Dir::Cache "$work/cache";
APT::Sandbox::User "root";
CONF
  export APT_CONFIG=$work/apt.conf
  # A mirror that does not answer is no failure: an older build may have been kept.
  apt-get update -q >"$work/update.log" 2>&1 || cat "$work/update.log" >&2
}

# Newest first.
source_versions() {
  apt-cache showsrc "postgresql-$PGVERSION" 2>/dev/null | sed -n 's/^Version: //p' | sort -rVu
}

# False when the mirror lists a version whose files it does not have.
fetch_source() { # version
  (cd "$work" && apt-get source -q "postgresql-$PGVERSION=$1") >"$work/source.log" 2>&1
}

compile() { # source directory, prefix
  cd "$1" &&
    ./configure --prefix="$2" "${options[@]}" &&
    make -j "$(nproc)" &&
    make install &&
    make -C contrib/amcheck install &&
    cp src/tools/valgrind.supp "$2/valgrind.supp" &&
    touch "$2/complete"  # last: without this file a build was interrupted
}

build() { # version, prefix
  local source
  say "building PostgreSQL $1 with assertions (once; kept in $2)"
  source=$(find "$work" -mindepth 1 -maxdepth 1 -type d -name "postgresql-$PGVERSION-*")
  rm -rf "$2"
  (compile "$source" "$2") >"$work/build.log" 2>&1 ||
    { tail -40 "$work/build.log" >&2; die "PostgreSQL did not build"; }
}

newest_kept() {
  find "$cache" -mindepth 2 -maxdepth 2 -path "*/postgresql-$PGVERSION-*-$options_digest/complete" | sort -V | tail -1
}

need_packages dpkg-dev gcc make bison flex perl pkg-config zlib1g-dev libicu-dev libssl-dev valgrind
configure_apt
exec 9>"$cache/lock"
flock 9  # of two scripts the second waits for the first one's build
while read -r version; do
  prefix=$cache/postgresql-$PGVERSION-$version-$options_digest
  if [ ! -e "$prefix/complete" ]; then
    fetch_source "$version" || continue
    build "$version" "$prefix"
  fi
  printf '%s\n' "$prefix/bin/pg_config"
  exit 0
done < <(source_versions)
kept=$(newest_kept)
[ -n "$kept" ] || { tail -20 "$work"/*.log >&2; die "the source of postgresql-$PGVERSION could not be fetched"; }
printf '%s\n' "${kept%/complete}/bin/pg_config"
