"""Measures two servers in turns by the works of run.py.

usage: compare.py BASE_SOCKET PRESENT_SOCKET [--labels BASE PRESENT] [--rounds N] [--seconds N] [--only NAME...]

Both servers have been filled alike by bench-compare.sh. Rates are medians of the rounds. A ratio is the base's rate by the
present one's, the median of the rounds' own ratios, because the two slices of a round see the same machine; more than 1 says
that the present one is slower. The spread is half the distance between the quartiles of these ratios.
"""

import argparse
import statistics

import run


class Works(run.Bench):
    """The works of one server as measurements that wait to be taken."""

    def __init__(self, seconds, host):
        super().__init__(seconds, 1, host)
        self.measurements = {}

    def in_turns(self, work, peers, measure):
        self.measurements[work] = lambda: measure("ours")

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


def spread(ratios):
    """In per cent of the median."""
    if len(ratios) < 2:
        return 0.0
    low, _, high = statistics.quantiles(ratios, n=4)
    return (high - low) / statistics.median(ratios) * 50


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("sockets", nargs=2)
    parser.add_argument("--labels", nargs=2, default=["base", "present"])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=1)
    parser.add_argument("--only", nargs="*", default=[])
    arguments = parser.parse_args()
    base, present = (Works(arguments.seconds, host).collect(arguments.only) for host in arguments.sockets)
    labels = arguments.labels
    print(f"{'works a second':<58} {labels[0]:>12} {labels[1]:>12} {'/'.join(labels):>13}  spread", flush=True)
    ratios = {}
    for work in base:
        # The first round warms up.
        rounds = [(base[work](), present[work]()) for _ in range(arguments.rounds + 1)][1:]
        medians = [statistics.median(rates) for rates in zip(*rounds)]
        of_rounds = [old / new for old, new in rounds]
        ratios[work] = statistics.median(of_rounds)
        print(f"{work:<58} {medians[0]:12.1f} {medians[1]:12.1f} {ratios[work]:12.3f}x  ±{spread(of_rounds):.1f} %", flush=True)
    slowest = max(ratios, key=ratios.get)
    if ratios[slowest] > 1:
        print(f"largest slowdown: {(1 - 1 / ratios[slowest]) * 100:.1f} % in {slowest}")
    else:
        print("largest slowdown: none")


if __name__ == "__main__":
    main()
