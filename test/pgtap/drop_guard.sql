-- Nobody drops positions by dropping the extension, its schema or its objects, except a superuser who says so.
BEGIN;
SET search_path = public;
SELECT no_plan();
\set institution_name Evidence
\ir include/fixtures.psql
SELECT id FROM escrowgrid.escrow_create_position(:'asset_id', 'h', 'USD', 1) \gset position_

-- --- while there are positions, commands that would drop them are refused
SELECT throws_ok(command, 'ZE501', NULL, format('while there is a position, %s is refused', command))
FROM unnest(ARRAY[
    'DROP EXTENSION escrowgrid',
    'DROP EXTENSION IF EXISTS pgcrypto, escrowgrid CASCADE',
    'DROP SCHEMA escrowgrid CASCADE',
    'DROP SCHEMA IF EXISTS nothing, escrowgrid CASCADE',
    'DROP OWNED BY CURRENT_USER',
    'DROP OWNED BY SESSION_USER CASCADE',
    'ALTER EXTENSION escrowgrid DROP TABLE escrowgrid.positions',
    'ALTER EXTENSION escrowgrid DROP EVENT TRIGGER escrowgrid_guard_drop'
]) AS command;
SELECT throws_ok('DROP EVENT TRIGGER escrowgrid_guard_drop', '2BP01', NULL,
    'DROP EVENT TRIGGER for the guard is refused by PostgreSQL because it belongs to the extension');
SET LOCAL session_replication_role = replica;
SELECT throws_ok('DROP EXTENSION escrowgrid', 'ZE501', NULL,
    'while there is a position, DROP EXTENSION escrowgrid is refused with session_replication_role = replica');
SET LOCAL session_replication_role = origin;

-- --- other objects can be dropped as usual
CREATE SCHEMA regress_elsewhere;
CREATE ROLE regress_elsewhere;
SELECT lives_ok('DROP SCHEMA regress_elsewhere', 'a schema without objects of the extension can be dropped');
SELECT lives_ok('DROP OWNED BY regress_elsewhere',
    'DROP OWNED BY a role that owns nothing of the extension succeeds');

-- --- allow_drop
SET LOCAL ROLE regress_elsewhere;
SELECT throws_ok('SET escrowgrid.allow_drop = on', '42501', NULL,
    'a role that is no superuser may not set escrowgrid.allow_drop');
RESET ROLE;
SAVEPOINT before_drop;
SET LOCAL escrowgrid.allow_drop = on;
SELECT lives_ok('DROP EXTENSION escrowgrid CASCADE',
    'a superuser who has set escrowgrid.allow_drop may drop the extension while there are positions');
ROLLBACK TO before_drop;

ALTER EVENT TRIGGER escrowgrid_guard_drop DISABLE;
SELECT ok('drop_guard_disabled: event trigger escrowgrid_guard_drop' = ANY (reasons),
    'escrow_health() reports that the guard against dropping is disabled')
FROM escrowgrid.escrow_health();

SELECT * FROM finish();
ROLLBACK;
