"""Random triggers and rules of users on the four tables."""

from alterations import NULLABLE_COLUMNS, SOME_VALUES, TEXT_COLUMNS, Alteration
from twins import TABLES

# Triggers fire in the order of their names: before, between or after the extension's own.
PREFIXES = ("a_", "escrow_", "escrowgrid_m", "z_")


def trigger_name(d):
    return d.pick(PREFIXES) + d.name


def event_of(d):
    return d.pick(("INSERT", "INSERT OR UPDATE", "UPDATE")) if d.table == "positions" else d.pick(("INSERT", "INSERT OR UPDATE"))


def switch(d, name):
    """How a trigger is enabled at first, and how that may change while the sessions are connected."""
    first = d.pick(("", "", "", "", f"DISABLE TRIGGER {name}", f"ENABLE REPLICA TRIGGER {name}", f"ENABLE ALWAYS TRIGGER {name}"))
    return [d.alter(first)] if first else [], [d.alter(f"{how} TRIGGER {name}") for how in ("DISABLE", "ENABLE", "ENABLE ALWAYS")]


def trigger(d, when, function, name=None, breaks_evidence=False):
    name = name or trigger_name(d)
    states, during = switch(d, name)
    return Alteration(f"trigger {name} {when} EXECUTE {function} on {d.table} {states}",
                      [f"CREATE TRIGGER {name} {when.replace(' ON', f' ON {d.on}')} EXECUTE FUNCTION users.{function}"] + states,
                      [f"DROP TRIGGER IF EXISTS {name} ON {d.on}"], during + [f"DROP TRIGGER IF EXISTS {name} ON {d.on}"],
                      breaks_evidence)


def before_row(d):
    when = f"BEFORE {event_of(d)} ON FOR EACH ROW"
    column, value = d.pick(SOME_VALUES[d.table])
    function = d.pick(("keep()", "keep()", "note()", "see()", f"suppress('{column}', '{value}')", f"refuse('{column}', '{value}')"))
    # If the audit row is suppressed, the transition has none.
    return trigger(d, when, function, breaks_evidence=function.startswith("suppress"))


def before_row_changes_users_column(d):
    made = trigger(d, f"BEFORE {event_of(d)} ON FOR EACH ROW", f"stamp('{d.name}', 'stamped')")
    made.apply.insert(0, d.alter(f"ADD COLUMN {d.name} text{d.pick(('', ' DEFAULT 1', ' NOT NULL DEFAULT 2'))}"))
    made.undo.append(d.alter(f"DROP COLUMN IF EXISTS {d.name}"))
    return made


def before_row_changes_ours(d):
    column, value = d.pick({
        "positions": (("external_reference", "stamped"), ("version", "9"), ("state", "FUNDED"), ("updated_at", "2030-01-01")),
        "position_events": (("reason", "stamped"), ("created_at", "2030-01-01"), ("metadata", "{}")),
        "ledger_events": (("request_id", "stamped"), ("payload", "{}"), ("created_at", "2030-01-01"), ("id", "led_1")),
        "audit_events": (("request_id", "stamped"), ("path", "stamped"), ("client_ip", "10.0.0.9"), ("institution_id", None))}[d.table])
    function = f"stamp('{column}', '{value}')" if value else f"stamp('{column}')"
    return trigger(d, f"BEFORE {event_of(d)} ON FOR EACH ROW", function, breaks_evidence=True)


