-- Checkpoints, inclusion proofs, the two sanctioned removals, the guard against dropping, restores that are no back door.
BEGIN;
SET search_path = public;
SELECT no_plan();
\ir include/chain.psql

SELECT id FROM escrowgrid.escrow_create_institution('Evidence', '{US}') \gset i_
SELECT id FROM escrowgrid.escrow_create_institution('Other', '{US}') \gset o_
SELECT id FROM escrowgrid.escrow_create_asset_template('OWN', 'T', 'CONSTRUCTION', 'US', '{}', :'i_id') \gset t_
SELECT id FROM escrowgrid.escrow_create_asset(:'t_id', 'A') \gset a_

-- --- checkpoints and proofs, at every tree size up to 17
CREATE FUNCTION pg_temp.leaf(id text, version int, head bytea) RETURNS bytea LANGUAGE sql AS
$$ SELECT sha256('\x00'::bytea || pg_temp.field(id) || pg_temp.field(version::bigint) || pg_temp.field(head)) $$;
-- RFC 9162, section 2.1.1, as it is written there.
CREATE FUNCTION pg_temp.tree_hash(leaves bytea[]) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE n int := cardinality(leaves); k int := 1;
BEGIN
    IF n = 0 THEN RETURN sha256(''); END IF;
    IF n = 1 THEN RETURN leaves[1]; END IF;
    WHILE k * 2 < n LOOP k := k * 2; END LOOP;
    RETURN sha256('\x01'::bytea || pg_temp.tree_hash(leaves[1:k]) || pg_temp.tree_hash(leaves[k + 1:n]));
END $$;
-- RFC 9162, section 2.1.3.2.
CREATE FUNCTION pg_temp.proves(leaf bytea, index bigint, size bigint, path bytea[], root bytea) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE fn bigint := index; sn bigint := size - 1; r bytea := leaf; p bytea;
BEGIN
    FOREACH p IN ARRAY path LOOP
        IF sn = 0 THEN RETURN false; END IF;
        IF fn % 2 = 1 OR fn = sn THEN
            r := sha256('\x01'::bytea || p || r);
            WHILE fn % 2 = 0 AND fn <> 0 LOOP fn := fn / 2; sn := sn / 2; END LOOP;
        ELSE
            r := sha256('\x01'::bytea || r || p);
        END IF;
        fn := fn / 2; sn := sn / 2;
    END LOOP;
    RETURN sn = 0 AND r = root;
END $$;
CREATE FUNCTION pg_temp.grow(asset text) RETURNS TABLE (size int, root_ok boolean, proofs_ok boolean, count_ok boolean) LANGUAGE plpgsql AS $$
DECLARE c escrowgrid.checkpoints;
BEGIN
    FOR n IN 0..17 LOOP
        c := escrowgrid.escrow_checkpoint();
        size := n;
        count_ok := c.position_count = n AND c.number = n + 1;
        root_ok := c.root_hash = (SELECT pg_temp.tree_hash(coalesce(array_agg(pg_temp.leaf(p.id, p.version, p.head_hash) ORDER BY p.id), '{}')) FROM escrowgrid.positions AS p);
        proofs_ok := NOT EXISTS (SELECT FROM escrowgrid.positions AS p, escrowgrid.escrow_inclusion_proof(p.id, c.id) AS i
            WHERE NOT pg_temp.proves(i.leaf_hash, i.leaf_index, i.tree_size, i.path, c.root_hash) OR i.root_hash <> c.root_hash
               OR i.leaf_hash <> pg_temp.leaf(p.id, i.version, i.head_hash) OR i.head_hash <> p.head_hash OR i.version <> p.version);
        RETURN NEXT;
        PERFORM escrowgrid.escrow_create_position(asset, 'h', 'USD', n + 1);
    END LOOP;
