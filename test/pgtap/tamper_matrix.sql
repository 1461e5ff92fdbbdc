-- Which tampering is noticed by what: by the chain (escrow_verify() without checkpoints), by a checkpoint in the same
-- database, by the text of a checkpoint that was kept elsewhere. The forger is a superuser with every trigger off.
-- docs/evidence.md has the table that this test asserts, also the cells that say "no".
BEGIN;
SET search_path = public;
SELECT no_plan();
\ir include/chain.psql
\ir include/tampering.psql
\set institution_name Tampered
\ir include/fixtures.psql

-- Before the checkpoint: a position with four events, and another one.
SELECT id FROM escrowgrid.escrow_create_position(:'asset_id', 'h', 'USD', 100) \gset other_
SELECT id
FROM escrowgrid.escrow_create_position(:'asset_id', 'h', 'USD', 100, metadata => '{"a": 1}')
\gset position_
SELECT version FROM escrowgrid.escrow_transition(:'position_id', 'FUNDED', 'wire') \g /dev/null
SELECT version
FROM escrowgrid.escrow_transition(:'position_id', 'PARTIALLY_RELEASED', 'first', amount => 10) \g /dev/null
SELECT version
FROM escrowgrid.escrow_transition(:'position_id', 'PARTIALLY_RELEASED', 'second', amount => 20) \g /dev/null
SELECT id FROM escrowgrid.escrow_checkpoint() \gset checkpoint_
SELECT escrowgrid.escrow_checkpoint_export(:'checkpoint_id') AS kept \gset
-- After the checkpoint: one more event of the position, and a position of its own.
SELECT version FROM escrowgrid.escrow_transition(:'position_id', 'CANCELLED', 'over') \g /dev/null
SELECT id FROM escrowgrid.escrow_create_position(:'asset_id', 'h', 'USD', 7) \gset late_
SELECT is_empty('SELECT * FROM escrowgrid.escrow_verify()',
    'escrow_verify() finds nothing wrong before anything is tampered with');

ALTER TABLE escrowgrid.positions DISABLE TRIGGER ALL;
ALTER TABLE escrowgrid.position_events DISABLE TRIGGER ALL;
ALTER TABLE escrowgrid.ledger_events DISABLE TRIGGER ALL;
ALTER TABLE escrowgrid.audit_events DISABLE TRIGGER ALL;
ALTER TABLE escrowgrid.checkpoints DISABLE TRIGGER ALL;
ALTER TABLE escrowgrid.checkpoint_heads DISABLE TRIGGER ALL;

