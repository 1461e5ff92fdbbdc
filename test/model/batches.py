"""Batches of 8 sessions with overlapping ids in opposite orders do not deadlock, and every event is there.

usage: batches.py ROUNDS

Connects with libpq's environment variables, to a database with the extension. Ends with "N passed, N failed".
"""

import multiprocessing
import random
import sys

import psycopg2

SESSIONS = 8
POSITIONS = 12


def work(number, rounds, results):
    generator = random.Random(number)
    connection = psycopg2.connect("")
    connection.autocommit = True
    cursor = connection.cursor()
    failures, moved = [], 0
    for _ in range(rounds):
        ids = generator.sample([f"pos_batch{n}" for n in range(POSITIONS)], generator.randint(2, POSITIONS))
        ids.sort(reverse=number % 2 == 1)
        try:
            cursor.execute("SELECT id FROM escrowgrid.escrow_transition_batch(%s, 'PARTIALLY_RELEASED')", (ids,))
            if [row[0] for row in cursor.fetchall()] != ids:
                failures.append("the rows of a batch did not come in the order of its ids")
            moved += len(ids)
        except psycopg2.Error as error:
            failures.append(f"{error.pgcode} {error}")
    results.put((failures, moved))


def main():
    rounds = int(sys.argv[1])
    connection = psycopg2.connect("")
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute("""
        INSERT INTO escrowgrid.institutions VALUES ('inst_batch', 'B', '{US}', '{CONSTRUCTION}', now(), now());
        INSERT INTO escrowgrid.asset_templates VALUES ('tmpl_batch', 'inst_batch', 'OWN', 'T', 'CONSTRUCTION', 'US', '{}', now(), now());
        INSERT INTO escrowgrid.assets VALUES ('ast_batch', 'inst_batch', 'tmpl_batch', 'A', NULL, now(), now())""")
    for n in range(POSITIONS):
        cursor.execute("""INSERT INTO escrowgrid.positions (id, asset_id, holder_reference, currency, amount)
            VALUES (%s, 'ast_batch', 'h', 'USD', 10)""", (f"pos_batch{n}",))
        cursor.execute("UPDATE escrowgrid.positions SET state = 'FUNDED' WHERE id = %s", (f"pos_batch{n}",))
    results = multiprocessing.Queue()
    share = -(-rounds // SESSIONS)
    workers = [multiprocessing.Process(target=work, args=(n, share, results)) for n in range(SESSIONS)]
    for worker in workers:
        worker.start()
    outcomes = [results.get() for _ in workers]
    for worker in workers:
        worker.join()
    failures = [failure for failed, _ in outcomes for failure in failed]
    moved = sum(count for _, count in outcomes)
    cursor.execute("SELECT sum(version) - 2 * count(*), (SELECT count(*) FROM escrowgrid.position_events) FROM escrowgrid.positions")
    versions, events = cursor.fetchone()
    if not (versions == moved and events == moved + 2 * POSITIONS):
        failures.append(f"{moved} transitions succeeded, but versions grew by {versions} and there are {events} events")
    cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    deadlocks = cursor.fetchone()[0]
    if deadlocks:
        failures.append(f"{deadlocks} deadlocks")
    for failure in failures[:5]:
        print("FAILED:", failure)
    print(f"{share * SESSIONS} batches of {SESSIONS} sessions, {moved} transitions, {deadlocks} deadlocks")
    print(f"{share * SESSIONS - len(failures)} passed, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
