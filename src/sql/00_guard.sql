-- escrowgrid installation script: assembled from src/sql by make; edit there.
\echo Use "CREATE EXTENSION escrowgrid" to load this file. \quit

-- Another role that owns the schema could drop everything in it, and an object that is in it already could take the
-- place of one of the extension's. Both are refused before the first object is created.
DO $guard$
DECLARE
    schema_owner pg_catalog.oid;
    foreign_objects pg_catalog.int8;
BEGIN
    SELECT n.nspowner INTO STRICT schema_owner
    FROM pg_catalog.pg_namespace AS n
    WHERE n.nspname OPERATOR(pg_catalog.=) 'escrowgrid';

    IF schema_owner OPERATOR(pg_catalog.<>) (
        SELECT r.oid FROM pg_catalog.pg_roles AS r WHERE r.rolname OPERATOR(pg_catalog.=) CURRENT_USER
    ) THEN
        RAISE EXCEPTION 'schema escrowgrid belongs to another role'
            USING ERRCODE = 'invalid_schema_name',
                  DETAIL = 'The owner of the schema could drop the extension and its records.',
                  HINT = 'Drop the schema, or give it to the role that creates the extension.';
    END IF;

    SELECT pg_catalog.count(*) INTO STRICT foreign_objects
    FROM pg_catalog.pg_depend AS d
    WHERE d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_namespace'::pg_catalog.regclass
      AND d.refobjid OPERATOR(pg_catalog.=) 'escrowgrid'::pg_catalog.regnamespace
      AND d.deptype OPERATOR(pg_catalog.=) 'n'
      AND d.classid OPERATOR(pg_catalog.<>) 'pg_catalog.pg_extension'::pg_catalog.regclass;
    IF foreign_objects OPERATOR(pg_catalog.>) 0 THEN
        RAISE EXCEPTION 'schema escrowgrid already holds objects'
            USING ERRCODE = 'duplicate_object',
                  DETAIL = pg_catalog.format('%s objects were found in it.', foreign_objects),
                  HINT = 'Move them away or drop them, then create the extension again.';
    END IF;

    IF pg_catalog.current_setting('server_encoding') OPERATOR(pg_catalog.<>) 'UTF8' THEN
        RAISE EXCEPTION 'escrowgrid needs a database with encoding UTF8'
            USING ERRCODE = 'feature_not_supported',
                  DETAIL = pg_catalog.format('This database has encoding %s.',
                                             pg_catalog.current_setting('server_encoding')),
                  HINT = 'The hash chain is defined over UTF-8 bytes; create the database with ENCODING ''UTF8''.';
    END IF;
END
$guard$;

COMMENT ON SCHEMA escrowgrid IS
    'escrowgrid: escrow positions, their lifecycle and their records. Call the escrow_* functions to change anything; '
    'read the tables.';
