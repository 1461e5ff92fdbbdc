"""Random rounds: what is set up, what users put on the tables, and what the sessions do in which order.

A plan is made before the round is played. It depends on the seed and the number of the round alone, so a round can be
repeated.
"""

import re
from dataclasses import dataclass

from alterations import CHECKS, COLUMNS, INDEXES, Draw
from calls import POLICIES, Writer, quote
from relations import RELATIONS
from triggers import RULES, TRIGGERS
from twins import SESSIONS, TABLES

FAMILIES = (COLUMNS,) * 3 + (CHECKS,) * 3 + (INDEXES,) * 3 + (TRIGGERS,) * 4 + (RULES,) + (RELATIONS,) * 3

LEVELS = ("READ COMMITTED",) * 3 + ("REPEATABLE READ", "SERIALIZABLE")
STEPS = 36


@dataclass
class Step:
    session: int
    kind: str  # call, begin, commit, rollback, prepare, savepoint, rollback_to, release, alone, alter, admin
    sql: str = ""
    capture: str | None = None
    recover: str = "savepoint"  # what a failed transaction is rolled back to: its last savepoint, or its beginning


@dataclass
class Plan:
    number: int
    setup: list
    alterations: list
    steps: list
    trials: list  # calls to be made both ways in one session

    @property
    def breaks_evidence(self):
        return any(alteration.breaks_evidence for alteration in self.alterations)


def own_change(writer, session):
    """DDL and a call in one transaction, both rolled back to a savepoint, and another call."""
    table = writer.pick(TABLES)
    ddl = writer.pick((
        f"ALTER TABLE escrowgrid.{table} ADD COLUMN own_{writer.number} text DEFAULT 'own'",
        f"ALTER TABLE escrowgrid.{table} ADD CONSTRAINT own_{writer.number} CHECK (id <> 'x')",
        f"ALTER TABLE escrowgrid.{table} ADD CONSTRAINT own_{writer.number} CHECK (id = 'x') NOT VALID",
        f"CREATE INDEX own_{writer.number} ON escrowgrid.{table} (institution_id, id DESC)",
        f"CREATE TRIGGER own_{writer.number} AFTER INSERT ON escrowgrid.{table} FOR EACH ROW EXECUTE FUNCTION users.see()",
        f"ALTER TABLE escrowgrid.{table} DISABLE TRIGGER USER"))
    statement, _ = writer.any_call(session)
    again, capture = writer.any_call(session)
    yield Step(session, "begin", "READ COMMITTED")
    yield Step(session, "savepoint")
    yield Step(session, "alone")
    yield Step(session, "call", ddl)
    yield Step(session, "call", statement)
    yield Step(session, "rollback_to", "0")
    yield Step(session, "call", again, capture)


def with_cursor(writer, session):
    """A cursor, which shows the rows as they were when it was opened, and a call while it is open."""
    condition = f"WHERE institution_id = 'inst_r{writer.slot}' ORDER BY created_at, id"
    for_update = "" if writer.random.random() < 0.6 else "FOR UPDATE"
    yield Step(session, "begin", writer.pick(LEVELS))
    yield Step(session, "savepoint")
    yield Step(session, "call", f"DECLARE seen CURSOR FOR SELECT id, state, version FROM escrowgrid.positions {condition} {for_update}")
    yield Step(session, "call", "FETCH 2 FROM seen")
    yield Step(session, "call", writer.transition(session))
    if for_update:
        yield Step(session, "call", "UPDATE escrowgrid.positions SET state = 'FUNDED' WHERE CURRENT OF seen")
    yield Step(session, "call", "FETCH ALL FROM seen")
    yield Step(session, "call", "CLOSE seen")


def race(writer, session):
    """Two sessions at a higher isolation level read rows, and one or both change what the other has read."""
    other = (session + 1) % SESSIONS
    mine, theirs = quote(writer.pool_id(0)), quote(writer.pool_id(writer.pick((0, 1))))
    move = "SELECT r.version, r.state FROM escrowgrid.escrow_transition({}, {}, amount => {}) AS r"
    read = "SELECT state, version FROM escrowgrid.positions WHERE id = {}"
    level = writer.pick(LEVELS[2:])
    for each, position in ((session, mine), (other, theirs)):
        yield Step(each, "commit")
        yield Step(each, "begin", level)
        yield Step(each, "call", read.format(position))
    yield Step(other, "call", move.format(mine, "'PARTIALLY_RELEASED'", 1))
    if writer.random.random() < 0.7:
        yield Step(other, "commit")
    yield Step(session, "call", move.format(writer.pick((mine, theirs)), "'PARTIALLY_RELEASED'", 2))
    yield Step(session, "commit")
    yield Step(other, "commit")


