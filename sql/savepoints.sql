-- Several transitions in one statement, in one transaction, in exception blocks and between savepoints.
SET search_path = escrowgrid, public;

-- Makes a position of 100 USD.
CREATE FUNCTION pg_temp.fresh(text) RETURNS text LANGUAGE sql AS $$
    INSERT INTO positions (id, asset_id, holder_reference, currency, amount) VALUES ($1, 'ast_acme', 'sp', 'USD', 100)
    RETURNING id $$;
-- A position in one line: the states and amounts of its events, then its row. It ends with GAP if events are missing.
CREATE FUNCTION pg_temp.story(text) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(e.to_state || coalesce(':' || e.amount, ''), ' ' ORDER BY e.seq)
           || ' | ' || p.state || ' v' || p.version || ' released ' || p.released_amount
           || CASE WHEN bool_and(e.seq = n.rank) AND p.version = count(*) THEN '' ELSE ' GAP' END
    FROM positions AS p JOIN position_events AS e ON e.position_id = p.id
    JOIN (SELECT id, rank() OVER (PARTITION BY position_id ORDER BY seq) FROM position_events) AS n ON n.id = e.id
    WHERE p.id = $1 GROUP BY p.id, p.state, p.version, p.released_amount $$;

-- Two transitions in one statement: the second one sees what the first one did.
SELECT pg_temp.fresh('pos_sp1');
SELECT (SELECT state FROM escrow_transition('pos_sp1', 'FUNDED')) AS first,
       (SELECT state FROM escrow_transition('pos_sp1', 'PARTIALLY_RELEASED', amount => 30)) AS second;
SELECT t.released_amount
FROM generate_series(1, 2) AS n, escrow_transition('pos_sp1', 'PARTIALLY_RELEASED', amount => 10 * n) AS t;
SELECT pg_temp.story('pos_sp1');

-- A transaction rolls back to savepoints between transitions.
SELECT pg_temp.fresh('pos_sp2');
BEGIN;
SELECT state FROM escrow_transition('pos_sp2', 'FUNDED');
SAVEPOINT before_release;
SELECT released_amount FROM escrow_transition('pos_sp2', 'PARTIALLY_RELEASED', amount => 60);
SELECT state FROM escrow_transition('pos_sp2', 'RELEASED');
ROLLBACK TO SAVEPOINT before_release;
SELECT released_amount FROM escrow_transition('pos_sp2', 'PARTIALLY_RELEASED', amount => 70);
SAVEPOINT refused;
\set VERBOSITY sqlstate
SELECT escrow_transition('pos_sp2', 'FUNDED');
\set VERBOSITY default
ROLLBACK TO SAVEPOINT refused;
UPDATE positions SET state = 'RELEASED' WHERE id = 'pos_sp2';
COMMIT;
SELECT pg_temp.story('pos_sp2');

-- Exception blocks: a transition that is refused or undone leaves nothing behind, and the next one succeeds.
SELECT pg_temp.fresh('pos_sp3');
DO $$
BEGIN
    PERFORM FROM escrowgrid.escrow_transition('pos_sp3', 'FUNDED');
    BEGIN
        PERFORM FROM escrowgrid.escrow_transition('pos_sp3', 'PARTIALLY_RELEASED', amount => 20);
        RAISE EXCEPTION 'changed my mind';
    EXCEPTION WHEN raise_exception THEN
        NULL;
    END;
    BEGIN
        PERFORM FROM escrowgrid.escrow_transition('pos_sp3', 'PARTIALLY_RELEASED', amount => 100);
    EXCEPTION WHEN SQLSTATE 'ZE302' THEN
        NULL;
    END;
    PERFORM FROM escrowgrid.escrow_transition('pos_sp3', 'PARTIALLY_RELEASED', amount => 5);
    UPDATE escrowgrid.positions SET state = 'CANCELLED' WHERE id = 'pos_sp3';