END $$;
SELECT ok(root_ok AND proofs_ok AND count_ok, format('a checkpoint over %s positions: root, count and every proof', size)) FROM pg_temp.grow(:'a_id');
SELECT is(count(*), 18::bigint, 'each of them') FROM escrowgrid.checkpoints;
SELECT is(c.previous_hash, coalesce(lag(c.hash) OVER (ORDER BY c.number), decode(repeat('00', 32), 'hex')), format('checkpoint %s names the one before', c.number))
FROM escrowgrid.checkpoints AS c ORDER BY c.number LIMIT 3;
SELECT is(c.hash, sha256(convert_to(escrowgrid.escrow_checkpoint_export(c.id), 'UTF8')), 'its hash is that of its text') FROM escrowgrid.checkpoints AS c WHERE number = 5;
SELECT is(escrowgrid.escrow_checkpoint_export(), escrowgrid.escrow_checkpoint_export((SELECT id FROM escrowgrid.checkpoints ORDER BY number DESC LIMIT 1)), 'the last one by default');
SELECT throws_ok($$SELECT escrowgrid.escrow_checkpoint_export('chk_none')$$, 'ZE002');
SELECT id AS p_id FROM escrowgrid.positions ORDER BY id LIMIT 1 \gset
SELECT id AS late_id FROM escrowgrid.positions ORDER BY id DESC LIMIT 1 \gset
SELECT id AS c_id FROM escrowgrid.checkpoints WHERE number = 9 \gset
SELECT version FROM escrowgrid.escrow_transition(:'p_id', 'FUNDED', 'a reason', '{"name": "Jane"}') \g /dev/null
SELECT is((SELECT version FROM escrowgrid.escrow_inclusion_proof(:'p_id', :'c_id')), 1, 'an old checkpoint still proves the old head');
SELECT throws_ok(format($$SELECT * FROM escrowgrid.escrow_inclusion_proof(%L, %L)$$, :'late_id', :'c_id'), 'ZE002', NULL, 'a position that was not there yet');
SELECT throws_ok($$SELECT * FROM escrowgrid.escrow_inclusion_proof(NULL, 'chk_none')$$, 'ZE001');
SELECT throws_ok(format($$SELECT * FROM escrowgrid.escrow_inclusion_proof(%L, 'chk_none')$$, :'p_id'), 'ZE002');
SELECT is((SELECT count(*) FROM escrowgrid.checkpoint_heads), 17::bigint, 'heads are stored once, not once a checkpoint');
SELECT position_count FROM escrowgrid.escrow_checkpoint() \g /dev/null
SELECT is((SELECT count(*) FROM escrowgrid.checkpoint_heads), 19::bigint, 'and once more when they change');
SELECT is_empty('SELECT * FROM escrowgrid.escrow_verify()', 'all of it is sound');

-- Nobody changes them, nobody slips one in.
SELECT throws_ok('UPDATE escrowgrid.checkpoints SET db_role = ''x''', 'ZE501');
SELECT throws_ok('DELETE FROM escrowgrid.checkpoints', 'ZE501');
SELECT throws_ok('TRUNCATE escrowgrid.checkpoints', 'ZE501');
SELECT throws_ok('UPDATE escrowgrid.checkpoint_heads SET version = 7', 'ZE501');
SELECT throws_ok('DELETE FROM escrowgrid.checkpoint_heads', 'ZE501');
SELECT throws_ok('TRUNCATE escrowgrid.checkpoint_heads', 'ZE501');
SELECT throws_ok($$INSERT INTO escrowgrid.checkpoints SELECT 'chk_x', number + 1, position_count, root_hash, hash, hash, now(), 'me' FROM escrowgrid.checkpoints ORDER BY number DESC LIMIT 1$$,
    'ZE501', NULL, 'a checkpoint whose hash does not follow');
SAVEPOINT forged;
INSERT INTO escrowgrid.checkpoint_heads VALUES ('pos_x', 1, 'inst_x', 1, sha256('x'));
SELECT bag_eq('SELECT discrepancy FROM escrowgrid.escrow_verify()', ARRAY['checkpoint_position_missing', 'checkpoint_root'], 'a forged head shows');
SELECT throws_ok('SELECT escrowgrid.escrow_checkpoint()', 'ZE502', NULL, 'and no checkpoint covers it up');
ROLLBACK TO forged;

