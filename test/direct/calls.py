"""Random calls as SQL, also such as are refused.

They depend on the seed alone. Ids that are not known in advance are written as markers: @c4@ is the id that the fourth
creation returned.
"""

import random

from twins import SESSIONS, SLOTS

STATES = ("FUNDED",) * 5 + ("PARTIALLY_RELEASED",) * 7 + ("RELEASED",) * 2 + ("CANCELLED", "EXPIRED", "CREATED", "BOGUS")
AMOUNTS = ("1", "2.5", "0.25", "10", "100", "3.00", "0.001", "99", "1000", "0", "-1", "NaN", "0.000000001", "1e16")
HOLDERS = ("h1", "h2", "h3", "dup", "bad", "chained", "unique 1", "unique 1", None)
REASONS = (None, None, None, "because", "bad", "a much longer reason than usual", "ü")
METADATA = (None, None, '{"a": 1}', '{"b": {"c": [1.50, null]}, "reference": "r"}', "[]", "{}")
EXPIRIES = (None, None, None, "2099-01-01", "2099-06-01 12:00+00", "2001-01-01")
POLICIES = ('{}', '{"position": {}}', '{"position": {"maxAmount": 50}}', '{"position": {"minAmount": 5}}',
            '{"position": {"allowedCurrencies": ["USD"]}}', '{"position": {"requireReleaseAmount": true}}',
            '{"position": {"maxTenorDays": 30000}}', '{"position": {"maxOpenAmount": {"USD": 400}}}',
            '{"position": {"requiredMetadata": {"FUNDED": ["reference"], "CREATED": ["a"]}}}')
POOL = 8
EXPIRED = (3, 4)  # positions of the pool that have expired


def slot_setup(slot):
    """The rows that a round finds in its database, made in the template so that positions that shall have expired have."""
    r = f"r{slot}"
    yield f"""INSERT INTO escrowgrid.institutions (id, name, regions, verticals, created_at, updated_at)
        SELECT 'inst_' || v.name, v.name, '{{US}}', '{{CONSTRUCTION}}', now(), now() FROM (VALUES ('{r}'), ('{r}x')) AS v (name);
        INSERT INTO escrowgrid.asset_templates (id, institution_id, code, name, vertical, region, config, created_at, updated_at)
        SELECT 'tmpl_' || v.name, 'inst_' || v.owner, v.code, 'T', 'CONSTRUCTION', 'US', v.config::jsonb, now(), now()
        FROM (VALUES ('{r}', '{r}', 'OWN', '{{}}'), ('{r}x', '{r}x', 'OWN', '{{}}'),
            ('{r}l', '{r}', 'CONSTR_ESCROW', '{{"currency": "USD", "maxAmount": 60}}')) AS v (name, owner, code, config);
        INSERT INTO escrowgrid.assets (id, institution_id, template_id, label, created_at, updated_at)
        SELECT 'ast_' || v.name, 'inst_' || v.owner, 'tmpl_' || v.name, 'A', now(), now()
        FROM (VALUES ('{r}', '{r}'), ('{r}x', '{r}x'), ('{r}l', '{r}')) AS v (name, owner)"""
    for index in EXPIRED:
        yield ("INSERT INTO escrowgrid.positions (id, asset_id, holder_reference, currency, amount, expires_at)"
               f" VALUES ('pos_{r}p{index}', 'ast_{r}', 'h1', 'USD', 100, clock_timestamp() + interval '1 s')")
    yield f"SELECT version FROM escrowgrid.escrow_transition('pos_{r}p{EXPIRED[0]}', 'FUNDED')"


def quote(value):
    return "NULL" if value is None else "'" + str(value).replace("'", "''") + "'"


def named(**arguments):
    return ", ".join(f"{name} => {quote(value)}" for name, value in arguments.items() if value is not None)


