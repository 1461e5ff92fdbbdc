-- Checkpoints and inclusion proofs, recomputed from docs/evidence.md and RFC 9162, and that nobody changes them.
BEGIN;
SET search_path = public;
SELECT no_plan();
\ir include/chain.psql
\set institution_name Evidence
\ir include/fixtures.psql

-- The Merkle tree hash, as section 2.1.1 of RFC 9162 defines it.
CREATE FUNCTION pg_temp.tree_hash(leaves bytea[]) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE
    n int := cardinality(leaves);
    k int := 1;
BEGIN
    IF n = 0 THEN
        RETURN sha256('');
    END IF;
    IF n = 1 THEN
        RETURN leaves[1];
    END IF;
    WHILE k * 2 < n LOOP
        k := k * 2;
    END LOOP;
    RETURN sha256('\x01'::bytea || pg_temp.tree_hash(leaves[1:k]) || pg_temp.tree_hash(leaves[k + 1:n]));
END $$;

-- Whether an inclusion proof holds, by the algorithm in section 2.1.3.2 of RFC 9162.
CREATE FUNCTION pg_temp.proves(leaf bytea, index bigint, size bigint, path bytea[], root bytea)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    fn bigint := index;
    sn bigint := size - 1;
    r bytea := leaf;
    p bytea;
BEGIN
    FOREACH p IN ARRAY path LOOP
        IF sn = 0 THEN
            RETURN false;
        END IF;
        IF fn % 2 = 1 OR fn = sn THEN
            r := sha256('\x01'::bytea || p || r);
            WHILE fn % 2 = 0 AND fn <> 0 LOOP
                fn := fn / 2;
                sn := sn / 2;
            END LOOP;
        ELSE
            r := sha256('\x01'::bytea || r || p);
        END IF;
        fn := fn / 2;
        sn := sn / 2;
    END LOOP;
    RETURN sn = 0 AND r = root;
END $$;

-- --- checkpoints over every number of positions from 0 to 17, so that the tree has every shape up to that size
CREATE FUNCTION pg_temp.grow(asset text)
RETURNS TABLE (size int, root_ok boolean, proofs_ok boolean, count_ok boolean) LANGUAGE plpgsql AS $$
DECLARE
    c escrowgrid.checkpoints;
BEGIN
    FOR n IN 0..17 LOOP
        c := escrowgrid.escrow_checkpoint();
        size := n;
        count_ok := c.position_count = n AND c.number = n + 1;
        root_ok := c.root_hash = (
            SELECT pg_temp.tree_hash(
                coalesce(array_agg(pg_temp.leaf(p.id, p.version, p.head_hash) ORDER BY p.id), '{}'))
            FROM escrowgrid.positions AS p);
        proofs_ok := NOT EXISTS (
            SELECT
            FROM escrowgrid.positions AS p, escrowgrid.escrow_inclusion_proof(p.id, c.id) AS i
            WHERE NOT pg_temp.proves(i.leaf_hash, i.leaf_index, i.tree_size, i.path, c.root_hash)
               OR i.root_hash <> c.root_hash
               OR i.leaf_hash <> pg_temp.leaf(p.id, i.version, i.head_hash)
               OR i.head_hash <> p.head_hash
               OR i.version <> p.version);
        RETURN NEXT;
        PERFORM escrowgrid.escrow_create_position(asset, 'h', 'USD', n + 1);
    END LOOP;
END $$;
SELECT ok(root_ok AND proofs_ok AND count_ok,
    format('a checkpoint over %s positions has their number, their Merkle root and a valid proof for each', size))
FROM pg_temp.grow(:'asset_id');
SELECT is(count(*), 18::bigint, 'eighteen calls of escrow_checkpoint() make eighteen rows in checkpoints')
FROM escrowgrid.checkpoints;

-- --- the chain of checkpoints and their text
SELECT is(c.previous_hash, coalesce(lag(c.hash) OVER (ORDER BY c.number), decode(repeat('00', 32), 'hex')),
    format('the previous_hash of checkpoint %s is %s', c.number,
        CASE c.number WHEN 1 THEN 'zero' ELSE 'the hash of the checkpoint before' END))
FROM escrowgrid.checkpoints AS c
ORDER BY c.number
LIMIT 3;
SELECT is(c.hash, sha256(convert_to(escrowgrid.escrow_checkpoint_export(c.id), 'UTF8')),
    'the hash of a checkpoint is the SHA-256 of its exported text')
FROM escrowgrid.checkpoints AS c
WHERE number = 5;
SELECT is(
    escrowgrid.escrow_checkpoint_export(),
    escrowgrid.escrow_checkpoint_export((SELECT id FROM escrowgrid.checkpoints ORDER BY number DESC LIMIT 1)),
    'escrow_checkpoint_export() without an id exports the last checkpoint');
SELECT throws_ok($$SELECT escrowgrid.escrow_checkpoint_export('chk_none')$$, 'ZE002', NULL,
    'escrow_checkpoint_export() of an unknown checkpoint is refused');

