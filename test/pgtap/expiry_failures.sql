-- The expiry sweep: a position that cannot be expired is reported, and every other one is expired. The sweep works in
-- portions of 1000, so there are more positions than that.
BEGIN;
SELECT no_plan();

\set suffix exp
\ir include/known_ids.psql
INSERT INTO escrowgrid.currencies VALUES ('EXPX', 2, 'Test', false);

INSERT INTO escrowgrid.positions (id, asset_id, holder_reference, currency, amount, expires_at)
SELECT 'pos_exp_' || lpad(n::text, 5, '0'), 'ast_exp', 'h', CASE WHEN n = 1500 THEN 'EXPX' ELSE 'USD' END, 100,
    clock_timestamp() + interval '3 seconds'
FROM generate_series(1, 2500) AS n;

-- One position fails in a user's trigger, one in a user's constraint, and the currency of a third is gone.
CREATE FUNCTION pg_temp.refuse_7() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.position_id = 'pos_exp_00007' THEN
        RAISE EXCEPTION 'no record for this one';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER refuse_7 AFTER INSERT ON escrowgrid.ledger_events
    FOR EACH ROW EXECUTE FUNCTION pg_temp.refuse_7();
ALTER TABLE escrowgrid.position_events
    ADD CONSTRAINT not_1200 CHECK (position_id <> 'pos_exp_01200' OR to_state <> 'EXPIRED');
ALTER TABLE escrowgrid.currencies DISABLE TRIGGER USER;
DELETE FROM escrowgrid.currencies WHERE code = 'EXPX';
ALTER TABLE escrowgrid.currencies ENABLE ALWAYS TRIGGER escrowgrid_guard;

SELECT pg_sleep_until((SELECT max(expires_at) + interval '0.1 seconds' FROM escrowgrid.positions));

\set VERBOSITY terse
SELECT is(
    escrowgrid.escrow_expire_due(2000), 2000,
    'a sweep expires as many positions as asked for, beside those that it cannot expire'
);
SELECT is(escrowgrid.escrow_expire_due(2000), 497, 'the next sweep expires all others');
SELECT is(escrowgrid.escrow_expire_due(2), 0, 'a sweep that can expire nothing more says 0');

SELECT set_eq(
    $$SELECT id FROM escrowgrid.positions WHERE state = 'CREATED'$$,
    ARRAY['pos_exp_00007', 'pos_exp_01200', 'pos_exp_01500'],
    'only the three positions that cannot be expired stay as they were'
);
SELECT is(
    (SELECT count(*) FROM escrowgrid.position_events WHERE to_state = 'EXPIRED'), 2497::bigint,
    'each expired position has one event of its expiry'
);
SELECT is(
    (SELECT count(*) FROM escrowgrid.ledger_events WHERE new_state = 'EXPIRED'), 2497::bigint,
    'each expired position has one ledger row of its expiry'
);

-- What kept them is removed: they are expired like any other.
DROP TRIGGER refuse_7 ON escrowgrid.ledger_events;
ALTER TABLE escrowgrid.position_events DROP CONSTRAINT not_1200;
INSERT INTO escrowgrid.currencies VALUES ('EXPX', 2, 'Test', false);
SELECT is(escrowgrid.escrow_expire_due(), 3, 'positions that can be expired again are');
SELECT is_empty('SELECT * FROM escrowgrid.escrow_verify()', 'the records of a sweep with failures verify');

-- An error that is not about a position ends the sweep, and leaves no subtransaction behind.
INSERT INTO escrowgrid.positions (id, asset_id, holder_reference, currency, amount, expires_at)
SELECT 'pos_more_' || n, 'ast_exp', 'h', 'USD', 100, clock_timestamp() + interval '1 second'
FROM generate_series(1, 3) AS n;
CREATE FUNCTION pg_temp.fail_to_serialize() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'could not serialize' USING ERRCODE = '40001';
END
$$;
CREATE TRIGGER fail_to_serialize AFTER INSERT ON escrowgrid.ledger_events
    FOR EACH ROW WHEN (NEW.new_state = 'EXPIRED') EXECUTE FUNCTION pg_temp.fail_to_serialize();
SELECT pg_sleep_until((SELECT max(expires_at) + interval '0.1 seconds' FROM escrowgrid.positions));
CREATE TEMPORARY TABLE kept (what text);
DO $$
BEGIN
    INSERT INTO kept VALUES ('written before the sweep');
    PERFORM escrowgrid.escrow_expire_due();
    INSERT INTO kept VALUES ('written after the sweep');
EXCEPTION WHEN serialization_failure THEN
    INSERT INTO kept VALUES ('caught');
END
$$;
SELECT results_eq(
    'SELECT what FROM kept', ARRAY['caught'],
    'a serialization failure in a sweep ends the sweep, and the block that catches it is rolled back as a whole'
);
SAVEPOINT before_sweep;
SELECT throws_ok(
    'SELECT escrowgrid.escrow_expire_due()', '40001', 'could not serialize',
    'a serialization failure in a sweep is raised as it is'
);
ROLLBACK TO before_sweep;
DROP TRIGGER fail_to_serialize ON escrowgrid.ledger_events;
SELECT is(escrowgrid.escrow_expire_due(), 3, 'after that failure a sweep expires the positions');

-- The same by SPI.
SET escrowgrid.debug_write_path = ordinary;
INSERT INTO escrowgrid.positions (id, asset_id, holder_reference, currency, amount, expires_at)
SELECT 'pos_spi_' || n, 'ast_exp', 'h', 'USD', 100, clock_timestamp() + interval '1 second'
FROM generate_series(1, 5) AS n;
ALTER TABLE escrowgrid.position_events
    ADD CONSTRAINT not_3 CHECK (position_id <> 'pos_spi_3' OR to_state <> 'EXPIRED');
SELECT pg_sleep_until((SELECT max(expires_at) + interval '0.1 seconds' FROM escrowgrid.positions));
SELECT is(
    escrowgrid.escrow_expire_due(), 4,
    'a sweep that writes by SPI expires all but the position that it cannot expire'
);
RESET escrowgrid.debug_write_path;

-- A sweep that meets too many positions that it cannot expire ends.
INSERT INTO escrowgrid.positions (id, asset_id, holder_reference, currency, amount, expires_at)
SELECT 'pos_stuck_' || lpad(n::text, 4, '0'), 'ast_exp', 'h', 'USD', 100, clock_timestamp() + interval '2 seconds'
FROM generate_series(1, 1001) AS n;
ALTER TABLE escrowgrid.position_events
    ADD CONSTRAINT not_stuck CHECK (position_id NOT LIKE 'pos\_stuck\_%' OR to_state <> 'EXPIRED');
INSERT INTO escrowgrid.positions (id, asset_id, holder_reference, currency, amount, expires_at)
VALUES ('pos_last', 'ast_exp', 'h', 'USD', 100, clock_timestamp() + interval '2.1 seconds');
SELECT pg_sleep_until((SELECT max(expires_at) + interval '0.1 seconds' FROM escrowgrid.positions));
SET client_min_messages = error;
SELECT is(
    escrowgrid.escrow_expire_due(), 0,
    'a sweep ends after 1000 positions that it cannot expire'
);
ALTER TABLE escrowgrid.position_events DROP CONSTRAINT not_stuck;
SELECT is(escrowgrid.escrow_expire_due(2000), 1002, 'all of them are expired once nothing keeps them');
RESET client_min_messages;

SELECT * FROM finish();
ROLLBACK;
