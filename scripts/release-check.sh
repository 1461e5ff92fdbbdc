#!/usr/bin/env bash
# release-check.sh [GROUP...]: everything that a program can check before a release. Groups are quick, lint, archive and
# test: all four by default, only quick with QUICK=1. scripts/release-control.sh proves that each check can fail.
# Ends with "N passed, N failed"; the status is 1 when a check failed.
set -uo pipefail
. "$(dirname "$0")/common.sh"
cd "$ROOT" || exit 1

passed=0
failed=0
# A check fails when it prints something or ends with a status other than 0.
check() { # name, command...
  local name=$1 found
  shift
  if found=$("$@" 2>&1) && [ -z "$found" ]; then
    passed=$((passed + 1))
    printf 'ok: %s\n' "$name"
  else
    failed=$((failed + 1))
    printf 'not ok: %s\n%s\n' "$name" "$found"
  fi
}

version=$(sed -n "s/^default_version = '\(.*\)'/\1/p" escrowgrid.control)
released_versions() {
  find src/sql/released -name '*.sql' | sed 's/.*escrowgrid--//; s/\.sql$//' | sort -V
}
known_versions() { { released_versions; echo "$version"; } | sort -V; }
changelog_headings() { sed -n 's/^## //p' CHANGELOG.md; }
last_results() { sed -n '/^## Last results/,$p' docs/testing.md; }

# --- quick

