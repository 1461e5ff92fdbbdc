-- Evidence: verification, checkpoints to sign and keep elsewhere, erasure and purge (the only two ways to remove
-- records), and the event trigger that refuses to drop the extension by mistake.

CREATE TABLE escrowgrid.checkpoints (
    id text COLLATE "C" NOT NULL,
    number bigint NOT NULL,
    position_count bigint NOT NULL,
    root_hash bytea NOT NULL,
    previous_hash bytea NOT NULL,
    hash bytea NOT NULL,
    created_at timestamptz NOT NULL,
    db_role text COLLATE "C" NOT NULL,
    CONSTRAINT checkpoints_pkey PRIMARY KEY (id),
    CONSTRAINT checkpoints_number_key UNIQUE (number),
    CONSTRAINT checkpoints_id_form CHECK (starts_with(id, 'chk_') AND octet_length(id) BETWEEN 5 AND 100),
    CONSTRAINT checkpoints_number_positive CHECK (number >= 1),
    CONSTRAINT checkpoints_position_count_valid CHECK (position_count >= 0),
    CONSTRAINT checkpoints_hash_lengths CHECK (
        octet_length(root_hash) = 32 AND octet_length(previous_hash) = 32 AND octet_length(hash) = 32
    )
);
COMMENT ON TABLE escrowgrid.checkpoints IS
    'Checkpoints, append-only. Each stands for the head of every position at one moment and has the hash of the '
    'checkpoint before it. Sign and keep the text that escrow_checkpoint_export() returns.';
COMMENT ON COLUMN escrowgrid.checkpoints.id IS 'TypeID with prefix chk.';
COMMENT ON COLUMN escrowgrid.checkpoints.number IS '1, 2, 3 and so on without a gap.';
COMMENT ON COLUMN escrowgrid.checkpoints.position_count IS
    'Number of positions in the checkpoint: the leaves of its Merkle tree.';
COMMENT ON COLUMN escrowgrid.checkpoints.root_hash IS
    'Merkle root (RFC 9162) over the heads of all positions in id order, 32 bytes.';
COMMENT ON COLUMN escrowgrid.checkpoints.previous_hash IS
    'Hash of the previous checkpoint, 32 bytes; zeros for the first.';
COMMENT ON COLUMN escrowgrid.checkpoints.hash IS
    'SHA-256 of the text that escrow_checkpoint_export() returns, 32 bytes.';
COMMENT ON COLUMN escrowgrid.checkpoints.created_at IS 'When it was made.';
COMMENT ON COLUMN escrowgrid.checkpoints.db_role IS 'The database role that made it.';

CREATE TABLE escrowgrid.checkpoint_heads (
    position_id text COLLATE "C" NOT NULL,
    checkpoint_number bigint NOT NULL,
    institution_id text COLLATE "C" NOT NULL,
    version integer,
    head_hash bytea,
    CONSTRAINT checkpoint_heads_pkey PRIMARY KEY (position_id, checkpoint_number),
    CONSTRAINT checkpoint_heads_complete CHECK ((version IS NULL) = (head_hash IS NULL)),
    CONSTRAINT checkpoint_heads_version_positive CHECK (version >= 1),
    CONSTRAINT checkpoint_heads_head_hash_length CHECK (octet_length(head_hash) = 32)
);
COMMENT ON TABLE escrowgrid.checkpoint_heads IS
    'Heads of checkpoints, append-only: one row for each position that changed since the previous checkpoint.';
COMMENT ON COLUMN escrowgrid.checkpoint_heads.position_id IS 'The position.';
COMMENT ON COLUMN escrowgrid.checkpoint_heads.checkpoint_number IS
    'The first checkpoint that has the position with this version and head.';
COMMENT ON COLUMN escrowgrid.checkpoint_heads.institution_id IS 'The position''s institution.';
COMMENT ON COLUMN escrowgrid.checkpoint_heads.version IS 'The position''s version; NULL once the position was purged.';
COMMENT ON COLUMN escrowgrid.checkpoint_heads.head_hash IS
    'The position''s head hash, 32 bytes; NULL once the position was purged.';

SELECT pg_catalog.pg_extension_config_dump('escrowgrid.checkpoints', '');
SELECT pg_catalog.pg_extension_config_dump('escrowgrid.checkpoint_heads', '');

