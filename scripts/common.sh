# Shared by the scripts: sourced, not run.
# shellcheck shell=bash

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# The Makefile names the version of PostgreSQL.
PGVERSION=${PGVERSION:-$(sed -n 's/^PGVERSION ?= //p' "$ROOT/Makefile")}
# Another server than Debian's can be named in the environment.
PG_CONFIG=${PG_CONFIG:-/usr/lib/postgresql/$PGVERSION/bin/pg_config}

say() { printf '\033[1m== %s\033[0m\n' "$*" >&2; }
die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# Root's rights for installing packages: as root, or through sudo.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null 2>&1; then
    sudo "$@"
  else
    die "this needs root: $* (sudo is not installed; run it as root, then try again)"
  fi
}

missing_packages() {
  local package
  for package in "$@"; do
    if [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
      printf '%s\n' "$package"
    fi
  done
}

# Services of what is installed are not started: nobody asked for them here.
apt_install() {
  local policy=/usr/sbin/policy-rc.d code=0 ours=
  if [ ! -e "$policy" ]; then
    ours=yes
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
  fi
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" >&2 || code=$?
  [ -z "$ours" ] || as_root rm -f "$policy"
  return "$code"
}

# Installs the Debian packages named that are not there yet.
need_packages() {
  command -v dpkg-query >/dev/null 2>&1 || die "this is no Debian system; install by hand: $*"
  local missing
  mapfile -t missing < <(missing_packages "$@")
  [ "${#missing[@]}" -gt 0 ] || return 0
  say "installing ${missing[*]}"
  as_root apt-get update -q >&2 || die "the package lists could not be read"
  if printf '%s\n' "${missing[@]}" | grep -qx "postgresql-$PGVERSION"; then
    install_server_quietly
  fi
  apt_install "${missing[@]}" || die "could not install: ${missing[*]}"
}

# Debian's server package makes and starts a cluster of its own at first installation. Nobody asked for
# one here, so that is switched off for the moment of the installation.
install_server_quietly() {
  local drop_in=/etc/postgresql-common/createcluster.d/escrowgrid-build.conf
  apt_install postgresql-common || die "could not install postgresql-common"
  as_root mkdir -p "${drop_in%/*}"
  printf 'create_main_cluster = false\n' | as_root tee "$drop_in" >/dev/null
  apt_install "postgresql-$PGVERSION" || { as_root rm -f "$drop_in"; die "could not install postgresql-$PGVERSION"; }
  as_root rm -f "$drop_in"
}

need_build_packages() {
  need_packages g++ make libssl-dev "postgresql-$PGVERSION" "postgresql-server-dev-$PGVERSION"
}

# Packages are chosen by PGVERSION and the module is built with PG_CONFIG, so both must name the same version.
require_one_version() {
  local found
  found=$("$PG_CONFIG" --version) || die "there is no pg_config at $PG_CONFIG"
  [[ $found =~ ^PostgreSQL\ $PGVERSION([^0-9]|$) ]] ||
    die "PG_CONFIG=$PG_CONFIG is of $found, but PGVERSION is $PGVERSION: set both to one version"
}

build_module() {
  need_build_packages
  require_one_version
  say "building"
  make -C "$ROOT" -j "$(nproc)" PG_CONFIG="$PG_CONFIG" >/dev/null || die "the build failed"
}
