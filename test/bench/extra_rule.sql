-- A rule on audit_events: the ordinary way.
CREATE RULE user_rule AS ON INSERT TO escrowgrid.audit_events DO ALSO NOTIFY audited;