-- What notices a tampering, of chain, checkpoint and export; or 'nothing'. The tampering is undone afterwards.
CREATE FUNCTION pg_temp.noticed(tampering text, checkpoint_id text, kept text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    by_chain boolean;
    by_checkpoint boolean;
    by_export boolean;
    now_there text;
BEGIN
    BEGIN
        EXECUTE tampering;
        SELECT count(*) FILTER (WHERE discrepancy NOT LIKE 'checkpoint%') > 0,
            count(*) FILTER (WHERE discrepancy LIKE 'checkpoint%') > 0
        INTO by_chain, by_checkpoint
        FROM escrowgrid.escrow_verify();
        BEGIN
            now_there := escrowgrid.escrow_checkpoint_export(checkpoint_id);
        EXCEPTION WHEN SQLSTATE 'ZE002' THEN
            now_there := NULL;
        END;
        by_export := now_there IS DISTINCT FROM kept;
        RAISE EXCEPTION 'undo';
    EXCEPTION WHEN raise_exception THEN NULL;
    END;
    RETURN coalesce(nullif(concat_ws(', ',
        CASE WHEN by_chain THEN 'chain' END,
        CASE WHEN by_checkpoint THEN 'checkpoint' END,
        CASE WHEN by_export THEN 'export' END), ''), 'nothing');
END $$;

-- In the statements, POSITION stands for the position that is in the checkpoint and LATE for the one that is not.
CREATE TEMPORARY TABLE tamperings (what text, expected text, tampering text);
INSERT INTO tamperings VALUES
    ('an event is edited', 'chain',
        'UPDATE escrowgrid.position_events SET amount = 11 WHERE position_id = POSITION AND seq = 3'),
    ('a reason is edited', 'chain',
        'UPDATE escrowgrid.position_events SET reason = ''x'' WHERE position_id = POSITION AND seq = 3'),
    ('a reason is erased by hand', 'chain',
        'UPDATE escrowgrid.position_events SET reason = NULL, salt = NULL WHERE position_id = POSITION AND seq = 3'),
    ('a position''s row is edited', 'chain',
        'UPDATE escrowgrid.positions SET holder_reference = ''me'' WHERE id = POSITION'),
    ('a ledger row is edited', 'chain',
        'UPDATE escrowgrid.ledger_events SET payload = payload || ''{"amount": 1}'' WHERE position_id = POSITION'),
    ('an audit row is deleted', 'chain',
        'DELETE FROM escrowgrid.audit_events WHERE resource_id = POSITION AND payload ->> ''toState'' = ''FUNDED'''),
    ('events are reordered', 'chain, checkpoint',
        'SELECT pg_temp.swap(POSITION)'),
    ('an event in the middle is deleted', 'chain',
        'SELECT pg_temp.drop_records(POSITION, 3), pg_temp.drop_event(POSITION, 3)'),
    ('the last event is deleted', 'chain',
        'SELECT pg_temp.drop_records(POSITION, 5), pg_temp.drop_event(POSITION, 5)'),
    ('the last event is deleted, the head mended, its ledger and audit rows forgotten', 'chain',
        'SELECT pg_temp.drop_event(POSITION, 5), pg_temp.mend_row(POSITION)'),
    ('the last event is deleted and the head mended, after the checkpoint', 'nothing',
        'SELECT pg_temp.back_to(POSITION, 4, true)'),
    ('the last event is deleted and the head mended, before the checkpoint', 'checkpoint',
        'SELECT pg_temp.back_to(POSITION, 3, true)'),
    ('a position is deleted, without its records', 'chain, checkpoint',
        'DELETE FROM escrowgrid.positions WHERE id = POSITION'),
    ('a position is deleted with its records, in the checkpoint', 'checkpoint',
        'SELECT pg_temp.drop_position(POSITION)'),
    ('a position is deleted with its records, after the checkpoint', 'nothing',
        'SELECT pg_temp.drop_position(LATE)'),
    ('a whole chain is rewritten, in the checkpoint', 'checkpoint',
        'SELECT pg_temp.rewrite(POSITION)'),
    ('a whole chain is rewritten, after the checkpoint', 'nothing',
        'SELECT pg_temp.rewrite_late(LATE)'),
    ('a whole chain and the checkpoint are rewritten', 'export',
        'SELECT pg_temp.rewrite(POSITION), pg_temp.mend_checkpoint()'),
    ('a head of the checkpoint is edited', 'checkpoint',
        'UPDATE escrowgrid.checkpoint_heads SET head_hash = sha256(head_hash)'),
    ('the checkpoint is edited', 'checkpoint, export',
        'UPDATE escrowgrid.checkpoints SET position_count = 3'),
    ('an old backup is restored, from before the checkpoint', 'export',
        'SELECT pg_temp.back_to(POSITION, 2, false)'),
    ('an old backup is restored, from after the checkpoint', 'nothing',
        'SELECT pg_temp.back_to(POSITION, 4, true), pg_temp.drop_position(LATE)');
UPDATE tamperings
SET tampering = replace(replace(tampering,
    'POSITION', quote_literal(:'position_id')),
    'LATE', quote_literal(:'late_id'));
SELECT is(pg_temp.noticed(tampering, :'checkpoint_id', :'kept'), expected,
    format('when %s, it is noticed by: %s', what, expected))
FROM tamperings;
SELECT is_empty('SELECT * FROM escrowgrid.escrow_verify()',
    'escrow_verify() finds nothing wrong after every tampering was undone');

-- The table in the documentation says the same.
\set page `cat ../../docs/evidence.md`
SELECT bag_eq(
    $$SELECT what, expected FROM tamperings$$,
    format(
        $$SELECT cell[1],
              coalesce(nullif(concat_ws(', ',
                  CASE WHEN cell[2] = 'yes' THEN 'chain' END,
                  CASE WHEN cell[3] = 'yes' THEN 'checkpoint' END,
                  CASE WHEN cell[4] = 'yes' THEN 'export' END), ''), 'nothing')
          FROM (
              SELECT regexp_match(line, '^\| ([^|]+) \| (yes|no) \| (yes|no) \| (yes|no) \|$') AS cell
              FROM regexp_split_to_table(%L, '\n') AS line
          ) AS l
          WHERE cell IS NOT NULL$$,
        :'page'),
    'the table in docs/evidence.md lists the same tamperings and what notices each of them');

SELECT * FROM finish();
ROLLBACK;
