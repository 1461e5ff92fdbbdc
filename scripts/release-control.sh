#!/usr/bin/env bash
# release-control.sh: proves that each check of release-check.sh can fail. Breaks a copy of the last commit in one way
# after the other, and requires that the right check notices. Takes some minutes. Ends with "N passed, N failed".
set -uo pipefail
. "$(dirname "$0")/common.sh"

passed=0
failed=0
judge() { # status, what
  if [ "$1" = 0 ]; then
    passed=$((passed + 1))
    printf 'ok: %s\n' "$2"
  else
    failed=$((failed + 1))
    printf 'not ok: %s\n' "$2"
  fi
}

# A mutation is the check that has to notice, the group it is in, and a command that breaks the copy. A command that
# begins with + leaves what it did uncommitted.
mutations() {
  cat <<'MUTATIONS'
the work tree is clean|quick|+touch stray
the version is a semantic version|quick|sed -i "s/^default_version = .*/default_version = '0.3'/" escrowgrid.control
META.json follows the PGXN Meta Spec|quick|sed -i '/"maintainer"/d' META.json
META.json follows the PGXN Meta Spec|quick|sed -i 's/"license": .*/"license": "postgres",/' META.json
META.json follows the PGXN Meta Spec|quick|sed -i '0,/"version": .*/s//"version": "0.0.1",/' META.json
META.json names the PostgreSQL of the Makefile|quick|sed -i 's/"PostgreSQL": "[0-9]*/"PostgreSQL": "9/' META.json
CHANGELOG.md begins with the version and its date|quick|sed -i "0,/^## .*/s//## $version (soon)/" CHANGELOG.md
CHANGELOG.md begins with the version and its date|quick|sed -i "0,/^## .*/s//## $version (2999-01-01)/" CHANGELOG.md
CHANGELOG.md begins with the version and its date|quick|sed -i "0,/^## .*/s//## $version (2026-02-31)/" CHANGELOG.md
nothing is called unreleased|quick|echo 'This is unreleased.' >>docs/operations.md
CHANGELOG.md names the released versions and this one|quick|sed -i "/^## $previous/d" CHANGELOG.md
the version has not been released|quick|cp src/sql/released/escrowgrid--{"$previous","$version"}.sql
upgrade scripts lead from each version to the next|quick|git rm -q src/sql/upgrade/*"--$version.sql"
scripts of released versions are as they were|quick|echo >>"src/sql/released/escrowgrid--$previous.sql"
docs/errors.md is up to date|quick|echo >>docs/errors.md
links between pages lead somewhere|quick|echo '[gone](docs/gone.md)' >>README.md
make, scripts and CMake take one PostgreSQL|quick|sed -i 's/^PG_CONFIG=.*/PG_CONFIG=pg_config/' scripts/common.sh
make, scripts and CMake take one PostgreSQL|quick|sed -i 's/find_program(PG_.*/set(PG_CONFIG pg_config)/' CMakeLists.txt
docs/testing.md has results of this version|quick|sed -i 's/^escrowgrid [0-9.]*,/escrowgrid 0.0.1,/' docs/testing.md
docs/testing.md has results of this version|quick|sed -i '0,/ passed, 0 failed/s// passed, 1 failed/' docs/testing.md
docs/testing.md has results of this version|quick|sed -i '/^## Last/,$s/make proof-keys/make keys/' docs/testing.md
SECURITY.md supports this version|quick|sed -i "s/^| ${version%.*} /| 0.0 /" SECURITY.md
nothing is left to do|quick|echo '// TODO' >>src/core/money.cpp
the tag is new|quick|+git tag "v$version"
make lint passes|lint|printf 'echo "4 passed, 1 failed"; exit 1\n' >scripts/lint.sh
make lint passes|lint|printf 'exit 0\n' >scripts/lint.sh
an archive of the tree builds|archive|echo 'syntax error' >>src/core/access.cpp
an archive of the tree builds|archive|echo 'src/core/money.cpp export-ignore' >.gitattributes
make test passes|test|printf 'echo "4 passed, 1 failed"; exit 0\n' >scripts/test.sh
MUTATIONS
}

version=$(sed -n "s/^default_version = '\(.*\)'/\1/p" "$ROOT/escrowgrid.control")
previous=$(find "$ROOT/src/sql/released" -name '*.sql' | sed 's/.*--//; s/\.sql$//' | sort -V | tail -1)
export version previous
need_packages git
work=$(mktemp -d "${TMPDIR:-/tmp}/escrowgrid-control.XXXXXX")
trap 'rm -rf "$work"' EXIT

# A copy that could be released, as far as its text goes.
git clone -q --no-hardlinks "$ROOT" "$work/copy" || die "a release is checked in a git work tree"
cd "$work/copy" || exit 1
sed -i "0,/^## .*/s//## $version ($(date +%F))/" CHANGELOG.md
git config user.name control
git config user.email control@example.invalid
git commit -qam 'the copy' || true  # unless it has a date already
git tag -d "v$version" >/dev/null 2>&1 || true
git tag base

found=$(scripts/release-check.sh quick 2>&1 | grep -v '^ok: ')
grep -qE '^[0-9]+ passed, 0 failed$' <<<"$found"
judge $? 'a copy in which nothing is broken passes'
[ "$failed" = 0 ] || printf '%s\n' "$found"
while IFS='|' read -r name group command; do
  git reset -q --hard base
  git clean -qfdx
  git tag -d "v$version" >/dev/null 2>&1 || true
  bash -euc "${command#+}" || die "this failed itself: $command"
  if [[ $command != +* ]]; then
    git add -A
    git commit -qm 'something is broken' || die "this broke nothing: $command"
  fi
  found=$(scripts/release-check.sh "$group" 2>&1)
  [ $? = 1 ] && grep -qxF "not ok: $name" <<<"$found"
  judge $? "\"$name\" notices: ${command#+}"
done < <(mutations)
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
