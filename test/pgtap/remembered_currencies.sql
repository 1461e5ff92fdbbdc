-- A backend remembers built-in currencies. It forgets them when the definition of the table changes, which is how the
-- triggers that protect built-in currencies can be switched off.
BEGIN;
SELECT no_plan();

\set suffix cur
\ir include/known_ids.psql

SELECT lives_ok(
    $$SELECT escrowgrid.escrow_create_position('ast_cur', 'h', 'JPY', 5)$$,
    'a position in JPY is created, and the backend remembers the currency'
);
SELECT throws_ok(
    $$SELECT escrowgrid.escrow_create_position('ast_cur', 'h', 'JPY', 5.5)$$, 'ZE301', NULL,
    'JPY has no decimals, so 5.5 is refused'
);

ALTER TABLE escrowgrid.currencies DISABLE TRIGGER USER;
UPDATE escrowgrid.currencies SET exponent = 1 WHERE code = 'JPY';
ALTER TABLE escrowgrid.currencies ENABLE ALWAYS TRIGGER escrowgrid_guard;
ALTER TABLE escrowgrid.currencies ENABLE ALWAYS TRIGGER escrowgrid_refuse_truncate;

SELECT lives_ok(
    $$SELECT escrowgrid.escrow_create_position('ast_cur', 'h', 'JPY', 5.5)$$,
    'after a change of a built-in currency, made with the triggers switched off, the backend knows the new exponent'
);

SELECT * FROM finish();
ROLLBACK;
