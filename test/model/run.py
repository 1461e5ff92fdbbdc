"""Compares random calls of concurrent sessions with the reference model.

usage: run.py CALLS SEED [SESSIONS]

Connects with libpq's environment variables, to a database with the extension. Every refusal has in its DETAIL the
version of the position that it was decided on, and every success returns the version that it made. So each answer can be
compared with the model's for exactly that state, although sessions work at the same time. Ends with "N passed, N
failed".
"""

import json
import multiprocessing
import sys
from decimal import Decimal

import psycopg2

import model
from generator import Generator

TRANSITION = """SELECT version, updated_at FROM escrowgrid.escrow_transition(%s, %s, amount => %s::numeric,
    expected_state => %s, expected_version => %s, reason => %s, metadata => %s::jsonb)"""
CREATE = """SELECT id, version, updated_at FROM escrowgrid.escrow_create_position(%s, %s, %s, %s::numeric, metadata => %s::jsonb)"""
INSERT = """INSERT INTO escrowgrid.positions (id, asset_id, holder_reference, currency, amount)
    VALUES (%s, %s, %s, %s, %s::numeric) RETURNING id, version, updated_at"""
CURRENCIES = ("USD", "JPY", "BHD")


def pool_currency(index):
    return CURRENCIES[index % 3]


def statement(request):
    kind = request["kind"]
    if kind == "transition":
        names = ("position_id", "to_state", "amount", "expected_state", "expected_version", "reason", "metadata")
        return TRANSITION, [request[name] for name in names]
    if kind == "create":
        names = ("asset_id", "holder_reference", "currency", "amount", "metadata")
        return CREATE, [request[name] for name in names]
    if kind == "insert":
        return INSERT, [request[name] for name in ("id", "asset_id", "holder_reference", "currency", "amount")]
    columns, values = ["state = %s"], [request["to_state"]]
    if request["amount"] is not None:
        columns.append("released_amount = released_amount + %s::numeric")
        values.append(request["amount"])
    if request["count_version"]:
        columns.append("version = version + 1")
    if request["immutable"]:
        columns.append(request["immutable"] + " = 'forged'")
    values.append(request["position_id"])
    return f"UPDATE escrowgrid.positions SET {', '.join(columns)} WHERE id = %s RETURNING version, updated_at", values


def as_model_sees_it(request):
    """The request for the model: a raw UPDATE that adds 0 to released_amount has no amount."""
    if request["kind"] == "update" and request["amount"] == "0":
        return {**request, "amount": None}
    return request


def call(connection, request):
    sql, values = statement(request)
    with connection.cursor() as cursor:
        try:
            if request["rollback"]:
                cursor.execute("BEGIN")
            cursor.execute(sql, values)
            row = cursor.fetchone()
            outcome = {"ok": True, "version": row[-2], "at": row[-1].timestamp()}
            if len(row) == 3:
                outcome["id"] = row[0]
        except psycopg2.Error as error:
            detail = json.loads(error.diag.message_detail) if (error.pgcode or "").startswith("ZE") else {}
            outcome = {"ok": False, "sqlstate": error.pgcode, "detail": detail, "message": str(error)}
        if request["rollback"]:
            cursor.execute("ROLLBACK")
    return outcome


def session(number, seed, calls, pool, results):
    connection = psycopg2.connect("")
    connection.autocommit = True
    results.put((number, [(request, call(connection, request)) for request in Generator(seed, number, calls, pool)]))


def set_up(cursor, pool, calls):
    cursor.execute("""
        INSERT INTO escrowgrid.institutions (id, name, regions, verticals, created_at, updated_at)
        VALUES ('inst_model', 'Model', '{US}', '{CONSTRUCTION}', now(), now());
        INSERT INTO escrowgrid.asset_templates (id, institution_id, code, name, vertical, region, config, created_at, updated_at)
        VALUES ('tmpl_model', 'inst_model', 'OWN', 'T', 'CONSTRUCTION', 'US', '{}', now(), now());
        INSERT INTO escrowgrid.assets (id, institution_id, template_id, label, created_at, updated_at)
        VALUES ('ast_model', 'inst_model', 'tmpl_model', 'A', now(), now())""")
    for index in range(pool):
        # One position in five expires while the sessions are at work, some early, some late.
        seconds = 0.2 + (index * 7919 % pool) / pool * calls / 6000
        expires = f"clock_timestamp() + interval '{seconds} s'" if index % 5 == 0 else "NULL"
        cursor.execute(
            "INSERT INTO escrowgrid.positions (id, asset_id, holder_reference, currency, amount, expires_at)"
            f" VALUES (%s, 'ast_model', 'h', %s, 100, {expires})",
            (f"pos_m{index}", pool_currency(index)))