class Writer:
    """Writes the statements of one round."""

    def __init__(self, seed, number):
        self.number = number
        self.slot = number % SLOTS
        self.random = random.Random(f"{seed}/{number}")
        self.pick = self.random.choice
        self.created = 0

    # --- what a round begins with

    def pool_id(self, index):
        return f"pos_r{self.slot}p{index}"

    def setup(self):
        """Makes the pool of positions, except for the two in the template that have expired."""
        for index in [place for place in range(POOL) if place not in EXPIRED]:
            asset = f"ast_r{self.slot}x" if index == POOL - 1 else f"ast_r{self.slot}"
            holder = "chained" if index == 5 else self.pick(("h1", "h2", "dup"))
            currency, expires = self.pick(("USD", "USD", "JPY", "BHD")), quote(self.pick((None, "2099-01-01")))
            yield ("INSERT INTO escrowgrid.positions (id, asset_id, holder_reference, currency, amount, expires_at)"
                   f" VALUES ('{self.pool_id(index)}', '{asset}', '{holder}', '{currency}', 100, {expires})")
        for index in (0, 1):
            yield f"SELECT version FROM escrowgrid.escrow_transition('{self.pool_id(index)}', 'FUNDED')"
        if self.random.random() < 0.3:
            yield f"SELECT config FROM escrowgrid.escrow_set_policy('inst_r{self.slot}', 'US', {quote(self.pick(POLICIES))})"

    # --- calls

    def position(self, session=0):
        dice = self.random.random()
        if self.created and dice < 0.3:
            return f"@c{self.random.randint(max(1, self.created - 5), self.created)}@"
        if dice < 0.03:
            return "pos_none"
        if dice < 0.5:  # often one that other sessions use less, so that not too many calls wait for a lock
            return self.pool_id(self.pick([i for i in range(POOL - 1) if i % SESSIONS == session % SESSIONS]))
        return self.pool_id(self.random.randrange(POOL))

    def amount(self):
        return self.pick(AMOUNTS[:8]) if self.random.random() < 0.85 else self.pick(AMOUNTS)

    def maybe(self, chance, value):
        return value if self.random.random() < chance else None

    def key(self):
        return self.maybe(0.12, self.pick(("k1", "k2", "k3")))

    def transition(self, session, function="escrow_transition"):
        to_state = self.pick(STATES)
        with_amount = 0.8 if to_state == "PARTIALLY_RELEASED" else 0.08
        arguments = named(reason=self.pick(REASONS), metadata=self.pick(METADATA), amount=self.maybe(with_amount, self.amount()),
                          expected_state=self.maybe(0.06, self.pick(("CREATED", "FUNDED"))),
                          expected_version=self.maybe(0.06, self.pick((1, 2, 3))), idempotency_key=self.key())
        first = f"{quote(self.position(session))}, {quote(to_state)}"
        return f"SELECT r.* FROM escrowgrid.{function}({first}{', ' if arguments else ''}{arguments}) AS r"

    def creation(self, function="escrow_create_position"):
        asset = self.pick((f"ast_r{self.slot}",) * 6 + (f"ast_r{self.slot}l", f"ast_r{self.slot}x", "ast_none", None))
        arguments = named(external_reference=self.maybe(0.3, self.pick(("ref", "bad"))), expires_at=self.pick(EXPIRIES),
                          metadata=self.pick(METADATA), idempotency_key=self.key())
        holder = self.pick(HOLDERS[:6]) if self.random.random() < 0.85 else self.pick(HOLDERS)
        first = ", ".join(map(quote, (asset, holder, self.pick(("USD", "USD", "USD", "JPY", "XXQ")), self.amount())))
        return f"SELECT r.* FROM escrowgrid.{function}({first}{', ' if arguments else ''}{arguments}) AS r"

    def batch(self, session):
        ids = [self.position(session) for _ in range(self.random.randint(1, 4))]
        if self.random.random() < 0.85:
            ids = list(dict.fromkeys(ids))
        to_state = self.pick(STATES)
        amounts = None
        if to_state == "PARTIALLY_RELEASED" or self.random.random() < 0.05:
            amounts = "{" + ",".join(self.pick(AMOUNTS[:5]) for _ in ids) + "}"
        arguments = named(reason=self.pick(REASONS), metadata=self.pick(METADATA), amounts=amounts, idempotency_key=self.key())
        array = "ARRAY[" + ", ".join(map(quote, ids)) + "]"
        return f"SELECT r.* FROM escrowgrid.escrow_transition_batch({array}, {quote(to_state)}{', ' if arguments else ''}{arguments}) AS r"

    def several(self, session):
        """Statements with several calls. A call sees what the calls before it did; the statement's own scans do not."""
        p, to_state = quote(self.position(session)), quote(self.pick(STATES[:14]))
        return self.pick((
            f"""SELECT r.* FROM (VALUES (1, 'FUNDED', NULL), (2, 'PARTIALLY_RELEASED', 1.5), (3, 'PARTIALLY_RELEASED', 2))
            AS s (n, state, amount), LATERAL escrowgrid.escrow_try_transition({p}, s.state, amount => s.amount) AS r""",
            f"""WITH moved AS MATERIALIZED (SELECT version FROM escrowgrid.escrow_transition({p}, {to_state}, amount => 1))
            SELECT m.version AS moved, p.version, p.state FROM moved AS m, escrowgrid.positions AS p WHERE p.id = {p}""",
            f"""WITH made AS MATERIALIZED (SELECT id FROM escrowgrid.escrow_create_position('ast_r{self.slot}', 'h1', 'USD', 5))
            SELECT m.id AS made, r.* FROM made AS m, LATERAL escrowgrid.escrow_transition(m.id, 'FUNDED') AS r""",
            f"""INSERT INTO users.log (what) SELECT concat_ws(' ', r.id, r.state, r.version)
            FROM escrowgrid.escrow_create_position('ast_r{self.slot}', 'h2', 'USD', 7) AS r""",
            # The call meets the row lock that its own statement holds.
            f"""SELECT r.version, r.state FROM escrowgrid.positions AS p,
            LATERAL escrowgrid.escrow_transition(p.id, {to_state}, amount => 1) AS r WHERE p.id = {p} FOR UPDATE OF p""",
            f"""UPDATE escrowgrid.positions SET state = 'FUNDED' WHERE id = {p}
            AND (SELECT version FROM escrowgrid.escrow_transition({p}, 'FUNDED')) > 0 RETURNING version""",
            f"""SELECT count(*), bool_and(r.state = 'CREATED') FROM generate_series(1, 3) AS g, LATERAL
            escrowgrid.escrow_create_position('ast_r{self.slot}', 'h' || g, 'USD', g) AS r"""))

    def nested(self, session):
        """Calls in functions with exception blocks."""
        statement = self.pick((self.transition(session), self.creation(), self.creation("escrow_try_create_position")))
        text = quote(statement.replace("SELECT r.*", "SELECT to_jsonb(r)"))
        p = self.position(session)
        look = quote(self.transition(session).replace("SELECT r.*", "SELECT r.id"))
        other = quote(f"SELECT concat_ws(' ', r.state, r.version) FROM escrowgrid.escrow_transition({quote(p)}, 'FUNDED') AS r")
        return self.pick((f"SELECT users.attempt({text})", f"SELECT users.undone({text})",
                          f"SELECT users.attempt({text}), users.undone({other}), users.attempt({other})",
                          f"SELECT * FROM users.call_and_look({look}, {quote(p)})",
                          f"""DO $do$ BEGIN
            BEGIN PERFORM escrowgrid.escrow_transition({quote(p)}, 'FUNDED'); RAISE division_by_zero;
            EXCEPTION WHEN OTHERS THEN RAISE NOTICE 'first %', SQLSTATE; END;
            PERFORM escrowgrid.escrow_transition({quote(p)}, {quote(self.pick(STATES[:14]))}, amount => 1);
            END $do$"""))

    def raw(self, session):
        p = self.position(session)
        state = self.pick(STATES)
        return self.pick((
            f"UPDATE escrowgrid.positions SET state = {quote(state)} WHERE id = {quote(p)} RETURNING *",
            "UPDATE escrowgrid.positions SET state = 'PARTIALLY_RELEASED', released_amount = released_amount + 1"
            f" WHERE id = {quote(p)} RETURNING *",
            "INSERT INTO escrowgrid.positions (asset_id, holder_reference, currency, amount)"
            f" VALUES ('ast_r{self.slot}', {quote(self.pick(HOLDERS))}, 'USD', 3) RETURNING *",
            f"UPDATE escrowgrid.positions SET holder_reference = 'forged' WHERE id = {quote(p)}",
            f"DELETE FROM escrowgrid.positions WHERE id = {quote(p)}",
            f"UPDATE escrowgrid.assets SET label = label || '.' WHERE id = 'ast_r{self.slot}{self.pick(('', 'l'))}'",
            f"DELETE FROM escrowgrid.assets WHERE id = 'ast_r{self.slot}l'",
            f"UPDATE escrowgrid.ledger_events SET kind = kind WHERE position_id = {quote(p)}"))

    def reading(self, session):
        p, strength = quote(self.position(session)), self.pick(("UPDATE", "NO KEY UPDATE", "SHARE", "KEY SHARE"))
        return self.pick((
            f"SELECT escrowgrid.escrow_get_position({p})",
            f"SELECT * FROM escrowgrid.escrow_explain_transition({p}, {quote(self.pick(STATES[:16]))}, amount => 1)",
            f"SELECT state, version FROM escrowgrid.positions WHERE id = {p} FOR {strength}",
            f"SELECT id, state FROM escrowgrid.escrow_list_positions('inst_r{self.slot}')",
            f"SELECT * FROM escrowgrid.balances WHERE institution_id = 'inst_r{self.slot}' ORDER BY currency",
            "SELECT * FROM escrowgrid.escrow_expire_due(%s)" % self.pick((1, 2, 1000, 0)),
            "SELECT * FROM escrowgrid.escrow_expire_due(5)",
            f"SELECT id FROM escrowgrid.assets WHERE id = 'ast_r{self.slot}' FOR UPDATE"))

    def any_call(self, session):
        """A call, and the name of the marker for the id that it returns, or None."""
        dice = self.random.random()
        if dice < 0.34:
            return self.transition(session), None
        if dice < 0.42:
            return self.transition(session, "escrow_try_transition"), None
        if dice < 0.60:
            self.created += 1
            return self.creation(), f"c{self.created}"
        if dice < 0.65:
            return self.creation("escrow_try_create_position"), None
        for bound, write in ((0.75, self.batch), (0.81, self.several), (0.88, self.nested), (0.94, self.raw)):
            if dice < bound:
                return write(session), None
        return self.reading(session), None
