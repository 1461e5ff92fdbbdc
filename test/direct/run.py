"""Compares what the extension writes without SPI with what it writes through SPI, with users' objects on the tables.

usage: run.py ROUNDS SEED [--from ROUND] [--shrink] [--without PATTERN]

Connects as a superuser with libpq's environment variables. Makes the databases direct_template, direct_auto and
direct_ordinary and the roles direct_owner and direct_app. The databases direct_auto and direct_ordinary are twins, equal
except for escrowgrid.debug_write_path. Each round alters the tables at random, lets three sessions run the same
statements in both twins, and compares every result and afterwards every row. Calls are also made both ways in one
session, each undone by a savepoint. --from begins with a later round, --shrink looks for the smallest round that still
differs, --without leaves out alterations whose description matches. Ends with "N passed, N failed".

Compared are the rows that a call returns, its SQLSTATE, message, DETAIL, HINT, the names of the constraint, table,
column and type, notices, and the state in which it leaves the transaction; after the round all rows of the four tables,
of idempotency_keys and of users' tables in their order, escrow_verify(), and the counters of rows written. amcheck
looks for rows that an index lacks.
Not compared:
- the values of ids, salts, hashes, API keys and times, which are random or come from the clock. They are replaced by
  symbols in the order in which they appear, so it is compared which of them are equal.
- numbers from sequences. A write that fails may fail before or after its default is computed, and PostgreSQL never gives
  a number back.
- CONTEXT, the place in PostgreSQL's source and the internal query: SPI adds its statement there, a direct write has none.
- the counters of rounds in which a call failed after it may have written some of its rows. They count rows that were
  undone as well, and direct writing checks all rows that a batch writes to a table before it writes the first. The
  counters of calls that succeed are compared in all rounds, by the calls made both ways in one session.
- which error a batch fails with when two of its records cannot be written, because the two ways check them in another
  order. Both ways undo the whole batch.
- locks on tables: a call that is refused may have opened tables that it would have written.
- what follows a serialization failure for "read/write dependencies" in one twin only. SERIALIZABLE may refuse more than
  it must, depending on the pages and index entries that a plan reads. Such rounds end there and are counted as
  "unpredictable".
- which reading of the clock a time comes from. Two readings of one call may be equal by chance, so "now" in a DETAIL and
  the time of an idempotency key are not compared with the times of records.
- the DETAIL of users' DDL that fails: if several rows are in its way, which one it names depends on their places in the
  table.
- a domain's default that changes while sessions are connected: cached plans go on with the old one, and only the
  ordinary way has cached plans.
- what modules with hooks in the executor see of the statements inside a call: a direct write is no statement.
- HOT updates and dead rows, which depend on the places of rows in the table.
"""

import argparse
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg2

import compare
import shrink
import twins
from calls import slot_setup
from plans import make_plan

FAILURES_SHOWN = 20


class Tally:
    def __init__(self):
        self.outcomes = {}
        self.passed = 0
        self.failures = []
        self.unpredictable = 0
        self.alterations = 0
        self.direct = 0  # rounds that were written without SPI at their end

    def count(self, log):
        for _, outcome in log:
            code = compare.code_of(outcome)
            self.outcomes[code] = self.outcomes.get(code, 0) + 1


