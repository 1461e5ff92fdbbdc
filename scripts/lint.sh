#!/usr/bin/env bash
# lint.sh: checks format, shell scripts, static analysis, destructors in the shell, and structure.
set -euo pipefail
. "$(dirname "$0")/common.sh"

need_build_packages
need_packages clang-format clang-tidy shellcheck cmake libgtest-dev
cd "$ROOT"
say 'clang-format'
clang-format --dry-run -Werror src/core/*.[ch]pp src/pg/*.cpp src/pg/*/*.[ch]pp test/unit/*.[ch]pp test/fuzz/*.[ch]pp test/bench/*.cpp
say 'shellcheck'
shellcheck -x -P SCRIPTDIR scripts/*.sh .ci/run
say 'clang-tidy'
cmake -S . -B build/lint -DESCROWGRID_SANITIZE=OFF -DESCROWGRID_MODULE=ON >/dev/null
printf '%s\n' src/core/*.cpp src/pg/*.cpp src/pg/*/*.cpp | xargs -P "$(nproc)" -n 2 clang-tidy -p build/lint --quiet --warnings-as-errors='*' 2>/dev/null
say 'destructors'
scripts/lint-destructors.sh
say 'structure'
scripts/lint-structure.sh
