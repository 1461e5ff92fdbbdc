-- These triggers apply the rules of the functions to raw DML. They are ENABLE ALWAYS, so they also fire in the replica
-- role. There they refuse rows that contradict other rows, and write no records.

CREATE FUNCTION escrowgrid.decide_position() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'escrowgrid_decide_position';
COMMENT ON FUNCTION escrowgrid.decide_position() IS
    'Trigger: decides a raw INSERT or UPDATE of a position by the rules of the functions. Raw DML is for root without '
    'a key. Errors: ZE001, ZE002, ZE101, ZE103, ZE201, ZE301, ZE302 and ZE502 as the functions; ZE401; ZE403 while a '
    'key is signed in; ZE501 for a column that cannot be set.';

CREATE FUNCTION escrowgrid.record_position() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'escrowgrid_record_position';
COMMENT ON FUNCTION escrowgrid.record_position() IS
    'Trigger: checks that a raw change was written as it was decided, and writes its event, ledger and audit rows. '
    'Errors: ZE501 when another trigger has changed the row, or ZE001, ZE002 or ZE301 when that change is not valid '
    'itself; ZE401; ZE403; ZE502 when the position''s currency is missing.';

CREATE FUNCTION escrowgrid.check_record() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'escrowgrid_check_record';
COMMENT ON FUNCTION escrowgrid.check_record() IS
    'Trigger: accepts a record that was inserted by hand only where it belongs to its position''s history, as in a '
    'restore. Errors: ZE002 for an unknown position; ZE401; ZE403 while a key is signed in; ZE501 for a record that '
    'does not belong there.';

CREATE FUNCTION escrowgrid.refuse_change() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'escrowgrid_refuse_change';
COMMENT ON FUNCTION escrowgrid.refuse_change() IS
    'Trigger: refuses the operation. Two operations pass: an erasure by escrow_redact_event(), also where it is '
    'replicated to, and the deletions of escrow_purge_institution(). Errors: ZE501.';

CREATE FUNCTION escrowgrid.keep_columns() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'escrowgrid_keep_columns';
COMMENT ON FUNCTION escrowgrid.keep_columns() IS
    'Trigger: refuses an UPDATE that changes one of the columns given as arguments. Errors: ZE501.';

CREATE FUNCTION escrowgrid.guard_currency() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'escrowgrid_guard_currency';
COMMENT ON FUNCTION escrowgrid.guard_currency() IS
    'Trigger: refuses to insert a currency as built in, and to change or delete one that is built in or that positions '
    'use. Errors: ZE501.';

CREATE TRIGGER escrowgrid_decide BEFORE INSERT OR UPDATE ON escrowgrid.positions
    FOR EACH ROW EXECUTE FUNCTION escrowgrid.decide_position();
COMMENT ON TRIGGER escrowgrid_decide ON escrowgrid.positions IS
    'Decides a raw INSERT or UPDATE by the rules of the functions.';
CREATE TRIGGER escrowgrid_record AFTER INSERT OR UPDATE ON escrowgrid.positions
    FOR EACH ROW EXECUTE FUNCTION escrowgrid.record_position();
COMMENT ON TRIGGER escrowgrid_record ON escrowgrid.positions IS 'Writes the records of a raw INSERT or UPDATE.';
CREATE TRIGGER escrowgrid_refuse_delete BEFORE DELETE ON escrowgrid.positions
    FOR EACH ROW EXECUTE FUNCTION escrowgrid.refuse_change();
COMMENT ON TRIGGER escrowgrid_refuse_delete ON escrowgrid.positions IS 'Positions are never deleted.';
CREATE TRIGGER escrowgrid_refuse_truncate BEFORE TRUNCATE ON escrowgrid.positions
    FOR EACH STATEMENT EXECUTE FUNCTION escrowgrid.refuse_change();
COMMENT ON TRIGGER escrowgrid_refuse_truncate ON escrowgrid.positions IS 'The table is never truncated.';
ALTER TABLE escrowgrid.positions ENABLE ALWAYS TRIGGER escrowgrid_decide;
ALTER TABLE escrowgrid.positions ENABLE ALWAYS TRIGGER escrowgrid_record;
ALTER TABLE escrowgrid.positions ENABLE ALWAYS TRIGGER escrowgrid_refuse_delete;
ALTER TABLE escrowgrid.positions ENABLE ALWAYS TRIGGER escrowgrid_refuse_truncate;

