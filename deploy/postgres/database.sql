-- What only an administrator may do in the database of the vault: run it with psql once roles.sql has run, before the first
-- migration. It can be run again.
--
--   psql -c 'CREATE DATABASE contextvault OWNER vault_owner' postgres
--   psql -f database.sql contextvault
\set ON_ERROR_STOP on

CREATE EXTENSION IF NOT EXISTS vector;
ALTER SCHEMA public OWNER TO vault_owner;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;

-- Tables that an administrator has migrated go over to the owner, as those of releases in which one login did all.
SELECT format('ALTER TABLE public.%I OWNER TO vault_owner', c.relname)
FROM pg_class c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relowner <> 'vault_owner'::regrole
\gexec
SELECT format('ALTER ROUTINE %s OWNER TO vault_owner', p.oid::regprocedure)
FROM pg_proc p
WHERE p.pronamespace = 'public'::regnamespace AND p.proowner <> 'vault_owner'::regrole
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
\gexec
