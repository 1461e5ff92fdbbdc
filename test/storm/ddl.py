"""Sessions that change the tables while calls are made, and one that cancels and terminates the others."""

import time

import psycopg2

from session import EXPECTED, TABLES, Session

ROLE = "storm_reader"
QUALIFIED = ", ".join(f"escrowgrid.{table}" for table in TABLES)


class Change(Session):
    """A session with DDL. If two commands change one catalog row at a time, PostgreSQL raises an internal error."""

    def allowed(self, sqlstate, message):
        return sqlstate in EXPECTED or "tuple concurrently updated" in message or "tuple concurrently deleted" in message

    def table(self):
        return f"escrowgrid.{self.generator.choice(TABLES)}"


class Grants(Change):
    name = "grants"
    pause = 0.02

    def step(self):
        privilege = self.generator.choice(("SELECT", "INSERT", "UPDATE", "REFERENCES"))
        tables = self.generator.choice((QUALIFIED, self.table()))
        self.execute(f"GRANT {privilege} ON {tables} TO {ROLE}")
        time.sleep(self.pause)
        self.execute(f"REVOKE {privilege} ON {tables} FROM {ROLE}")
        time.sleep(self.pause)


class SteadyGrants(Change):
    """GRANT and, directly afterwards, REVOKE on given tables, at a given rate."""

    name = "grants"

    def __init__(self, number, seed, seconds, tables, rate):
        super().__init__(number, seed, seconds)
        self.tables, self.interval = tables, 1 / rate
        self.next = None

    def step(self):
        self.execute(f"GRANT SELECT ON {self.tables} TO {ROLE}")
        self.execute(f"REVOKE SELECT ON {self.tables} FROM {ROLE}")
        self.next = (self.next or time.monotonic()) + self.interval
        time.sleep(max(0, self.next - time.monotonic()))


class Indexes(Change):
    name = "indexes"

    def step(self):
        table = self.generator.choice(TABLES)
        choice = self.generator.randrange(5)
        if choice == 0:
            # An earlier attempt that was cancelled may have left an invalid index.
            self.execute(f"DROP INDEX CONCURRENTLY IF EXISTS escrowgrid.storm_{table}")
            self.execute(f"CREATE INDEX CONCURRENTLY storm_{table} ON escrowgrid.{table} (created_at)")
        elif choice == 1:
            self.execute(f"REINDEX TABLE CONCURRENTLY escrowgrid.{table}")
        elif choice == 2:
            self.execute(f"REINDEX INDEX CONCURRENTLY escrowgrid.{table}_pkey")
        elif choice == 3:
            self.execute(f"REINDEX TABLE escrowgrid.{table}")
        self.drop_leftovers()

    def allowed(self, sqlstate, message):
        # CREATE finds the index if its DROP was cancelled.
        return super().allowed(sqlstate, message) or (sqlstate == "42P07" and "storm_" in message)

    def drop_leftovers(self):
        """Drops what a cancelled REINDEX CONCURRENTLY leaves: an index that no query uses and every write fills."""
        try:
            cursor = self.cursor()
            cursor.execute("""SELECT format('DROP INDEX CONCURRENTLY IF EXISTS %s', indexrelid::regclass) FROM pg_index AS i
                JOIN pg_class AS c ON c.oid = indexrelid WHERE relnamespace = 'escrowgrid'::regnamespace AND NOT indisvalid""")
            for statement, in cursor.fetchall():
                self.execute(statement)
        except psycopg2.Error as error:
            self.note(error, "list of invalid indexes")


