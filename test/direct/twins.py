"""The twin databases, their sessions, and one round played on one of them."""

import os
import re
import time

import psycopg2
from psycopg2 import extensions

TEMPLATE, AUTO, ORDINARY = "direct_template", "direct_auto", "direct_ordinary"
SESSIONS = 3
SLOTS = 8  # rounds that a database serves, each with an institution of its own
# Long enough to get a lock that is free. A lock that is held would never become free: the driver waits for this call.
LOCK_TIMEOUT = "25ms"
# bool, bytea, int8, int2, int4, json, timestamptz, timestamp, date, numeric, jsonb are compared as text: scale counts.
AS_TEXT = extensions.new_type((16, 17, 20, 21, 23, 114, 1184, 1114, 1082, 1700, 3802), "AS_TEXT", lambda value, cursor: value)
DIAGNOSTICS = ("sqlstate", "message_primary", "message_detail", "message_hint", "constraint_name", "schema_name",
               "table_name", "column_name", "datatype_name")
# After a round: resets what statements of the session may have set, but not debug_write_path.
RESET = "RESET ROLE; RESET default_transaction_read_only; RESET session_replication_role; RESET search_path;" \
    " RESET escrowgrid.request_id; RESET escrowgrid.client_ip; RESET escrowgrid.traceparent; SELECT escrowgrid.escrow_sign_out()"
TABLES = ("positions", "position_events", "ledger_events", "audit_events")


def open_connection(database):
    """Connects, waiting for a server that is recovering from a crash. (The crash is a failure of the round it was in.)"""
    for attempt in range(100):
        try:
            connection = psycopg2.connect("", dbname=database)
            break
        except psycopg2.OperationalError:
            if attempt == 99:
                raise
            time.sleep(0.2)
    connection.autocommit = True
    return connection


def connect(database, way="auto"):
    connection = open_connection(database)
    extensions.register_type(AS_TEXT, connection)
    connection.notices = []
    with connection.cursor() as cursor:
        # Without sequential scans SPI reads by the same indexes, so that serializable transactions conflict alike.
        cursor.execute(f"""SET lock_timeout = '{LOCK_TIMEOUT}'; SET TimeZone = 'UTC'; SET jit = off; SET enable_seqscan = off;
            SET extra_float_digits = 1; SELECT escrowgrid.escrow_version()""")
        cursor.execute(f"SET escrowgrid.debug_write_path = '{way}'")
    return connection


def administer(*statements, database="postgres"):
    connection = open_connection(database)
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    connection.close()


def make_template(statements):
    """Makes the database that both twins are copies of. Its extension belongs to a role of its own, direct_owner."""
    administer(*(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)" for name in (AUTO, ORDINARY, TEMPLATE)))
    administer("DROP ROLE IF EXISTS direct_owner", "DROP ROLE IF EXISTS direct_app",
               "CREATE ROLE direct_owner SUPERUSER", "CREATE ROLE direct_app", f"CREATE DATABASE {TEMPLATE}")
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "users.sql"), encoding="utf-8") as script:
        users = script.read()
    administer("SET ROLE direct_owner; CREATE EXTENSION escrowgrid", "RESET ROLE", "CREATE EXTENSION amcheck", users,
               "SELECT escrowgrid.escrow_grant_access('direct_app', 'application')", *statements, database=TEMPLATE)
    time.sleep(1)  # positions that shall have expired expire within a second


