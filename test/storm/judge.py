"""Checks the tables after the storm: they have what the sessions were told, and nothing else."""

import collections

from calls import COMMITTED, FAILED

# What has to be true, and a query whose rows are the exceptions.
STATEMENTS = (
    ("the server did not crash: recovery would have emptied an unlogged table",
     "SELECT 'crashed' WHERE NOT EXISTS (SELECT FROM public.storm_alive)"),
    ("the events of a position add up to what it released and refunded", """
        SELECT p.id FROM escrowgrid.positions AS p JOIN escrowgrid.position_events AS e ON e.position_id = p.id
        GROUP BY p.id, p.released_amount, p.refunded_amount
        HAVING p.released_amount <> coalesce(
                sum(e.amount) FILTER (WHERE e.to_state IN ('PARTIALLY_RELEASED', 'RELEASED')), 0)
            OR p.refunded_amount <> coalesce(
                sum(e.amount) FILTER (WHERE e.to_state IN ('CANCELLED', 'EXPIRED') AND e.from_state <> 'CREATED'), 0)"""),
    ("the version of a position is the number of its events, which are numbered without a gap", """
        SELECT p.id FROM escrowgrid.positions AS p LEFT JOIN escrowgrid.position_events AS e ON e.position_id = p.id
        GROUP BY p.id, p.version HAVING p.version <> count(e.id) OR p.version <> max(e.seq) OR min(e.seq) <> 1"""),
    ("every event has one ledger row", """
        SELECT e.id FROM escrowgrid.position_events AS e LEFT JOIN escrowgrid.ledger_events AS l ON l.payload ->> 'eventId' = e.id
        GROUP BY e.id HAVING count(l.id) <> 1"""),
    ("every event has one audit row", """
        SELECT e.id FROM escrowgrid.position_events AS e LEFT JOIN escrowgrid.audit_events AS a ON a.payload ->> 'eventId' = e.id
        GROUP BY e.id HAVING count(a.id) <> 1"""),
    ("every ledger row of a position has its event", """
        SELECT l.id FROM escrowgrid.ledger_events AS l LEFT JOIN escrowgrid.position_events AS e ON e.id = l.payload ->> 'eventId'
        WHERE l.position_id IS NOT NULL AND e.id IS NULL"""),
    ("every audit row of a success has its event", """
        SELECT a.id FROM escrowgrid.audit_events AS a LEFT JOIN escrowgrid.position_events AS e ON e.id = a.payload ->> 'eventId'
        WHERE a.outcome = 'success' AND a.payload ? 'eventId' AND e.id IS NULL"""),
    ("escrow_verify() finds nothing wrong", "SELECT * FROM escrowgrid.escrow_verify()"),
    ("amcheck finds nothing wrong with the heaps", """
        SELECT c.oid::regclass, v.* FROM pg_class AS c, LATERAL verify_heapam(c.oid, check_toast => true) AS v
        WHERE c.relkind IN ('r', 't') AND (c.relnamespace = 'escrowgrid'::regnamespace
            OR c.oid IN (SELECT reltoastrelid FROM pg_class WHERE relnamespace = 'escrowgrid'::regnamespace))"""),
)
INDEXES = """SELECT c.oid, c.oid::regclass::text
    FROM pg_class AS c JOIN pg_index AS i ON i.indexrelid = c.oid JOIN pg_am AS a ON a.oid = c.relam
    WHERE a.amname = 'btree' AND i.indisvalid AND c.relnamespace = 'escrowgrid'::regnamespace"""


def wrong_call(mark, fate, made, found):
    """What is wrong with the events that were found for a call, or None."""
    if fate == FAILED:
        return f"call {mark} failed, but there are its events {found}" if found else None
    if made is None:  # the answer was lost: what is known is that the call was made once at most
        return f"call {mark} was made twice: {found}" if len({position for position, _, _ in found}) != len(found) else None
    told = sorted(made)
    # What CANCELLED moves depends on what was released before, so the amount is not compared.
    same = len(told) == len(found) and all(
        a[:2] == b[:2] and (a[2] is None or a[2] == b[2]) for a, b in zip(told, sorted(found)))
    if same or (fate != COMMITTED and not found):
        return None
    return f"call {mark} is {fate} and was answered {told}, but its events are {found}"


def judge(cursor, calls):
    """Returns the number of checks, and the failures."""
    failures, checked = [], 0
    events = collections.defaultdict(list)
    cursor.execute("SELECT metadata ->> 'call', position_id, seq, amount FROM escrowgrid.position_events WHERE metadata ? 'call'")
    for mark, position, version, amount in cursor.fetchall():
        events[mark].append((position, version, amount))
    for mark, fate, made in calls:
        checked += 1
        wrong = wrong_call(mark, fate, made, events.pop(mark, []))
        failures += [wrong] if wrong else []
    failures += [f"no session made the call {mark}, but there are its events {found}" for mark, found in events.items()]
    cursor.execute("CREATE EXTENSION IF NOT EXISTS amcheck")
    for what, statement in STATEMENTS:
        checked += 1
        cursor.execute(statement)
        rows = cursor.fetchall()
        if rows:
            failures.append(f"not true: {what}: {len(rows)} exceptions, the first {rows[0]}")
    cursor.execute(INDEXES)
    for oid, name in cursor.fetchall():
        checked += 1
        try:
            cursor.execute("SELECT bt_index_check(%s, heapallindexed => true)", (oid,))
        except Exception as error:
            failures.append(f"index {name}: {error}")
    return checked, failures