-- --- erasure
SELECT e.id AS event_id, encode(e.hash, 'hex') AS event_hash FROM escrowgrid.position_events AS e WHERE e.position_id = :'p_id' AND e.seq = 2 \gset
SELECT encode(sha256(e.salt || pg_temp.field(e.reason) || pg_temp.field(e.metadata::text)), 'hex') AS digest FROM escrowgrid.position_events AS e WHERE e.id = :'event_id' \gset
SELECT throws_ok(format('UPDATE escrowgrid.position_events SET reason = NULL, metadata = NULL, salt = NULL, content_digest = ''\x%s'' WHERE id = %L', :'digest', :'event_id'), 'ZE501', NULL, 'erasing by hand is refused');
SELECT is(encode(e.content_digest, 'hex'), :'digest', 'the digest stays') FROM escrowgrid.escrow_redact_event(:'event_id') AS e;
SELECT is((SELECT (reason, metadata, salt)::text FROM escrowgrid.position_events WHERE id = :'event_id'), '(,,)', 'reason, metadata and salt are gone');
SELECT is((SELECT encode(hash, 'hex') FROM escrowgrid.position_events WHERE id = :'event_id'), :'event_hash', 'the hash is the same');
SELECT is((SELECT payload FROM escrowgrid.audit_events WHERE action = 'EVENT_REDACTED' AND resource_id = :'event_id'),
    jsonb_build_object('positionId', :'p_id'::text, 'seq', 2), 'the erasure left its audit row');
SELECT is_empty('SELECT * FROM escrowgrid.escrow_verify()', 'and the chain is whole');
SELECT is_empty($$SELECT id FROM escrowgrid.position_events WHERE position_events::text LIKE '%Jane%' UNION ALL SELECT id FROM escrowgrid.ledger_events WHERE ledger_events::text LIKE '%Jane%'
    UNION ALL SELECT id FROM escrowgrid.audit_events WHERE audit_events::text LIKE '%Jane%'$$, 'nothing of it is left anywhere');
SELECT is((SELECT escrowgrid.escrow_get_position(:'p_id') -> 'events' -> 1 -> 'reason'), 'null'::jsonb, 'the document has no reason');
SELECT lives_ok(format('SELECT escrowgrid.escrow_redact_event(%L)', :'event_id'), 'erasing again does nothing');
SELECT is((SELECT count(*) FROM escrowgrid.audit_events WHERE action = 'EVENT_REDACTED'), 1::bigint, 'and records nothing');
SELECT throws_ok('SELECT escrowgrid.escrow_redact_event(''ple_none'')', 'ZE002');
SELECT throws_ok('SELECT escrowgrid.escrow_redact_event(NULL)', 'ZE001');
SELECT lives_ok(format($$SELECT escrowgrid.escrow_transition(%L, 'PARTIALLY_RELEASED', amount => 0.5)$$, :'p_id'), 'the position goes on');
-- Where it is replicated to, the same update is taken, and nothing but it.
SELECT id AS other_id FROM escrowgrid.escrow_create_position(:'a_id', 'h', 'USD', 9, metadata => '{"name": "Joe"}') \gset
SELECT e.id AS other_event, encode(sha256(e.salt || pg_temp.field(e.reason) || pg_temp.field(e.metadata::text)), 'hex') AS digest FROM escrowgrid.position_events AS e WHERE e.position_id = :'other_id' \gset
SET LOCAL session_replication_role = replica;
SELECT throws_ok(format('UPDATE escrowgrid.position_events SET metadata = NULL, salt = NULL, content_digest = sha256(''x'') WHERE id = %L', :'other_event'), 'ZE501', NULL, 'a replicated erasure with another digest');
SELECT throws_ok(format('UPDATE escrowgrid.position_events SET metadata = NULL, salt = NULL, seq = 2, content_digest = ''\x%s'' WHERE id = %L', :'digest', :'other_event'), 'ZE501', NULL, 'one that changes more');
SELECT throws_ok(format('DELETE FROM escrowgrid.position_events WHERE id = %L', :'other_event'), 'ZE501', NULL, 'a replicated deletion');
SELECT lives_ok(format('UPDATE escrowgrid.position_events SET metadata = NULL, salt = NULL, content_digest = ''\x%s'' WHERE id = %L', :'digest', :'other_event'), 'a replicated erasure');
SELECT throws_ok(format($$INSERT INTO escrowgrid.position_events SELECT 'ple_fork', position_id, from_state, to_state, reason, at, metadata, created_at, institution_id, 2, amount, NULL, salt, sha256('x')
    FROM escrowgrid.position_events WHERE id = %L$$, :'event_id'), '23505', NULL, 'replicated events have no second of a number');
