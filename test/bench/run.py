"""Measures the extension against its peers, interleaved, and prints ratios of medians.

usage: run.py [--rounds N] [--seconds S] [--only NAME...] [--json FILE]

Connects as libpq's environment says, as a superuser, to a database that bench.sh has filled. One figure alone says little
about a machine that is shared; the ratio of two that were taken in turns does.
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg2

POSITIONS = 20000
PICK = "\\set n random(1, {positions})\n"
ID = "'pos_' || lpad(:n::text, 26, '0')"
TRANSITION = {
    "ours": f"SELECT state FROM escrowgrid.escrow_transition({ID}, 'PARTIALLY_RELEASED', amount => 0.01);",
    "a": f"SELECT state FROM seed.transition({ID}, 'PARTIALLY_RELEASED', amount => 0.01);",
    "b": f"SELECT state FROM own.transition({ID}, 'PARTIALLY_RELEASED', amount => 0.01);",
    "c": f"""WITH m AS (UPDATE seed.positions SET state = 'PARTIALLY_RELEASED', released_amount = released_amount + 0.01, updated_at = now() WHERE id = {ID} RETURNING *),
 e AS (INSERT INTO seed.position_events SELECT 'ple_' || gen_random_uuid(), id, 'FUNDED', state, NULL, now(), NULL, now() FROM m),
 l AS (INSERT INTO seed.ledger_events SELECT 'led_' || gen_random_uuid(), 'POSITION_STATE_CHANGED', id, now(), 'FUNDED', state, jsonb_build_object('amount', 0.01, 'releasedAmount', released_amount, 'currency', currency), now() FROM m),
 u AS (INSERT INTO seed.audit_events SELECT 'aud_' || gen_random_uuid(), now(), now(), NULL, institution_id, 'SQL', 'x', 'POSITION_TRANSITIONED', 'position', id, jsonb_build_object('toState', state, 'amount', 0.01, 'currency', currency), 'success', session_user FROM m)
 SELECT state FROM m;""",
}
CREATION = {
    "ours": "SELECT state FROM escrowgrid.escrow_create_position('{asset}', 'holder', 'USD', 100);",
    "a": "SELECT state FROM seed.create_position('{asset}', 'holder', 'USD', 100);",
}
SIGNED = {
    "ours": "BEGIN;\nSELECT escrowgrid.escrow_authenticate('{token}');\n" + TRANSITION["ours"] + "\nCOMMIT;",
    "a": "BEGIN;\nSELECT seed.authenticate('{token}');\n" + TRANSITION["a"] + "\nCOMMIT;",
}
READS = {
    "ours": f"SELECT * FROM escrowgrid.positions WHERE institution_id = '{{institution}}' AND id >= {ID} ORDER BY id LIMIT 20;",
}
SETTINGS = {"ours": "escrowgrid,seed,public", "a": "seed,public", "b": "own,public", "c": "seed,public"}


class Bench:
    def __init__(self, seconds, rounds, host=None):
        self.seconds, self.rounds = seconds, rounds
        self.environment = {**os.environ, **({"PGHOST": host} if host else {})}
        self.connection = psycopg2.connect(f"host='{host}'" if host else "")
        self.connection.autocommit = True
        self.cursor = self.connection.cursor()
        self.cursor.execute("SELECT token, asset, institution FROM public.bench")
        self.facts = dict(zip(("token", "asset", "institution"), self.cursor.fetchone()))
        self.directory = tempfile.TemporaryDirectory()
        self.results = []

    def pgbench(self, peer, script, clients, sync):
        path = Path(self.directory.name) / f"{peer}.sql"
        path.write_text(PICK.format(positions=POSITIONS) + script.format(**self.facts) + "\n")
        options = f"-c synchronous_commit={sync} -c search_path={SETTINGS[peer]}"
        done = subprocess.run(["pgbench", "-n", "-M", "prepared", "-c", str(clients), "-j", str(min(clients, 2)), "-T", str(self.seconds),
                               "-f", str(path)], capture_output=True, text=True, env={**self.environment, "PGOPTIONS": options}, check=True)
        return float(done.stdout.split("tps = ")[1].split()[0])

    def in_turns(self, work, peers, measure):
        """Every peer once a round; the first round warms up and does not count."""
        taken = {peer: [] for peer in peers}
        for turn in range(self.rounds + 1):
            for peer in peers:
                value = measure(peer)
                if turn:
                    taken[peer].append(value)
        median = {peer: statistics.median(values) for peer, values in taken.items()}
        spread = {peer: (max(values) - min(values)) / median[peer] for peer, values in taken.items()}
        for peer in peers[1:]:
            self.results.append({"work": work, "peer": peer, "ratio": median["ours"] / median[peer], "ours": median["ours"],
                                 "theirs": median[peer], "spread": max(spread["ours"], spread[peer])})
            self.show()
        return median

    def show(self):
        r = self.results[-1]
        print(f"{r['work']:<58} {r['peer']:>8} {r['ratio']:6.2f}x {r['ours']:12.1f} {r['theirs']:12.1f}  ±{r['spread'] * 50:.0f} %", flush=True)

    def run_sql(self, work, peers, scripts, clients, sync):
        self.in_turns(f"{work}, {clients} client{'s' * (clients > 1)}, {'sync' if sync == 'on' else 'async'} commit", peers,
                      lambda peer: self.pgbench(peer, scripts[peer], clients, sync))

    def timed(self, peer, statement, count):
        """Work a second inside one backend: `count` calls in one statement, network and commit left out."""
        self.cursor.execute(f"SET search_path = {SETTINGS[peer]}; SET synchronous_commit = off; BEGIN")
        began = time.perf_counter()
        self.cursor.execute(statement)
        self.cursor.fetchall()
        took = time.perf_counter() - began
        self.cursor.execute("COMMIT")
        return count / took

    def batches(self, size):
        """Each batch is a transaction of its own, over other positions than the one before."""
        ids = "ARRAY(SELECT 'pos_' || lpad((%s * {size} + n)::text, 26, '0') FROM generate_series(1, {size}) AS n)".format(size=size)
        amounts = f"ARRAY(SELECT 0.01 FROM generate_series(1, {size}))"
        scripts = {"ours": f"SELECT count(t) FROM escrowgrid.escrow_transition_batch({ids}, 'PARTIALLY_RELEASED', amounts => {amounts}) AS t",
                   "a": f"SELECT count(t) FROM seed.transition_batch({ids}, 'PARTIALLY_RELEASED', {amounts}) AS t"}
        repeat = max(5, 10000 // size)

        def measure(peer):
            self.cursor.execute(f"SET search_path = {SETTINGS[peer]}; SET synchronous_commit = off")
            began = time.perf_counter()
            for turn in range(repeat):
                self.cursor.execute(scripts[peer], (turn % (POSITIONS // size),))
            return size * repeat / (time.perf_counter() - began)
        self.in_turns(f"batch of {size}, transitions a second", ["ours", "a"], measure)

    def two_clients_batches(self):
        script = ("\\set k random(0, 9)\nSELECT count(t) FROM escrowgrid.escrow_transition_batch(ARRAY(SELECT 'pos_' || lpad((:client_id * 10000 + :k * 1000 + n)::text, 26, '0')"
                  " FROM generate_series(1, 1000) AS n), 'PARTIALLY_RELEASED', amounts => ARRAY(SELECT 0.01 FROM generate_series(1, 1000))) AS t;")
        rates = [self.pgbench("ours", script, 2, "off") * 1000 for _ in range(self.rounds + 1)][1:]
        self.results.append({"work": "batch of 1000, 2 clients, transitions a second", "peer": "", "ratio": 0, "ours": statistics.median(rates), "theirs": 0, "spread": (max(rates) - min(rates)) / statistics.median(rates)})
        self.show()

    def authenticate(self):
        count = 20000
        scripts = {"ours": f"SELECT count(escrowgrid.escrow_authenticate(CASE WHEN n > 0 THEN '{self.facts['token']}' END)) FROM generate_series(1, {count}) AS n",
                   "a": f"SELECT count(seed.authenticate(CASE WHEN n > 0 THEN '{self.facts['token']}' END)) FROM generate_series(1, {count}) AS n"}
        self.cursor.execute("SET client_min_messages = error")
        median = self.in_turns("authenticate in the backend, calls a second", ["ours", "a"], lambda peer: self.timed(peer, scripts[peer], count))
        if median:
            print(f"{'':<58} {1e6 / median['ours']:.2f} us a call")

    def in_backend(self):
        count = 5000
        scripts = {peer: f"SELECT count(t) FROM generate_series(1, {count}) AS n, LATERAL {call}('pos_' || lpad(n::text, 26, '0'), 'PARTIALLY_RELEASED', amount => 0.01) AS t"
                   for peer, call in (("ours", "escrowgrid.escrow_transition"), ("a", "seed.transition"), ("b", "own.transition"))}
        self.in_turns("transition in the backend, calls a second", ["ours", "a", "b"], lambda peer: self.timed(peer, scripts[peer], count))

    def floor(self):
        """What a call over the wire costs when it does nothing, and when it only takes a transaction id and commits."""
        for work, script in (("a call that does nothing", "SELECT 1;"), ("a transaction that writes nothing but its commit", "SELECT txid_current();")):
            rates = [self.pgbench("ours", script, 1, "off") for _ in range(self.rounds + 1)][1:]
            self.results.append({"work": work + ", 1 client, async commit", "peer": "", "ratio": 0, "ours": statistics.median(rates), "theirs": 0,
                                 "spread": (max(rates) - min(rates)) / statistics.median(rates)})
            self.show()

    def hot_position(self, clients):
        hot = {peer: script.replace(ID, "'pos_' || lpad((:n * 0 + 7)::text, 26, '0')") for peer, script in TRANSITION.items()}
        self.run_sql("one hot position", ["ours", "a"], hot, clients, "off")

    def reads(self):
        """Under row-level security as a signed-in application role, and the same rows by a plain query of the owner."""
        self.cursor.execute("SET search_path = escrowgrid, public; DO $$ BEGIN CREATE ROLE bench_reader; EXCEPTION WHEN duplicate_object THEN END $$;"
                            " SELECT escrow_grant_access('bench_reader', 'reader')")
        count = 3000

        def measure(peer):
            tenant = "" if peer == "ours" else f"p.institution_id = '{self.facts['institution']}' AND "
            if peer == "ours":
                self.cursor.execute("SELECT escrow_authenticate(%s, 'session'); SET ROLE bench_reader", (self.facts["token"],))
            self.cursor.execute(f"PREPARE page (text) AS SELECT p.* FROM escrowgrid.positions AS p WHERE {tenant}p.id >= $1 ORDER BY p.id LIMIT 20")
            began = time.perf_counter()
            for n in range(count):
                self.cursor.execute("EXECUTE page (%s)", (f"pos_{n * 6:026d}",))
                self.cursor.fetchall()
            took = time.perf_counter() - began
            self.cursor.execute("DEALLOCATE page; RESET ROLE; SELECT escrow_sign_out()")
            return count / took
        self.in_turns("page of 20 under row-level security", ["ours", "plain query"], measure)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--json")
    arguments = parser.parse_args()
    bench = Bench(arguments.seconds, arguments.rounds)
    works = {
        "backend": bench.in_backend,
        "authenticate": bench.authenticate,
        "transition": lambda: [bench.run_sql("transition", ["ours", "a", "b", "c"] if clients == 1 else ["ours", "a"], TRANSITION, clients, sync)
                               for clients, sync in ((1, "off"), (4, "off"), (16, "off"), (1, "on"), (16, "on"))],
        "creation": lambda: [bench.run_sql("create position", ["ours", "a"], CREATION, clients, sync)
                             for clients, sync in ((1, "off"), (4, "off"), (16, "off"), (1, "on"))],
        "signed": lambda: bench.run_sql("sign in and move in one transaction", ["ours", "a"], SIGNED, 1, "off"),
        "batch": lambda: [bench.batches(size) for size in (10, 100, 1000)],
        "two": bench.two_clients_batches,
        "hot": lambda: [bench.hot_position(clients) for clients in (1, 16)],
        "reads": bench.reads,
        "floor": bench.floor,
    }
    for name, work in works.items():
        if not arguments.only or name in arguments.only:
            work()
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(bench.results, indent=1))


if __name__ == "__main__":
    main()
