-- Users' AFTER ROW triggers fire once for each row, after all rows of the call are written, by both ways of writing.
BEGIN;
SET search_path = public;
SELECT no_plan();
\ir include/triggers.psql

\set way auto
\ir include/triggers_firing.psql
\set way ordinary
\ir include/triggers_firing.psql

SELECT is_empty('SELECT * FROM escrowgrid.escrow_verify()',
    'escrow_verify() finds nothing wrong after the cases of both ways of writing');
SELECT * FROM finish();
ROLLBACK;