SET LOCAL session_replication_role = origin;
SELECT bag_eq('SELECT discrepancy FROM escrowgrid.escrow_verify()', ARRAY['erasure_unrecorded'], 'its audit row comes by the same way');

-- --- purge
SAVEPOINT before_purge;
SELECT id AS k_id FROM escrowgrid.escrow_create_api_key(:'i_id', 'k', 'admin') \gset
SELECT throws_ok(format($$SELECT escrowgrid.escrow_purge_institution(%L, 'Evidence')$$, :'i_id'), 'ZE501', NULL, 'not while a position holds money');
SELECT version FROM escrowgrid.escrow_transition(:'p_id', 'CANCELLED') \g /dev/null
SELECT throws_ok(format($$SELECT escrowgrid.escrow_purge_institution(%L, 'evidence')$$, :'i_id'), 'ZE001', NULL, 'the name has to be repeated exactly');
SELECT throws_ok(format($$SELECT escrowgrid.escrow_purge_institution(%L, NULL)$$, :'i_id'), 'ZE001');
SELECT throws_ok($$SELECT escrowgrid.escrow_purge_institution('inst_none', 'x')$$, 'ZE002');
SELECT throws_ok($$SELECT escrowgrid.escrow_purge_institution(NULL, 'x')$$, 'ZE001');
SELECT throws_ok(format('DELETE FROM escrowgrid.positions WHERE institution_id = %L', :'i_id'), 'ZE501', NULL, 'a plain DELETE is still refused');
SELECT count(*) AS audits FROM escrowgrid.audit_events WHERE institution_id = :'i_id' \gset
SELECT results_eq(format($$SELECT * FROM escrowgrid.escrow_purge_institution(%L, 'Evidence')$$, :'i_id'), $$VALUES (19::bigint, 22::bigint, 24::bigint)$$, 'purged, with counts');
SELECT is_empty(format('SELECT id FROM escrowgrid.%I WHERE institution_id = %L', t, :'i_id'), t || ' has nothing left')
FROM unnest(ARRAY['asset_templates', 'assets', 'positions', 'position_events', 'ledger_events', 'institution_policies', 'api_keys']) AS t;
SELECT is_empty(format('SELECT id FROM escrowgrid.institutions WHERE id = %L', :'i_id'), 'the institution is gone');
SELECT is((SELECT count(*) FROM escrowgrid.audit_events WHERE institution_id = :'i_id'), :audits + 2::bigint, 'the audit log kept everything and got the tombstone');
SELECT is((SELECT sum(jsonb_array_length(payload -> 'heads')) FROM escrowgrid.audit_events WHERE action = 'INSTITUTION_PURGED'), 19::bigint, 'with every last head');
SELECT is_empty('SELECT * FROM escrowgrid.escrow_verify()', 'what is left is sound, the checkpoints of before too');
SELECT is((SELECT position_count FROM escrowgrid.escrow_checkpoint()), 0::bigint, 'the next checkpoint is without it');
SELECT is_empty('SELECT * FROM escrowgrid.escrow_verify()', 'and sound');
SELECT lives_ok('DROP EXTENSION escrowgrid CASCADE', 'without positions the extension can be dropped');
ROLLBACK TO before_purge;

-- --- dropping
SELECT throws_ok(command, 'ZE501', NULL, command || ' is refused') FROM unnest(ARRAY['DROP EXTENSION escrowgrid', 'DROP EXTENSION IF EXISTS pgcrypto, escrowgrid CASCADE',
    'DROP SCHEMA escrowgrid CASCADE', 'DROP SCHEMA IF EXISTS nothing, escrowgrid CASCADE', 'DROP OWNED BY CURRENT_USER', 'DROP OWNED BY SESSION_USER CASCADE',
    'ALTER EXTENSION escrowgrid DROP TABLE escrowgrid.positions', 'ALTER EXTENSION escrowgrid DROP EVENT TRIGGER escrowgrid_guard_drop']) AS command;
