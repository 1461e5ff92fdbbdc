#!/usr/bin/env bash
# fuzz.sh SECONDS: runs each libFuzzer target for SECONDS under ASan and UBSan, starting from its corpus in the tree.
# New inputs are written to build/fuzz/corpus. Copy an input that showed a bug to test/fuzz/corpus by hand.
set -euo pipefail
. "$(dirname "$0")/common.sh"

seconds=${1:-60}
need_packages clang make cmake libssl-dev libclang-rt-14-dev
cmake -S "$ROOT" -B "$ROOT/build/fuzz" -DESCROWGRID_FUZZ=ON -DCMAKE_CXX_COMPILER=clang++ >/dev/null
make -C "$ROOT/build/fuzz" -s -j "$(nproc)" >/dev/null
passed=0
for source in "$ROOT"/test/fuzz/fuzz_*.cpp; do
  name=$(basename "$source" .cpp)
  say "$name for $seconds seconds"
  mkdir -p "$ROOT/build/fuzz/corpus/$name"
  (cd "$ROOT/build/fuzz" && "./$name" -max_total_time="$seconds" -max_len=4096 -print_final_stats=1 \
    "corpus/$name" "$ROOT/test/fuzz/corpus/$name" 2>&1 | grep -vE '^#|NEW|REDUCE|^INFO' | tail -12)
  passed=$((passed + 1))
done
echo "$passed passed, 0 failed"
