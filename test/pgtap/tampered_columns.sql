-- Columns whose definition a superuser has changed: the functions go on, or say what is wrong.
BEGIN;
SELECT no_plan();

\set suffix col
\ir include/known_ids.psql

-- --- amounts with a type modifier, which are written by SPI and stored with more decimals
SAVEPOINT before;
SET LOCAL escrowgrid.allow_drop = on;
ALTER EXTENSION escrowgrid DROP VIEW escrowgrid.balances;
DROP VIEW escrowgrid.balances;
ALTER TABLE escrowgrid.positions
    ALTER COLUMN amount TYPE numeric(30, 4),
    ALTER COLUMN released_amount TYPE numeric(30, 4),
    ALTER COLUMN refunded_amount TYPE numeric(30, 4);
SELECT lives_ok(
    $$SELECT escrowgrid.escrow_create_position('ast_col', 'h', 'USD', 12.34)$$,
    'a position is created where a type modifier adds decimals to its amount'
);
SELECT is(
    (SELECT (t.state, t.released_amount)::text FROM escrowgrid.escrow_transition(
        (SELECT id FROM escrowgrid.positions WHERE asset_id = 'ast_col'), 'FUNDED') AS t),
    '(FUNDED,0.0000)',
    'a position is moved where a type modifier adds decimals to its amounts'
);
ROLLBACK TO before;

-- --- a template whose config is NULL
ALTER TABLE escrowgrid.asset_templates ALTER COLUMN config DROP NOT NULL;
ALTER TABLE escrowgrid.asset_templates DISABLE TRIGGER USER;
UPDATE escrowgrid.asset_templates SET config = NULL WHERE id = 'tmpl_col';
SELECT throws_ok(
    $$SELECT escrowgrid.escrow_create_position('ast_col', 'h', 'USD', 12.34)$$, '23502',
    'the config of an asset template is NULL',
    'a creation under a template whose config is NULL is refused'
);
ROLLBACK TO before;

-- --- an institution whose regions are NULL
ALTER TABLE escrowgrid.institutions ALTER COLUMN regions DROP NOT NULL;
ALTER TABLE escrowgrid.institutions DISABLE TRIGGER USER;
UPDATE escrowgrid.institutions SET regions = NULL WHERE id = 'inst_col';
SELECT throws_ok(
    $$SELECT escrowgrid.escrow_set_policy('inst_col', 'US', '{}')$$, 'ZE001', NULL,
    'a policy of an institution whose regions are NULL is refused: the institution acts in no region'
);
ROLLBACK TO before;

-- --- users' columns with names of another record's columns
ALTER TABLE escrowgrid.ledger_events ADD COLUMN seq bigint GENERATED ALWAYS AS IDENTITY;
ALTER TABLE escrowgrid.audit_events ADD COLUMN previous_state text;
SELECT lives_ok(
    $$INSERT INTO escrowgrid.positions (asset_id, holder_reference, currency, amount) VALUES ('ast_col', 'h', 'USD', 1)$$,
    'a raw INSERT works where record tables have users'' columns with names of another record''s columns'
);
SELECT lives_ok(
    $$SELECT escrowgrid.escrow_create_institution('Another', '{US}')$$,
    'an institution is created where audit_events has a user''s column with the name of another record''s column'
);
ROLLBACK TO before;

-- --- columns of another type, which values cannot be read from
SET LOCAL escrowgrid.allow_drop = on;
ALTER EXTENSION escrowgrid DROP VIEW escrowgrid.balances;
DROP VIEW escrowgrid.balances;
ALTER TABLE escrowgrid.positions ALTER COLUMN created_at TYPE text;
SELECT throws_ok(
    $$SELECT escrowgrid.escrow_create_position('ast_col', 'h', 'USD', 12.34)$$, '42804',
    'column "created_at" of table "positions" has type text, but escrowgrid needs timestamp with time zone',
    'a creation is refused where the type of a column of positions was changed from a time to text'
);
ROLLBACK TO before;

