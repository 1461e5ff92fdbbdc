"""escrow_explain_*, escrow_try_* and the real calls agree about random requests.

usage: agreement.py REQUESTS [SEED]

Connects with libpq's environment variables, to a database with the extension. Each request is first given to
escrow_explain_*, then either to escrow_try_* or to the real call. Both have to give the same verdict: success, or the
same SQLSTATE. The policy changes along the way. Ends with "N passed, N failed".
"""

import json
import random
import sys

import psycopg2

POLICIES = (
    {}, {"position": {"minAmount": 5}}, {"position": {"maxAmount": 50}}, {"position": {"allowedCurrencies": ["USD", "EUR"]}},
    {"position": {"requireReleaseAmount": True}}, {"position": {"maxTenorDays": 5}}, {"position": {"maxOpenAmount": {"USD": 400}}},
    {"position": {"requiredMetadata": {"FUNDED": ["ref"], "CREATED": ["ref"]}}},
    {"position": {"minAmount": 2, "maxAmount": 80, "requireReleaseAmount": True, "maxOpenAmount": {"USD": 900, "JPY": 5000}}},
)
TEMPLATES = (
    ("OWN", "CONSTRUCTION", {}), ("CONSTR_ESCROW", "CONSTRUCTION", {"currency": "USD", "minAmount": 3, "maxAmount": 60}),
    ("CONSTR_RETAINAGE", "CONSTRUCTION", {"currency": "USD", "retainagePercentage": 25}),
    ("TF_INVOICE", "TRADE_FINANCE", {"currency": "USD", "maxTenorDays": 3, "country": "DE"}),
)
AMOUNTS = ("1", "3", "5", "10", "12.5", "60", "75", "80.01", "100") * 4 + ("0.001", "0", "-1", "NaN", "1e20", None)
STATES = ("FUNDED", "PARTIALLY_RELEASED") * 6 + ("RELEASED", "CANCELLED", "EXPIRED", "CREATED", "PAID", None)
METADATA = (None,) * 8 + ('{"ref": 3}',) * 6 + ('{"ref": 1}', '{"other": 2}', "[]", '{"n": 1e131071}')
TENORS = (None,) * 4 + ("2 days",) * 4 + ("1 day", "3 days", "4 days", "6 days", "-1 day")


class Agreement:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.connection = psycopg2.connect("")
        self.connection.autocommit = True
        self.cursor = self.connection.cursor()
        self.positions = ["pos_none"]
        self.institution = self.one("SELECT id FROM escrowgrid.escrow_create_institution('Agreement', '{US}')")
        self.assets = ["ast_none"]
        for code, vertical, config in TEMPLATES:
            self.assets.append(self.one("""SELECT s.id FROM escrowgrid.escrow_create_asset_template(%s, 'T', %s, 'US', %s, %s) AS t,
                LATERAL escrowgrid.escrow_create_asset(t.id, 'A') AS s""", code, vertical, json.dumps(config), self.institution))

    def one(self, sql, *values):
        self.cursor.execute(sql, values)
        row = self.cursor.fetchone()
        return row[0] if row else None

    def creation(self):
        pick = self.random.choice
        values = [pick(self.assets), pick(("h",) * 20 + (" ", None)), pick(("USD",) * 12 + ("EUR", "JPY", "XXQ", None)),
                  pick(AMOUNTS), pick(TENORS), pick(METADATA)]
        return "create_position", "%s, %s, %s, %s::numeric, expires_at => now() + %s::interval, metadata => %s::jsonb", values

    def transition(self):
        pick = self.random.choice
        values = [pick(self.positions[-8:]), pick(STATES), pick(AMOUNTS) if self.random.random() < 0.4 else None,
                  pick((None,) * 12 + ("FUNDED", "paid")), pick((None,) * 12 + (1, 2, 3, 0)), pick(METADATA)]
        arguments = "%s, %s, amount => %s::numeric, expected_state => %s, expected_version => %s, metadata => %s::jsonb"
        return "transition", arguments, values

    def verdict(self, name, arguments, values):
        if self.random.random() < 0.5:
            self.cursor.execute(f"SELECT coalesce(sqlstate, 'ok'), (result).id FROM escrowgrid.escrow_try_{name}({arguments})", values)
            return self.cursor.fetchone()
        try:
            self.cursor.execute(f"SELECT 'ok', id FROM escrowgrid.escrow_{name}({arguments})", values)
            return self.cursor.fetchone()
        except psycopg2.Error as error:
            return error.pgcode, None

    def ask(self):
        if self.random.random() < 0.02:
            self.cursor.execute("SELECT FROM escrowgrid.escrow_set_policy(%s, 'US', %s)",
                                (self.institution, json.dumps(self.random.choice(POLICIES))))
        name, arguments, values = self.creation() if self.random.random() < 0.4 else self.transition()
        explained = self.one(f"""SELECT sqlstate FROM escrowgrid.escrow_explain_{name}({arguments}) WITH ORDINALITY
            WHERE NOT passed ORDER BY ordinality LIMIT 1""", *values) or "ok"
        said, position = self.verdict(name, arguments, values)
        if position and name == "create_position":
            self.positions.append(position)
        return said, explained == said, (name, values, explained, said)


def main():
    requests, seed = int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "1"
    agreement = Agreement(seed)
    outcomes, failures = {}, []
    for _ in range(requests):
        said, agreed, case = agreement.ask()
        outcomes[said] = outcomes.get(said, 0) + 1
        if not agreed:
            failures.append(case)
    for failure in failures[:5]:
        print("DISAGREE:", failure)
    print(f"seed {seed}, {requests} requests; outcomes:", ", ".join(f"{code} {outcomes[code]}" for code in sorted(outcomes)))
    if not {"ok", "ZE001", "ZE002", "ZE101", "ZE102", "ZE201", "ZE301", "ZE302"} <= set(outcomes):
        failures.append("not every kind of outcome was seen")
        print(failures[-1])
    print(f"{requests - len(failures)} passed, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
