"""Random requests, also wrong ones. They depend on the seed alone, not on what the server answers."""

import random

AMOUNTS = ("0.01", "1", "3", "7.5", "12.34", "20", "25.00", "0.001", "0.5", "100", "99.99", "1000")
BAD_AMOUNTS = ("0", "-1", "NaN", "Infinity", "-Infinity", "0.000000001", "1000000000000001", "1e20")
TARGETS = ("FUNDED",) * 5 + ("PARTIALLY_RELEASED",) * 9 + ("RELEASED",) * 2 + ("CANCELLED", "EXPIRED", "CREATED", "BOGUS", None)


class Generator:
    def __init__(self, seed, session, calls, pool):
        self.random = random.Random(f"{seed}/{session}")
        self.session = session
        self.calls = calls
        self.pool = pool  # the number of positions that all sessions share

    def maybe(self, chance, value):
        return value if self.random.random() < chance else None

    def amount(self):
        return self.random.choice(BAD_AMOUNTS) if self.random.random() < 0.15 else self.random.choice(AMOUNTS)

    def target(self, step):
        # All sessions go through the pool at the same pace, a few positions at a time, so that they meet at positions.
        base = step * self.pool // self.calls
        return f"pos_m{min(base + self.random.randrange(6), self.pool - 1)}"

    def transition(self, step):
        request = {
            "kind": "transition",
            "position_id": self.target(step),
            "to_state": self.random.choice(TARGETS),
            "amount": self.maybe(0.5, self.amount()),
            "expected_state": self.maybe(0.1, self.random.choice(("CREATED", "FUNDED", "PARTIALLY_RELEASED", "bogus"))),
            "expected_version": self.maybe(0.15, self.random.choice((0, 1, 2, 3, 4, 5))),
            "reason": self.maybe(0.3, self.random.choice(("because", "a reason", " "))),
            "metadata": self.maybe(0.2, self.random.choice(('{"a": 1}', "[]", '"text"', '{"b": {"c": [1.50]}}'))),
        }
        request["rollback"] = self.random.random() < 0.05
        return request

    def update(self, step):
        request = {
            "kind": "update",
            "position_id": self.target(step),
            "to_state": self.random.choice(TARGETS),
            "amount": self.maybe(0.5, self.amount()),
            "count_version": self.random.random() < 0.2,
            "immutable": self.maybe(0.05, self.random.choice(("holder_reference", "currency", "asset_id"))),
        }
        request["rollback"] = self.random.random() < 0.05
        return request

    def creation(self, step):
        return {
            "kind": self.random.choice(("create", "insert")),
            "id": f"pos_c{self.session}_{step}",
            "asset_id": self.random.choice(("ast_model",) * 8 + ("ast_nobody", None)),
            "holder_reference": self.random.choice(("holder",) * 8 + (" ", None)),
            "currency": self.random.choice(("USD", "JPY", "BHD") * 3 + ("XXQ", None)),
            "amount": self.maybe(0.95, self.amount()),
            "metadata": None,
            "rollback": self.random.random() < 0.05,
        }

    def __iter__(self):
        for step in range(self.calls):
            dice = self.random.random()
            if dice < 0.6:
                yield self.transition(step)
            elif dice < 0.85:
                yield self.update(step)
            else:
                yield self.creation(step)
