-- What tampering shows where: by the chain (escrow_verify() without checkpoints), by a checkpoint in the same
-- database, by the text of a checkpoint that was kept elsewhere. As superuser with every trigger off.
-- docs/evidence.md has the table that this test asserts, the cells that say "no" included.
BEGIN;
SET search_path = public;
SELECT no_plan();
\ir include/chain.psql

SELECT id FROM escrowgrid.escrow_create_institution('Tampered', '{US}') \gset i_
SELECT id FROM escrowgrid.escrow_create_asset_template('OWN', 'T', 'CONSTRUCTION', 'US', '{}', :'i_id') \gset t_
SELECT id FROM escrowgrid.escrow_create_asset(:'t_id', 'A') \gset a_
SELECT id FROM escrowgrid.escrow_create_position(:'a_id', 'h', 'USD', 100) \gset other_
SELECT id FROM escrowgrid.escrow_create_position(:'a_id', 'h', 'USD', 100, metadata => '{"a": 1}') \gset p_
SELECT version FROM escrowgrid.escrow_transition(:'p_id', 'FUNDED', 'wire') \g /dev/null
SELECT version FROM escrowgrid.escrow_transition(:'p_id', 'PARTIALLY_RELEASED', 'first', amount => 10) \g /dev/null
SELECT version FROM escrowgrid.escrow_transition(:'p_id', 'PARTIALLY_RELEASED', 'second', amount => 20) \g /dev/null
SELECT id FROM escrowgrid.escrow_checkpoint() \gset c_
SELECT escrowgrid.escrow_checkpoint_export(:'c_id') AS kept \gset
-- After the checkpoint: one more event of the position, and a position of its own.
SELECT version FROM escrowgrid.escrow_transition(:'p_id', 'CANCELLED', 'over') \g /dev/null
SELECT id FROM escrowgrid.escrow_create_position(:'a_id', 'h', 'USD', 7) \gset late_
SELECT is_empty('SELECT * FROM escrowgrid.escrow_verify()', 'sound before anything is touched');

ALTER TABLE escrowgrid.positions DISABLE TRIGGER ALL;
ALTER TABLE escrowgrid.position_events DISABLE TRIGGER ALL;
ALTER TABLE escrowgrid.ledger_events DISABLE TRIGGER ALL;
ALTER TABLE escrowgrid.audit_events DISABLE TRIGGER ALL;
ALTER TABLE escrowgrid.checkpoints DISABLE TRIGGER ALL;
ALTER TABLE escrowgrid.checkpoint_heads DISABLE TRIGGER ALL;