def after_row(d):
    column, value = d.pick(SOME_VALUES[d.table])
    event = event_of(d)
    of = " OF " + d.pick(("state", "version", "holder_reference", "released_amount, updated_at")) if event == "UPDATE" else ""
    condition = d.pick(("", "", "", f" WHEN (NEW.{column}::text = '{value}')", " WHEN (NEW.institution_id IS NOT NULL)",
                        d.pick((" WHEN (OLD.state IS DISTINCT FROM NEW.state)", " WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                                " WHEN (OLD.state = 'CREATED')")) if event == "UPDATE" else " WHEN (NEW.id <> 'x')"))
    function = d.pick(("note()", "note('an argument', 'another')", "see()", "see()", "see()", "publish()",
                       f"refuse('{column}', '{value}')"))
    return trigger(d, f"AFTER {event}{of} ON FOR EACH ROW{condition}", function)


def constraint_trigger(d):
    name = trigger_name(d)
    column, value = d.pick(SOME_VALUES[d.table])
    timing = d.pick(("DEFERRABLE INITIALLY DEFERRED", "DEFERRABLE INITIALLY DEFERRED", "DEFERRABLE", ""))
    function = d.pick(("see()", "note()", "publish()", f"refuse('{column}', '{value}')"))
    states, during = switch(d, name)
    return Alteration(f"constraint trigger {timing} {function} on {d.table} {states}",
                      [f"CREATE CONSTRAINT TRIGGER {name} AFTER {event_of(d)} ON {d.on} {timing}"
                       f" FOR EACH ROW EXECUTE FUNCTION users.{function}"] + states,
                      [f"DROP TRIGGER IF EXISTS {name} ON {d.on}"], during)


def statement_trigger(d):
    return trigger(d, f"{d.pick(('BEFORE', 'AFTER'))} {event_of(d)} ON FOR EACH STATEMENT", "note_statement()")


def transition_table(d):
    event = d.pick(("INSERT", "UPDATE")) if d.table == "positions" else "INSERT"
    return trigger(d, f"AFTER {event} ON REFERENCING NEW TABLE AS changed FOR EACH STATEMENT", "count_rows()")


def chained_call(d):
    return trigger(d, f"{d.pick(('BEFORE', 'AFTER', 'AFTER', 'AFTER'))} {event_of(d)} ON FOR EACH ROW", "chain()")


def several_triggers(d):
    """Triggers on two tables that show the order in which they fire."""
    first = trigger(d, f"AFTER {event_of(d)} ON FOR EACH ROW", d.pick(("see()", "note()")))
    d.table = d.pick(TABLES)
    d.on = f"escrowgrid.{d.table}"
    second = trigger(d, f"{d.pick(('BEFORE', 'AFTER', 'AFTER'))} {event_of(d)} ON FOR EACH ROW", "see()", "b_" + d.name)
    return Alteration(f"{first.name}; {second.name}", first.apply + second.apply, first.undo + second.undo, first.during + second.during)


def rule(d):
    column, value = d.pick(SOME_VALUES[d.table])
    event = d.pick(("INSERT", "INSERT", "UPDATE")) if d.table == "positions" else "INSERT"
    where = d.pick(("", f" WHERE NEW.{column}::text = '{value}'"))
    shown = d.pick(TEXT_COLUMNS[d.table])
    action = d.pick((f"DO ALSO INSERT INTO users.log (what) VALUES ('rule ' || COALESCE(NEW.{shown}, 'none'))", "DO INSTEAD NOTHING",
                     "DO ALSO NOTIFY ruled"))
    if "NOTIFY" in action:
        where = ""
    return Alteration(f"rule ON {event}{where} {action} of {d.table}", [f"CREATE RULE {d.name} AS ON {event} TO {d.on}{where} {action}"],
                      [f"DROP RULE IF EXISTS {d.name} ON {d.on}"], breaks_evidence="NOTHING" in action)


def own_trigger_off(d):
    """One of the extension's own triggers is disabled, or enabled for replication only: raw DML is then not recorded, or not
    judged."""
    name = {"positions": "escrowgrid_record"}.get(d.table, "escrowgrid_check")
    how = d.pick(("DISABLE TRIGGER", "ENABLE REPLICA TRIGGER"))
    return Alteration(f"{how} {name} of {d.table}", [d.alter(f"{how} {name}")], [d.alter(f"ENABLE ALWAYS TRIGGER {name}")],
                      breaks_evidence=True)


def before_row_against_check(d):
    """A CHECK is violated by what a BEFORE trigger made of the row."""
    column = NULLABLE_COLUMNS[d.table]
    if d.table == "position_events":
        return before_row(d)
    made = trigger(d, "BEFORE INSERT ON FOR EACH ROW", f"stamp('{column}', 'bad')", breaks_evidence=True)
    made.apply.append(d.alter(f"ADD CONSTRAINT {d.name} CHECK ({column} <> 'bad') NOT VALID"))
    made.undo.append(d.alter(f"DROP CONSTRAINT IF EXISTS {d.name}"))
    return made


TRIGGERS = (before_row, before_row, before_row_changes_users_column, before_row_changes_ours, after_row, after_row, after_row, after_row,
            constraint_trigger,
            constraint_trigger, statement_trigger, transition_table, chained_call, several_triggers, several_triggers,
            before_row_against_check, own_trigger_off)
RULES = (rule,)
