"""What every session of the storm shares: its connection, its time, and its judgement of errors."""

import collections
import random
import time

import psycopg2

TABLES = ("positions", "position_events", "ledger_events", "audit_events")

# What a session may be told while others change the tables, cancel and terminate: lock timeout, deadlock, cancelled,
# terminated, serialization failure.
EXPECTED = {"55P03", "40P01", "57014", "57P01", "40001"}

# Where others terminate connections, libpq often says only that one was lost. A crash of the server is told by a table
# that recovery empties.
LOST = "57P01"

# A call that runs into this limit hangs: nothing here takes a minute.
LIMIT = "canceling statement due to statement timeout"


def sqlstate_of(error):
    """The SQLSTATE of an error. None when the server refused a connection, as it does while it recovers."""
    lost = ("terminating connection due to administrator command", "server closed the connection", "connection already closed")
    if error.pgcode is None and any(text in str(error) for text in lost):
        return LOST
    return error.pgcode


def is_lost(error):
    """Whether the connection ended, so that the fate of what it was committing is unknown."""
    return sqlstate_of(error) in (None, LOST)


class Session:
    """A session of the storm. Subclasses have step(), which is called until the time is over."""

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
        """Whether the storm itself causes this error."""
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
        """Counts an error, and keeps it as a failure unless it is one that the storm itself causes."""
        sqlstate, message = sqlstate_of(error), str(error).strip()
        self.outcomes[f"{self.name} {sqlstate}"] += 1
        if not self.allowed(sqlstate, message) or LIMIT in message:
            self.failures.append(f"{self.name} {self.number}: {sqlstate} {message} ({doing})")
        if is_lost(error):
            self.leave()
        if sqlstate is None:
            time.sleep(0.5)  # the server recovers from a crash, which one message is enough to say

    def execute(self, statement):
        """Runs one statement of its own transaction, and says whether it succeeded."""
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
        except Exception as error:  # a mistake in the storm itself must not look like a quiet session
            self.failures.append(f"{self.name} {self.number}: {type(error).__name__} {error}")
        self.leave()
        results.put(self.result())
