"""Generated attempts of one tenant to reach another's rows.

usage: run.py [ATTEMPTS]

Connects as a superuser with libpq's environment variables, to a database with the extension. Every kind of caller tries
every function and every table with ids of another institution, and with ids of the same form that nothing has. The two
answers have to be the same (SQLSTATE, message, DETAIL, HINT and CONTEXT, except for the id), and no answer may have
anything of the other institution. Ends with "N passed, N failed".

As a negative control the attempts are repeated with row-level security off. They must find leaks then; otherwise they
would prove nothing.
"""

import random
import sys

import psycopg2

SECRET = "SECRET-OF-B"
TABLES = ("institutions", "asset_templates", "assets", "positions", "position_events", "ledger_events",
          "institution_policies", "api_keys", "audit_events", "idempotency_keys", "checkpoint_heads", "balances")
# Calls with the id {x}, and the kind of the id.
CALLS = (
    ("escrow_get_institution({x})", "inst"), ("escrow_get_asset_template({x})", "tmpl"),
    ("escrow_get_asset({x})", "ast"), ("escrow_get_position({x})", "pos"),
    ("escrow_list_institutions({x})", "inst"), ("escrow_list_asset_templates({x})", "inst"),
    ("escrow_list_asset_templates(after_id => {x})", "tmpl"), ("escrow_list_assets({x})", "inst"),
    ("escrow_list_assets(template_id => {x})", "tmpl"), ("escrow_list_assets(after_id => {x})", "ast"),
    ("escrow_list_positions({x})", "inst"), ("escrow_list_positions(asset_id => {x})", "ast"),
    ("escrow_list_positions(after_id => {x})", "pos"), ("escrow_list_positions(holder_reference => {x})", "holder"),
    ("escrow_list_ledger_events({x})", "inst"), ("escrow_list_ledger_events(position_id => {x})", "pos"),
    ("escrow_list_audit_events({x})", "inst"), ("escrow_list_api_keys({x})", "inst"),
    ("escrow_create_asset_template('OWN', 'T', 'CONSTRUCTION', 'US', '{{}}', {x})", "inst"),
    ("escrow_create_asset_template('OWN', 'T', 'TRADE_FINANCE', 'SG', '{{}}', {x})", "inst"),
    ("escrow_create_asset({x}, 'label')", "tmpl"), ("escrow_create_asset({x}, NULL)", "tmpl"),
    ("escrow_create_position({x}, 'h', 'USD', 1)", "ast"), ("escrow_create_position({x}, 'h', 'XXQ', 1)", "ast"),
    ("escrow_create_position({x}, 'h', 'USD', 0.001)", "ast"), ("escrow_transition({x}, 'FUNDED')", "pos"),
    ("escrow_transition({x}, 'RELEASED')", "pos"), ("escrow_transition({x}, 'CREATED')", "pos"),
    ("escrow_transition({x}, 'PARTIALLY_RELEASED', amount => 99999)", "pos"),
    ("escrow_transition({x}, 'FUNDED', expected_version => 7)", "pos"),
    ("escrow_transition({x}, 'FUNDED', idempotency_key => 'k')", "pos"),
    ("escrow_transition({x}, 'FUNDED', idempotency_key => 'SECRET')", "pos"),
    ("escrow_create_position({x}, 'h', 'USD', 1, idempotency_key => 'k')", "ast"),
    ("escrow_transition_batch(ARRAY[{x}], 'RELEASED')", "pos"),
    ("escrow_transition_batch(ARRAY[{x}, 'pos_none'], 'FUNDED', idempotency_key => 'k')", "pos"),
    ("escrow_position_at({x}, now())", "pos"), ("escrow_position_at({x}, '2020-01-01')", "pos"),
    ("escrow_set_policy({x}, 'US', '{{}}')", "inst"), ("escrow_set_policy({x}, 'SG', '{{}}')", "inst"),
    ("escrow_verify({x})", "inst"), ("escrow_inclusion_proof({x}, (SELECT max(id) FROM escrowgrid.checkpoints))", "pos"),
    ("escrow_inclusion_proof({x}, 'chk_none')", "pos"), ("escrow_redact_event({x})", "ple"),
    ("escrow_purge_institution({x}, 'SECRET-OF-B')", "inst"),
    ("escrow_get_policy({x}, 'US')", "inst"), ("escrow_get_policy({x}, 'SG')", "inst"), ("escrow_list_policies({x})", "inst"),
    ("escrow_try_transition({x}, 'RELEASED')", "pos"), ("escrow_try_transition({x}, 'EXPIRED', expected_version => 9)", "pos"),
    ("escrow_try_create_position({x}, 'h', 'USD', 1)", "ast"), ("escrow_explain_transition({x}, 'EXPIRED')", "pos"),
    ("escrow_explain_create_position({x}, 'h', 'USD', 1)", "ast"),
    ("escrow_create_api_key({x}, 'l', 'admin')", "inst"), ("escrow_rotate_api_key({x})", "ak"),
    ("escrow_rotate_api_key({x}, '1 hour')", "ak"), ("escrow_revoke_api_key({x})", "ak"),
    ("escrow_create_institution({x}, '{{US}}')", "inst"),
)
KEYS = {"institutions": "id", "balances": "institution_id"}
QUERIES = (
    "SELECT * FROM escrowgrid.{t} WHERE {k} = {x}",
    "SELECT count(*) FROM escrowgrid.{t} WHERE {k} = {x}",
    "SELECT * FROM escrowgrid.{t} AS t WHERE t::text LIKE '%%' || {x} || '%%'",
    "SELECT max({k}) FROM escrowgrid.{t} WHERE {k} >= {x}",
    "SELECT EXISTS (SELECT FROM escrowgrid.{t} WHERE {k} IN ({x}, 'x'))",
    "SELECT {k} FROM escrowgrid.{t} WHERE {k} = {x} UNION ALL SELECT {k} FROM escrowgrid.{t} WHERE {k} = {x}",
    "UPDATE escrowgrid.{t} SET {k} = {k} WHERE {k} = {x}",
    "DELETE FROM escrowgrid.{t} WHERE {k} = {x}",
    "INSERT INTO escrowgrid.{t} ({k}) VALUES ({x}) ON CONFLICT DO NOTHING",
    "SELECT * FROM escrowgrid.{t} WHERE {k} = {x} FOR UPDATE",
    "SELECT * FROM escrowgrid.positions AS p LEFT JOIN escrowgrid.{t} AS t ON t.{k} = {x}",
)
CALLERS = ("admin of A", "reader of A", "nobody", "revoked", "expired")