-- --- proofs by a checkpoint from before a position changed or existed
SELECT id AS first_id FROM escrowgrid.positions ORDER BY id LIMIT 1 \gset
SELECT id AS last_id FROM escrowgrid.positions ORDER BY id DESC LIMIT 1 \gset
SELECT id AS ninth_id FROM escrowgrid.checkpoints WHERE number = 9 \gset
SELECT version FROM escrowgrid.escrow_transition(:'first_id', 'FUNDED', 'a reason', '{"name": "Jane"}') \g /dev/null
SELECT is((SELECT version FROM escrowgrid.escrow_inclusion_proof(:'first_id', :'ninth_id')), 1,
    'a checkpoint from before a transition proves the version that the position had then');
SELECT throws_ok(format($$SELECT * FROM escrowgrid.escrow_inclusion_proof(%L, %L)$$, :'last_id', :'ninth_id'),
    'ZE002', NULL,
    'a proof by a checkpoint from before the position was created is refused');
SELECT throws_ok($$SELECT * FROM escrowgrid.escrow_inclusion_proof(NULL, 'chk_none')$$, 'ZE001', NULL,
    'a proof for the position NULL is refused');
SELECT throws_ok(format($$SELECT * FROM escrowgrid.escrow_inclusion_proof(%L, 'chk_none')$$, :'first_id'),
    'ZE002', NULL,
    'a proof by an unknown checkpoint is refused');

-- --- heads are stored when they change, and not once for each checkpoint
SELECT is((SELECT count(*) FROM escrowgrid.checkpoint_heads), 17::bigint,
    'eighteen checkpoints over 17 positions that never changed store 17 heads');
SELECT position_count FROM escrowgrid.escrow_checkpoint() \g /dev/null
SELECT is((SELECT count(*) FROM escrowgrid.checkpoint_heads), 19::bigint,
    'a checkpoint stores a head for each position that is new or has changed since the checkpoint before');
SELECT is_empty('SELECT * FROM escrowgrid.escrow_verify()',
    'escrow_verify() finds nothing wrong with nineteen checkpoints');

-- --- nobody changes checkpoints or their heads
SELECT throws_ok(statement, 'ZE501', NULL, statement || ' is refused')
FROM unnest(ARRAY[
    'UPDATE escrowgrid.checkpoints SET db_role = ''x''',
    'DELETE FROM escrowgrid.checkpoints',
    'TRUNCATE escrowgrid.checkpoints',
    'UPDATE escrowgrid.checkpoint_heads SET version = 7',
    'DELETE FROM escrowgrid.checkpoint_heads',
    'TRUNCATE escrowgrid.checkpoint_heads'
]) AS statement;
SELECT throws_ok(
    $$INSERT INTO escrowgrid.checkpoints
      SELECT 'chk_x', number + 1, position_count, root_hash, hash, hash, now(), 'me'
      FROM escrowgrid.checkpoints
      ORDER BY number DESC
      LIMIT 1$$,
    'ZE501', NULL,
    'an INSERT of a checkpoint whose hash does not follow from its row is refused');

-- A head that is slipped in cannot be prevented here, but it is noticed.
SAVEPOINT before_forgery;
INSERT INTO escrowgrid.checkpoint_heads VALUES ('pos_x', 1, 'inst_x', 1, sha256('x'));
SELECT bag_eq('SELECT discrepancy FROM escrowgrid.escrow_verify()',
    ARRAY['checkpoint_position_missing', 'checkpoint_root'],
    'escrow_verify() reports a head that was inserted for a position that does not exist');
SELECT throws_ok('SELECT escrowgrid.escrow_checkpoint()', 'ZE502', NULL,
    'escrow_checkpoint() is refused when the last checkpoint has a head that was inserted');
ROLLBACK TO before_forgery;

-- A checkpoint that says a wrong number of heads cannot prove that a position is among them.
ALTER TABLE escrowgrid.checkpoints DISABLE TRIGGER USER;
UPDATE escrowgrid.checkpoints SET position_count = position_count + 1 WHERE id = :'ninth_id';
SELECT throws_ok(format($$SELECT * FROM escrowgrid.escrow_inclusion_proof(%L, %L)$$, :'first_id', :'ninth_id'),
    'ZE502', NULL,
    'escrow_inclusion_proof() is refused for a checkpoint that says one head too many');
ROLLBACK TO before_forgery;

-- There is no number after the largest one.
ALTER TABLE escrowgrid.checkpoints DISABLE TRIGGER USER;
SELECT number FROM escrowgrid.escrow_checkpoint() \g /dev/null
UPDATE escrowgrid.checkpoints
SET number = 9223372036854775807
WHERE number = (SELECT max(number) FROM escrowgrid.checkpoints);
SELECT throws_ok('SELECT escrowgrid.escrow_checkpoint()', '22003', NULL,
    'a checkpoint after one with the largest number is refused');
SELECT bag_eq('SELECT discrepancy FROM escrowgrid.escrow_verify()',
    ARRAY['checkpoint_link', 'checkpoint_hash'],
    'escrow_verify() reports a checkpoint whose number was changed to the largest one');
ROLLBACK TO before_forgery;
SELECT lives_ok('SELECT escrowgrid.escrow_checkpoint()',
    'escrow_checkpoint() succeeds after the inserted head was rolled back');

SELECT * FROM finish();
ROLLBACK;
