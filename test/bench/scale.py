"""Transitions a second in the databases small and large, in turns; prints the ratio of medians.

usage: scale.py [ROUNDS] [SECONDS]
"""

import statistics
import subprocess
import sys
import tempfile

SCRIPT = ("\\set n random(1, 2000)\nSELECT state FROM escrowgrid.escrow_transition('pos_m' || lpad(:n::text, 25, '0'),"
          " 'PARTIALLY_RELEASED', amount => 0.01);\n")


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    seconds = sys.argv[2] if len(sys.argv) > 2 else "3"
    taken = {"small": [], "large": []}
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(SCRIPT)
        script.flush()
        for turn in range(rounds + 1):
            for name, values in taken.items():
                done = subprocess.run(["pgbench", "-n", "-M", "prepared", "-T", seconds, "-f", script.name, name],
                                      capture_output=True, text=True, check=True)
                if turn:  # the first round warms up
                    values.append(float(done.stdout.split("tps = ")[1].split()[0]))
    for name in taken:
        size = subprocess.run(["psql", "-XAtq", "-d", name, "-c", "SELECT reltuples::bigint FROM pg_class WHERE oid = 'escrowgrid.position_events'::regclass"],
                              capture_output=True, text=True, check=True).stdout.strip()
        print(f"{name}: {size} events, {statistics.median(taken[name]):.0f} transitions a second")
    print(f"kept: {statistics.median(taken['large']) / statistics.median(taken['small']) * 100:.0f} %")


if __name__ == "__main__":
    main()