CREATE FUNCTION escrowgrid.escrow_verify(
    institution_id text DEFAULT NULL,
    OUT position_id text,
    OUT seq integer,
    OUT discrepancy text,
    OUT expected text,
    OUT found text
) RETURNS SETOF record
    LANGUAGE c STABLE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'escrow_verify';
COMMENT ON FUNCTION escrowgrid.escrow_verify(text) IS
    'Returns one row for each discrepancy, and no row when there is none. It checks hash chains, sequences, sums, '
    'states, ledger and audit rows, erasures, references, and positions against the heads that checkpoints stand for. '
    'A key verifies its own institution. Root verifies one institution or, with NULL, all of them and the checkpoints '
    'themselves. Reads under one snapshot. Errors: ZE001 when institution_id is blank or too long; ZE002 for an '
    'unknown institution; ZE401.';

CREATE FUNCTION escrowgrid.escrow_checkpoint() RETURNS escrowgrid.checkpoints
    LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'escrow_checkpoint';
COMMENT ON FUNCTION escrowgrid.escrow_checkpoint() IS
    'Makes a checkpoint over the head of every position and returns its row. Checkpoints are made one at a time. Root '
    'only. Errors: ZE401; ZE403; ZE502 when a position no longer has the history that an earlier checkpoint stands '
    'for; 40001 when another checkpoint was made concurrently.';

CREATE FUNCTION escrowgrid.escrow_checkpoint_export(checkpoint_id text DEFAULT NULL) RETURNS text
    LANGUAGE c STABLE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'escrow_checkpoint_export';
COMMENT ON FUNCTION escrowgrid.escrow_checkpoint_export(text) IS
    'Returns the text of a checkpoint, of the last one by default. Sign it and keep it elsewhere. Its SHA-256 is the '
    'checkpoint''s hash. Errors: ZE002 for an unknown checkpoint; ZE401.';

CREATE FUNCTION escrowgrid.escrow_inclusion_proof(
    position_id text,
    checkpoint_id text,
    OUT leaf_index bigint,
    OUT tree_size bigint,
    OUT version integer,
    OUT head_hash bytea,
    OUT leaf_hash bytea,
    OUT path bytea[],
    OUT root_hash bytea
) RETURNS record
    LANGUAGE c STABLE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'escrow_inclusion_proof';
COMMENT ON FUNCTION escrowgrid.escrow_inclusion_proof(text, text) IS
    'Returns the proof (RFC 9162, section 2.1.3) that a checkpoint has the position with this version and head. '
    'leaf_index counts from 0. Errors: ZE001 when an id is missing, blank or too long; ZE002 for an unknown checkpoint '
    'or a position that is not in it; ZE401; ZE502 when the stored heads do not give the root.';

CREATE FUNCTION escrowgrid.escrow_redact_event(event_id text) RETURNS escrowgrid.position_events
    LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'escrow_redact_event';
COMMENT ON FUNCTION escrowgrid.escrow_redact_event(text) IS
    'Erases reason and metadata of an event and returns its row. Their salted digest stays, so that the hash chain '
    'stays whole. An event without content stays as it is. For root, and for admin keys in their own institution. '
    'Writes an audit row. Errors: ZE001 for invalid values; ZE002 for an unknown event; ZE401; ZE403; ZE501 when a '
    'trigger changes another column of the event.';

CREATE FUNCTION escrowgrid.escrow_purge_institution(
    institution_id text,
    confirm text,
    OUT positions bigint,
    OUT position_events bigint,
    OUT ledger_events bigint
) RETURNS record
    LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'escrow_purge_institution';
COMMENT ON FUNCTION escrowgrid.escrow_purge_institution(text, text) IS
    'Deletes an institution with all its records except the audit rows, and adds audit rows (a tombstone) with counts '
    'and the last heads. confirm must repeat the institution''s name. Root only. Errors: ZE001 for invalid values; '
    'ZE002 for an unknown institution; ZE401; ZE403; ZE501 while a position holds money.';

CREATE FUNCTION escrowgrid.check_checkpoint() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'escrowgrid_check_checkpoint';
COMMENT ON FUNCTION escrowgrid.check_checkpoint() IS
    'Trigger: accepts checkpoints inserted by hand only from root and only with the hash that follows from the row, as '
    'in a restore. Errors: ZE401; ZE403 while a key is signed in; ZE501 for another hash.';

CREATE TRIGGER escrowgrid_check BEFORE INSERT ON escrowgrid.checkpoints
    FOR EACH ROW EXECUTE FUNCTION escrowgrid.check_checkpoint();