SELECT throws_ok('DROP EVENT TRIGGER escrowgrid_guard_drop', '2BP01', NULL, 'the guard belongs to the extension');
SET LOCAL session_replication_role = replica;
SELECT throws_ok('DROP EXTENSION escrowgrid', 'ZE501', NULL, 'in the replica role as well');
SET LOCAL session_replication_role = origin;
CREATE SCHEMA regress_elsewhere;
CREATE ROLE regress_elsewhere;
SELECT lives_ok('DROP SCHEMA regress_elsewhere', 'what is not ours is dropped as ever');
SELECT lives_ok('DROP OWNED BY regress_elsewhere', 'and owned by others');
SET LOCAL ROLE regress_elsewhere;
SELECT throws_ok('SET escrowgrid.allow_drop = on', '42501', NULL, 'who is no superuser cannot allow it');
RESET ROLE;
SAVEPOINT before_drop;
SET LOCAL escrowgrid.allow_drop = on;
SELECT lives_ok('DROP EXTENSION escrowgrid CASCADE', 'a superuser can');
ROLLBACK TO before_drop;
ALTER EVENT TRIGGER escrowgrid_guard_drop DISABLE;
SELECT ok('drop_guard_disabled: event trigger escrowgrid_guard_drop' = ANY (reasons), 'health tells when the guard is off') FROM escrowgrid.escrow_health();
ROLLBACK TO before_drop;

-- --- restores are no back door, not even for the tables' owner
CREATE ROLE regress_owner;
GRANT ALL ON SCHEMA escrowgrid TO regress_owner;
SELECT format('ALTER TABLE escrowgrid.%I OWNER TO regress_owner', relname) FROM pg_class WHERE relnamespace = 'escrowgrid'::regnamespace AND relkind = 'r' \gexec
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA escrowgrid TO regress_owner;
SET LOCAL ROLE regress_owner;
SELECT lives_ok(format($$INSERT INTO escrowgrid.positions (id, institution_id, asset_id, holder_reference, currency, amount, state, created_at, updated_at, released_amount, version, head_hash)
    VALUES ('pos_forged', %L, %L, 'me', 'USD', 1000000, 'FUNDED', now(), now(), 0, 2, sha256('x'))$$, :'i_id', :'a_id'), 'a complete row is taken as a restore');
SELECT throws_ok($$SELECT escrowgrid.escrow_transition('pos_forged', 'RELEASED')$$, 'ZE502', NULL, 'and is inert');
SELECT throws_ok($$UPDATE escrowgrid.positions SET state = 'RELEASED' WHERE id = 'pos_forged'$$, 'ZE502', NULL, 'by raw DML as well');
SELECT throws_ok($$INSERT INTO escrowgrid.position_events (id, position_id, from_state, to_state, at, created_at, institution_id, seq, amount, hash)
    SELECT 'ple_f2', p.id, 'CREATED', 'FUNDED', now(), now(), p.institution_id, 3, p.amount, sha256('y') FROM escrowgrid.positions AS p WHERE id = 'pos_forged'$$, 'ZE501', NULL, 'an event beyond the version is refused');
SELECT throws_ok($$INSERT INTO escrowgrid.position_events (id, position_id, from_state, to_state, at, created_at, institution_id, seq, amount, hash)
    SELECT 'ple_f2', p.id, 'CREATED', 'FUNDED', now(), now(), p.institution_id, 2, p.amount, sha256('y') FROM escrowgrid.positions AS p WHERE id = 'pos_forged'$$, 'ZE501', NULL, 'an event that is not the head is refused');
SELECT ok(count(*) > 0, 'and verification names the forgery') FROM escrowgrid.escrow_verify() WHERE position_id = 'pos_forged' AND discrepancy = 'event_missing';
SELECT throws_ok(format($$INSERT INTO escrowgrid.ledger_events (id, kind, position_id, at, payload, created_at, institution_id) VALUES ('led_f', 'POSITION_CREATED', 'pos_none', now(), '{}', now(), %L)$$, :'i_id'), 'ZE002', NULL, 'a ledger row of nothing');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
