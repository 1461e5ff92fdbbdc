"""Compares outcomes and rows of the twins. Values that differ by nature are replaced by symbols."""

import calendar
import re
import time

from twins import perform

ID = r"(?i:\b(?:inst|tmpl|ast|pos|ple|led|aud|pol|ak)_[0-9a-hjkmnp-tv-z]{26}\b)"
# In "Failing row contains" PostgreSQL cuts long values, sometimes in the middle of an id.
CUT_ID = r"\b(?:inst|tmpl|ast|pos|ple|led|aud|pol|ak)_[0-9a-hjkmnp-tv-z]{0,25}\.\.\."
TIME = r"\b20[0-6]\d-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?(?:\+00(?::00)?|Z)"
NOW = r"(?<=now_unix_micros\"\": )\d+|(?<=now_unix_micros\": )\d+"
MICROS = r"\b1[6-9]\d{14}\b"
HEX = r"x[0-9a-f]{32,}(?:\.\.\.)?|\b[0-9a-f]{64}\b"
SEQUENCE = r"\b70000\d{5}\b"
TOKEN = r"\beg_[0-9A-Za-z]{36}\b"
TWIN = r"\bdirect_(?:auto|ordinary)\b"
KINDS = {"cut": CUT_ID, "id": ID, "time": TIME, "now": NOW, "micros": MICROS, "hex": HEX, "number": SEQUENCE, "token": TOKEN, "twin": TWIN}
VARYING = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in KINDS.items()))

ROWS = {
    "positions": "SELECT tableoid::regclass AS relation, * FROM escrowgrid.positions ORDER BY created_at, id",
    "position_events": "SELECT * FROM escrowgrid.position_events ORDER BY at, id",
    "ledger_events": "SELECT * FROM escrowgrid.ledger_events ORDER BY at, id",
    "audit_events": "SELECT * FROM escrowgrid.audit_events ORDER BY occurred_at, id",
    "idempotency_keys": "SELECT institution_id, key, fingerprint, event_ids FROM escrowgrid.idempotency_keys ORDER BY created_at, key",
    "log": "SELECT what FROM users.log ORDER BY n",
    "outbox": "SELECT body FROM users.outbox ORDER BY n",
    "verification": "SELECT * FROM escrowgrid.escrow_verify()",
    # What a position has released and refunded is the sum of its events.
    "money": """SELECT p.id FROM escrowgrid.positions AS p
        LEFT JOIN LATERAL (SELECT sum(e.amount) FILTER (WHERE e.to_state IN ('PARTIALLY_RELEASED', 'RELEASED')) AS released,
            sum(e.amount) FILTER (WHERE e.to_state IN ('CANCELLED', 'EXPIRED')) AS refunded
            FROM escrowgrid.position_events AS e WHERE e.position_id = p.id) AS s ON true
        WHERE (p.released_amount, p.refunded_amount) IS DISTINCT FROM (COALESCE(s.released, 0), COALESCE(s.refunded, 0))""",
}
UNORDERED = ["verification", "money"]  # compared as sets
# Whether all tables are written without SPI, according to the extension.
WRITTEN_DIRECTLY = "SELECT bool_and(path = 'direct') FROM escrowgrid.escrow_write_paths()"
# What this transaction has written so far, by table.
WRITTEN = """SELECT c.relname, pg_stat_get_xact_tuples_inserted(c.oid), pg_stat_get_xact_tuples_updated(c.oid),
    pg_stat_get_xact_tuples_deleted(c.oid) FROM pg_class AS c WHERE c.relnamespace = 'escrowgrid'::regnamespace
    AND c.relname IN ('positions', 'position_events', 'ledger_events', 'audit_events')"""
USERS_TABLES = """SELECT c.oid::regclass::text FROM pg_class AS c
    WHERE c.relnamespace = 'users'::regnamespace AND c.relkind = 'r' AND c.relname NOT IN ('log', 'outbox', 'blocklist') ORDER BY 1"""