CREATE TRIGGER escrowgrid_check BEFORE INSERT ON escrowgrid.position_events
    FOR EACH ROW EXECUTE FUNCTION escrowgrid.check_record();
COMMENT ON TRIGGER escrowgrid_check ON escrowgrid.position_events IS
    'Accepts records inserted by hand only as part of a restore.';
CREATE TRIGGER escrowgrid_refuse_change BEFORE UPDATE OR DELETE ON escrowgrid.position_events
    FOR EACH ROW EXECUTE FUNCTION escrowgrid.refuse_change();
COMMENT ON TRIGGER escrowgrid_refuse_change ON escrowgrid.position_events IS 'Records are never changed or deleted.';
CREATE TRIGGER escrowgrid_refuse_truncate BEFORE TRUNCATE ON escrowgrid.position_events
    FOR EACH STATEMENT EXECUTE FUNCTION escrowgrid.refuse_change();
COMMENT ON TRIGGER escrowgrid_refuse_truncate ON escrowgrid.position_events IS 'The table is never truncated.';
ALTER TABLE escrowgrid.position_events ENABLE ALWAYS TRIGGER escrowgrid_check;
ALTER TABLE escrowgrid.position_events ENABLE ALWAYS TRIGGER escrowgrid_refuse_change;
ALTER TABLE escrowgrid.position_events ENABLE ALWAYS TRIGGER escrowgrid_refuse_truncate;

CREATE TRIGGER escrowgrid_check BEFORE INSERT ON escrowgrid.ledger_events
    FOR EACH ROW EXECUTE FUNCTION escrowgrid.check_record();
COMMENT ON TRIGGER escrowgrid_check ON escrowgrid.ledger_events IS
    'Accepts records inserted by hand only as part of a restore.';
CREATE TRIGGER escrowgrid_refuse_change BEFORE UPDATE OR DELETE ON escrowgrid.ledger_events
    FOR EACH ROW EXECUTE FUNCTION escrowgrid.refuse_change();
COMMENT ON TRIGGER escrowgrid_refuse_change ON escrowgrid.ledger_events IS 'Records are never changed or deleted.';
CREATE TRIGGER escrowgrid_refuse_truncate BEFORE TRUNCATE ON escrowgrid.ledger_events
    FOR EACH STATEMENT EXECUTE FUNCTION escrowgrid.refuse_change();
COMMENT ON TRIGGER escrowgrid_refuse_truncate ON escrowgrid.ledger_events IS 'The table is never truncated.';
ALTER TABLE escrowgrid.ledger_events ENABLE ALWAYS TRIGGER escrowgrid_check;
ALTER TABLE escrowgrid.ledger_events ENABLE ALWAYS TRIGGER escrowgrid_refuse_change;
ALTER TABLE escrowgrid.ledger_events ENABLE ALWAYS TRIGGER escrowgrid_refuse_truncate;

CREATE TRIGGER escrowgrid_check BEFORE INSERT ON escrowgrid.audit_events
    FOR EACH ROW EXECUTE FUNCTION escrowgrid.check_record();
COMMENT ON TRIGGER escrowgrid_check ON escrowgrid.audit_events IS
    'Accepts records inserted by hand only as part of a restore.';
CREATE TRIGGER escrowgrid_refuse_change BEFORE UPDATE OR DELETE ON escrowgrid.audit_events
    FOR EACH ROW EXECUTE FUNCTION escrowgrid.refuse_change();
COMMENT ON TRIGGER escrowgrid_refuse_change ON escrowgrid.audit_events IS 'Records are never changed or deleted.';
CREATE TRIGGER escrowgrid_refuse_truncate BEFORE TRUNCATE ON escrowgrid.audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION escrowgrid.refuse_change();
COMMENT ON TRIGGER escrowgrid_refuse_truncate ON escrowgrid.audit_events IS 'The table is never truncated.';
ALTER TABLE escrowgrid.audit_events ENABLE ALWAYS TRIGGER escrowgrid_check;
ALTER TABLE escrowgrid.audit_events ENABLE ALWAYS TRIGGER escrowgrid_refuse_change;
ALTER TABLE escrowgrid.audit_events ENABLE ALWAYS TRIGGER escrowgrid_refuse_truncate;

