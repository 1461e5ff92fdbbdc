# What all scripts use. This file is sourced, not run.
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

# Runs a command as root, through sudo if necessary.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null 2>&1; then
    sudo "$@"
  else
    die "this command needs root, and sudo is not installed: $*"
  fi
}

# Prints those of the packages that are not installed.
missing_packages() {
  local package
  for package in "$@"; do
    if [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
      printf '%s\n' "$package"
    fi
  done
}

# Installs packages without starting their services.
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

# Installs those of the packages that are not installed.
need_packages() {
  command -v dpkg-query >/dev/null 2>&1 || die "this is not a Debian system; install these packages by hand: $*"
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

# When Debian's server package is installed for the first time, it creates a cluster and starts it. The drop-in file
# prevents that during this installation.
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
