-- Triggers hold raw DML to the rules of the functions. They are ENABLE ALWAYS: in the replica role
-- they refuse what contradicts itself and record nothing.

CREATE FUNCTION escrowgrid.decide_position() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'escrowgrid_decide_position';
COMMENT ON FUNCTION escrowgrid.decide_position() IS
    'Trigger: decides a raw INSERT or UPDATE of a position as the functions would, or refuses it.';

CREATE FUNCTION escrowgrid.record_position() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'escrowgrid_record_position';
COMMENT ON FUNCTION escrowgrid.record_position() IS
    'Trigger: checks that a raw change was written as decided, and writes its event, ledger and audit rows.';

CREATE FUNCTION escrowgrid.check_record() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'escrowgrid_check_record';
COMMENT ON FUNCTION escrowgrid.check_record() IS
    'Trigger: takes a record inserted by hand only where it belongs to its position''s history, as a restore brings it.';

CREATE FUNCTION escrowgrid.refuse_change() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'escrowgrid_refuse_change';
COMMENT ON FUNCTION escrowgrid.refuse_change() IS 'Trigger: refuses the operation with ZE501.';

CREATE FUNCTION escrowgrid.keep_columns() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'escrowgrid_keep_columns';
COMMENT ON FUNCTION escrowgrid.keep_columns() IS
    'Trigger: refuses with ZE501 an UPDATE that changes one of the columns it is given.';

CREATE FUNCTION escrowgrid.guard_currency() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'escrowgrid_guard_currency';
COMMENT ON FUNCTION escrowgrid.guard_currency() IS
    'Trigger: refuses with ZE501 a change to a built-in currency or to one that positions use.';

CREATE TRIGGER escrowgrid_decide BEFORE INSERT OR UPDATE ON escrowgrid.positions
    FOR EACH ROW EXECUTE FUNCTION escrowgrid.decide_position();
COMMENT ON TRIGGER escrowgrid_decide ON escrowgrid.positions IS 'Decides a raw INSERT or UPDATE as the functions would.';
CREATE TRIGGER escrowgrid_record AFTER INSERT OR UPDATE ON escrowgrid.positions
    FOR EACH ROW EXECUTE FUNCTION escrowgrid.record_position();
COMMENT ON TRIGGER escrowgrid_record ON escrowgrid.positions IS 'Records a raw INSERT or UPDATE as the functions would.';
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
COMMENT ON TRIGGER escrowgrid_check ON escrowgrid.position_events IS 'Takes records inserted by hand only as a restore.';
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
COMMENT ON TRIGGER escrowgrid_check ON escrowgrid.ledger_events IS 'Takes records inserted by hand only as a restore.';
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
COMMENT ON TRIGGER escrowgrid_check ON escrowgrid.audit_events IS 'Takes records inserted by hand only as a restore.';
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
COMMENT ON TRIGGER escrowgrid_keep_columns ON escrowgrid.institutions IS 'What identifies the row and what others build on stays.';
CREATE TRIGGER escrowgrid_keep_columns BEFORE UPDATE ON escrowgrid.asset_templates
    FOR EACH ROW EXECUTE FUNCTION escrowgrid.keep_columns(
        'id', 'institution_id', 'code', 'vertical', 'region', 'config', 'created_at');
COMMENT ON TRIGGER escrowgrid_keep_columns ON escrowgrid.asset_templates IS 'What identifies the row and what others build on stays.';
CREATE TRIGGER escrowgrid_keep_columns BEFORE UPDATE ON escrowgrid.assets
    FOR EACH ROW EXECUTE FUNCTION escrowgrid.keep_columns('id', 'institution_id', 'template_id', 'created_at');
COMMENT ON TRIGGER escrowgrid_keep_columns ON escrowgrid.assets IS 'What identifies the row and what others build on stays.';
CREATE TRIGGER escrowgrid_keep_columns BEFORE UPDATE ON escrowgrid.institution_policies
    FOR EACH ROW EXECUTE FUNCTION escrowgrid.keep_columns('id', 'institution_id', 'region', 'created_at');
COMMENT ON TRIGGER escrowgrid_keep_columns ON escrowgrid.institution_policies IS 'What identifies the row and what others build on stays.';
CREATE TRIGGER escrowgrid_keep_columns BEFORE UPDATE ON escrowgrid.api_keys
    FOR EACH ROW EXECUTE FUNCTION escrowgrid.keep_columns('id', 'institution_id', 'key_hash', 'role', 'created_at');
COMMENT ON TRIGGER escrowgrid_keep_columns ON escrowgrid.api_keys IS 'What identifies the row and what others build on stays.';
ALTER TABLE escrowgrid.institutions ENABLE ALWAYS TRIGGER escrowgrid_keep_columns;
ALTER TABLE escrowgrid.asset_templates ENABLE ALWAYS TRIGGER escrowgrid_keep_columns;
ALTER TABLE escrowgrid.assets ENABLE ALWAYS TRIGGER escrowgrid_keep_columns;
ALTER TABLE escrowgrid.institution_policies ENABLE ALWAYS TRIGGER escrowgrid_keep_columns;
ALTER TABLE escrowgrid.api_keys ENABLE ALWAYS TRIGGER escrowgrid_keep_columns;

CREATE TRIGGER escrowgrid_guard BEFORE INSERT OR UPDATE OR DELETE ON escrowgrid.currencies
    FOR EACH ROW EXECUTE FUNCTION escrowgrid.guard_currency();
COMMENT ON TRIGGER escrowgrid_guard ON escrowgrid.currencies IS 'Built-in currencies and those in use never change.';
CREATE TRIGGER escrowgrid_refuse_truncate BEFORE TRUNCATE ON escrowgrid.currencies
    FOR EACH STATEMENT EXECUTE FUNCTION escrowgrid.refuse_change();
COMMENT ON TRIGGER escrowgrid_refuse_truncate ON escrowgrid.currencies IS 'The table is never truncated.';
ALTER TABLE escrowgrid.currencies ENABLE ALWAYS TRIGGER escrowgrid_guard;
ALTER TABLE escrowgrid.currencies ENABLE ALWAYS TRIGGER escrowgrid_refuse_truncate;