END $$;
SELECT pg_temp.story('pos_sp3');

-- A user's trigger raises an error while a function writes, and the caller catches the error. The raw UPDATE that
-- follows is judged all the same.
SELECT pg_temp.fresh('pos_sp4');
CREATE FUNCTION pg_temp.explode() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'boom'; END $$;
CREATE TRIGGER aa_explode BEFORE INSERT ON position_events FOR EACH ROW WHEN (NEW.to_state = 'FUNDED')
    EXECUTE FUNCTION pg_temp.explode();
DO $$
BEGIN
    BEGIN
        PERFORM FROM escrowgrid.escrow_transition('pos_sp4', 'FUNDED');
    EXCEPTION WHEN raise_exception THEN
        NULL;
    END;
    UPDATE escrowgrid.positions SET state = 'CANCELLED' WHERE id = 'pos_sp4';
END $$;
DROP TRIGGER aa_explode ON position_events;
SELECT pg_temp.story('pos_sp4');

-- A user's trigger moves another position while a function writes. Each of the writes is judged.
SELECT pg_temp.fresh('pos_sp5'), pg_temp.fresh('pos_sp6');
CREATE FUNCTION pg_temp.cascade() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id = 'pos_sp5' AND NEW.state = 'FUNDED' THEN
        BEGIN
            PERFORM FROM escrowgrid.escrow_transition('pos_sp6', 'RELEASED');
        EXCEPTION WHEN SQLSTATE 'ZE101' THEN
            PERFORM FROM escrowgrid.escrow_transition('pos_sp6', 'FUNDED');
            UPDATE escrowgrid.positions SET state = 'RELEASED' WHERE id = 'pos_sp6';
        END;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER aa_cascade BEFORE UPDATE ON positions FOR EACH ROW EXECUTE FUNCTION pg_temp.cascade();
SELECT state FROM escrow_transition('pos_sp5', 'FUNDED');
DROP TRIGGER aa_cascade ON positions;
SELECT pg_temp.story('pos_sp5');
SELECT pg_temp.story('pos_sp6');

-- SELECT (f()).* calls the function once for each column, as the documentation warns. A second FUNDED is refused, so
-- the whole statement fails.
SELECT pg_temp.fresh('pos_sp7');
\set VERBOSITY terse
SELECT (escrow_transition('pos_sp7', 'FUNDED')).*;
SELECT state FROM escrow_transition('pos_sp7', 'FUNDED');
-- A second partial release is allowed, so the position is released once for each column.
SELECT (escrow_transition('pos_sp7', 'PARTIALLY_RELEASED', amount => 1)).*, 'released too often' AS note \gset trap_
SELECT pg_temp.story('pos_sp7');
-- With expected_version the second call is refused. In FROM the function is called once.
SELECT (escrow_transition('pos_sp7', 'PARTIALLY_RELEASED', amount => 1, expected_version => 18)).*;
SELECT pg_temp.story('pos_sp7');
SELECT released_amount FROM escrow_transition('pos_sp7', 'PARTIALLY_RELEASED', amount => 1, expected_version => 18);
\set VERBOSITY default

-- In a read-only transaction writing fails with PostgreSQL's own error, and reading succeeds.
SELECT pg_temp.fresh('pos_sp8');
BEGIN READ ONLY;
SELECT escrow_transition('pos_sp8', 'FUNDED');
ROLLBACK;
BEGIN READ ONLY;
SELECT escrow_create_position('ast_acme', 'h', 'USD', 1);
ROLLBACK;
BEGIN READ ONLY;
SELECT escrow_get_position('pos_sp8') ->> 'state' AS state;
ROLLBACK;

-- A statement that calls the function for several rows is rolled back as a whole when one row is refused.
SELECT escrow_transition(id, 'RELEASED') FROM positions WHERE id IN ('pos_sp2', 'pos_sp8') ORDER BY id;
SELECT pg_temp.story('pos_sp8');
