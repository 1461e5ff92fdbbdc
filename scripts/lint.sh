#!/usr/bin/env bash
# lint.sh [CHECK...]: all checks of the sources, or only those named. Ends with "N passed, N failed".
#   format     clang-format on the C++ sources
#   editor     every file against .editorconfig
#   shell      shellcheck on every shell script
#   tidy       clang-tidy on the C++ sources, which takes minutes
#   destructors  no type with a destructor in src/pg (scripts/lint-destructors.sh)
#   structure  the house rules (scripts/lint-structure.sh)
set -euo pipefail
. "$(dirname "$0")/common.sh"
cd "$ROOT"

passed=0
failed=0
check() { # name, command...
  local name=$1
  shift
  say "$name"
  if "$@"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    printf 'not ok: %s\n' "$name"
  fi
}

check_format() {
  clang-format --dry-run -Werror src/core/*.[ch]pp src/pg/*.cpp src/pg/*/*.[ch]pp test/unit/*.[ch]pp \
    test/fuzz/*.[ch]pp test/bench/*.cpp
}
check_shell() {
  find . -name '*.sh' ! -path './build/*' -print0 | xargs -0 shellcheck -x -P SCRIPTDIR .ci/run
}
check_tidy() {
  cmake -S . -B build/lint -DESCROWGRID_SANITIZE=OFF -DESCROWGRID_MODULE=ON -DPG_CONFIG="$PG_CONFIG" >/dev/null &&
    printf '%s\n' src/core/*.cpp src/pg/*.cpp src/pg/*/*.cpp |
    xargs -P "$(nproc)" -n 2 clang-tidy -p build/lint --quiet --warnings-as-errors='*' 2>/dev/null
}
# A script that counts its own checks.
check_counted() { # name
  local log=build/$1.log counts
  say "$1"
  mkdir -p build
  "scripts/lint-$1.sh" | tee "$log" || true
  counts=$(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' "$log" | tail -1)
  read -r good bad <<<"${counts:-0 1}"
  passed=$((passed + good))
  failed=$((failed + bad))
}

[ $# -gt 0 ] || set -- format editor shell tidy destructors structure
for name in "$@"; do
  case $name in
    format)
      need_packages clang-format
      check clang-format check_format
      ;;
    editor)
      need_packages python3 python3-editorconfig
      check .editorconfig /usr/bin/python3 scripts/check-editorconfig.py
      ;;
    shell)
      need_packages shellcheck
      check shellcheck check_shell
      ;;
    tidy)
      need_build_packages
      require_one_version
      need_packages clang-tidy cmake libgtest-dev
      check clang-tidy check_tidy
      ;;
    destructors | structure)
      need_build_packages
      check_counted "$name"
      ;;
    *) die "no check is named $name" ;;
  esac
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