-- What a careful forger does. Each makes the records of a position consistent again.
CREATE FUNCTION pg_temp.mend_chain(id text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE e escrowgrid.position_events; p escrowgrid.positions; previous bytea;
BEGIN
    SELECT * INTO p FROM escrowgrid.positions AS x WHERE x.id = mend_chain.id;
    FOR e IN SELECT * FROM escrowgrid.position_events AS x WHERE x.position_id = mend_chain.id ORDER BY seq LOOP
        previous := pg_temp.expected(p, e, previous);
        UPDATE escrowgrid.position_events AS x SET hash = previous WHERE x.id = e.id;
    END LOOP;
    UPDATE escrowgrid.positions AS x SET head_hash = previous WHERE x.id = mend_chain.id;
END $$;
CREATE FUNCTION pg_temp.mend_row(position_id text) RETURNS void LANGUAGE sql AS $$
    UPDATE escrowgrid.positions AS p SET version = e.seq, state = e.to_state, updated_at = e.at, head_hash = e.hash,
        due_at = CASE WHEN e.to_state IN ('RELEASED', 'CANCELLED', 'EXPIRED') THEN NULL ELSE p.expires_at END,
        released_amount = coalesce((SELECT sum(amount) FROM escrowgrid.position_events AS s
            WHERE s.position_id = p.id AND s.to_state IN ('PARTIALLY_RELEASED', 'RELEASED')), 0),
        refunded_amount = coalesce((SELECT sum(amount) FROM escrowgrid.position_events AS s
            WHERE s.position_id = p.id AND s.to_state IN ('CANCELLED', 'EXPIRED')), 0)
    FROM escrowgrid.position_events AS e
    WHERE p.id = mend_row.position_id AND e.position_id = p.id
      AND e.seq = (SELECT max(seq) FROM escrowgrid.position_events AS s WHERE s.position_id = p.id)
$$;
CREATE FUNCTION pg_temp.drop_event(position_id text, seq int) RETURNS void LANGUAGE sql AS $$
    DELETE FROM escrowgrid.position_events AS e WHERE e.position_id = drop_event.position_id AND e.seq = drop_event.seq
$$;
CREATE FUNCTION pg_temp.swap(position_id text) RETURNS void LANGUAGE sql AS $$
    UPDATE escrowgrid.position_events AS e SET seq = 99 WHERE e.position_id = swap.position_id AND seq = 3;
    UPDATE escrowgrid.position_events AS e SET seq = 3 WHERE e.position_id = swap.position_id AND seq = 4;
    UPDATE escrowgrid.position_events AS e SET seq = 4 WHERE e.position_id = swap.position_id AND seq = 99
$$;
CREATE FUNCTION pg_temp.drop_records(position_id text, seq int) RETURNS void LANGUAGE sql AS $$
    DELETE FROM escrowgrid.ledger_events AS l USING escrowgrid.position_events AS e
    WHERE e.position_id = drop_records.position_id AND e.seq = drop_records.seq AND l.payload ->> 'eventId' = e.id;
    DELETE FROM escrowgrid.audit_events AS a USING escrowgrid.position_events AS e
    WHERE e.position_id = drop_records.position_id AND e.seq = drop_records.seq AND a.payload ->> 'eventId' = e.id
$$;
CREATE FUNCTION pg_temp.drop_position(position_id text) RETURNS void LANGUAGE sql AS $$
    SELECT pg_temp.drop_records(e.position_id, e.seq) FROM escrowgrid.position_events AS e WHERE e.position_id = drop_position.position_id;
    DELETE FROM escrowgrid.position_events AS e WHERE e.position_id = drop_position.position_id;
    DELETE FROM escrowgrid.positions AS p WHERE p.id = drop_position.position_id
$$;
-- Another amount for the first release, with everything that depends on it.
CREATE FUNCTION pg_temp.rewrite(id text) RETURNS void LANGUAGE sql AS $$
    UPDATE escrowgrid.position_events AS e SET amount = CASE e.seq WHEN 3 THEN 11 ELSE 69 END
        WHERE e.position_id = rewrite.id AND e.seq IN (3, 5);
    UPDATE escrowgrid.ledger_events AS l SET payload = l.payload || jsonb_build_object('amount', e.amount,
            'releasedAmount', CASE e.seq WHEN 3 THEN 11 ELSE 31 END, 'refundedAmount', CASE e.seq WHEN 5 THEN 69 ELSE 0 END)
        FROM escrowgrid.position_events AS e WHERE e.position_id = rewrite.id AND e.seq >= 3 AND l.payload ->> 'eventId' = e.id;
    UPDATE escrowgrid.audit_events AS a SET payload = a.payload || jsonb_build_object('amount', e.amount)
        FROM escrowgrid.position_events AS e WHERE e.position_id = rewrite.id AND e.seq >= 3 AND a.payload ->> 'eventId' = e.id;
    SELECT pg_temp.mend_chain(rewrite.id);
    SELECT pg_temp.mend_row(rewrite.id)
$$;
-- The late position, of which no checkpoint knows: another amount.
CREATE FUNCTION pg_temp.rewrite_late(id text) RETURNS void LANGUAGE sql AS $$
    UPDATE escrowgrid.positions AS p SET amount = 8 WHERE p.id = rewrite_late.id;
    UPDATE escrowgrid.ledger_events AS l SET payload = l.payload || '{"amount": 8}' WHERE l.position_id = rewrite_late.id;
    UPDATE escrowgrid.audit_events AS a SET payload = a.payload || '{"amount": 8}' WHERE a.resource_id = rewrite_late.id;
    SELECT pg_temp.mend_chain(rewrite_late.id)
$$;
CREATE FUNCTION pg_temp.node(lo bytea, hi bytea) RETURNS bytea LANGUAGE sql AS $$ SELECT sha256('\x01'::bytea || lo || hi) $$;
-- The checkpoint made anew over the rewritten heads: two positions, so the root is one node.
CREATE FUNCTION pg_temp.mend_checkpoint() RETURNS void LANGUAGE sql AS $$
    UPDATE escrowgrid.checkpoint_heads AS h SET head_hash = e.hash FROM escrowgrid.position_events AS e
        WHERE e.position_id = h.position_id AND e.seq = h.version;
    UPDATE escrowgrid.checkpoints SET root_hash = (
        SELECT pg_temp.node(leaves[1], leaves[2]) FROM (SELECT array_agg(sha256('\x00'::bytea || pg_temp.field(h.position_id)
            || pg_temp.field(h.version::bigint) || pg_temp.field(h.head_hash)) ORDER BY h.position_id) AS leaves
            FROM escrowgrid.checkpoint_heads AS h) AS l);
    UPDATE escrowgrid.checkpoints AS c SET hash = sha256(convert_to(escrowgrid.escrow_checkpoint_export(c.id), 'UTF8'))
$$;
-- An older state of the database, as a backup would bring it back.
CREATE FUNCTION pg_temp.back_to(id text, wanted int, with_checkpoint boolean) RETURNS void LANGUAGE sql AS $$
    SELECT pg_temp.drop_records(e.position_id, e.seq) FROM escrowgrid.position_events AS e WHERE e.position_id = back_to.id AND e.seq > wanted;
    DELETE FROM escrowgrid.position_events AS e WHERE e.position_id = back_to.id AND e.seq > wanted;
    SELECT pg_temp.mend_row(back_to.id);
    DELETE FROM escrowgrid.checkpoint_heads WHERE NOT with_checkpoint;
    DELETE FROM escrowgrid.checkpoints WHERE NOT with_checkpoint
$$;

-- Who notices: a list of chain, checkpoint, export. Undone afterwards.
CREATE FUNCTION pg_temp.noticed(tampering text, checkpoint_id text, kept text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE by_chain boolean; by_checkpoint boolean; by_export boolean; now_there text;
BEGIN
    BEGIN
        EXECUTE tampering;
        SELECT count(*) FILTER (WHERE discrepancy NOT LIKE 'checkpoint%') > 0, count(*) FILTER (WHERE discrepancy LIKE 'checkpoint%') > 0
        INTO by_chain, by_checkpoint FROM escrowgrid.escrow_verify();
        BEGIN
            now_there := escrowgrid.escrow_checkpoint_export(checkpoint_id);
        EXCEPTION WHEN SQLSTATE 'ZE002' THEN
            now_there := NULL;
        END;
        by_export := now_there IS DISTINCT FROM kept;
        RAISE EXCEPTION 'undo';
    EXCEPTION WHEN raise_exception THEN NULL;
    END;
    RETURN coalesce(nullif(concat_ws(', ', CASE WHEN by_chain THEN 'chain' END, CASE WHEN by_checkpoint THEN 'checkpoint' END,
        CASE WHEN by_export THEN 'export' END), ''), 'nothing');
END $$;

CREATE TEMPORARY TABLE tamperings (what text, expected text, tampering text);
INSERT INTO tamperings VALUES
    ('an event is edited', 'chain', format('UPDATE escrowgrid.position_events SET amount = 11 WHERE position_id = %L AND seq = 3', :'p_id')),
    ('a reason is edited', 'chain', format('UPDATE escrowgrid.position_events SET reason = ''x'' WHERE position_id = %L AND seq = 3', :'p_id')),
    ('a reason is erased by hand', 'chain', format('UPDATE escrowgrid.position_events SET reason = NULL, salt = NULL WHERE position_id = %L AND seq = 3', :'p_id')),
    ('a position''s row is edited', 'chain', format('UPDATE escrowgrid.positions SET holder_reference = ''me'' WHERE id = %L', :'p_id')),
    ('a ledger row is edited', 'chain', format('UPDATE escrowgrid.ledger_events SET payload = payload || ''{"amount": 1}'' WHERE position_id = %L', :'p_id')),
    ('an audit row is deleted', 'chain', format('DELETE FROM escrowgrid.audit_events WHERE resource_id = %L AND payload ->> ''toState'' = ''FUNDED''', :'p_id')),
    ('events are reordered', 'chain, checkpoint', format('SELECT pg_temp.swap(%L)', :'p_id')),
    ('an event in the middle is deleted', 'chain', format('SELECT pg_temp.drop_records(%1$L, 3), pg_temp.drop_event(%1$L, 3)', :'p_id')),
    ('the last event is deleted', 'chain', format('SELECT pg_temp.drop_records(%1$L, 5), pg_temp.drop_event(%1$L, 5)', :'p_id')),
    ('the last event is deleted, the head mended, its ledger and audit rows forgotten', 'chain',
        format('SELECT pg_temp.drop_event(%1$L, 5), pg_temp.mend_row(%1$L)', :'p_id')),
    ('the last event is deleted and the head mended, after the checkpoint', 'nothing', format('SELECT pg_temp.back_to(%L, 4, true)', :'p_id')),
    ('the last event is deleted and the head mended, before the checkpoint', 'checkpoint', format('SELECT pg_temp.back_to(%L, 3, true)', :'p_id')),
    ('a position is deleted, without its records', 'chain, checkpoint', format('DELETE FROM escrowgrid.positions WHERE id = %L', :'p_id')),
    ('a position is deleted with its records, in the checkpoint', 'checkpoint', format('SELECT pg_temp.drop_position(%L)', :'p_id')),
    ('a position is deleted with its records, after the checkpoint', 'nothing', format('SELECT pg_temp.drop_position(%L)', :'late_id')),
    ('a whole chain is rewritten, in the checkpoint', 'checkpoint', format('SELECT pg_temp.rewrite(%L)', :'p_id')),
    ('a whole chain is rewritten, after the checkpoint', 'nothing', format('SELECT pg_temp.rewrite_late(%L)', :'late_id')),
    ('a whole chain and the checkpoint are rewritten', 'export', format('SELECT pg_temp.rewrite(%L), pg_temp.mend_checkpoint()', :'p_id')),
    ('a head of the checkpoint is edited', 'checkpoint', 'UPDATE escrowgrid.checkpoint_heads SET head_hash = sha256(head_hash)'),
    ('the checkpoint is edited', 'checkpoint, export', 'UPDATE escrowgrid.checkpoints SET position_count = 3'),
    ('an old backup is restored, from before the checkpoint', 'export', format('SELECT pg_temp.back_to(%L, 2, false)', :'p_id')),
    ('an old backup is restored, from after the checkpoint', 'nothing', format('SELECT pg_temp.back_to(%L, 4, true), pg_temp.drop_position(%L)', :'p_id', :'late_id'));
SELECT is(pg_temp.noticed(tampering, :'c_id', :'kept'), expected, what || ': ' || expected) FROM tamperings;
SELECT is_empty('SELECT * FROM escrowgrid.escrow_verify()', 'sound again, all was undone');

-- The table in the documentation says the same.
\set page `cat ../../docs/evidence.md`
SELECT bag_eq(
    $$SELECT what, expected FROM tamperings$$,
    format($$SELECT cell[1], CASE WHEN cell[2] = 'no' AND cell[3] = 'no' AND cell[4] = 'no' THEN 'nothing' ELSE concat_ws(', ',
        CASE WHEN cell[2] = 'yes' THEN 'chain' END, CASE WHEN cell[3] = 'yes' THEN 'checkpoint' END, CASE WHEN cell[4] = 'yes' THEN 'export' END) END
        FROM (SELECT regexp_match(line, '^\| ([^|]+) \| (yes|no) \| (yes|no) \| (yes|no) \|$') AS cell
              FROM regexp_split_to_table(%L, '\n') AS line) AS l WHERE cell IS NOT NULL$$, :'page'),
    'docs/evidence.md has this matrix');

SELECT * FROM finish();
ROLLBACK;
