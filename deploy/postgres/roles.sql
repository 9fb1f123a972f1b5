-- The roles and logins of the vault on a PostgreSQL server. An administrator runs it with psql before the first migration, and
-- before a dump is restored into a new cluster. It can be run again: it creates what is missing, and sets the passwords.
--
--   psql -v owner_password=… -v app_password=… -v system_password=… -v hatchet_password=… -f roles.sql postgres
--
-- vault_app     sees the rows of one tenant at a time       vault_system  sees the rows of all tenants: sweeps, relay, purge
-- vault_owner         owns the tables and migrates: MIGRATE_DATABASE_URL
-- vault_app_login     may become vault_app and nothing else: DATABASE_URL
-- vault_system_login  may become vault_system and nothing else: SYSTEM_DATABASE_URL
-- hatchet             owns the database of the workflow engine, and nothing of the vault
\set ON_ERROR_STOP on

SELECT format('CREATE ROLE %I %s', name, can)
FROM (VALUES
    ('vault_app', 'NOLOGIN'), ('vault_system', 'NOLOGIN'),
    ('vault_owner', 'LOGIN'), ('vault_app_login', 'LOGIN NOINHERIT'), ('vault_system_login', 'LOGIN NOINHERIT'),
    ('hatchet', 'LOGIN')
) AS roles (name, can)
WHERE name NOT IN (SELECT rolname FROM pg_roles)
\gexec

ALTER ROLE vault_owner PASSWORD :'owner_password';
ALTER ROLE vault_app_login PASSWORD :'app_password';
ALTER ROLE vault_system_login PASSWORD :'system_password';
ALTER ROLE hatchet PASSWORD :'hatchet_password';

GRANT vault_app TO vault_app_login;
GRANT vault_system TO vault_system_login;