COMMENT ON TRIGGER escrowgrid_check ON escrowgrid.checkpoints IS
    'Accepts checkpoints inserted by hand only as part of a restore.';
CREATE TRIGGER escrowgrid_refuse_change BEFORE UPDATE OR DELETE ON escrowgrid.checkpoints
    FOR EACH ROW EXECUTE FUNCTION escrowgrid.refuse_change();
COMMENT ON TRIGGER escrowgrid_refuse_change ON escrowgrid.checkpoints IS 'Checkpoints are never changed or deleted.';
CREATE TRIGGER escrowgrid_refuse_truncate BEFORE TRUNCATE ON escrowgrid.checkpoints
    FOR EACH STATEMENT EXECUTE FUNCTION escrowgrid.refuse_change();
COMMENT ON TRIGGER escrowgrid_refuse_truncate ON escrowgrid.checkpoints IS 'The table is never truncated.';
ALTER TABLE escrowgrid.checkpoints ENABLE ALWAYS TRIGGER escrowgrid_check;
ALTER TABLE escrowgrid.checkpoints ENABLE ALWAYS TRIGGER escrowgrid_refuse_change;
ALTER TABLE escrowgrid.checkpoints ENABLE ALWAYS TRIGGER escrowgrid_refuse_truncate;

CREATE TRIGGER escrowgrid_check BEFORE INSERT ON escrowgrid.checkpoint_heads
    FOR EACH STATEMENT EXECUTE FUNCTION escrowgrid.check_checkpoint();
COMMENT ON TRIGGER escrowgrid_check ON escrowgrid.checkpoint_heads IS
    'Accepts rows from root only. escrow_verify() recomputes the root hash from these rows.';
CREATE TRIGGER escrowgrid_refuse_change BEFORE UPDATE OR DELETE ON escrowgrid.checkpoint_heads
    FOR EACH ROW EXECUTE FUNCTION escrowgrid.refuse_change();
COMMENT ON TRIGGER escrowgrid_refuse_change ON escrowgrid.checkpoint_heads IS 'Heads are never changed or deleted.';
CREATE TRIGGER escrowgrid_refuse_truncate BEFORE TRUNCATE ON escrowgrid.checkpoint_heads
    FOR EACH STATEMENT EXECUTE FUNCTION escrowgrid.refuse_change();
COMMENT ON TRIGGER escrowgrid_refuse_truncate ON escrowgrid.checkpoint_heads IS 'The table is never truncated.';
ALTER TABLE escrowgrid.checkpoint_heads ENABLE ALWAYS TRIGGER escrowgrid_check;
ALTER TABLE escrowgrid.checkpoint_heads ENABLE ALWAYS TRIGGER escrowgrid_refuse_change;
ALTER TABLE escrowgrid.checkpoint_heads ENABLE ALWAYS TRIGGER escrowgrid_refuse_truncate;

CREATE POLICY signed_in_reads ON escrowgrid.checkpoints FOR SELECT
    USING ((SELECT escrowgrid.escrow_current_institution_id()) IS NOT NULL);
COMMENT ON POLICY signed_in_reads ON escrowgrid.checkpoints IS
    'Every signed-in key sees checkpoints, because they hold nothing but hashes and a count.';
CREATE POLICY tenant_reads ON escrowgrid.checkpoint_heads FOR SELECT
    USING (institution_id = (SELECT escrowgrid.escrow_current_institution_id()));
COMMENT ON POLICY tenant_reads ON escrowgrid.checkpoint_heads IS 'A signed-in key sees the rows of its institution.';

CREATE FUNCTION escrowgrid.guard_drop() RETURNS event_trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'escrowgrid_guard_drop';
COMMENT ON FUNCTION escrowgrid.guard_drop() IS
    'Event trigger: refuses to drop the extension, its schema, its parts or the objects of its owner while positions '
    'exist. A superuser may SET escrowgrid.allow_drop = on. Errors: ZE501.';
CREATE EVENT TRIGGER escrowgrid_guard_drop ON ddl_command_start
    WHEN TAG IN ('DROP EXTENSION', 'DROP SCHEMA', 'DROP OWNED', 'ALTER EXTENSION')
    EXECUTE FUNCTION escrowgrid.guard_drop();
COMMENT ON EVENT TRIGGER escrowgrid_guard_drop IS 'Refuses to drop escrowgrid while positions exist.';
ALTER EVENT TRIGGER escrowgrid_guard_drop ENABLE ALWAYS;
