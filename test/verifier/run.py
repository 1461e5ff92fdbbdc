"""Tampers with records at random and compares what escrow_verify() and tools/escrowgrid-verify.py report.

usage: run.py [ROUNDS] [SEED]

Connects as a superuser with libpq's environment variables, to a fresh database with the extension. Each round changes,
deletes or copies rows without triggers and constraints, in a subtransaction that is rolled back. Both verifiers have to
report the same discrepancies (position, number of the event, kind), and at least one if what was changed is evidence.
Ends with "N passed, N failed".
"""

import importlib.util
import random
import sys
import tempfile
from pathlib import Path

import psycopg2

ROOT = Path(__file__).resolve().parents[2]
spec = importlib.util.spec_from_file_location("verifier", ROOT / "tools" / "escrowgrid-verify.py")
verifier = importlib.util.module_from_spec(spec)
spec.loader.exec_module(verifier)

TABLES = ("institutions", "institution_policies", "api_keys", "asset_templates", "assets", "positions", "position_events",
          "ledger_events", "audit_events", "checkpoints", "checkpoint_heads")
# Columns that are no evidence by themselves: nothing is recomputed from them, so a change need not be reported. (A
# checkpoint_number matters for the roots of earlier checkpoints only. These are recomputed for a kept checkpoint.)
FREE = {"ledger_events": {"request_id", "id"},
        "audit_events": {"method", "path", "resource_type", "error", "request_id", "client_ip", "db_role", "id", "payload"},
        "checkpoints": {"db_role"}, "checkpoint_heads": {"institution_id", "checkpoint_number"}, "position_events": {"salt"}}
VALUES = {"text": ["'x'", "'pos_zzz'", "'FUNDED'", "'RELEASED'"], "numeric": ["1", "0", "7.5", "'NaN'", "-3", "1e20"],
          "integer": ["1", "2", "99"], "bigint": ["1", "77"], "bytea": [r"sha256('x')", r"'\x00'"],
          "timestamp with time zone": ["'2020-01-01'", "now()"], "jsonb": ["'{}'", "'{\"a\": 1}'", "'{\"eventId\": \"x\"}'"]}


def build(cursor):
    cursor.execute("SET search_path = escrowgrid, public")
    for n in range(2):
        cursor.execute("SELECT id FROM escrow_create_institution(%s, '{US}')", (f"Institution {n}",))
        institution = cursor.fetchone()[0]
        cursor.execute("SELECT id FROM escrow_create_asset_template('OWN', 'T', 'CONSTRUCTION', 'US', '{}', %s)",
                       (institution,))
        cursor.execute("SELECT id FROM escrow_create_asset(%s, 'A')", cursor.fetchone())
        asset = cursor.fetchone()[0]
        cursor.execute("SELECT id FROM escrow_create_api_key(%s, 'k', 'admin')", (institution,))
        for k in range(8):
            cursor.execute("SELECT id FROM escrow_create_position(%s, 'h\tö\\', 'USD', 100.5, expires_at => %s,"
                           " metadata => %s)", (asset, None if k % 2 else "2099-01-01", '{"k": [1.50, "\\n"]}' if k % 3 else None))
            position = cursor.fetchone()[0]
            path = ["FUNDED", "PARTIALLY_RELEASED", "PARTIALLY_RELEASED", ["RELEASED", "CANCELLED"][k % 2]][:k % 5]
            for step, state in enumerate(path):
                cursor.execute("SELECT 1 FROM escrow_transition(%s, %s, reason => %s, amount => %s)",
                               (position, state, "why\t\\N" if step % 2 else None,
                                "12.25" if state == "PARTIALLY_RELEASED" and k % 2 else None))
            if k in (2, 5):
                cursor.execute("SELECT id FROM escrow_checkpoint()")
        cursor.execute("SELECT e.id FROM position_events AS e WHERE reason IS NOT NULL ORDER BY id LIMIT 1")
        cursor.execute("SELECT id FROM escrow_redact_event(%s)", cursor.fetchone())
    cursor.execute("SELECT id, name FROM escrow_create_institution('Leaving', '{US}')")
    leaving = cursor.fetchone()
    cursor.execute("SELECT id FROM escrow_create_asset_template('OWN', 'T', 'CONSTRUCTION', 'US', '{}', %s)", leaving[:1])
    cursor.execute("SELECT id FROM escrow_create_asset(%s, 'A')", cursor.fetchone())
    cursor.execute("SELECT id FROM escrow_create_position(%s, 'h', 'EUR', 5)", cursor.fetchone())
    cursor.execute("SELECT id FROM escrow_checkpoint()")
    cursor.execute("SELECT positions FROM escrow_purge_institution(%s, %s)", leaving)
    # The forger whom the evidence is for can remove all constraints and triggers.
    cursor.execute("""
        DO $$ DECLARE c record; BEGIN
            FOR c IN SELECT conrelid::regclass AS t, conname FROM pg_constraint
                     WHERE connamespace = 'escrowgrid'::regnamespace AND contype IN ('f', 'c') LOOP
                EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', c.t, c.conname);
            END LOOP;
            FOR c IN SELECT conrelid::regclass AS t, conname FROM pg_constraint
                     WHERE connamespace = 'escrowgrid'::regnamespace AND contype IN ('u', 'p') LOOP
                EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', c.t, c.conname);
            END LOOP;
            FOR c IN SELECT oid::regclass AS t FROM pg_class WHERE relnamespace = 'escrowgrid'::regnamespace AND relkind = 'r' LOOP
                EXECUTE format('ALTER TABLE %s DISABLE TRIGGER ALL', c.t);
            END LOOP;
        END $$""")


