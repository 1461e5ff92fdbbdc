"""The base of all sessions of the storm: the connection, the time to work, and which errors are failures."""

import collections
import random
import time

import psycopg2

TABLES = ("positions", "position_events", "ledger_events", "audit_events")

# Errors that others cause by changing the tables, cancelling and terminating: lock timeout, deadlock, query cancelled,
# connection terminated, serialization failure.
EXPECTED = {"55P03", "40P01", "57014", "57P01", "40001"}

# When a connection is terminated libpq often reports only that it was lost. That would hide a crash of the server, which
# is noticed by a table that recovery empties.
LOST = "57P01"

# No statement of the storm takes a minute unless it hangs.
LIMIT = "canceling statement due to statement timeout"


def sqlstate_of(error):
    """The SQLSTATE of an error; None if the server refused a connection, as it does during recovery."""
    lost = ("terminating connection due to administrator command", "server closed the connection", "connection already closed")
    if error.pgcode is None and any(text in str(error) for text in lost):
        return LOST
    return error.pgcode


def is_lost(error):
    """Whether the connection ended, so that it is not known whether its commit took place."""
    return sqlstate_of(error) in (None, LOST)


class Session:
    """A session of the storm. Subclasses define step(), which is called until the time is over."""

    name = "session"
    settings = ""

    def __init__(self, number, seed, seconds):
        self.number = number
        self.generator = random.Random(f"{seed} {self.name} {number}")
        self.seconds = seconds
        self.connection = None
        self.outcomes = collections.Counter()
        self.failures = []

    def allowed(self, sqlstate, _message):
        """Whether other sessions of the storm may cause this error."""
        return sqlstate in EXPECTED

    def cursor(self):
        if self.connection is None or self.connection.closed:
            options = f"-c lock_timeout=3s -c statement_timeout=60s {self.settings}"
            self.connection = psycopg2.connect("", application_name=f"storm {self.name}", options=options)
            self.connection.autocommit = True
        return self.connection.cursor()

    def leave(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None

    def note(self, error, doing):
        """Counts an error. It is a failure unless other sessions of the storm may cause it."""
        sqlstate, message = sqlstate_of(error), str(error).strip()
        self.outcomes[f"{self.name} {sqlstate}"] += 1
        if not self.allowed(sqlstate, message) or LIMIT in message:
            self.failures.append(f"{self.name} {self.number}: {sqlstate} {message} ({doing})")
        if is_lost(error):
            self.leave()
        if sqlstate is None:
            time.sleep(0.5)  # the server is recovering from a crash; once a message is enough

    def execute(self, statement):
        """Runs a statement in a transaction of its own. Returns whether it succeeded."""
        try:
            self.cursor().execute(statement)
            self.outcomes[f"{self.name} ok"] += 1
            return True
        except psycopg2.Error as error:
            self.note(error, statement)
            return False

    def result(self):
        return {"outcomes": self.outcomes, "failures": self.failures, "calls": []}

    def run(self, results):
        until = time.monotonic() + self.seconds
        try:
            while time.monotonic() < until:
                self.step()
        except Exception as error:  # a bug of the storm must not look like a session without errors
            self.failures.append(f"{self.name} {self.number}: {type(error).__name__} {error}")
        self.leave()
        results.put(self.result())
