-- Raw DML by the owner of the tables has to keep the rules of the functions. It leaves the same records.
SET search_path = escrowgrid, public;

INSERT INTO positions (id, asset_id, holder_reference, currency, amount, external_reference)
VALUES ('pos_raw', 'ast_acme', 'holder', 'USD', 100, 'ref')
RETURNING institution_id, state, amount, released_amount, version, updated_at = created_at AS fresh;
UPDATE positions SET state = 'FUNDED' WHERE id = 'pos_raw' RETURNING state, version;
UPDATE positions SET state = 'PARTIALLY_RELEASED', released_amount = 40 WHERE id = 'pos_raw'
RETURNING released_amount, version;
UPDATE positions SET released_amount = released_amount + 10.5 WHERE id = 'pos_raw' RETURNING released_amount, version;
UPDATE positions SET state = 'PARTIALLY_RELEASED' WHERE id = 'pos_raw' RETURNING released_amount, version;
UPDATE positions SET state = 'CANCELLED', version = version + 1, updated_at = now() WHERE id = 'pos_raw'
RETURNING state, released_amount, refunded_amount, version;
SELECT seq, from_state, to_state, amount FROM position_events WHERE position_id = 'pos_raw' ORDER BY seq;
SELECT kind, previous_state, new_state FROM ledger_events WHERE position_id = 'pos_raw' ORDER BY id;
SELECT action, method, path FROM audit_events WHERE resource_id = 'pos_raw' ORDER BY id;

-- Raw DML gets the refusals that the functions give.
INSERT INTO positions (id, asset_id, holder_reference, currency, amount)
VALUES ('pos_raw_2', 'ast_acme', 'holder', 'USD', 100);
UPDATE positions SET state = 'RELEASED' WHERE id = 'pos_raw_2';
UPDATE positions SET state = 'CREATED' WHERE id = 'pos_raw_2';
UPDATE positions SET state = 'paid' WHERE id = 'pos_raw_2';
UPDATE positions SET state = NULL WHERE id = 'pos_raw_2';
UPDATE positions SET state = 'FUNDED' WHERE id = 'pos_raw_2' RETURNING version;

-- Amounts, version and hash have to follow from the transition.
UPDATE positions SET released_amount = 100, state = 'PARTIALLY_RELEASED' WHERE id = 'pos_raw_2';
UPDATE positions SET released_amount = 5 WHERE id = 'pos_raw_2';
UPDATE positions SET released_amount = 0.001, state = 'PARTIALLY_RELEASED' WHERE id = 'pos_raw_2';
UPDATE positions SET released_amount = 'NaN', state = 'PARTIALLY_RELEASED' WHERE id = 'pos_raw_2';
UPDATE positions SET released_amount = -5, state = 'PARTIALLY_RELEASED' WHERE id = 'pos_raw_2';
UPDATE positions SET released_amount = NULL, state = 'PARTIALLY_RELEASED' WHERE id = 'pos_raw_2';
UPDATE positions SET refunded_amount = 5, state = 'PARTIALLY_RELEASED' WHERE id = 'pos_raw_2';
UPDATE positions SET version = 7, state = 'RELEASED' WHERE id = 'pos_raw_2';
UPDATE positions SET version = 3 WHERE id = 'pos_raw_2';
UPDATE positions SET head_hash = sha256('x') WHERE id = 'pos_raw_2';
UPDATE positions SET head_hash = sha256('x'), state = 'RELEASED' WHERE id = 'pos_raw_2';

-- These columns never change.
UPDATE positions SET id = 'pos_else' WHERE id = 'pos_raw_2';
UPDATE positions SET institution_id = 'inst_other' WHERE id = 'pos_raw_2';
UPDATE positions SET asset_id = 'ast_other' WHERE id = 'pos_raw_2';
UPDATE positions SET holder_reference = 'thief' WHERE id = 'pos_raw_2';
UPDATE positions SET currency = 'EUR' WHERE id = 'pos_raw_2';
UPDATE positions SET amount = 1 WHERE id = 'pos_raw_2';
UPDATE positions SET external_reference = 'x' WHERE id = 'pos_raw_2';
UPDATE positions SET created_at = now() - interval '1 year' WHERE id = 'pos_raw_2';
UPDATE positions SET expires_at = now() WHERE id = 'pos_raw_2';

-- updated_at and due_at follow from transitions. A statement that sets nothing else changes nothing.
UPDATE positions SET updated_at = 'epoch', due_at = 'epoch' WHERE id = 'pos_raw_2'
RETURNING updated_at > now() - interval '1 hour' AS kept, due_at, version;

-- A new position is CREATED, belongs to its asset's institution and has nothing released.
INSERT INTO positions (asset_id, holder_reference, currency, amount, state)
VALUES ('ast_acme', 'h', 'USD', 1, 'FUNDED');
INSERT INTO positions (asset_id, holder_reference, currency, amount, state)
VALUES ('ast_acme', 'h', 'USD', 1, 'nonsense');
INSERT INTO positions (asset_id, holder_reference, currency, amount, released_amount)
VALUES ('ast_acme', 'h', 'USD', 1, 1);
INSERT INTO positions (institution_id, asset_id, holder_reference, currency, amount)
VALUES ('inst_other', 'ast_acme', 'h', 'USD', 1);

