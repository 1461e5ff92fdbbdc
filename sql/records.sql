-- Events, ledger rows and audit rows cannot be changed or deleted. A row that is inserted by hand is checked.
SET search_path = escrowgrid, public;
INSERT INTO positions (id, asset_id, holder_reference, currency, amount)
VALUES ('pos_rec', 'ast_acme', 'holder', 'USD', 100);
SELECT version FROM escrow_transition('pos_rec', 'FUNDED');

-- UPDATE, DELETE and TRUNCATE are refused.
UPDATE position_events SET amount = 1 WHERE position_id = 'pos_rec';
DELETE FROM position_events WHERE position_id = 'pos_rec';
TRUNCATE position_events;
UPDATE ledger_events SET payload = '{}' WHERE position_id = 'pos_rec';
DELETE FROM ledger_events WHERE position_id = 'pos_rec';
TRUNCATE ledger_events;
UPDATE audit_events SET db_role = 'nobody' WHERE resource_id = 'pos_rec';
DELETE FROM audit_events WHERE resource_id = 'pos_rec';
TRUNCATE audit_events;
DELETE FROM positions WHERE id = 'pos_rec';
TRUNCATE positions, position_events, ledger_events;
TRUNCATE institutions CASCADE;

-- The same is refused with session_replication_role = replica. So is a change of a position that breaks the rules.
SET session_replication_role = replica;
DELETE FROM position_events WHERE position_id = 'pos_rec';
TRUNCATE audit_events;
UPDATE positions SET state = 'RELEASED' WHERE id = 'pos_rec';
UPDATE positions SET amount = 1 WHERE id = 'pos_rec';
INSERT INTO positions (id, asset_id, holder_reference, currency, amount)
VALUES ('pos_replica', 'ast_acme', 'holder', 'USD', 100);
RESET session_replication_role;

-- These events are refused: of a position that is not there, with a seq above the position's version, with another hash
-- than the position has, of another institution, with a seq that is there already. So is a ledger row of another
-- institution.
\set event_columns '(id, position_id, institution_id, seq, from_state, to_state, amount, at, hash, created_at)'
\set forged 'INSERT INTO position_events ' :event_columns ' VALUES'
:forged ('ple_f1', 'pos_nobody', 'inst_acme', 3, 'FUNDED', 'RELEASED', 100, now(), sha256('x'), now());
:forged ('ple_f2', 'pos_rec', 'inst_acme', 3, 'FUNDED', 'RELEASED', 100, now(), sha256('x'), now());
:forged ('ple_f3', 'pos_rec', 'inst_acme', 2, 'CREATED', 'FUNDED', 100, now(), sha256('x'), now());
:forged ('ple_f4', 'pos_rec', 'inst_other', 1, NULL, 'CREATED', 0, now(), sha256('x'), now());
:forged ('ple_f5', 'pos_rec', 'inst_acme', 1, NULL, 'CREATED', 0, now(), sha256('x'), now());
INSERT INTO ledger_events (id, kind, position_id, institution_id, at, payload, created_at)
VALUES ('led_f1', 'POSITION_CREATED', 'pos_rec', 'inst_other', now(), '{}', now());

-- A row with a version and a hash is taken as restored from a dump. Without its events it cannot be changed.
INSERT INTO positions (id, institution_id, asset_id, holder_reference, currency, amount, state, created_at, updated_at,
    version, head_hash)
VALUES ('pos_forged', 'inst_acme', 'ast_acme', 'thief', 'USD', 100, 'FUNDED', now(), now(), 2, sha256('x'));
SELECT escrow_transition('pos_forged', 'RELEASED');
UPDATE positions SET state = 'RELEASED' WHERE id = 'pos_forged';
SELECT count(*) AS records FROM position_events WHERE position_id = 'pos_forged';

-- A restored row has to satisfy the table's constraints, and its hash must have 32 bytes.
\set VERBOSITY terse
INSERT INTO positions (id, institution_id, asset_id, holder_reference, currency, amount, state, created_at, updated_at,
    version, head_hash, released_amount)
VALUES ('pos_forged_2', 'inst_acme', 'ast_acme', 'thief', 'USD', 100, 'FUNDED', now(), now(), 2, sha256('x'), 50);
INSERT INTO positions (id, institution_id, asset_id, holder_reference, currency, amount, state, created_at, updated_at,
    version, head_hash)
VALUES ('pos_forged_3', 'inst_other', 'ast_acme', 'thief', 'USD', 100, 'FUNDED', now(), now(), 2, sha256('x'));
INSERT INTO positions (id, institution_id, asset_id, holder_reference, currency, amount, state, created_at, updated_at,
    version, head_hash)
VALUES ('pos_forged_4', 'inst_acme', 'ast_acme', 'thief', 'USD', 'NaN', 'FUNDED', now(), now(), 2, sha256('x'));
INSERT INTO positions (id, institution_id, asset_id, holder_reference, currency, amount, state, created_at, updated_at,
    version, head_hash)
VALUES ('pos_forged_5', 'inst_acme', 'ast_acme', 'thief', 'USD', 1, 'FUNDED', now(), now(), 2, 'short');

-- An UPDATE with session_replication_role = replica is taken as replicated. Its state has to be known, and its amounts
-- have to be in range.
SET session_replication_role = replica;
UPDATE positions SET state = 'PAID', version = version + 1, head_hash = sha256('y') WHERE id = 'pos_rec';
UPDATE positions SET released_amount = 'NaN', version = version + 1, head_hash = sha256('y') WHERE id = 'pos_rec';
RESET session_replication_role;
\set VERBOSITY default

-- A position without an event at its version cannot be changed. Only a superuser can cause that, by disabling triggers.
-- Its last event is deleted:
BEGIN;
ALTER TABLE position_events DISABLE TRIGGER escrowgrid_refuse_change;
DELETE FROM position_events WHERE position_id = 'pos_rec' AND seq = 2;
SELECT ok, reasons FROM escrow_health();
SELECT escrow_transition('pos_rec', 'RELEASED');
ROLLBACK;

-- Its version is counted up without an event:
BEGIN;
ALTER TABLE positions DISABLE TRIGGER escrowgrid_decide;
ALTER TABLE positions DISABLE TRIGGER escrowgrid_record;
UPDATE positions SET state = 'PARTIALLY_RELEASED', released_amount = 99, version = 3, head_hash = sha256('x')
WHERE id = 'pos_rec';
ALTER TABLE positions ENABLE ALWAYS TRIGGER escrowgrid_decide;
ALTER TABLE positions ENABLE ALWAYS TRIGGER escrowgrid_record;
SELECT escrow_transition('pos_rec', 'RELEASED');
ROLLBACK;