def asked_database(cursor):
    """What escrow_verify() reports."""
    cursor.execute("SELECT position_id, seq, discrepancy FROM escrow_verify()")
    return sorted(cursor.fetchall(), key=repr)


def asked_independently(cursor, directory):
    """What escrowgrid-verify.py reports about the tables, exported to the directory."""
    for table in TABLES:
        columns = "id, institution_id" if table == "api_keys" else "*"
        with open(directory / f"{table}.copy", "w", encoding="utf-8") as out:
            cursor.copy_expert(f"COPY (SELECT {columns} FROM escrowgrid.{table}) TO STDOUT WITH (HEADER)", out)
    found = []
    verifier.Export(directory).check(lambda position, seq, what, *_: found.append((position, seq, what)))
    return sorted(found, key=repr)


def columns_of(cursor):
    cursor.execute("SELECT table_name, column_name, data_type, is_nullable = 'YES' FROM information_schema.columns"
                   " WHERE table_schema = 'escrowgrid' AND table_name = ANY(%s)", (list(TABLES[5:]),))
    return [row for row in cursor.fetchall() if row[2] in VALUES]


def tamper(cursor, rng, columns):
    """Changes one thing. Returns what was done, and whether it has to be reported."""
    kind = rng.choice(("change", "change", "change", "change", "delete", "copy", "swap"))
    table, column, data_type, nullable = rng.choice(columns)
    if kind == "copy" and table not in ("ledger_events", "audit_events"):
        return "nothing", False
    order = "id" if table != "checkpoint_heads" else "position_id"
    pick = f"ctid = (SELECT ctid FROM escrowgrid.{table} ORDER BY {order} OFFSET %s LIMIT 1)"
    cursor.execute(f"SELECT count(*) FROM escrowgrid.{table}")
    row = rng.randrange(cursor.fetchone()[0])
    if kind == "change":
        value = rng.choice(VALUES[data_type] + (["NULL"] if nullable else []))
        cursor.execute(f"UPDATE escrowgrid.{table} SET {column} = {value} WHERE {pick} AND {column} IS DISTINCT FROM {value}", (row,))
        # Ledger rows of assets and templates, and audit rows of other actions, have no event to be compared with.
        judged = table not in ("audit_events", "ledger_events") and column not in FREE.get(table, ())
    elif kind == "delete":
        cursor.execute(f"DELETE FROM escrowgrid.{table} WHERE {pick}", (row,))
        judged = table == "position_events"
    elif kind == "copy":
        cursor.execute(f"CREATE TEMPORARY TABLE copied ON COMMIT DROP AS SELECT * FROM escrowgrid.{table} WHERE {pick};"
                       f" UPDATE copied SET id = id || 'x'; INSERT INTO escrowgrid.{table} SELECT * FROM copied", (row,))
        cursor.execute("SELECT coalesce(to_jsonb(c) ->> 'kind', to_jsonb(c) ->> 'action') LIKE 'POSITION%%' AND"
                       " institution_id IN (SELECT id FROM escrowgrid.institutions) FROM copied AS c")
        judged = cursor.fetchone()[0]
        cursor.execute("DROP TABLE copied")
        return f"copy {table}", judged
    else:
        cursor.execute("""UPDATE escrowgrid.position_events AS e SET seq = CASE e.seq WHEN 2 THEN 3 ELSE 2 END
            WHERE e.seq IN (2, 3) AND e.position_id = (SELECT position_id FROM escrowgrid.position_events
                WHERE seq = 3 ORDER BY position_id OFFSET %s LIMIT 1)""", (row % 5,))
        judged = cursor.rowcount == 2
    return f"{kind} {table}.{column}", judged and cursor.rowcount > 0


