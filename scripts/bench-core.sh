#!/usr/bin/env bash
# bench-core.sh: runs the benchmarks of the core.
set -euo pipefail
. "$(dirname "$0")/common.sh"

need_packages g++ make cmake libssl-dev libbenchmark-dev
cmake -S "$ROOT" -B "$ROOT/build/bench" -DESCROWGRID_BENCH=ON -DCMAKE_BUILD_TYPE=Release >/dev/null
make -C "$ROOT/build/bench" -s core_bench >/dev/null
"$ROOT/build/bench/core_bench" --benchmark_min_time=0.5 2>/dev/null
