-- +goose Up
-- Rule 9: a row of another tenant does not exist. FORCE applies the policies to the owner of the tables too.
-- vault_app sees the rows of the tenant in vault.tenant, and none if it is not set. vault_system sees all rows.
GRANT USAGE ON SCHEMA public TO vault_app, vault_system;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO vault_app, vault_system;
REVOKE ALL ON goose_db_version FROM vault_app, vault_system;
-- A process checks the version of the schema when it starts.
GRANT SELECT (version_id, is_applied) ON goose_db_version TO vault_system;
REVOKE INSERT, UPDATE, DELETE ON tenants, api_keys FROM vault_app;
-- The audit is append-only.
REVOKE UPDATE, DELETE ON audit_entries, audit_seals FROM vault_app, vault_system;

-- +goose StatementBegin
DO $$
DECLARE
    tab record;
BEGIN
    FOR tab IN
        SELECT c.relname, CASE c.relname WHEN 'tenants' THEN 'id' ELSE 'tenant_id' END AS col
        FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'public' AND c.relkind = 'r' AND c.relname <> 'goose_db_version'
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tab.relname);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', tab.relname);
        EXECUTE format(
            'CREATE POLICY one_tenant ON %I TO vault_app USING (%I = nullif(current_setting(''vault.tenant'', true), '''')::uuid)',
            tab.relname, tab.col);
        EXECUTE format('CREATE POLICY all_tenants ON %I TO vault_system USING (true) WITH CHECK (true)', tab.relname);
        -- Without statistics of this column PostgreSQL expects 1 in 200 rows of each tenant. With them it expects none of
        -- a tenant who came after the last ANALYZE, and then reads all rows of the tenant to find one.
        EXECUTE format('ALTER TABLE %I ALTER COLUMN %I SET STATISTICS 0', tab.relname, tab.col);
    END LOOP;
END
$$;
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
DO $$
DECLARE
    tab record;
BEGIN
    FOR tab IN
        SELECT p.tablename, p.policyname FROM pg_policies p WHERE p.schemaname = 'public' AND p.policyname IN ('one_tenant', 'all_tenants')
    LOOP
        EXECUTE format('DROP POLICY %I ON %I', tab.policyname, tab.tablename);
        EXECUTE format('ALTER TABLE %I DISABLE ROW LEVEL SECURITY', tab.tablename);
        EXECUTE format('ALTER TABLE %I NO FORCE ROW LEVEL SECURITY', tab.tablename);
    END LOOP;
END
$$;
-- +goose StatementEnd
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM vault_app, vault_system;
REVOKE USAGE ON SCHEMA public FROM vault_app, vault_system;