class Round:
    """One round of both twins."""

    def __init__(self, pair, plan, pool):
        self.pair = pair
        self.plan = plan
        self.pool = pool
        self.is_sound = True

    def both(self, work):
        return list(self.pool.map(work, self.pair))

    def judge(self, tally):
        """Plays the round and returns what differs, as texts. If there are any, the twins are no longer alike."""
        before = self.both(lambda twin: twin.counters())
        logs = self.both(lambda twin: twin.play(self.plan))
        tally.count(logs[0])
        difference = compare.first_difference(logs)
        if difference:
            place, told = difference
            tally.passed += place
            if any(compare.is_serialization_guess(log[place][1]) for log in logs if place < len(log)):
                tally.unpredictable += 1
                return ["unpredictable"]
            return [self.describe_statement(place, told)]
        tally.passed += len(logs[0])
        after = self.both(lambda twin: twin.counters())
        found = self.judge_rows(tally)
        if not any(compare.may_have_written_in_part(*entry) for entry in logs[0]):
            tally.passed += 1
            found += self.judge_counters(before, after)
        return found or self.judge_trials(tally)

    def judge_safely(self, tally):
        try:
            return self.judge(tally)
        except psycopg2.Error as error:
            time.sleep(1)  # the server may be about to restart after a crash
            last = [f"\n    {twin.way}: {twin.log[-1]}" for twin in self.pair if twin.log]
            return [f"the round ended early: {error!r}; last statements:{''.join(last)}"]

    def describe_statement(self, place, told):
        lines = [f"statement {place}: {told[0][0]}"]
        if told[0][0] != told[1][0]:
            lines.append(f"    in the other twin: {told[1][0]}")
        for twin, (_, outcome) in zip(self.pair, told):
            lines.append(f"    {twin.way}: {outcome}")
        return "\n".join(lines)

    def judge_rows(self, tally):
        sides = self.both(lambda twin: compare.contents(twin.admin))
        found = []
        for name, columns, auto, ordinary in compare.differing_rows(sides):
            found.append(f"rows of {name} ({columns})\n    auto: {auto[:4]}\n    ordinary: {ordinary[:4]}")
        tally.direct += twins.perform(self.pair[0].admin, compare.WRITTEN_DIRECTLY).get("rows") == [("t",)]
        unsound = compare.unsound(sides[0])
        self.is_sound = not unsound
        if not self.plan.breaks_evidence:
            found += [f"should be empty: {name}: {rows}" for name, rows in unsound]
        for twin, outcome in zip(self.pair, self.both(lambda twin: twins.perform(twin.admin, compare.INDEXES))):
            if "error" in outcome:
                found.append(f"amcheck in the twin {twin.way}: {outcome['error']}")
        tally.passed += max(0, len(sides[0]) + 2 - len(found))
        return found

    def judge_counters(self, before, after):
        counts = [compare.difference_of(*both) for both in zip(before, after)]
        if counts[0] == counts[1]:
            return []
        return [f"rows inserted, updated, deleted:\n    auto: {counts[0]}\n    ordinary: {counts[1]}"]

    def judge_trials(self, tally):
        """Calls made both ways in one session of the first twin, each undone."""
        found = []
        for number, sql in enumerate(self.plan.trials):
            ways = ("auto", "ordinary") if (self.plan.number + number) % 2 else ("ordinary", "auto")
            results = {way: self.attempt(sql, way) for way in ways}
            told = [compare.Symbols().of(results[way][0]) for way in ("auto", "ordinary")]
            differing = compare.differing_rows([results[way][1] for way in ("auto", "ordinary")])
            if compare.is_batch_with_two_errors(sql, [results[way][0][0] for way in ways]):
                continue
            if told[0] != told[1] or differing:
                found.append(f"both ways in one session: {sql}\n    auto: {told[0]}\n    ordinary: {told[1]}"
                             f"\n    rows: {differing}")
            else:
                tally.passed += 1
        return found

    def attempt(self, sql, way):
        twin = self.pair[0]
        twins.perform(twin.admin, "BEGIN")
        twins.perform(twin.admin, "SAVEPOINT before")
        twins.perform(twin.admin, f"SET LOCAL escrowgrid.debug_write_path = '{way}'")
        before = compare.written(twin.admin)
        outcomes = [twins.perform(twin.admin, twin.expand(sql))]
        rows = {}
        if "error" not in outcomes[0]:
            outcomes.append(compare.difference_of(before, compare.written(twin.admin)))
            rows = compare.contents(twin.admin)
            outcomes.append(twins.perform(twin.admin, "SET CONSTRAINTS ALL IMMEDIATE"))
        twins.perform(twin.admin, "ROLLBACK TO before")
        twins.perform(twin.admin, "ROLLBACK")
        return outcomes, rows


def report(tally, seed, plan, found):
    tally.failures += found
    if len(tally.failures) > FAILURES_SHOWN:
        return
    print(f"DIFFERS: seed {seed}, round {plan.number}, alterations:", *(f"\n  - {a.name}" for a in plan.alterations))
    for text in found:
        print("  " + text)
    sys.stdout.flush()


def play(arguments, tally, pool):
    pair = None
    for number in range(arguments.first, arguments.first + arguments.rounds):
        if pair is None or number % twins.SLOTS == 0:
            pair = anew(pair, number)
        plan = make_plan(arguments.seed, number, arguments.without)
        tally.alterations += len(plan.alterations)
        round_ = Round(pair, plan, pool)
        found = round_.judge_safely(tally)
        if not found:
            left = sum(round_.both(lambda twin: twin.undo(plan)), [])
            if left or not round_.is_sound:
                pair = anew(pair, number)
            continue
        if found != ["unpredictable"]:
            report(tally, arguments.seed, plan, found)
            if arguments.shrink:
                print(shrink.smallest(plan, lambda smaller: differs(smaller, pool)))
        pair = anew(pair, number)


def anew(pair, number):
    """Makes fresh twins. They depend on the number of the round alone, so that a round can be repeated."""
    for twin in pair or ():
        twin.close()
    return twins.rebuild(is_owner_superuser=number // twins.SLOTS % 2 == 0)


def differs(plan, pool):
    """What differs when a round is played alone, in fresh databases."""
    pair = anew(None, plan.number)
    found = Round(pair, plan, pool).judge_safely(Tally())
    for twin in pair:
        twin.close()
    return [] if found == ["unpredictable"] else found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("rounds", type=int)
    parser.add_argument("seed")
    parser.add_argument("--from", type=int, default=0, dest="first")
    parser.add_argument("--shrink", action="store_true")
    parser.add_argument("--without")
    arguments = parser.parse_args()
    twins.make_template([sql for slot in range(twins.SLOTS) for sql in slot_setup(slot)])
    tally = Tally()
    with ThreadPoolExecutor(2) as pool:
        play(arguments, tally, pool)
    print(f"seed {arguments.seed}, {arguments.rounds} rounds, {tally.alterations} alterations,"
          f" {tally.direct} written directly, {tally.unpredictable} unpredictable; outcomes:",
          ", ".join(f"{code} {tally.outcomes[code]}" for code in sorted(tally.outcomes)))
    print(f"{tally.passed} passed, {len(tally.failures)} failed")
    return 1 if tally.failures else 0


if __name__ == "__main__":
    sys.exit(main())
