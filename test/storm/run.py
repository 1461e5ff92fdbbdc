"""Escrow calls while the tables are changed under them without pause, and sessions are cancelled and terminated.

usage: run.py [SECONDS [SEED]]
       run.py --grants SECONDS SEED [RATE...]    only new connections, one call each, against GRANT and REVOKE, each of
                                                 the four tables at once, RATE times a second, SECONDS for each RATE

Connects as a superuser with libpq's environment variables, to a database with the extension. Afterwards the tables are
compared with the answers that the sessions got: a call that committed is there exactly once, one that failed is not
there, one whose connection was lost at its commit is there once or not at all. Ends with "N passed, N failed".
"""

import collections
import multiprocessing
import queue
import sys

import psycopg2

import calls
import ddl
from judge import judge

READ_COMMITTED, REPEATABLE_READ, SERIALIZABLE = "read committed", "repeatable read", "serializable"


def storm(seed, seconds):
    """The twelve sessions of the storm: five that make calls, six that change the tables, and the killer."""
    sessions = [calls.Caller(0, seed, seconds, READ_COMMITTED, False), calls.Caller(1, seed, seconds, REPEATABLE_READ, False),
                calls.Caller(2, seed, seconds, SERIALIZABLE, False), calls.Caller(3, seed, seconds, READ_COMMITTED, True),
                calls.Caller(4, seed, seconds, REPEATABLE_READ, True)]
    changes = (ddl.Grants, ddl.Indexes, ddl.Alters, ddl.Rewrites, ddl.Triggers, ddl.Publications, ddl.Killer)
    return sessions + [change(5 + n, seed, seconds) for n, change in enumerate(changes)]


def new_connections(number, seed, seconds, rate):
    """Four sessions that make one call a connection, and one that changes the privileges of all tables."""
    return [calls.Caller(4 * number + n, seed, seconds, READ_COMMITTED, True, single=True) for n in range(4)] + [
        ddl.SteadyGrants(number, seed, seconds, ddl.QUALIFIED, rate)]


def run(sessions, seconds):
    """Runs the sessions. Returns their results, and a failure if some did not end."""
    results = multiprocessing.Queue()
    workers = [multiprocessing.Process(target=session.run, args=(results,)) for session in sessions]
    for worker in workers:
        worker.start()
    found, failures = [], []
    try:
        for _ in workers:
            found.append(results.get(timeout=seconds + 120))
    except queue.Empty:
        failures.append(f"{len(workers) - len(found)} sessions have not ended two minutes after their time")
    for worker in workers:
        worker.terminate() if failures else worker.join()
    return found, failures


def plan(arguments):
    """The groups of sessions that run one after the other, each as (sessions, seconds)."""
    narrow = arguments[:1] == ["--grants"]
    numbers = [int(value) for value in (arguments[1:] if narrow else arguments)]
    seconds = numbers[0] if numbers else 300
    seed = numbers[1] if len(numbers) > 1 else 1
    print(f"seed {seed}, {seconds} seconds", flush=True)
    if not narrow:
        return [(storm(seed, seconds), seconds)]
    return [(new_connections(n, seed, seconds, rate), seconds) for n, rate in enumerate(numbers[2:] or [10, 100])]


def connect():
    connection = psycopg2.connect("")
    connection.autocommit = True
    return connection


def set_up():
    connection = connect()
    cursor = connection.cursor()
    calls.set_up(cursor)
    ddl.set_up(cursor)
    cursor.execute("CREATE UNLOGGED TABLE public.storm_alive AS SELECT true AS alive")
    connection.close()


def main():
    groups = plan(sys.argv[1:])
    set_up()
    found, failures = [], []
    for sessions, seconds in groups:
        more, hanging = run(sessions, seconds)
        found += more
        failures += hanging
    made = [call for result in found for call in result["calls"]]
    failures += [failure for result in found for failure in result["failures"]]
    outcomes = sum((result["outcomes"] for result in found), collections.Counter())
    print("outcomes:", ", ".join(f"{name} {count}" for name, count in sorted(outcomes.items())))
    fates = collections.Counter(fate for _, fate, _ in made)
    print(f"{len(made)} calls:", ", ".join(f"{fate} {count}" for fate, count in sorted(fates.items())))
    checked, wrong = judge(connect().cursor(), made)
    failures += wrong
    for failure in sorted(failures)[:20]:
        print("FAILED:", failure)
    print(f"{checked - len(wrong)} passed, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
