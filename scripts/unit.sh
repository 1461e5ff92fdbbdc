#!/usr/bin/env bash
# unit.sh: runs the core's unit tests and the corpus of the fuzz targets, under ASan and UBSan.
set -euo pipefail
. "$(dirname "$0")/common.sh"

need_packages g++ make cmake libssl-dev libgtest-dev
cmake -S "$ROOT" -B "$ROOT/build/unit" -DESCROWGRID_SANITIZE=ON >/dev/null
make -C "$ROOT/build/unit" -s -j "$(nproc)" >/dev/null
ctest --test-dir "$ROOT/build/unit" --output-on-failure -j "$(nproc)"