tree_is_clean() { git status --porcelain; }
version_is_semantic() {
  [[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || echo "escrowgrid.control has default_version \"$version\""
}
meta_fits_specification() { /usr/bin/python3 scripts/check-meta.py "$version"; }
meta_names_postgres() {
  grep -qF "\"requires\": { \"PostgreSQL\": \"$PGVERSION.0.0\" }" META.json ||
    echo "META.json requires another PostgreSQL than $PGVERSION"
}
changelog_is_dated() {
  local heading date
  heading=$(changelog_headings | head -1)
  if [[ $heading =~ ^$version\ \(([0-9]{4}-[0-9]{2}-[0-9]{2})\)$ ]]; then
    date=${BASH_REMATCH[1]}
    [ "$(date -d "$date" +%F)" = "$date" ] && [[ ! $date > $(date +%F) ]] || echo "$date is not a date until today"
  else
    echo "the first heading of CHANGELOG.md is \"$heading\", not \"$version (YYYY-MM-DD)\""
  fi
}
nothing_is_unreleased() {
  ! grep -niE 'unreleased|not yet released|in the making|work in progress' CHANGELOG.md README.md SECURITY.md docs/*.md
}
changelog_names_released() {
  diff <(changelog_headings | sed 's/ .*//' | sort -V) <(known_versions)
}
version_is_new() { ! released_versions | grep -nxF "$version"; }
upgrades_exist() {
  local from='' to
  while read -r to; do
    [ -z "$from" ] || [ -s "src/sql/upgrade/escrowgrid--$from--$to.sql" ] ||
      echo "no upgrade script leads from $from to $to"
    from=$to
  done < <(known_versions)
}
released_are_frozen() {
  cd src/sql/released || return
  sha256sum --check --quiet SHA256SUMS
  diff <(printf '%s\n' *.sql) <(sed 's/.*  //' SHA256SUMS)
}
errors_page_is_current() { scripts/generate-errors-doc.sh | diff - docs/errors.md; }
links_lead_somewhere() {
  local page target
  for page in *.md docs/*.md; do
    while read -r target; do
      [ -e "$(dirname "$page")/$target" ] || echo "$page links to $target, which does not exist"
    done < <(grep -oE '\]\([^)#:]+[)#]' "$page" | sed 's/^](//; s/[)#]$//')
  done
}
# What make, the scripts and CMake build for when nothing is set in the environment.
postgres_of_make() {
  make -s --no-print-directory -f - print <<'MAKE'
include Makefile
.PHONY: print
print: ; @printf '%s %s\n' '$(PGVERSION)' '$(PG_CONFIG)'
MAKE
}
postgres_of_scripts() { bash -c '. scripts/common.sh && printf "%s %s\n" "$PGVERSION" "$PG_CONFIG"'; }
postgres_of_cmake() {
  rm -rf "$work/cmake"
  cmake -S . -B "$work/cmake" -DESCROWGRID_FUZZ=ON -DESCROWGRID_SANITIZE=OFF -DESCROWGRID_MODULE=ON >/dev/null &&
    sed -n 's/^PG_CONFIG:FILEPATH=//p' "$work/cmake/CMakeCache.txt"
}
postgres_is_one() {
  local make scripts cmake
  unset PGVERSION PG_CONFIG MAKEFLAGS MAKEOVERRIDES
  make=$(postgres_of_make)
  scripts=$(postgres_of_scripts)
  cmake=$(postgres_of_cmake)
  [ "$make" = "$scripts" ] || echo "make takes $make, scripts/common.sh takes $scripts"
  [ "${make#* }" = "$cmake" ] || echo "make takes ${make#* }, CMake takes $cmake"
  PGVERSION=${make% *} PG_CONFIG=${make#* } require_one_version
  ! grep -nE 'postgresql[-/][0-9]' Makefile CMakeLists.txt scripts/*.sh .ci/run
}
# The proofs in the table of docs/testing.md that `make test` does not run in full: the commands of a row in a line.
long_proofs() {
  local row
  sed -n '/^## /q; /^|/p' docs/testing.md | grep -E '`make (proof|fuzz)' | grep -v '| yes |$' |
    while read -r row; do
      grep -oE '`make (proof-[a-z]+|fuzz)' <<<"$row" | sed 's/`make //' | paste -sd '|'
    done
}
# Each of them needs a result, of this version and without failures.
results_are_current() {
  local names results
  results=$(last_results)
  grep -qE "^escrowgrid $version, PostgreSQL $PGVERSION\." <<<"$results" ||
    echo "\"Last results\" in docs/testing.md does not begin with \"escrowgrid $version, PostgreSQL $PGVERSION.\""
  grep -E '[0-9] passed, [1-9][0-9]* failed' <<<"$results"
  while read -r names; do
    grep -qE "\`make ($names)[ \`]" <<<"$results" || echo "docs/testing.md has no result of $names"
  done < <(long_proofs)
}
security_page_names_version() {
  grep -qE "^\| ${version%.*}(\.x)? +\| yes " SECURITY.md || echo "SECURITY.md does not name ${version%.*} as supported"
}
nothing_is_to_do() { ! git grep -nwE 'TODO|FIXME' -- . ':!scripts/release-*'; }
tag_is_new() { ! git rev-parse --quiet --verify "refs/tags/v$version"; }

check_quick() {
  need_build_packages
  need_packages git cmake python3
  check 'the work tree is clean' tree_is_clean
  check 'the version is a semantic version' version_is_semantic
  check 'META.json follows the PGXN Meta Spec' meta_fits_specification
  check 'META.json names the PostgreSQL of the Makefile' meta_names_postgres
  check 'CHANGELOG.md begins with the version and its date' changelog_is_dated
  check 'nothing is called unreleased' nothing_is_unreleased
  check 'CHANGELOG.md names the released versions and this one' changelog_names_released
  check 'the version has not been released' version_is_new
  check 'upgrade scripts lead from each version to the next' upgrades_exist
  check 'scripts of released versions are as they were' released_are_frozen
  check 'docs/errors.md is up to date' errors_page_is_current
  check 'links between pages lead somewhere' links_lead_somewhere
  check 'make, scripts and CMake take one PostgreSQL' postgres_is_one
  check 'docs/testing.md has results of this version' results_are_current
  check 'SECURITY.md supports this version' security_page_names_version
  check 'nothing is left to do' nothing_is_to_do
  check 'the tag is new' tag_is_new
}

# --- lint, archive, test

# A command that ends with "N passed, 0 failed".
ends_well() { # log, command...
  local log=$1
  shift
  if ! "$@" >"$log" 2>&1 || ! tail -1 "$log" | grep -qE '^[1-9][0-9]* passed, 0 failed$'; then
    tail -40 "$log"
    return 1
  fi
}
archive_builds() {
  local tree=$work/escrowgrid-$version root=$work/root file
  git archive --prefix="escrowgrid-$version/" HEAD | tar -x -C "$work"
  diff <(git ls-files | sort) <(cd "$tree" && find . -type f | sed 's|^\./||' | sort)
  make -C "$tree" -j "$(nproc)" PG_CONFIG="$PG_CONFIG" DESTDIR="$root" install >"$work/archive.log" 2>&1 ||
    { tail -20 "$work/archive.log"; return 1; }
  for file in "$("$PG_CONFIG" --pkglibdir)/escrowgrid.so" \
    "$("$PG_CONFIG" --sharedir)/extension/escrowgrid"{.control,"--$version.sql"}; do
    [ -s "$root$file" ] || echo "make install did not install $file"
  done
}

git rev-parse --quiet --verify HEAD >/dev/null || die "a release is checked in a git work tree"
work=$(mktemp -d "${TMPDIR:-/tmp}/escrowgrid-release.XXXXXX")
trap 'rm -rf "$work"' EXIT

if [ $# -eq 0 ] && [ -n "${QUICK:-}" ]; then
  set -- quick
  say 'left out with QUICK=1: make lint, make test, building an archive'
fi
[ $# -gt 0 ] || set -- quick lint archive test
for group in "$@"; do
  case $group in
    quick) check_quick ;;
    lint) check 'make lint passes' ends_well "$work/lint.log" make -s lint ;;
    archive) check 'an archive of the tree builds' archive_builds ;;
    test) check 'make test passes' ends_well "$work/test.log" make -s test ;;
    *) die "no group of checks is named $group" ;;
  esac
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
