#!/usr/bin/env bash
# assertion-server.sh: builds PostgreSQL from Debian's source with assertions and valgrind's annotations, and prints
# the path of its pg_config. A build is kept by version: as root in /var/cache/escrowgrid, otherwise in the user's
# cache directory. Nothing of the machine's own PostgreSQL installation is touched.
set -euo pipefail
. "$(dirname "$0")/common.sh"

if [ "$(id -u)" = 0 ]; then
  cache=/var/cache/escrowgrid
else
  cache=${XDG_CACHE_HOME:-$HOME/.cache}/escrowgrid
fi
mkdir -p "$cache"
work=$(mktemp -d "${TMPDIR:-/tmp}/escrowgrid-source.XXXXXX")
trap 'rm -rf "$work"' EXIT

# apt with source lists of its own: the machine's lists name packages only.
write_apt_configuration() {
  local suite file deb_src=$work/sources.list
  mkdir -p "$work/state/lists/partial" "$work/cache/archives/partial"
  # The machine's own mirrors, in both of the formats that apt reads.
  {
    sed -n 's/^deb \(\[[^]]*\] \)\{0,1\}/deb-src \1/p' /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null || true
    for file in /etc/apt/sources.list.d/*.sources; do
      [ -e "$file" ] || continue
      awk 'BEGIN { RS = ""; FS = "\n" } {
        uris = suites = components = signed = ""; types = 0
        for (i = 1; i <= NF; i++) {
          line = $i; name = line; sub(/:.*/, "", name); value = line; sub(/^[^:]*: */, "", value)
          if (name == "Types" && value ~ /deb/) types = 1
          if (name == "URIs") uris = value
          if (name == "Suites") suites = value
          if (name == "Components") components = value
          if (name == "Signed-By") signed = " [signed-by=" value "]"
        }
        if (!types) next
        n = split(uris, u, " "); m = split(suites, s, " ")
        for (i = 1; i <= n; i++) for (j = 1; j <= m; j++) print "deb-src" signed, u[i], s[j], components
      }' "$file"
    done
  } | grep -i debian | sort -u >"$deb_src"
  [ -s "$deb_src" ] || die "no Debian mirror was found in /etc/apt"
  chmod -R a+rX "$work"
  for suite in "$deb_src"; do
    printf 'Dir::Etc::sourcelist "%s";\nDir::Etc::sourceparts "-";\nDir::State "%s/state";\nDir::Cache "%s/cache";\nDir::State::status "/var/lib/dpkg/status";\nAPT::Sandbox::User "root";\n' \
      "$suite" "$work" "$work" >"$work/apt.conf"
  done
}

# Newest first. A mirror may list a version whose files it does not have, so the next older one is tried then.
source_versions() {
  APT_CONFIG=$work/apt.conf apt-cache showsrc "postgresql-$PGVERSION" 2>/dev/null |
    sed -n 's/^Version: //p' | sort -rVu
}

fetch_source() { # version
  (cd "$work" && APT_CONFIG=$work/apt.conf apt-get source -q "postgresql-$PGVERSION=$1") >"$work/source.log" 2>&1
}

build() { # version, prefix
  local version=$1 prefix=$2 source
  say "building PostgreSQL $version with assertions (once; kept in $prefix)"
  source=$(find "$work" -maxdepth 1 -type d -name "postgresql-$PGVERSION-*")
  {
    cd "$source"
    ./configure --prefix="$prefix" --enable-cassert --enable-debug --enable-tap-tests --with-openssl --without-readline \
      CFLAGS='-O1 -fno-omit-frame-pointer' CPPFLAGS='-DUSE_VALGRIND'
    make -j "$(nproc)"
    make install
    for module in amcheck pg_stat_statements postgres_fdw; do make -C "contrib/$module" install; done
    cp src/tools/valgrind.supp "$prefix/valgrind.supp"
  } >"$work/build.log" 2>&1 || { tail -40 "$work/build.log" >&2; rm -rf "$prefix"; die "PostgreSQL did not build"; }
  touch "$prefix/complete"
}

need_packages dpkg-dev gcc make bison flex perl libipc-run-perl zlib1g-dev libssl-dev valgrind
write_apt_configuration
APT_CONFIG=$work/apt.conf apt-get update -q >"$work/update.log" 2>&1 || cat "$work/update.log" >&2
for version in $(source_versions); do
  prefix=$cache/postgresql-$PGVERSION-$version
  # The file `complete` is made last: without it a build was interrupted.
  if [ ! -e "$prefix/complete" ]; then
    fetch_source "$version" || continue
    rm -rf "$prefix"
    build "$version" "$prefix"
  fi
  printf '%s\n' "$prefix/bin/pg_config"
  exit 0
done
# Without a mirror the newest build that is kept has to do.
kept=$(find "$cache" -maxdepth 2 -path "*/postgresql-$PGVERSION-*/complete" | sort -V | tail -1)
[ -n "$kept" ] || { tail -20 "$work"/*.log >&2; die "the source of postgresql-$PGVERSION could not be fetched"; }
printf '%s\n' "${kept%/complete}/bin/pg_config"
