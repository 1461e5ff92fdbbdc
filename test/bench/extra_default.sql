-- A column with a default on positions, and one on ledger_events.
ALTER TABLE escrowgrid.positions ADD COLUMN branch text NOT NULL DEFAULT current_user;
ALTER TABLE escrowgrid.ledger_events ADD COLUMN written_by text NOT NULL DEFAULT current_user;