def rebuild(is_owner_superuser):
    """Makes both twins anew. Privileges and row security hold for a plain role that owns the tables, not for a superuser."""
    administer(*(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)" for name in (AUTO, ORDINARY)))
    administer(f"ALTER ROLE direct_owner {'SUPERUSER' if is_owner_superuser else 'NOSUPERUSER'}",
               f"CREATE DATABASE {AUTO} TEMPLATE {TEMPLATE}", f"CREATE DATABASE {ORDINARY} TEMPLATE {TEMPLATE}")
    return Twin(AUTO, "auto"), Twin(ORDINARY, "ordinary")


def perform(connection, sql):
    """Runs a statement and returns what a client sees of it, without CONTEXT."""
    del connection.notices[:]
    outcome = {}
    with connection.cursor() as cursor:
        try:
            cursor.execute(sql)
            outcome["tag"] = cursor.statusmessage
            if cursor.description:
                outcome["columns"] = [column.name for column in cursor.description]
                outcome["rows"] = cursor.fetchall()
        except psycopg2.Error as error:
            outcome["error"] = {name: getattr(error.diag, name) for name in DIAGNOSTICS}
            if error.pgcode is None:
                outcome["error"]["message_primary"] = str(error)
    outcome["transaction"] = connection.info.transaction_status
    outcome["notices"] = [re.sub(r"\n(CONTEXT|LINE).*", "", notice, flags=re.S) for notice in connection.notices]
    return outcome


class Session:
    """A connection, and the savepoints of its transaction."""

    def __init__(self, connection):
        self.connection = connection
        self.savepoints = []

    def status(self):
        return self.connection.info.transaction_status

    def is_idle(self):
        return self.status() == extensions.TRANSACTION_STATUS_IDLE

    def is_failed(self):
        return self.status() == extensions.TRANSACTION_STATUS_INERROR


class Twin:
    def __init__(self, database, way):
        self.database = database
        self.way = way
        self.admin = connect(database, way)
        perform(self.admin, "SET lock_timeout = '500ms'")
        self.sessions = [Session(connect(database, way)) for _ in range(SESSIONS)]
        self.known = {}  # what markers such as @c3@ stand for
        self.log = []
        self.prepared = 0

    def close(self):
        for connection in [self.admin] + [session.connection for session in self.sessions]:
            connection.close()

    def expand(self, sql):
        return re.sub(r"@(\w+)@", lambda found: self.known.get(found[1], "pos_none"), sql)

    def play(self, plan):
        """Plays a round and returns each statement with its outcome, in order."""
        self.known = {}
        self.log = []
        for sql in plan.setup:
            outcome = self.note(self.admin, sql)
            for name, value in zip(outcome.get("columns", ()), outcome.get("rows", [()])[0]):
                self.known[name] = value
        for alteration in plan.alterations:
            for sql in alteration.apply:
                self.change(sql)
        for step in plan.steps:
            self.step(step)
        for session in self.sessions:
            self.end(session, "COMMIT")
            self.note(session.connection, RESET)
        return self.log

    def note(self, connection, sql, capture=None):
        statement = self.expand(sql)
        outcome = perform(connection, statement)
        self.log.append((sql, outcome))
        if capture and outcome.get("rows") and outcome["rows"][0][0]:
            self.known[capture] = outcome["rows"][0][0]
            time.sleep(0.0015)  # ids sort by the millisecond, and batches lock in the order of ids
        return outcome

    def change(self, sql):
        """Changes a table. DETAIL is left out: which of several rows in the way it names depends on their places."""
        outcome = self.note(self.admin, sql)
        if "error" in outcome:
            outcome["error"]["message_detail"] = None

    def end(self, session, how):
        if not session.is_idle():
            self.note(session.connection, "ROLLBACK" if session.is_failed() else how)
        session.savepoints = []

    def step(self, step):
        session = self.sessions[step.session]
        if step.kind == "alter":
            for other in self.sessions:
                self.end(other, "COMMIT")
            self.change(step.sql)
        elif step.kind == "alone":
            for other in self.sessions:
                if other is not session:
                    self.end(other, "COMMIT")
        elif step.kind == "admin":
            self.change(step.sql)
        elif step.kind == "call":
            self.note(session.connection, step.sql, step.capture)
        else:
            self.control(session, step)
        if session.is_failed():
            if step.recover == "savepoint" and session.savepoints:
                self.note(session.connection, f"ROLLBACK TO {session.savepoints[-1]}")
            else:
                self.end(session, "ROLLBACK")

    def control(self, session, step):
        """Begins and ends transactions and savepoints, unless there is nothing to end."""
        if step.kind == "begin":
            if session.is_idle():
                self.note(session.connection, f"BEGIN ISOLATION LEVEL {step.sql}")
            return
        if session.is_idle():
            return
        if step.kind in ("commit", "rollback"):
            self.end(session, step.kind.upper())
        elif step.kind == "prepare":
            self.prepare(session, step.sql)
        elif step.kind == "savepoint":
            session.savepoints.append(f"s{len(session.savepoints) + 1}")
            self.note(session.connection, f"SAVEPOINT {session.savepoints[-1]}")
        elif session.savepoints:
            place = int(step.sql) % len(session.savepoints)
            name = session.savepoints[place]
            if step.kind == "release":
                session.savepoints = session.savepoints[:place]
                self.note(session.connection, f"RELEASE {name}")
            else:
                session.savepoints = session.savepoints[:place + 1]
                self.note(session.connection, f"ROLLBACK TO {name}")

    def prepare(self, session, then):
        # Names of prepared transactions are unique in the whole server.
        self.prepared += 1
        self.known["prepared"] = f"{self.database} {self.prepared}"
        session.savepoints = []
        self.note(session.connection, "PREPARE TRANSACTION '@prepared@'")
        if session.is_idle():
            self.note(session.connection, f"{then} PREPARED '@prepared@'")

    def undo(self, plan):
        """Undoes the alterations. Returns what could not be undone, as texts."""
        outcomes = [(sql, perform(self.admin, sql)) for alteration in reversed(plan.alterations) for sql in alteration.undo]
        return [f"{sql}: {outcome['error']['message_primary']}" for sql, outcome in outcomes if "error" in outcome]

    def counters(self):
        """The rows inserted, updated and deleted so far, by table, including those of failed transactions."""
        for connection in [session.connection for session in self.sessions] + [self.admin]:
            perform(connection, "SELECT pg_stat_force_next_flush()")
        perform(self.admin, "SELECT pg_stat_clear_snapshot()")
        found = perform(self.admin, "SELECT relname, n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_all_tables"
                        " WHERE schemaname = 'escrowgrid' ORDER BY relname")
        return {name: tuple(map(int, counts)) for name, *counts in found["rows"] if name in TABLES}
