"""Sessions that make escrow calls, and remember the answer to each."""

import json

import psycopg2

from session import EXPECTED, Session, is_lost, sqlstate_of

COMMITTED, FAILED, UNKNOWN = "committed", "failed", "unknown"
ASSET = "ast_storm"
SHARED = [f"pos_storm{n}" for n in range(20)]


class Caller(Session):
    """Makes transactions of one to three calls. Every event carries the mark of its call in its metadata."""

    name = "calls"

    def __init__(self, number, seed, seconds, isolation, fresh, single=False):
        self.settings = f"-c default_transaction_isolation={isolation.replace(' ', chr(92) + ' ')}"
        super().__init__(number, seed, seconds)
        self.fresh = fresh    # whether every transaction has a connection of its own
        self.single = single  # whether every transaction is one call without BEGIN
        self.count = 0
        self.calls = []       # (mark, fate, [(position, version, amount)] or None when the answer was lost)
        self.own = []         # positions that this session created and no other session uses

    def allowed(self, sqlstate, message):
        # A column was added to positions after the query was parsed and before the call, so the row has one column more.
        grown = sqlstate == "42804" and "function return row and query-specified return row do not match" in message
        return sqlstate in EXPECTED or grown or (sqlstate or "").startswith("ZE")

    def amount(self):
        return self.generator.randint(1, 500) / 100

    def call(self, cursor, mark):
        """Makes one call. Returns its kind and the events that, according to its answer, it made."""
        kind = self.generator.choice(("transition", "transition", "try", "batch", "create", "finish"))
        metadata = json.dumps({"call": mark})
        if kind == "create" or (kind == "finish" and not self.own):
            cursor.execute("SELECT id, version, 0.00 FROM escrowgrid.escrow_create_position(%s, %s, 'USD', 1000, metadata => %s)",
                           (ASSET, f"holder {mark}", metadata))
        elif kind == "finish":
            state = self.generator.choice(("FUNDED", "RELEASED", "CANCELLED"))
            cursor.execute("""SELECT id, version, CASE state WHEN 'RELEASED' THEN released_amount WHEN 'CANCELLED' THEN NULL ELSE amount END
                FROM escrowgrid.escrow_transition(%s, %s, metadata => %s)""", (self.generator.choice(self.own), state, metadata))
        elif kind == "batch":
            ids = self.generator.sample(SHARED, self.generator.randint(2, 6))
            amount = self.amount()
            cursor.execute("""SELECT id, version, %s::numeric FROM escrowgrid.escrow_transition_batch(%s, 'PARTIALLY_RELEASED',
                metadata => %s, amounts => %s::numeric[])""", (amount, ids, metadata, [amount] * len(ids)))
        elif kind == "try":
            amount = self.amount()
            wrong = 0 if self.generator.random() < 0.3 else None  # a version that no position has
            cursor.execute("""SELECT (result).id, (result).version, %s::numeric FROM escrowgrid.escrow_try_transition(%s,
                'PARTIALLY_RELEASED', metadata => %s, amount => %s, expected_version => %s) WHERE ok""",
                           (amount, self.generator.choice(SHARED), metadata, amount, wrong))
        else:
            amount = self.amount()
            cursor.execute("""SELECT id, version, %s::numeric FROM escrowgrid.escrow_transition(%s, 'PARTIALLY_RELEASED',
                metadata => %s, amount => %s)""",
                           (amount, self.generator.choice(SHARED), metadata, amount))
        return kind, cursor.fetchall()

    def step(self):
        marks = [f"{self.number}-{self.count + n}" for n in range(1 if self.single else self.generator.choice((1, 1, 2, 3)))]
        self.count += len(marks)
        explicit = len(marks) > 1 or (not self.single and self.generator.random() < 0.5)
        made, kinds, fate = {mark: None for mark in marks}, {}, FAILED
        try:
            cursor = self.cursor()
            if explicit:
                cursor.execute("BEGIN")
            for mark in marks:
                fate = FAILED if explicit else UNKNOWN  # without BEGIN the call commits by itself
                kinds[mark], made[mark] = self.call(cursor, mark)
            if explicit:
                fate = UNKNOWN
                cursor.execute("COMMIT")
            fate = COMMITTED
            self.outcomes["calls ok"] += len(marks)
        except psycopg2.Error as error:
            if not is_lost(error):
                fate = FAILED  # the server itself reported the error, so it has rolled back
            self.note(error, f"call {marks[-1]}")
            self.roll_back()
        for mark in marks:
            self.calls.append((mark, fate, made[mark]))
            if fate == COMMITTED and kinds[mark] in ("create", "finish") and made[mark][0][0] not in self.own:
                self.own.append(made[mark][0][0])
        if self.fresh or self.generator.random() < 0.01:
            self.leave()

    def roll_back(self):
        try:
            if self.connection is not None:
                self.connection.cursor().execute("ROLLBACK")
        except psycopg2.Error as error:
            if sqlstate_of(error) not in EXPECTED:
                self.note(error, "ROLLBACK")
            self.leave()

    def result(self):
        return super().result() | {"calls": self.calls}


def set_up(cursor):
    cursor.execute("""
        INSERT INTO escrowgrid.institutions VALUES ('inst_storm', 'S', '{US}', '{CONSTRUCTION}', now(), now());
        INSERT INTO escrowgrid.asset_templates VALUES ('tmpl_storm', 'inst_storm', 'OWN', 'T', 'CONSTRUCTION', 'US', '{}', now(), now());
        INSERT INTO escrowgrid.assets VALUES ('ast_storm', 'inst_storm', 'tmpl_storm', 'A', NULL, now(), now())""")
    for position in SHARED:
        cursor.execute("""INSERT INTO escrowgrid.positions (id, asset_id, holder_reference, currency, amount)
            VALUES (%s, 'ast_storm', 'h', 'USD', 1000000000)""", (position,))
    cursor.execute("UPDATE escrowgrid.positions SET state = 'FUNDED'")