def tamper_records(cursor, rng):
    """Changes a ledger or audit row that belongs to an event of a position, which always has to be reported."""
    table, column, value, where = rng.choice((
        ("ledger_events", "payload", "payload || '{\"amount\": 7}'", "kind LIKE 'POSITION%'"),
        ("ledger_events", "payload", "payload - 'currency'", "kind LIKE 'POSITION%'"),
        ("ledger_events", "new_state", "'EXPIRED'", "kind LIKE 'POSITION%'"),
        ("ledger_events", "at", "at + interval '1 us'", "kind LIKE 'POSITION%'"),
        ("ledger_events", "institution_id", "'inst_x'", "kind LIKE 'POSITION%'"),
        ("audit_events", "api_key_id", "'ak_x'", "action LIKE 'POSITION%'"),
        ("audit_events", "payload", "payload || '{\"toState\": \"X\"}'", "action LIKE 'POSITION%'"),
        ("audit_events", "occurred_at", "now()", "action LIKE 'POSITION%'")))
    cursor.execute(f"UPDATE escrowgrid.{table} SET {column} = {value} WHERE ctid = (SELECT ctid FROM escrowgrid.{table}"
                   f" WHERE {where} AND institution_id IN (SELECT id FROM escrowgrid.institutions)"
                   f" ORDER BY id OFFSET {rng.randrange(20)} LIMIT 1)")
    return f"record {table}.{column}", cursor.rowcount == 1


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    rng = random.Random(seed)
    connection = psycopg2.connect("")
    cursor = connection.cursor()
    cursor.execute("SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET bytea_output = 'hex'")
    build(cursor)
    connection.commit()
    columns = columns_of(cursor)
    passed = failed = noticed = 0

    def check(ok, what):
        nonlocal passed, failed
        passed, failed = passed + bool(ok), failed + (not ok)
        if not ok:
            print("not ok:", what)

    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        check(asked_database(cursor) == [] == asked_independently(cursor, directory),
              "both verifiers find nothing wrong with records that were not tampered with")
        for turn in range(rounds):
            done = []
            cursor.execute("SAVEPOINT untouched")
            must = False
            for _ in range(rng.choice((1, 1, 1, 2, 3))):
                what, judged = tamper_records(cursor, rng) if rng.random() < 0.2 else tamper(cursor, rng, columns)
                done.append(what)
                must = must or judged
            try:
                ours = asked_database(cursor)
                theirs = asked_independently(cursor, directory)
                check(set(ours) == set(theirs),
                      f"round {turn}: {done}: one verifier only reports {set(ours) ^ set(theirs)}")
                check(ours or not must or len(done) > 1, f"round {turn}: {done}: no verifier reports anything")
                noticed += bool(ours)
            except (psycopg2.Error, ArithmeticError, ValueError, TypeError, KeyError) as error:
                check(False, f"round {turn}: {done}: {error!r}")
            cursor.execute("ROLLBACK TO SAVEPOINT untouched; RELEASE SAVEPOINT untouched")
    print(f"seed {seed}, {rounds} tamperings, {noticed} noticed by both verifiers")
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed != 0)


if __name__ == "__main__":
    main()