def one(cursor, sql, *values):
    cursor.execute(sql, values)
    return cursor.fetchone()


def set_up(cursor):
    """Makes institutions A and B with rows of the same kinds. Every label and reason of B is SECRET."""
    made = {"tokens": {}, "b": {}}
    cursor.execute("DROP ROLE IF EXISTS escape_app; CREATE ROLE escape_app;"
                   " SELECT escrowgrid.escrow_grant_access('escape_app', 'application')")
    a = one(cursor, "SELECT id FROM escrowgrid.escrow_create_institution('A', '{US}')")[0]
    b = one(cursor, "SELECT id FROM escrowgrid.escrow_create_institution(%s, '{US}')", SECRET)[0]
    made["b"]["inst"] = [b]
    for name, institution in (("a", a), ("b", b)):
        label = SECRET if name == "b" else "of A"
        for _ in range(3):
            template = one(cursor, "SELECT id FROM escrowgrid.escrow_create_asset_template("
                           "'OWN', %s, 'CONSTRUCTION', 'US', '{}', %s)", label, institution)[0]
            asset = one(cursor, "SELECT id FROM escrowgrid.escrow_create_asset(%s, %s)", template, label)[0]
            position = one(cursor, "SELECT id FROM escrowgrid.escrow_create_position(%s, %s, 'USD', 10)", asset, label)[0]
            cursor.execute("SELECT FROM escrowgrid.escrow_transition(%s, 'FUNDED', %s)", (position, label))
            if name == "b":
                event = one(cursor, "SELECT max(id) FROM escrowgrid.position_events WHERE position_id = %s", position)[0]
                for kind, value in (("tmpl", template), ("ast", asset), ("pos", position), ("ple", event)):
                    made["b"].setdefault(kind, []).append(value)
        cursor.execute("""SELECT FROM escrowgrid.escrow_set_policy(%s, 'US', jsonb_build_object('position',
            jsonb_build_object('requiredMetadata', jsonb_build_object('EXPIRED', ARRAY[%s]))))""", (institution, label))
        cursor.execute("""INSERT INTO escrowgrid.idempotency_keys (institution_id, key, fingerprint, created_at)
            VALUES (%s, %s, sha256('x'), now())""", (institution, label))
    cursor.execute("SELECT FROM escrowgrid.escrow_checkpoint()")
    made["b"]["ak"] = [one(cursor, "SELECT id FROM escrowgrid.escrow_create_api_key(%s, %s, 'admin')", b, SECRET)[0]]
    made["b"]["holder"] = [SECRET]
    for caller, role in (("admin of A", "admin"), ("reader of A", "read_only"), ("revoked", "admin"), ("expired", "admin")):
        made["tokens"][caller] = one(cursor, "SELECT id, api_key FROM escrowgrid.escrow_create_api_key(%s, %s, %s)", a, caller, role)
    return made


def like_nothing(generator, value):
    """An id of the same form that nothing has."""
    if value == SECRET:
        return "HOLDER-OF-NO"
    prefix, _, rest = value.rpartition("_")
    return prefix + "_0" + "".join(generator.choice("0123456789abcdefghjkmnpqrstvwxyz") for _ in rest[1:])