class Alters(Change):
    name = "alters"
    most_columns = 8  # dropped columns count as well, and direct writing knows only so many columns

    def step(self):
        name = self.generator.choice(TABLES)
        table = f"escrowgrid.{name}"
        choice = self.generator.randrange(6)
        if choice == 0 and self.most_columns > 0:
            self.most_columns -= 1
            self.execute(f"ALTER TABLE {table} ADD COLUMN storm_{self.most_columns} text")
            # Calls return rows of positions. When a column is dropped between the parsing of a query and its call,
            # PostgreSQL 15 looks up the type of the dropped column for its error's text, and fails at that.
            if name != "positions":
                self.execute(f"ALTER TABLE {table} DROP COLUMN IF EXISTS storm_{self.most_columns}")
        elif choice <= 2:
            self.execute(f"ALTER TABLE {table} ADD CONSTRAINT storm_check CHECK (id <> 'storm') NOT VALID")
            self.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT storm_check")
            self.drop(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS storm_check")
        elif choice <= 4:
            self.execute(f"ALTER TABLE {table} SET (fillfactor = {self.generator.randint(70, 100)})")
        else:
            self.execute(f"ALTER TABLE {table} REPLICA IDENTITY {self.generator.choice(('FULL', 'DEFAULT'))}")

    def allowed(self, sqlstate, message):
        # ADD finds the constraint if its DROP was cancelled; VALIDATE does not find it if its ADD was cancelled.
        return super().allowed(sqlstate, message) or (sqlstate in ("42710", "42704") and "storm_check" in message)

    def drop(self, statement):
        """Tries again when it is cancelled, so that the constraint does not stay for long."""
        for _ in range(20):
            if self.execute(statement):
                return


class Rewrites(Change):
    name = "rewrites"

    def step(self):
        table = self.generator.choice(TABLES)
        self.execute(self.generator.choice((
            f"VACUUM FULL escrowgrid.{table}", f"CLUSTER escrowgrid.{table} USING {table}_pkey", f"ANALYZE escrowgrid.{table}",
            f"VACUUM escrowgrid.{table}", f"VACUUM (FREEZE, ANALYZE) escrowgrid.{table}")))


class Triggers(Change):
    """AFTER triggers. The one on positions raises an error, which is a failure, unless it finds the event of the change."""

    name = "triggers"
    body = "RETURN NULL;"
    watching = """IF NOT EXISTS (SELECT FROM escrowgrid.position_events AS e WHERE e.position_id = NEW.id AND e.seq = NEW.version) THEN
        RAISE EXCEPTION 'no event explains version % of position %', NEW.version, NEW.id; END IF; RETURN NULL;"""

    def step(self):
        table = self.generator.choice(TABLES)
        function = f"public.storm_{table}()"
        events = "UPDATE" if table == "positions" else "INSERT"
        body = self.watching if table == "positions" else self.body
        if self.execute(f"CREATE OR REPLACE FUNCTION {function} RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$"):
            self.execute(f"CREATE OR REPLACE TRIGGER storm AFTER {events} ON escrowgrid.{table}"
                         f" FOR EACH ROW EXECUTE FUNCTION {function}")
            self.execute(f"CREATE OR REPLACE FUNCTION {function} RETURNS trigger LANGUAGE plpgsql AS"
                         f" $$ BEGIN /* anew */ {body} END $$")
        time.sleep(self.generator.random() / 5)
        for _ in range(20):
            if self.execute(f"DROP TRIGGER IF EXISTS storm ON escrowgrid.{table}"):
                break
        self.execute(f"DROP FUNCTION IF EXISTS {function} CASCADE")
        time.sleep(self.generator.random() / 5)


class Publications(Change):
    """ALTER PUBLICATION. Publications are never dropped: a write at that moment fails in PostgreSQL's relation cache."""

    name = "publications"

    def step(self):
        table = self.table()
        self.execute(self.generator.choice((
            f"ALTER PUBLICATION storm SET TABLE {table}", f"ALTER PUBLICATION storm ADD TABLE {table}",
            f"ALTER PUBLICATION storm DROP TABLE {table}", "ALTER PUBLICATION storm SET (publish = 'insert, update')",
            "ALTER PUBLICATION storm_all SET (publish = 'insert')",
            "ALTER PUBLICATION storm_all SET (publish = 'insert, update, delete')")))
        time.sleep(0.02)

    def allowed(self, sqlstate, message):
        # Whether the publication has the table is left to chance.
        return super().allowed(sqlstate, message) or sqlstate in ("42710", "42704")


class Killer(Session):
    name = "killer"

    def step(self):
        what = "pg_terminate_backend" if self.generator.random() < 0.2 else "pg_cancel_backend"
        self.execute(f"""SELECT {what}(pid) FROM (SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'storm %'
            AND application_name <> 'storm killer' ORDER BY random() LIMIT 1) AS one""")
        time.sleep(self.generator.uniform(0.02, 0.15))


def set_up(cursor):
    cursor.execute("SELECT FROM pg_roles WHERE rolname = %s", (ROLE,))
    if cursor.rowcount == 0:  # an earlier run on this server may have made it, and it may have privileges in that database
        cursor.execute(f"CREATE ROLE {ROLE}")
    cursor.execute("CREATE PUBLICATION storm")
    cursor.execute("CREATE PUBLICATION storm_all FOR ALL TABLES")