-- --- wider integers, whose values could be truncated when they are read
SELECT state FROM escrowgrid.escrow_create_position('ast_col', 'h', 'USD', 12.34) \g /dev/null
ALTER TABLE escrowgrid.position_events ALTER COLUMN seq TYPE bigint;
SELECT throws_ok(
    'SELECT * FROM escrowgrid.escrow_verify()', '42804',
    'column "seq" of table "position_events" has type bigint, but escrowgrid needs integer',
    'escrow_verify() reads no sequence numbers from a column that was changed to bigint'
);
ROLLBACK TO before;
SELECT id FROM escrowgrid.escrow_create_position('ast_col', 'h', 'USD', 12.34) \g /dev/null
SELECT number FROM escrowgrid.escrow_checkpoint() \g /dev/null
ALTER TABLE escrowgrid.checkpoint_heads DISABLE TRIGGER USER;
ALTER TABLE escrowgrid.checkpoint_heads ALTER COLUMN version TYPE bigint;
UPDATE escrowgrid.checkpoint_heads SET version = 4294967298;
SELECT throws_ok(
    $$SELECT * FROM escrowgrid.escrow_verify('inst_col')$$, '42804',
    'column "version" of a query has type bigint, but escrowgrid needs integer',
    'escrow_verify() reads no versions from a column of checkpoint_heads that was changed to bigint'
);
ROLLBACK TO before;
ALTER TABLE escrowgrid.checkpoints ALTER COLUMN number TYPE numeric;
SELECT throws_ok(
    'SELECT escrowgrid.escrow_checkpoint()', '42804',
    'column "number" of a query has type numeric, but escrowgrid needs bigint',
    'a checkpoint is refused where the type of its number was changed to numeric'
);
ROLLBACK TO before;

-- --- columns that statements of their own read: lists, sums, a position at a time, the policy under its lock
SELECT id AS position_id FROM escrowgrid.escrow_create_position('ast_col', 'h', 'USD', 12) \gset
SELECT id AS key_id FROM escrowgrid.escrow_create_api_key('inst_col', 'L', 'admin') \gset
SELECT id AS policy_id
FROM escrowgrid.escrow_set_policy('inst_col', 'US', '{"position": {"maxOpenAmount": {"USD": 1000}}}')
\gset
SET LOCAL escrowgrid.allow_drop = on;
ALTER EXTENSION escrowgrid DROP VIEW escrowgrid.balances;
DROP VIEW escrowgrid.balances;
SAVEPOINT changed;
ALTER TABLE escrowgrid.api_keys ALTER COLUMN created_at TYPE text;
SELECT throws_ok(
    'SELECT * FROM escrowgrid.escrow_list_api_keys()', '42804',
    'column "created_at" of a query has type text, but escrowgrid needs timestamp with time zone',
    'escrow_list_api_keys() reads no times from a column that was changed to text'
);
ROLLBACK TO changed;
ALTER TABLE escrowgrid.positions ALTER COLUMN amount TYPE integer;
SELECT throws_ok(
    format('SELECT * FROM escrowgrid.escrow_position_at(%L, now())', :'position_id'), '42804', NULL,
    'escrow_position_at() reads no amount from a column that was changed to integer'
);
ALTER TABLE escrowgrid.positions
    ALTER COLUMN released_amount TYPE integer,
    ALTER COLUMN refunded_amount TYPE integer;
SELECT throws_ok(
    $$SELECT escrowgrid.escrow_create_position('ast_col', 'h', 'USD', 12)$$, '42804', NULL,
    'the exposure is not summed up from amounts whose columns were changed to integer'
);
ROLLBACK TO before;

-- --- a column that must not change, under another name
ALTER TABLE escrowgrid.institutions RENAME COLUMN created_at TO began_at;
SELECT throws_ok(
    $$UPDATE escrowgrid.institutions SET began_at = now() + interval '1 day' WHERE id = 'inst_col'$$, '42703',
    'table "institutions" has no column "created_at"',
    'a raw UPDATE is refused where a column that must not change was renamed'
);
ROLLBACK TO before;

-- --- columns of other types whose values are stored alike
CREATE DOMAIN pg_temp.note AS text CHECK (length(VALUE) < 100);
ALTER TABLE escrowgrid.position_events ALTER COLUMN reason TYPE pg_temp.note;
ALTER TABLE escrowgrid.assets ALTER COLUMN label TYPE varchar(100);
SELECT lives_ok(
    $$SELECT escrowgrid.escrow_transition(id, 'FUNDED', reason => 'paid')
        FROM escrowgrid.escrow_create_position('ast_col', 'h', 'USD', 12.34)$$,
    'a position is created and funded where a text column has a domain as its type and another one is a varchar'
);
SELECT is_empty(
    'SELECT * FROM escrowgrid.escrow_verify()',
    'escrow_verify() reads a text column whose type is a domain'
);
ROLLBACK TO before;

SELECT is_empty(
    'SELECT * FROM escrowgrid.escrow_verify()',
    'escrow_verify() finds nothing wrong after the definitions have been restored'
);
SELECT * FROM finish();
ROLLBACK;