class Checker:
    def __init__(self, cursor):
        self.cursor = cursor
        self.passed = 0
        self.failures = []

    def check(self, good, what):
        if good:
            self.passed += 1
        else:
            self.failures.append(what)

    def creation(self, request, outcome, created):
        verdict = model.create(request)
        if isinstance(verdict, model.Refused):
            self.check(not outcome["ok"] and outcome["sqlstate"] == verdict.sqlstate, (request, outcome, verdict))
        else:
            self.check(outcome["ok"] and outcome["version"] == 1, (request, outcome, verdict))
            if outcome["ok"] and not request["rollback"]:
                created[outcome["id"]] = verdict

    def history(self, start, expires_at, calls):
        """Checks all calls for one position. Returns the model's position and the amount moved for each version."""
        committed = sorted((o["version"], r, o) for r, o in calls if o["ok"] and not r["rollback"])
        positions, moves = {1: start}, {}
        for version, request, _ in committed:
            before = positions.get(version - 1)
            if before is None or version in positions:
                self.failures.append((request, f"version {version} was made twice, or without version {version - 1}"))
                break
            after = model.decide(before, request, expired=False)
            if isinstance(after, model.Refused):
                self.failures.append((request, f"accepted for {before}, for which the model gives {after}"))
                break
            positions[version] = after
            moves[version] = model.moved(before, after, request)
        for request, outcome in calls:
            self.verdict(request, outcome, positions, expires_at)
        return positions, moves

    def verdict(self, request, outcome, positions, expires_at):
        if request["kind"] == "update" and request["immutable"]:
            self.check(not outcome["ok"] and outcome["sqlstate"] == "ZE501", (request, outcome, "immutable"))
            return
        if outcome["ok"]:
            before = positions.get(outcome["version"] - 1)
            late = expires_at is not None and outcome["at"] >= expires_at
            verdict = model.decide(before, request, expired=late) if before else None
            self.check(isinstance(verdict, model.Position), (request, outcome, before, verdict))
            return
        version = outcome["detail"].get("version")
        if version is None:
            verdict = model.check_request(request)
            self.check(verdict is not None and verdict.sqlstate == outcome["sqlstate"], (request, outcome, verdict))
            return
        before = positions.get(version)
        possible = []
        if before is not None:
            possible = [model.decide(before, request, expired=late) for late in ((False, True) if expires_at else (False,))]
        codes = [v.sqlstate for v in possible if isinstance(v, model.Refused) and v.by_state]
        in_time = outcome["sqlstate"] != "ZE103" or (
            outcome["detail"]["now_unix_micros"] >= outcome["detail"]["expires_at_unix_micros"])
        self.check(outcome["sqlstate"] in codes and in_time, (request, outcome, before, possible))

    def records(self, position_id, positions, moves):
        """Compares the position's row and its events with the model."""
        last = positions[max(positions)]
        self.cursor.execute(
            "SELECT state, released_amount, refunded_amount, version FROM escrowgrid.positions WHERE id = %s", (position_id,))
        row = self.cursor.fetchone()
        self.check(row == (last.state, last.released, last.refunded, last.version), (position_id, row, last))
        self.cursor.execute(
            "SELECT seq, from_state, to_state, amount FROM escrowgrid.position_events WHERE position_id = %s ORDER BY seq",
            (position_id,))
        expected = [(1, None, "CREATED", Decimal(0))]
        expected += [(v, positions[v - 1].state, positions[v].state, moves[v]) for v in sorted(moves)]
        events = self.cursor.fetchall()
        self.check(events == expected, (position_id, events, expected))
        released = sum(e[3] or 0 for e in events if e[2] in ("PARTIALLY_RELEASED", "RELEASED"))
        refunded = sum(e[3] or 0 for e in events if e[2] in ("CANCELLED", "EXPIRED"))
        self.check((released, refunded) == (last.released, last.refunded), (position_id, released, refunded, last))

    def as_of(self, position_id, positions):
        """Compares escrow_position_at(), at the time of each event, just before and just after, with the model."""
        self.cursor.execute("SELECT seq, at FROM escrowgrid.position_events WHERE position_id = %s ORDER BY seq", (position_id,))
        for seq, at in self.cursor.fetchall():
            self.cursor.execute("""
                SELECT p.state, p.released_amount, p.refunded_amount, p.held_amount, p.version
                FROM (VALUES (1, interval '-1 us'), (2, interval '0'), (3, interval '1 us')) AS o (n, shift)
                CROSS JOIN LATERAL escrowgrid.escrow_position_at(%s, %s::timestamptz + o.shift) AS p ORDER BY o.n
                """, (position_id, at))
            before, then, after = self.cursor.fetchall()
            for found, version in ((before, seq - 1), (then, seq), (after, seq)):
                known = positions.get(version)
                wanted = (known.state, known.released, known.refunded, known.held, known.version) if known else (None,) * 5
                self.check(found == wanted, (position_id, seq, found, wanted))

    def totals(self):
        self.cursor.execute("""
            SELECT count(*), count(DISTINCT l.id), count(DISTINCT a.id), count(DISTINCT e.id)
            FROM escrowgrid.position_events AS e
            LEFT JOIN escrowgrid.ledger_events AS l ON l.payload ->> 'eventId' = e.id AND l.at = e.at
            LEFT JOIN escrowgrid.audit_events AS a ON a.payload ->> 'eventId' = e.id AND a.occurred_at = e.at""")
        rows, ledger, audits, events = self.cursor.fetchone()
        self.cursor.execute("SELECT (SELECT count(*) FROM escrowgrid.ledger_events), (SELECT count(*) FROM escrowgrid.audit_events)")
        all_ledger, all_audits = self.cursor.fetchone()
        counts = (rows, ledger, audits, events, all_ledger, all_audits)
        self.check(len(set(counts)) == 1, ("every event has one ledger row and one audit row, and there are no others", counts))
        return events