class Attacker:
    def __init__(self, made):
        self.connection = psycopg2.connect("")
        self.connection.autocommit = True
        self.cursor = self.connection.cursor()
        self.made = made

    def become(self, caller):
        self.cursor.execute("RESET ROLE; RESET ALL; SET client_min_messages = error")
        if caller in self.made["tokens"]:
            key, token = self.made["tokens"][caller]
            if caller in ("revoked", "expired"):  # the key signs in while it is valid, and ends afterwards
                self.cursor.execute("UPDATE escrowgrid.api_keys SET revoked_at = NULL, expires_at = NULL WHERE id = %s", (key,))
            self.cursor.execute("SELECT escrowgrid.escrow_authenticate(%s, 'session')", (token,))
            if caller in ("revoked", "expired"):
                other = psycopg2.connect("")
                column = "revoked_at" if caller == "revoked" else "expires_at"
                other.cursor().execute(f"UPDATE escrowgrid.api_keys SET {column} = clock_timestamp() WHERE id = %s", (key,))
                other.commit()
                other.close()
        self.cursor.execute("SET ROLE escape_app")

    def ask(self, statement, value):
        """The answer to a statement: rows, or everything that an error says. The value asked for is masked."""
        self.cursor.execute("BEGIN")
        try:
            self.cursor.execute(statement.replace("{x}", "%s"), [value] * statement.count("{x}"))
            answer = ("ok", printable(self.cursor.fetchall()) if self.cursor.description else str(self.cursor.rowcount))
        except psycopg2.Error as error:
            diag = error.diag
            answer = (error.pgcode, diag.message_primary, diag.message_detail, diag.message_hint, diag.context)
        self.cursor.execute("ROLLBACK")
        return tuple((part or "").replace(value, "<asked>") for part in answer)


def statements():
    for call, kind in CALLS:
        yield f"SELECT * FROM escrowgrid.{call.replace('{{', '{').replace('}}', '}')}", kind
    for table in TABLES:
        key = KEYS.get(table, "institution_id")
        for query in QUERIES:
            yield query.replace("{t}", table).replace("{k}", key), "inst"
        if table not in ("idempotency_keys", "balances"):
            for query in QUERIES:
                kind = {"institutions": "inst", "asset_templates": "tmpl", "assets": "ast", "positions": "pos",
                        "api_keys": "ak"}.get(table)
                if kind:
                    yield query.replace("{t}", table).replace("{k}", "id"), kind


def printable(rows):
    """Rows as text. The driver gives bytea as a memoryview, whose own text would be an address."""
    return str([tuple(bytes(value).hex() if isinstance(value, memoryview) else value for value in row) for row in rows])


def leaks(answer, made):
    """Whether an answer has anything of B. The value asked for is masked, so repeating it is no leak."""
    text = " ".join(answer)
    return SECRET in text or any(value in text for values in made["b"].values() for value in values)


def attack(made, attempts, seed=1):
    generator = random.Random(seed)
    attacker = Attacker(made)
    counts = {"tried": 0, "leaks": 0, "differences": 0}
    shown = []
    while counts["tried"] < attempts:
        for caller in CALLERS:
            attacker.become(caller)
            for statement, kind in statements():
                value = generator.choice(made["b"][kind])
                theirs = attacker.ask(statement, value)
                nothing = attacker.ask(statement, like_nothing(generator, value))
                counts["tried"] += 1
                leaked = leaks(theirs, made) or leaks(nothing, made)
                # Pages after an id and scans by >= depend on the place of the id in the order, not on whose it is.
                positional = "after_id" in statement or ">=" in statement or "escrow_list_institutions" in statement
                creates = statement.startswith("SELECT * FROM escrowgrid.escrow_create_institution")
                differs = theirs != nothing and not positional and not creates
                counts["leaks"] += leaked
                counts["differences"] += differs
                if (leaked or differs) and len(shown) < 5:
                    shown.append((caller, statement, value, theirs, nothing))
    attacker.connection.close()
    return counts, shown


def main():
    attempts = int(sys.argv[1]) if len(sys.argv) > 1 else 10000
    connection = psycopg2.connect("")
    connection.autocommit = True
    cursor = connection.cursor()
    made = set_up(cursor)
    counts, shown = attack(made, attempts)
    for each in shown:
        print("FOUND:", *each, sep="\n  ")
    print(f"{counts['tried']} attempts, {counts['leaks']} leaks, {counts['differences']} differences")
    failed = counts["leaks"] + counts["differences"]

    for table in TABLES[:-1]:
        cursor.execute(f"ALTER TABLE escrowgrid.{table} DISABLE ROW LEVEL SECURITY")
    control, _ = attack(made, 1)
    for table in TABLES[:-1]:
        cursor.execute(f"ALTER TABLE escrowgrid.{table} ENABLE ROW LEVEL SECURITY")
    print(f"negative control, row-level security off: {control['leaks']} leaks, {control['differences']} differences"
          f" in {control['tried']} attempts")
    if control["leaks"] == 0 or control["differences"] == 0:
        print("the attempts find no leak or no difference with row-level security off, so they prove nothing")
        failed += 1
    print(f"{counts['tried'] - min(failed, counts['tried'])} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
