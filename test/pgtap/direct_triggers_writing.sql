-- Users' AFTER ROW triggers that raise, that are rolled back and that call the extension's functions, by both ways of
-- writing.
BEGIN;
SET search_path = public;
SELECT no_plan();
\ir include/triggers.psql

\set way auto
\ir include/triggers_writing.psql
\set way ordinary
\ir include/triggers_writing.psql

SELECT is_empty('SELECT * FROM escrowgrid.escrow_verify()',
    'escrow_verify() finds nothing wrong after the cases of both ways of writing');
SELECT * FROM finish();
ROLLBACK;