def signed_in(writer, session):
    """The session signs in with a key and goes on as an application, or signs out and goes on as before."""
    if writer.random.random() < 0.5:
        yield Step(session, "call", "RESET ROLE; SELECT escrowgrid.escrow_sign_out()")
        return
    token = f"@{writer.pick(('admin', 'admin', 'read_only'))}@"
    yield Step(session, "call",
               f"SELECT escrowgrid.escrow_authenticate('{token}', 'session'), set_config('role', 'direct_app', false)")


def settings(writer, session):
    yield Step(session, "call", writer.pick((
        "SET search_path = users, public", "SET search_path = public", "RESET search_path", "SET search_path = escrowgrid, users",
        "SET escrowgrid.request_id = 'req-1'", "SET escrowgrid.client_ip = '10.1.2.3'", "SET escrowgrid.traceparent = '00-aa'",
        "SET escrowgrid.request_id = 'bad'", "SET session_replication_role = replica", "SET session_replication_role = origin",
        "SET CONSTRAINTS ALL IMMEDIATE", "SET CONSTRAINTS ALL DEFERRED", "DISCARD PLANS",
        "SET default_transaction_read_only = on", "RESET default_transaction_read_only")))


def change_between(writer, chosen):
    """A change while the sessions are connected: of an alteration, of the policy, or of how a table is stored."""
    table = writer.pick(TABLES)
    during = [sql for alteration in chosen for sql in alteration.during]
    if during and writer.random.random() < 0.8:
        sql = writer.pick(during)
        # A change that locks a table runs when no session is in a transaction. Others may run while transactions are open.
        is_free = sql.startswith(("CREATE OR REPLACE FUNCTION", "DELETE FROM users", "INSERT INTO users"))
        return Step(0, "admin" if is_free and writer.random.random() < 0.6 else "alter", sql)
    if writer.random.random() < 0.5:
        return Step(0, "admin",
                    f"SELECT config FROM escrowgrid.escrow_set_policy('inst_r{writer.slot}', 'US', {quote(writer.pick(POLICIES))})")
    return Step(0, "alter", writer.pick((f"VACUUM FULL escrowgrid.{table}", f"CLUSTER escrowgrid.{table} USING {table}_pkey",
                                         f"VACUUM escrowgrid.{table}", f"ANALYZE escrowgrid.{table}",
                                         f"REINDEX TABLE escrowgrid.{table}")))


def steps_of(writer, chosen):
    while len(writer.steps) < STEPS:
        session = writer.random.randrange(SESSIONS)
        dice = writer.random.random()
        recover = "savepoint" if writer.random.random() < 0.75 else "transaction"
        if dice < 0.58:
            statement, capture = writer.any_call(session)
            writer.steps.append(Step(session, "call", statement, capture, recover))
        elif dice < 0.70:
            writer.steps.append(Step(session, "begin", writer.pick(LEVELS)))
        elif dice < 0.79:
            writer.steps.append(Step(session, writer.pick(("commit", "commit", "commit", "rollback"))))
        elif dice < 0.87:
            kind = writer.pick(("savepoint", "savepoint", "rollback_to", "release"))
            writer.steps.append(Step(session, kind, str(writer.random.randrange(3))))
        elif dice < 0.88:
            writer.steps.append(Step(session, "prepare", writer.pick(("COMMIT", "ROLLBACK"))))
        elif dice < 0.95:
            writer.steps.append(change_between(writer, chosen))
        elif dice < 0.965:
            writer.steps += settings(writer, session)
        else:
            writer.steps += writer.pick((own_change, with_cursor, signed_in, race, race))(writer, session)


def alterations_of(writer):
    count = writer.pick((0, 1, 1, 2, 2, 3, 4))
    return [writer.pick(writer.pick(FAMILIES))(Draw(writer.random, f"u{writer.number}_{place}")) for place in range(count)]


def make_plan(seed, number, without=None):
    """The plan of a round. Alterations whose name matches the pattern `without` are left out."""
    writer = Writer(seed, number)
    chosen = [alteration for alteration in alterations_of(writer) if not (without and re.search(without, alteration.name))]
    setup = list(writer.setup())
    setup += [f"SELECT api_key AS {role} FROM escrowgrid.escrow_create_api_key('inst_r{writer.slot}', 'app', '{role}')"
              for role in ("admin", "read_only")]
    writer.steps = []
    steps_of(writer, chosen)
    trials = [writer.pick((writer.transition(n), writer.creation(), writer.batch(n), writer.creation("escrow_try_create_position"),
                           writer.several(n))) for n in range(2)]
    return Plan(number, setup, chosen, writer.steps, trials)
