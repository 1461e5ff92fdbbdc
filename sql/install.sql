-- CREATE EXTENSION makes the schema escrowgrid and everything in it.
SET client_min_messages = warning;

-- CREATE EXTENSION refuses a schema escrowgrid that holds objects or belongs to another role. The owner of a schema
-- could drop the extension.
CREATE SCHEMA escrowgrid;
CREATE TABLE escrowgrid.positions (id int);
CREATE EXTENSION escrowgrid;
DROP SCHEMA escrowgrid CASCADE;
CREATE ROLE regress_escrowgrid_squatter;
CREATE SCHEMA escrowgrid AUTHORIZATION regress_escrowgrid_squatter;
CREATE EXTENSION escrowgrid;
DROP SCHEMA escrowgrid;
DROP ROLE regress_escrowgrid_squatter;

-- The library and the SQL have the same version. The extension cannot be moved to another schema.
CREATE EXTENSION escrowgrid;
SELECT extversion = escrowgrid.escrow_version() AS same_version, n.nspname, x.extrelocatable
FROM pg_extension AS x JOIN pg_namespace AS n ON n.oid = x.extnamespace WHERE x.extname = 'escrowgrid';
ALTER EXTENSION escrowgrid SET SCHEMA public;

-- Which tables have row-level security, and which of them pg_dump dumps with their rows.
SELECT c.relname, c.relkind, c.relrowsecurity, c.relforcerowsecurity, c.oid = ANY (x.extconfig) AS dumped
FROM pg_class AS c, pg_extension AS x
WHERE c.relnamespace = 'escrowgrid'::regnamespace AND c.relkind IN ('r', 'v') AND x.extname = 'escrowgrid'
ORDER BY c.relname;

-- The currencies of ISO 4217 are there with their exponents.
SELECT count(*) FILTER (WHERE builtin) > 150 AS many, count(*) FILTER (WHERE NOT builtin) AS own
FROM escrowgrid.currencies;
SELECT code, exponent FROM escrowgrid.currencies WHERE code IN ('USD', 'JPY', 'BHD', 'CLF', 'EUR') ORDER BY code;

-- The following tests use these rows. Their ids are fixed, so that the expected outputs can contain them.
SET search_path = escrowgrid, public;
INSERT INTO institutions (id, name, regions, verticals, created_at, updated_at) VALUES
    ('inst_acme', 'Acme Escrow', '{US,SG}', '{CONSTRUCTION,TRADE_FINANCE}', now(), now()),
    ('inst_other', 'Other Escrow', '{UAE}', '{CONSTRUCTION}', now(), now());
INSERT INTO asset_templates (id, institution_id, code, name, vertical, region, config, created_at, updated_at) VALUES
    ('tmpl_acme', 'inst_acme', 'CONSTR_ESCROW', 'Escrow', 'CONSTRUCTION', 'US', '{"currency": "USD"}', now(), now()),
    ('tmpl_other', 'inst_other', 'CONSTR_ESCROW', 'Escrow', 'CONSTRUCTION', 'UAE', '{"currency": "USD"}', now(), now());
INSERT INTO assets (id, institution_id, template_id, label, created_at, updated_at) VALUES
    ('ast_acme', 'inst_acme', 'tmpl_acme', 'Tower', now(), now()),
    ('ast_other', 'inst_other', 'tmpl_other', 'Pier', now(), now());

-- An asset cannot use the template of another institution.
INSERT INTO assets (id, institution_id, template_id, label, created_at, updated_at)
VALUES ('ast_stolen', 'inst_other', 'tmpl_acme', 'Tower', now(), now());

-- A new installation is healthy.
SELECT * FROM escrow_health();
