-- Row-level security: roles other than the owner see the rows of the institution that is signed in, and cannot write.
-- The sub-select is evaluated once per query, so that an index can be searched for its result.

CREATE POLICY tenant_reads ON escrowgrid.institutions FOR SELECT
    USING (id = (SELECT escrowgrid.escrow_current_institution_id()));
COMMENT ON POLICY tenant_reads ON escrowgrid.institutions IS 'A signed-in key sees its own institution.';
CREATE POLICY everyone_reads ON escrowgrid.currencies FOR SELECT
    USING (true);
COMMENT ON POLICY everyone_reads ON escrowgrid.currencies IS
    'Every role sees currencies, because they belong to no institution.';
CREATE POLICY tenant_reads ON escrowgrid.asset_templates FOR SELECT
    USING (institution_id = (SELECT escrowgrid.escrow_current_institution_id()));
COMMENT ON POLICY tenant_reads ON escrowgrid.asset_templates IS 'A signed-in key sees the rows of its institution.';
CREATE POLICY tenant_reads ON escrowgrid.assets FOR SELECT
    USING (institution_id = (SELECT escrowgrid.escrow_current_institution_id()));
COMMENT ON POLICY tenant_reads ON escrowgrid.assets IS 'A signed-in key sees the rows of its institution.';
CREATE POLICY tenant_reads ON escrowgrid.positions FOR SELECT
    USING (institution_id = (SELECT escrowgrid.escrow_current_institution_id()));
COMMENT ON POLICY tenant_reads ON escrowgrid.positions IS 'A signed-in key sees the rows of its institution.';
CREATE POLICY tenant_reads ON escrowgrid.position_events FOR SELECT
    USING (institution_id = (SELECT escrowgrid.escrow_current_institution_id()));
COMMENT ON POLICY tenant_reads ON escrowgrid.position_events IS 'A signed-in key sees the rows of its institution.';
CREATE POLICY tenant_reads ON escrowgrid.ledger_events FOR SELECT
    USING (institution_id = (SELECT escrowgrid.escrow_current_institution_id()));
COMMENT ON POLICY tenant_reads ON escrowgrid.ledger_events IS 'A signed-in key sees the rows of its institution.';
CREATE POLICY tenant_reads ON escrowgrid.institution_policies FOR SELECT
    USING (institution_id = (SELECT escrowgrid.escrow_current_institution_id()));
COMMENT ON POLICY tenant_reads ON escrowgrid.institution_policies IS
    'A signed-in key sees the rows of its institution.';
CREATE POLICY tenant_reads ON escrowgrid.api_keys FOR SELECT
    USING (institution_id = (SELECT escrowgrid.escrow_current_institution_id()));
COMMENT ON POLICY tenant_reads ON escrowgrid.api_keys IS 'A signed-in key sees the rows of its institution.';
CREATE POLICY tenant_reads ON escrowgrid.audit_events FOR SELECT
    USING (institution_id = (SELECT escrowgrid.escrow_current_institution_id()));
COMMENT ON POLICY tenant_reads ON escrowgrid.audit_events IS 'A signed-in key sees the rows of its institution.';