class Symbols:
    """Gives values names in the order of their first appearance: equal values get equal names, others do not."""

    def __init__(self):
        self.names = {}
        self.counts = {}

    def copy(self):
        other = Symbols()
        other.names, other.counts = dict(self.names), dict(self.counts)
        return other

    def name(self, kind, value):
        if (kind, value) not in self.names:
            self.counts[kind] = self.counts.get(kind, 0) + 1
            self.names[kind, value] = f"<{kind} {self.counts[kind]}>"
        return self.names[kind, value]

    def replace(self, found):
        kind, value = found.lastgroup, found[0]
        prefix = value.partition("_")[0].lower()
        if kind == "id":
            name = self.name(prefix, value.lower())
            return name if value == value.lower() else name.upper()
        if kind == "time":
            return self.name("time", micros_of(value))
        if kind == "micros":
            return self.name("time", value)
        if kind == "hex":
            if value.endswith("..."):
                return "<cut hex>"
            return self.name("hash" if len(value) >= 64 else "bytes", value.removeprefix("x"))
        if kind == "cut":
            return prefix + "_<cut>"
        return self.name(kind, value) if kind in ("number", "token") else f"<{kind}>"

    def of(self, value):
        if isinstance(value, str):
            return VARYING.sub(self.replace, value)
        if isinstance(value, dict):
            return {key: self.of(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.of(item) for item in value]
        return value


def micros_of(text):
    """A time in microseconds since 1970, as the extension writes it in DETAIL."""
    whole, _, fraction = re.match(r"([^.+Z]+)(\.?)(\d*)", text).groups()
    seconds = calendar.timegm(time.strptime(whole.replace("T", " "), "%Y-%m-%d %H:%M:%S"))
    return str(seconds * 1_000_000 + int(fraction.ljust(6, "0")))


def written(connection):
    return {name: tuple(map(int, counts)) for name, *counts in perform(connection, WRITTEN)["rows"]}


def difference_of(before, after):
    return {name: tuple(b - a for a, b in zip(before[name], after[name])) for name in sorted(after)}


# amcheck raises an error if a row of a table is missing in one of its btrees.
INDEXES = """SELECT i.indexrelid::regclass, bt_index_check(i.indexrelid, true) FROM pg_index AS i
    JOIN pg_class AS c ON c.oid = i.indexrelid JOIN pg_am AS a ON a.oid = c.relam
    WHERE a.amname = 'btree' AND i.indisvalid AND i.indisready AND i.indrelid IN ('escrowgrid.positions'::regclass,
    'escrowgrid.position_events'::regclass, 'escrowgrid.ledger_events'::regclass, 'escrowgrid.audit_events'::regclass)"""


def contents(connection):
    """All rows that a round may have written, by table."""
    queries = dict(ROWS)
    for (name,) in perform(connection, USERS_TABLES).get("rows", []):
        queries[name] = f"SELECT t::text FROM ONLY {name} AS t ORDER BY ctid"
    return {name: perform(connection, query) for name, query in queries.items()}


def is_serialization_guess(outcome):
    """Whether SERIALIZABLE refused because of the pages and tuples that were read, which may be more than the twins share."""
    error = outcome.get("error")
    return bool(error) and error["sqlstate"] == "40001" and "dependencies" in (error["message_primary"] or "")


def may_have_written_in_part(sql, outcome):
    """Whether a statement may have failed, perhaps within an exception block, after some of its rows were written."""
    code = code_of(outcome)
    is_whole = code == "ok" or code.startswith("ZE") and "_batch(" not in sql
    return not is_whole or "users." in sql or "DO $do$" in sql


def code_of(outcome):
    error = outcome.get("error")
    return "ok" if error is None else error["sqlstate"] or "connection lost"


def is_batch_with_two_errors(sql, outcomes):
    """Whether a batch failed in both twins because its records cannot be written, perhaps with different errors: two of its
    records may have different faults. Success, a refusal, a lock timeout or a serialization failure in one of the twins
    is a difference in any case."""
    codes = [code_of(outcome) for outcome in outcomes]
    return "_batch(" in sql and not any(code in ("ok", "55P03", "40001") or code.startswith("ZE") for code in codes)


def first_difference(logs):
    """The place of the first statement with different outcomes in the twins, and both outcomes; None if there is none."""
    symbols = Symbols(), Symbols()
    for place in range(max(map(len, logs))):
        sides = [log[place] if place < len(log) else ("nothing more", {}) for log in logs]
        before = [names.copy() for names in symbols]
        told = [(sql, names.of(outcome)) for names, (sql, outcome) in zip(symbols, sides)]
        if told[0] == told[1]:
            continue
        outcomes = [outcome for _, outcome in sides]
        if not is_batch_with_two_errors(sides[0][0], outcomes):
            return place, told
        symbols = before  # the two errors may name different values
    return None


def differing_rows(sides):
    """The tables whose contents differ: name, columns, and the rows that only the first and only the second twin has."""
    symbols = Symbols(), Symbols()
    for name in sides[0].keys() | sides[1].keys():
        if name not in sides[0] or name not in sides[1]:
            return [(name, "is in one twin only", [], [])]
    differences = []
    for name in sides[0]:
        told = [names.of(side[name]) for names, side in zip(symbols, sides)]
        if name in UNORDERED:
            for one in told:
                one["rows"] = sorted(one.get("rows", []), key=str)
        if told[0] == told[1]:
            continue
        rows = [[tuple(map(str, row)) for row in one.get("rows", [])] for one in told]
        only = [[row for row in mine if row not in others] for mine, others in (rows, rows[::-1])]
        if not any(only):
            only = rows  # the same rows in another order
        differences.append((name, told[0].get("columns", told[0].get("error")), *only))
    return differences


def unsound(rows):
    """The results that are empty in a sound database and are not, with their rows."""
    return [(name, rows[name]) for name in ("verification", "money") if rows[name].get("rows") or rows[name].get("error")]
