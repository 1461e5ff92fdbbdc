-- Evidence: checkpoints to be signed and kept elsewhere, verification, the two sanctioned removals, and
-- the guard against dropping it all by mistake.

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
COMMENT ON TABLE escrowgrid.checkpoints IS 'Checkpoints: each stands for every position''s head at a moment, chained by hash, append-only; sign and keep what escrow_checkpoint_export() gives.';
COMMENT ON COLUMN escrowgrid.checkpoints.id IS 'TypeID with prefix chk.';
COMMENT ON COLUMN escrowgrid.checkpoints.number IS '1, 2, 3 and so on without a gap.';
COMMENT ON COLUMN escrowgrid.checkpoints.position_count IS 'Number of positions it covers: the leaves of its Merkle tree.';
COMMENT ON COLUMN escrowgrid.checkpoints.root_hash IS 'Merkle root (RFC 9162) over the heads of all positions in id order, 32 bytes.';
COMMENT ON COLUMN escrowgrid.checkpoints.previous_hash IS 'Hash of the checkpoint before, 32 bytes; zeros for the first.';
COMMENT ON COLUMN escrowgrid.checkpoints.hash IS 'SHA-256 of what escrow_checkpoint_export() gives, 32 bytes.';
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
COMMENT ON TABLE escrowgrid.checkpoint_heads IS 'Heads of checkpoints: a row for each position that changed since the checkpoint before, append-only.';
COMMENT ON COLUMN escrowgrid.checkpoint_heads.position_id IS 'The position.';
COMMENT ON COLUMN escrowgrid.checkpoint_heads.checkpoint_number IS 'The first checkpoint that has it so.';
COMMENT ON COLUMN escrowgrid.checkpoint_heads.institution_id IS 'The position''s institution.';
COMMENT ON COLUMN escrowgrid.checkpoint_heads.version IS 'The position''s version; NULL once it was purged.';
COMMENT ON COLUMN escrowgrid.checkpoint_heads.head_hash IS 'The position''s head hash, 32 bytes; NULL once it was purged.';

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
    'Every discrepancy as a row, none when sound: hash chains, sequences, sums, states, ledger and audit rows, and positions against the last checkpoint; of one institution, or of all (NULL; a key verifies its own). Reads one snapshot. Errors: ZE002, ZE401.';

CREATE FUNCTION escrowgrid.escrow_checkpoint() RETURNS escrowgrid.checkpoints
    LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'escrow_checkpoint';
COMMENT ON FUNCTION escrowgrid.escrow_checkpoint() IS
    'Makes a checkpoint over every position''s head. Root only; one at a time. Errors: ZE401, ZE403, ZE502 when a position no longer has the history that an earlier checkpoint stands for.';

CREATE FUNCTION escrowgrid.escrow_checkpoint_export(checkpoint_id text DEFAULT NULL) RETURNS text
    LANGUAGE c STABLE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'escrow_checkpoint_export';
COMMENT ON FUNCTION escrowgrid.escrow_checkpoint_export(text) IS
    'The text of a checkpoint, the last one by default, to be signed and kept elsewhere; its SHA-256 is the checkpoint''s hash. Errors: ZE002, ZE401.';

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
    'Proof (RFC 9162, section 2.1.3) that a position was in a checkpoint with this version and head; leaf_index counts from 0. Errors: ZE001, ZE002, ZE401, ZE502 when the stored heads no longer give the root.';

CREATE FUNCTION escrowgrid.escrow_redact_event(event_id text) RETURNS escrowgrid.position_events
    LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'escrow_redact_event';
COMMENT ON FUNCTION escrowgrid.escrow_redact_event(text) IS
    'Erases reason and metadata of an event; their salted digest stays, so that the hash chain stays whole. An event without content stays as it is. Errors: ZE001, ZE002, ZE401, ZE403.';

CREATE FUNCTION escrowgrid.escrow_purge_institution(
    institution_id text,
    confirm text,
    OUT positions bigint,
    OUT position_events bigint,
    OUT ledger_events bigint
) RETURNS record
    LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'escrow_purge_institution';
COMMENT ON FUNCTION escrowgrid.escrow_purge_institution(text, text) IS
    'Deletes an institution with all that belongs to it except its audit rows, and leaves a tombstone there with counts and the last heads; confirm repeats the institution''s name. Root only. Errors: ZE001, ZE002, ZE401, ZE403, ZE501 while a position holds money.';

CREATE FUNCTION escrowgrid.check_checkpoint() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'escrowgrid_check_checkpoint';
COMMENT ON FUNCTION escrowgrid.check_checkpoint() IS
    'Trigger: takes checkpoints inserted by hand only as a restore, with the hash that follows from the row.';

CREATE TRIGGER escrowgrid_check BEFORE INSERT ON escrowgrid.checkpoints
    FOR EACH ROW EXECUTE FUNCTION escrowgrid.check_checkpoint();
COMMENT ON TRIGGER escrowgrid_check ON escrowgrid.checkpoints IS 'Takes checkpoints inserted by hand only as a restore.';
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
COMMENT ON TRIGGER escrowgrid_check ON escrowgrid.checkpoint_heads IS 'Lets root alone insert; escrow_verify() recomputes the root from these rows.';
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
COMMENT ON POLICY signed_in_reads ON escrowgrid.checkpoints IS 'Checkpoints hold nothing but hashes and a count: every signed-in key sees them.';
CREATE POLICY tenant_reads ON escrowgrid.checkpoint_heads FOR SELECT
    USING (institution_id = (SELECT escrowgrid.escrow_current_institution_id()));
COMMENT ON POLICY tenant_reads ON escrowgrid.checkpoint_heads IS 'A signed-in key sees the rows of its institution.';

CREATE FUNCTION escrowgrid.guard_drop() RETURNS event_trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'escrowgrid_guard_drop';
COMMENT ON FUNCTION escrowgrid.guard_drop() IS
    'Event trigger: refuses to drop the extension, its schema or its parts, or what its owner owns, while positions exist; a superuser may SET escrowgrid.allow_drop = on.';
CREATE EVENT TRIGGER escrowgrid_guard_drop ON ddl_command_start
    WHEN TAG IN ('DROP EXTENSION', 'DROP SCHEMA', 'DROP OWNED', 'ALTER EXTENSION')
    EXECUTE FUNCTION escrowgrid.guard_drop();
COMMENT ON EVENT TRIGGER escrowgrid_guard_drop IS 'Refuses to drop escrowgrid while positions exist.';
ALTER EVENT TRIGGER escrowgrid_guard_drop ENABLE ALWAYS;
