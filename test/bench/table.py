"""Prints the figures of run.py as a Markdown table.

usage: table.py EN_US.json C.json VERSION
"""

import json
import os
import platform
import sys
from pathlib import Path


def cpu():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def figure(value):
    return f"{value:,.0f}" if value else ""


def main():
    english, plain = (json.loads(Path(name).read_text()) for name in sys.argv[1:3])
    print(f"\n{cpu()}, {os.cpu_count()} cores; {sys.argv[3]}; fsync on, shared_buffers 1 GB, autovacuum off.")
    print("Ratios of medians, in en_US.UTF-8 and in C. The columns escrowgrid and peer are operations per second in")
    print("en_US.UTF-8. ± is half the spread of the rounds.\n")
    print("| work | against | en_US.UTF-8 | C | escrowgrid | peer | ± |\n|---|---|---|---|---|---|---|")
    for here, there in zip(english, plain):
        ratio = [f"{row['ratio']:.2f}×" if row["ratio"] else "" for row in (here, there)]
        print(f"| {here['work']} | {here['peer']} | {ratio[0]} | {ratio[1]} | {figure(here['ours'])} | {figure(here['theirs'])} | {here['spread'] * 50:.0f} % |")
    print()


if __name__ == "__main__":
    main()
