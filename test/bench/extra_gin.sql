-- A GIN index on ledger_events.payload.
CREATE INDEX user_payload ON escrowgrid.ledger_events USING gin (payload);
