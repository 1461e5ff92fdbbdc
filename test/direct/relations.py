"""Random alterations of what the four tables have to do with others: foreign keys, inheritance, replication, privileges,
row security, storage."""

from alterations import NULLABLE_COLUMNS, Alteration
from twins import TABLES


def key_to_ours(d):
    """A foreign key of a user's table to a column of the extension's."""
    timing = d.pick(("", "DEFERRABLE INITIALLY DEFERRED"))
    action = d.pick(("", "ON UPDATE CASCADE", "ON DELETE CASCADE", "ON UPDATE SET NULL"))
    table = f"users.{d.name}"
    if d.table == "positions" and d.random.random() < 0.5:
        create = [d.alter(f"ADD CONSTRAINT {d.name}_key UNIQUE (id, version)"),
                  f"CREATE TABLE {table} (id text COLLATE \"C\", version integer,"
                  f" FOREIGN KEY (id, version) REFERENCES {d.on} (id, version) {action} {timing})",
                  f"INSERT INTO {table} SELECT id, version FROM {d.on} ORDER BY created_at DESC, id LIMIT 4"]
    else:
        create = [f"CREATE TABLE {table} (id text COLLATE \"C\" REFERENCES {d.on} (id) {action} {timing}, note text DEFAULT 'n')",
                  f"INSERT INTO {table} SELECT id FROM {d.on} ORDER BY created_at DESC, id LIMIT 4"]
    return Alteration(f"foreign key to {d.table} {create[-2]}", create,
                      [f"DROP TABLE IF EXISTS {table}", d.alter(f"DROP CONSTRAINT IF EXISTS {d.name}_key")])


def key_from_ours(d):
    """A foreign key of one of the extension's columns to a user's table."""
    timing = d.pick(("", "", "DEFERRABLE INITIALLY DEFERRED"))
    column = d.pick({"positions": ("currency", "holder_reference", "state"), "position_events": ("to_state", "reason"),
                     "ledger_events": ("kind", "new_state", "request_id"), "audit_events": ("action", "outcome", "resource_id")}[d.table])
    table = f"users.{d.name}"
    words = ("USD", "h1", "h2", "CREATED", "FUNDED", "PARTIALLY_RELEASED", "POSITION_CREATED", "POSITION_STATE_CHANGED",
             "POSITION_TRANSITIONED", "success", "because")
    return Alteration(f"foreign key from {column} of {d.table} {timing}",
                      [f"CREATE TABLE {table} (word text PRIMARY KEY)", f"INSERT INTO {table} SELECT unnest(ARRAY{list(words)})",
                       d.alter(f"ADD CONSTRAINT {d.name} FOREIGN KEY ({column}) REFERENCES {table} (word) {timing} NOT VALID")],
                      [d.alter(f"DROP CONSTRAINT IF EXISTS {d.name}"), f"DROP TABLE IF EXISTS {table}"],
                      [f"DELETE FROM {table} WHERE word = 'RELEASED'", f"INSERT INTO {table} VALUES ('RELEASED') ON CONFLICT DO NOTHING"])


def key_among_ours(d):
    """A foreign key between the extension's own tables that the extension does not bring."""
    what = d.pick((("audit_events", "FOREIGN KEY (resource_id) REFERENCES escrowgrid.positions (id)"),
                   ("ledger_events", "FOREIGN KEY (position_id) REFERENCES escrowgrid.positions (id)"),
                   ("audit_events", "FOREIGN KEY (institution_id) REFERENCES escrowgrid.institutions (id)"),
                   ("positions", "FOREIGN KEY (institution_id) REFERENCES escrowgrid.institutions (id)"),
                   ("positions", "FOREIGN KEY (currency) REFERENCES escrowgrid.currencies (code)")))
    d.table, d.on = what[0], f"escrowgrid.{what[0]}"
    timing = d.pick(("", "DEFERRABLE INITIALLY DEFERRED"))
    return Alteration(f"{what[1]} {timing} of {d.table}", [d.alter(f"ADD CONSTRAINT {d.name} {what[1]} {timing} NOT VALID")],
                      [d.alter(f"DROP CONSTRAINT IF EXISTS {d.name}")])


def child(d):
    table = f"users.{d.name}"
    return Alteration(f"child of {d.table}", [f"CREATE TABLE {table} () INHERITS ({d.on})"], [f"DROP TABLE IF EXISTS {table}"],
                      [f"DROP TABLE IF EXISTS {table}"])


def child_and_gone(d):
    """A child table that is dropped: pg_class keeps the mark that the table had one."""
    return Alteration(f"child of {d.table}, dropped", [f"CREATE TABLE users.{d.name} () INHERITS ({d.on})", f"DROP TABLE users.{d.name}"],
                      [])


def parent(d):
    """The table becomes a child itself."""
    return Alteration(f"parent of {d.table}",
                      [f"CREATE TABLE users.{d.name} (id text COLLATE \"C\" NOT NULL)", d.alter(f"INHERIT users.{d.name}")],
                      [d.alter(f"NO INHERIT users.{d.name}"), f"DROP TABLE IF EXISTS users.{d.name}"])


