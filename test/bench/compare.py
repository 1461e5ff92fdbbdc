"""Measures two servers in turns by the works of run.py.

usage: compare.py BASE_SOCKET PRESENT_SOCKET [--labels BASE PRESENT] [--rounds N] [--seconds N] [--only NAME...]

Both servers have been filled alike by bench-compare.sh. Rates are medians of the rounds. A ratio says how much slower the
present server is, 1 for not at all: by the clock (the base's rate by the present one's) and by the processor time that the
servers took for the same work, which on a busy machine says more. It is the median of the rounds' own ratios, because the
two slices of a round see the same machine. After it comes the interval that holds the true median in at least 95 of 100
runs (fewer than six rounds are too few for that: the interval is then the range of all rounds). It says nothing about the
difference that two servers have by chance: compare a module with itself to see that. Every other round begins with the
present server, and the number of rounds is rounded up to an even one, so that neither gains by its place.
"""

import argparse
import math
import os
import statistics
import time
from pathlib import Path

import run

TICK = os.sysconf("SC_CLK_TCK")


class Server:
    """The processor time of a server's processes, those that have ended included."""

    def __init__(self, socket):
        self.postmaster = next(Path(socket).glob(".s.PGSQL.*.lock")).read_text().split()[0]

    @staticmethod
    def times(pid):
        """utime, stime, cutime, cstime; a process may have ended meanwhile."""
        try:
            return [int(field) for field in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:15]]
        except (FileNotFoundError, ProcessLookupError):
            return [0, 0, 0, 0]

    def seconds(self):
        children = Path(f"/proc/{self.postmaster}/task/{self.postmaster}/children").read_text().split()
        return (sum(self.times(self.postmaster)) + sum(sum(self.times(pid)[:2]) for pid in children)) / TICK


class Works(run.Bench):
    """The works of one server as measurements that wait to be taken."""

    def __init__(self, seconds, host):
        super().__init__(seconds, 1, host)
        self.server = Server(host)
        self.measurements = {}

    def in_turns(self, work, peers, measure):
        def take():
            """Works a second, and processor seconds a work."""
            began, used = time.perf_counter(), self.server.seconds()
            rate = measure("ours")
            return rate, (self.server.seconds() - used) / (rate * (time.perf_counter() - began))
        self.measurements[work] = take

    def transition(self, kinds):
        for clients, sync in kinds:
            self.run_sql("transition", ["ours"], run.TRANSITION, clients, sync)

    def collect(self, only):
        works = {
            "transition": lambda: self.transition([(clients, sync) for sync in ("off", "on") for clients in (1, 4, 16)]),
            "two": lambda: self.transition([(1, "off"), (4, "off")]),
            "backend": self.in_backend,
            "creation": lambda: [self.run_sql("create position", ["ours"], run.CREATION, clients, "off") for clients in (1, 4)],
            "batch": lambda: [self.batches(size) for size in (10, 100, 1000)],
            "hot": lambda: [self.hot_position(clients) for clients in (1, 16)],
            "authenticate": self.authenticate,
            "signed": lambda: self.run_sql("sign in and move in one transaction", ["ours"], run.SIGNED, 1, "off"),
        }
        for name in only or [name for name in works if name != "two"]:
            works[name]()
        return self.measurements


def summary(ratios):
    """The median, and its 95 % confidence interval by the sign test."""
    ratios = sorted(ratios)
    outside = max(1, math.floor((len(ratios) - 1.96 * math.sqrt(len(ratios))) / 2))
    median = statistics.median(ratios)
    return median, f"{median:7.3f}x ({ratios[outside - 1]:.3f} to {ratios[-outside]:.3f})"


def one_round(base, present, present_first):
    """The measurements of both sides, the base's first whichever was taken first."""
    if present_first:
        of_present = present()
        return base(), of_present
    return base(), present()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("sockets", nargs=2)
    parser.add_argument("--labels", nargs=2, default=["base", "present"])
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--seconds", type=int, default=1)
    parser.add_argument("--only", nargs="*", default=[])
    arguments = parser.parse_args()
    base, present = (Works(arguments.seconds, host).collect(arguments.only) for host in arguments.sockets)
    print(f"{'works a second':<58} {arguments.labels[0]:>12} {arguments.labels[1]:>12}  {'slower by the clock':>26}  {'by processor time':>26}", flush=True)
    count = arguments.rounds + arguments.rounds % 2
    slower = {"by the clock": {}, "by processor time": {}}
    for work in base:
        # The first round warms up.
        rounds = [one_round(base[work], present[work], number % 2) for number in range(count + 1)][1:]
        medians = [statistics.median(rate for rate, _ in side) for side in zip(*rounds)]
        slower["by the clock"][work], clock = summary([old / new for (old, _), (new, _) in rounds])
        slower["by processor time"][work], processor = summary([new / old for (_, old), (_, new) in rounds])
        print(f"{work:<58} {medians[0]:12.1f} {medians[1]:12.1f}  {clock:>26}  {processor:>26}", flush=True)
    for how, ratios in slower.items():
        work = max(ratios, key=ratios.get)
        print(f"largest slowdown {how}: {ratios[work]:.3f}x in {work}" if ratios[work] > 1 else f"largest slowdown {how}: none")


if __name__ == "__main__":
    main()