CREATE TRIGGER escrowgrid_keep_columns BEFORE UPDATE ON escrowgrid.institutions
    FOR EACH ROW EXECUTE FUNCTION escrowgrid.keep_columns('id', 'created_at');
COMMENT ON TRIGGER escrowgrid_keep_columns ON escrowgrid.institutions IS
    'Refuses changes to columns that identify the row or that other rows depend on.';
CREATE TRIGGER escrowgrid_keep_columns BEFORE UPDATE ON escrowgrid.asset_templates
    FOR EACH ROW EXECUTE FUNCTION escrowgrid.keep_columns(
        'id', 'institution_id', 'code', 'vertical', 'region', 'config', 'created_at');
COMMENT ON TRIGGER escrowgrid_keep_columns ON escrowgrid.asset_templates IS
    'Refuses changes to columns that identify the row or that other rows depend on.';
CREATE TRIGGER escrowgrid_keep_columns BEFORE UPDATE ON escrowgrid.assets
    FOR EACH ROW EXECUTE FUNCTION escrowgrid.keep_columns('id', 'institution_id', 'template_id', 'created_at');
COMMENT ON TRIGGER escrowgrid_keep_columns ON escrowgrid.assets IS
    'Refuses changes to columns that identify the row or that other rows depend on.';
CREATE TRIGGER escrowgrid_keep_columns BEFORE UPDATE ON escrowgrid.institution_policies
    FOR EACH ROW EXECUTE FUNCTION escrowgrid.keep_columns('id', 'institution_id', 'region', 'created_at');
COMMENT ON TRIGGER escrowgrid_keep_columns ON escrowgrid.institution_policies IS
    'Refuses changes to columns that identify the row or that other rows depend on.';
CREATE TRIGGER escrowgrid_keep_columns BEFORE UPDATE ON escrowgrid.api_keys
    FOR EACH ROW EXECUTE FUNCTION escrowgrid.keep_columns('id', 'institution_id', 'key_hash', 'role', 'created_at');
COMMENT ON TRIGGER escrowgrid_keep_columns ON escrowgrid.api_keys IS
    'Refuses changes to columns that identify the row or that other rows depend on.';
ALTER TABLE escrowgrid.institutions ENABLE ALWAYS TRIGGER escrowgrid_keep_columns;
ALTER TABLE escrowgrid.asset_templates ENABLE ALWAYS TRIGGER escrowgrid_keep_columns;
ALTER TABLE escrowgrid.assets ENABLE ALWAYS TRIGGER escrowgrid_keep_columns;
ALTER TABLE escrowgrid.institution_policies ENABLE ALWAYS TRIGGER escrowgrid_keep_columns;
ALTER TABLE escrowgrid.api_keys ENABLE ALWAYS TRIGGER escrowgrid_keep_columns;

CREATE TRIGGER escrowgrid_guard BEFORE INSERT OR UPDATE OR DELETE ON escrowgrid.currencies
    FOR EACH ROW EXECUTE FUNCTION escrowgrid.guard_currency();
COMMENT ON TRIGGER escrowgrid_guard ON escrowgrid.currencies IS
    'Refuses changes to currencies that are built in or in use.';
CREATE TRIGGER escrowgrid_refuse_truncate BEFORE TRUNCATE ON escrowgrid.currencies
    FOR EACH STATEMENT EXECUTE FUNCTION escrowgrid.refuse_change();
COMMENT ON TRIGGER escrowgrid_refuse_truncate ON escrowgrid.currencies IS 'The table is never truncated.';
ALTER TABLE escrowgrid.currencies ENABLE ALWAYS TRIGGER escrowgrid_guard;
ALTER TABLE escrowgrid.currencies ENABLE ALWAYS TRIGGER escrowgrid_refuse_truncate;
