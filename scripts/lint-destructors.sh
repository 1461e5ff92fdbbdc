#!/usr/bin/env bash
# lint-destructors.sh: no type with a destructor lives in src/pg. PostgreSQL's errors are longjmps that skip destructors,
# so the shell holds trivially destructible values only. A compiler that does not optimise emits a symbol for every
# destructor that has anything to do, so the objects must have none. The check is checked first, with a file that holds
# a std::string across a call into PostgreSQL. Ends with "N passed, N failed".
set -euo pipefail
. "$(dirname "$0")/common.sh"

need_build_packages
cd "$ROOT"
objects=$(mktemp -d "${TMPDIR:-/tmp}/escrowgrid-destructors.XXXXXX")
trap 'rm -rf "$objects"' EXIT
includes=$("$PG_CONFIG" --includedir-server)

# shellcheck disable=SC2016 # the inner shell expands its arguments
destructors() { # source... ; prints "source: destructor" for each destructor that one of them calls or defines
  printf '%s\n' "$@" | xargs -P "$(nproc)" -I '{}' sh -c '
    object=$1/$(printf %s "$2" | tr / _).o
    g++ -std=c++20 -O0 -w -D_GNU_SOURCE -DESCROWGRID_VERSION=\"lint\" -Isrc -isystem "$3" -c "$2" -o "$object" || exit 255
    nm -C "$object" | grep -F "::~" | sed "s|^[^a-zA-Z]*. |$2: |" | sort -u
    true' sh "$objects" '{}' "$includes"
}

passed=0
failed=0
check() { # name, yes if it is as it must be, what was found
  if [ "$2" = yes ]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    printf 'not ok: %s\n%s\n' "$1" "$3"
  fi
}

cat >"$objects/held.cpp" <<'CPP'
#include <string>
#include "pg/border/postgres.hpp"
char* hold(const char* text) {
  const std::string held(text);
  return pstrdup(held.c_str());
}
CPP
found=$(destructors "$objects/held.cpp")
check 'a std::string across a call into PostgreSQL would be found' "$([ -n "$found" ] && echo yes)" 'nothing was found'
found=$(destructors src/pg/*.cpp src/pg/*/*.cpp)
check 'src/pg holds no type with a destructor' "$([ -z "$found" ] && echo yes)" "$found"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
