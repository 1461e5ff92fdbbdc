-- Rights, after all objects exist: PUBLIC has none. Row-level security is enabled but not forced, so that a dump by the
-- tables' owner is complete. Other roles see no row of a table that has no policy.

ALTER TABLE escrowgrid.currencies ENABLE ROW LEVEL SECURITY;
ALTER TABLE escrowgrid.institutions ENABLE ROW LEVEL SECURITY;
ALTER TABLE escrowgrid.asset_templates ENABLE ROW LEVEL SECURITY;
ALTER TABLE escrowgrid.assets ENABLE ROW LEVEL SECURITY;
ALTER TABLE escrowgrid.positions ENABLE ROW LEVEL SECURITY;
ALTER TABLE escrowgrid.position_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE escrowgrid.ledger_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE escrowgrid.institution_policies ENABLE ROW LEVEL SECURITY;
ALTER TABLE escrowgrid.api_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE escrowgrid.audit_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE escrowgrid.checkpoints ENABLE ROW LEVEL SECURITY;
ALTER TABLE escrowgrid.checkpoint_heads ENABLE ROW LEVEL SECURITY;
ALTER TABLE escrowgrid.idempotency_keys ENABLE ROW LEVEL SECURITY;

REVOKE ALL ON ALL TABLES IN SCHEMA escrowgrid FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA escrowgrid FROM PUBLIC;