-- The asset, the amount, the currency and the holder have to be given, and valid.
INSERT INTO positions (asset_id, holder_reference, currency, amount) VALUES ('ast_nobody', 'h', 'USD', 1);
INSERT INTO positions (asset_id, holder_reference, currency, amount) VALUES ('ast_acme', 'h', 'USD', 'NaN');
INSERT INTO positions (asset_id, holder_reference, currency, amount) VALUES ('ast_acme', 'h', 'USD', 1.999);
INSERT INTO positions (asset_id, holder_reference, currency, amount) VALUES ('ast_acme', 'h', 'XXQ', 1);
INSERT INTO positions (asset_id, currency, amount) VALUES ('ast_acme', 'USD', 1);

-- An id needs its prefix. A row with a version but without a hash is neither new nor complete.
\set VERBOSITY terse
INSERT INTO positions (id, asset_id, holder_reference, currency, amount)
VALUES ('wrong_prefix', 'ast_acme', 'h', 'USD', 1);
\set VERBOSITY default
INSERT INTO positions (asset_id, holder_reference, currency, amount, version)
VALUES ('ast_acme', 'h', 'USD', 1, 3);

-- INSERT of many rows, COPY and MERGE leave one event for each row they write. An INSERT that does nothing because of a
-- conflict leaves none.
INSERT INTO positions (asset_id, holder_reference, currency, amount)
SELECT 'ast_acme', 'bulk', 'USD', n FROM generate_series(1, 50) AS n;
INSERT INTO positions (id, asset_id, holder_reference, currency, amount)
VALUES ('pos_raw_2', 'ast_acme', 'bulk', 'USD', 1)
ON CONFLICT (id) DO NOTHING;
COPY positions (asset_id, holder_reference, currency, amount) FROM stdin;
ast_acme	bulk	USD	7
ast_acme	bulk	USD	8
\.
UPDATE positions SET state = 'FUNDED' WHERE holder_reference = 'bulk';
MERGE INTO positions AS p USING (SELECT DISTINCT 'bulk' AS h) AS s ON p.holder_reference = s.h AND p.amount > 49
WHEN MATCHED THEN UPDATE SET state = 'RELEASED';
SELECT p.state, count(DISTINCT p.id) AS positions, count(DISTINCT e.id) AS events, count(DISTINCT l.id) AS ledger,
    count(DISTINCT a.id) AS audits
FROM positions AS p
JOIN position_events AS e ON e.position_id = p.id
JOIN ledger_events AS l ON l.payload ->> 'eventId' = e.id
JOIN audit_events AS a ON a.payload ->> 'eventId' = e.id
WHERE p.holder_reference = 'bulk' GROUP BY p.state ORDER BY p.state;

-- A column that a user added can be changed. That makes no event.
ALTER TABLE positions ADD COLUMN note text;
UPDATE positions SET note = 'seen' WHERE id = 'pos_raw_2' RETURNING note, version;

-- A user's trigger must not change what was decided, neither for an UPDATE nor for a function.
CREATE FUNCTION pg_temp.bend() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.released_amount := NEW.released_amount + 1;
    RETURN NEW;
END $$;
CREATE TRIGGER zz_bend BEFORE UPDATE ON positions FOR EACH ROW EXECUTE FUNCTION pg_temp.bend();
UPDATE positions SET state = 'PARTIALLY_RELEASED', released_amount = 5 WHERE id = 'pos_raw_2';
SELECT escrow_transition('pos_raw_2', 'PARTIALLY_RELEASED', amount => 5);
DROP TRIGGER zz_bend ON positions;

-- A user's trigger must not suppress a row, neither of the position nor of its records.
CREATE FUNCTION pg_temp.swallow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER aa_swallow BEFORE UPDATE ON positions FOR EACH ROW EXECUTE FUNCTION pg_temp.swallow();
SELECT escrow_transition('pos_raw_2', 'PARTIALLY_RELEASED', amount => 5);
DROP TRIGGER aa_swallow ON positions;
CREATE TRIGGER aa_swallow BEFORE INSERT ON ledger_events FOR EACH ROW EXECUTE FUNCTION pg_temp.swallow();
SELECT escrow_transition('pos_raw_2', 'PARTIALLY_RELEASED', amount => 5);
DROP TRIGGER aa_swallow ON ledger_events;

-- Without these triggers transitions succeed, also after the column was dropped.
SELECT state, released_amount, version FROM escrow_transition('pos_raw_2', 'PARTIALLY_RELEASED', amount => 5);
ALTER TABLE positions DROP COLUMN note;
SELECT state, released_amount, version FROM escrow_transition('pos_raw_2', 'PARTIALLY_RELEASED', amount => 5);
SELECT state, version FROM escrow_list_positions(holder_reference => 'holder', state => 'PARTIALLY_RELEASED')
WHERE id = 'pos_raw_2';