def published(d):
    identity = d.pick(("NOTHING", "FULL", f"USING INDEX {d.table}_pkey", "DEFAULT", "NOTHING"))
    what = d.pick(("", "", " WITH (publish = 'insert')", " WITH (publish_via_partition_root = true)"))
    rows = d.pick(("", "", f" ({'id, institution_id, state' if d.table == 'positions' else 'id, institution_id'})",
                   " WHERE (institution_id <> 'x')"))
    return Alteration(f"REPLICA IDENTITY {identity}, published {rows}{what}, of {d.table}",
                      [d.alter(f"REPLICA IDENTITY {identity}"), f"CREATE PUBLICATION {d.name} FOR TABLE {d.on}{rows}{what}"],
                      [f"DROP PUBLICATION IF EXISTS {d.name}", d.alter("REPLICA IDENTITY DEFAULT")],
                      [d.alter("REPLICA IDENTITY FULL"), d.alter("REPLICA IDENTITY NOTHING"), f"DROP PUBLICATION IF EXISTS {d.name}"])


def row_security(d):
    policy = d.pick(("", "", f"CREATE POLICY {d.name} ON {d.on} USING (true)",
                     f"CREATE POLICY {d.name} ON {d.on} FOR INSERT WITH CHECK (id <> 'x')",
                     f"CREATE POLICY {d.name} ON {d.on} AS RESTRICTIVE FOR INSERT WITH CHECK (institution_id IS NULL)"))
    force = d.pick(("FORCE ROW LEVEL SECURITY", "FORCE ROW LEVEL SECURITY", "DISABLE ROW LEVEL SECURITY"))
    return Alteration(f"{force} {policy} of {d.table}", [d.alter(force)] + ([policy] if policy else []),
                      [f"DROP POLICY IF EXISTS {d.name} ON {d.on}", d.alter("NO FORCE ROW LEVEL SECURITY"),
                       d.alter("ENABLE ROW LEVEL SECURITY")], breaks_evidence=True)


def privileges(d):
    """The owner of the tables takes rights from itself, which matters unless it is a superuser."""
    what = d.pick(("INSERT", "UPDATE", "SELECT", "ALL", "INSERT", "UPDATE"))
    column = d.pick(("", "", f" ({NULLABLE_COLUMNS[d.table]})", " (id, institution_id)"))
    again = d.pick(([], [], [f"GRANT INSERT{column}, SELECT ON {d.on} TO direct_owner"],
                    [f"GRANT UPDATE{column} ON {d.on} TO direct_owner"]))
    return Alteration(f"REVOKE {what} FROM owner, {again} on {d.table}", [f"REVOKE {what} ON {d.on} FROM direct_owner"] + again,
                      [f"REVOKE ALL ON {d.on} FROM direct_owner", f"GRANT ALL ON {d.on} TO direct_owner"],
                      [f"GRANT ALL ON {d.on} TO direct_owner", f"REVOKE {what} ON {d.on} FROM direct_owner"], breaks_evidence=True)


def other_rights(d):
    what = d.pick((f"GRANT SELECT ON {d.on} TO PUBLIC", f"GRANT UPDATE (id) ON {d.on} TO direct_app",
                   f"REVOKE ALL ON {d.on} FROM direct_app"))
    return Alteration(what, [what], [f"REVOKE SELECT ON {d.on} FROM PUBLIC", f"REVOKE UPDATE (id) ON {d.on} FROM direct_app"])


def other_owner(d):
    """One of the tables belongs to another role than positions, whose owner the extension works as."""
    return Alteration(f"another owner of {d.table}", [d.alter("OWNER TO CURRENT_USER")], [d.alter("OWNER TO direct_owner")],
                      breaks_evidence=True)


def storage(d):
    change, back = d.pick((("SET (fillfactor = 50)", "RESET (fillfactor)"),
                           ("SET (toast_tuple_target = 256)", "RESET (toast_tuple_target)"),
                           ("SET UNLOGGED", "SET LOGGED"), (f"CLUSTER ON {d.table}_pkey", "SET WITHOUT CLUSTER"),
                           ("SET (user_catalog_table = true)", "RESET (user_catalog_table)"),
                           ("ALTER id SET (n_distinct = -1)", "ALTER id RESET (n_distinct)")))
    return Alteration(f"{change} of {d.table}", [d.alter(change)], [d.alter(back)])


def statistics(d):
    return Alteration(f"extended statistics of {d.table}", [f"CREATE STATISTICS users.{d.name} ON id, institution_id FROM {d.on}"],
                      [f"DROP STATISTICS IF EXISTS users.{d.name}"])


def renamed_key(d):
    """The primary key, by whose index rows are found, gets another name."""
    table = d.pick(TABLES)
    d.table, d.on = table, f"escrowgrid.{table}"
    return Alteration(f"renamed primary key of {d.table}", [d.alter(f"RENAME CONSTRAINT {table}_pkey TO {d.name}")],
                      [d.alter(f"RENAME CONSTRAINT {d.name} TO {table}_pkey")])


RELATIONS = (key_to_ours, key_to_ours, key_from_ours, key_from_ours, key_among_ours, child, child_and_gone, parent, published, published,
             row_security, row_security, privileges, privileges, other_rights, other_owner, storage, storage, statistics, renamed_key)
