"""Escrow calls while the tables are changed under them without pause, and sessions are cancelled and terminated.

usage: run.py [SECONDS [SEED]]
       run.py --grants SECONDS SEED    only new connections, one call each, against GRANT and REVOKE: for half of the
                                       time 10 a second of all tables, for the other half 2,000 a second

Connects as libpq's environment says, as a superuser, to a database with the extension. What a session was told is
compared with the tables afterwards: a call that committed is there exactly once, one that failed is not there, one whose
connection was lost at its commit is there once or not at all. Ends with "N passed, N failed".
"""

import collections
import multiprocessing
import queue
import sys

import psycopg2

import calls
import ddl
from judge import judge
from session import TABLES

READ_COMMITTED, REPEATABLE_READ, SERIALIZABLE = "read committed", "repeatable read", "serializable"


def storm(seed, seconds):
    """The twelve sessions."""
    sessions = [calls.Caller(0, seed, seconds, READ_COMMITTED, False), calls.Caller(1, seed, seconds, REPEATABLE_READ, False),
                calls.Caller(2, seed, seconds, SERIALIZABLE, False), calls.Caller(3, seed, seconds, READ_COMMITTED, True),
                calls.Caller(4, seed, seconds, REPEATABLE_READ, True)]
    changes = (ddl.Grants, ddl.Indexes, ddl.Alters, ddl.Rewrites, ddl.Triggers, ddl.Publications, ddl.Killer)
    return sessions + [change(5 + n, seed, seconds) for n, change in enumerate(changes)]


def new_connections(first, seed, seconds):
    return [calls.Caller(first + n, seed, seconds, READ_COMMITTED, True, single=True) for n in range(4)]


def slow_grants(seed, seconds):
    return new_connections(0, seed, seconds) + [ddl.SteadyGrants(0, seed, seconds, ddl.QUALIFIED, 10)]


def fast_grants(seed, seconds):
    # One session for each table: two that change one table's row at the same time would fail.
    return new_connections(4, seed, seconds) + [
        ddl.SteadyGrants(n, seed, seconds, f"escrowgrid.{table}", 500) for n, table in enumerate(TABLES)]


def run(sessions, seconds):
    """The results of all sessions, and a failure for each that did not come back."""
    results = multiprocessing.Queue()
    workers = [multiprocessing.Process(target=session.run, args=(results,)) for session in sessions]
    for worker in workers:
        worker.start()
    found, failures = [], []
    try:
        for _ in workers:
            found.append(results.get(timeout=seconds + 120))
    except queue.Empty:
        failures.append(f"{len(workers) - len(found)} sessions hang")
    for worker in workers:
        worker.terminate() if failures else worker.join()
    return found, failures


def main():
    narrow = sys.argv[1:2] == ["--grants"]
    arguments = [int(value) for value in sys.argv[2 if narrow else 1:]]
    seconds, seed = arguments[0] if arguments else 300, arguments[1] if len(arguments) > 1 else 1
    print(f"seed {seed}, {seconds} seconds", flush=True)
    connection = psycopg2.connect("")
    connection.autocommit = True
    cursor = connection.cursor()
    calls.set_up(cursor)
    ddl.set_up(cursor)
    cursor.execute("CREATE UNLOGGED TABLE public.storm_alive AS SELECT true AS alive")
    connection.close()
    found, failures = [], []
    for make, share in ((slow_grants, seconds / 2), (fast_grants, seconds / 2)) if narrow else ((storm, seconds),):
        more, hanging = run(make(seed, share), share)
        found += more
        failures += hanging
    made = [call for result in found for call in result["calls"]]
    failures += [failure for result in found for failure in result["failures"]]
    outcomes = sum((result["outcomes"] for result in found), collections.Counter())
    print("outcomes:", ", ".join(f"{name} {count}" for name, count in sorted(outcomes.items())))
    fates = collections.Counter(fate for _, fate, _ in made)
    print(f"{len(made)} calls:", ", ".join(f"{fate} {count}" for fate, count in sorted(fates.items())))
    connection = psycopg2.connect("")
    connection.autocommit = True
    checked, wrong = judge(connection.cursor(), made)
    failures += wrong
    for failure in failures[:20]:
        print("FAILED:", failure)
    print(f"{checked - len(wrong)} passed, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