def main():
    calls, seed = int(sys.argv[1]), sys.argv[2]
    sessions = int(sys.argv[3]) if len(sys.argv) > 3 else 4
    pool = max(12, calls // 30)
    connection = psycopg2.connect("")
    connection.autocommit = True
    cursor = connection.cursor()
    set_up(cursor, pool, calls)

    results = multiprocessing.Queue()
    workers = [multiprocessing.Process(target=session, args=(n, seed, calls // sessions, pool, results)) for n in range(sessions)]
    for worker in workers:
        worker.start()
    logs = dict(results.get() for _ in workers)
    for worker in workers:
        worker.join()

    checker = Checker(cursor)
    created, by_position, outcomes = {}, {}, {}
    for number in sorted(logs):
        for request, outcome in logs[number]:
            code = "ok" if outcome["ok"] else outcome["sqlstate"]
            outcomes[code] = outcomes.get(code, 0) + 1
            if request["kind"] in ("create", "insert"):
                checker.creation(request, outcome, created)
            else:
                by_position.setdefault(request["position_id"], []).append((as_model_sees_it(request), outcome))
    cursor.execute("SELECT id, extract(epoch FROM expires_at)::float8 FROM escrowgrid.positions")
    expiries = dict(cursor.fetchall())
    for index in range(pool):
        position_id = f"pos_m{index}"
        start = model.Position(pool_currency(index), Decimal(100))
        positions, moves = checker.history(start, expiries[position_id], by_position.get(position_id, []))
        checker.records(position_id, positions, moves)
        if index < 1000:
            checker.as_of(position_id, positions)
    for position_id, start in created.items():
        checker.records(position_id, {1: start}, {})
    checker.check(len(expiries) == pool + len(created), "there are positions that no call created")
    events = checker.totals()

    for failure in checker.failures[:10]:
        print("DIFFERS:", *failure if isinstance(failure, tuple) else (failure,))
    print(f"seed {seed}, {sessions} sessions, {sum(outcomes.values())} calls, {events} events; outcomes:",
          ", ".join(f"{code} {outcomes[code]}" for code in sorted(outcomes)))
    print(f"{checker.passed} passed, {len(checker.failures)} failed")
    return 1 if checker.failures else 0


if __name__ == "__main__":
    sys.exit(main())
