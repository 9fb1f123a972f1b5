package db_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/contextvault/contextvault/db/dbtest"
)

func checkSame(t *testing.T, before, after dbtest.Rows) {
	t.Helper()
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("the database changed (- before, + after):\n%s", diff)
	}
}

func TestTables_RowLevelSecurity(t *testing.T) {
	t.Parallel()
	url := dbtest.URL(t)
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	type table struct {
		Name            string
		Enabled, Forced bool
		TenantIndexed   bool
		Policies        []string
	}
	rows, err := conn.Query(t.Context(), `
		SELECT
		    c.relname::text AS name, c.relrowsecurity AS enabled, c.relforcerowsecurity AS forced,
		    EXISTS (
		        SELECT 1
		        FROM pg_index i
		        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
		        WHERE i.indrelid = c.oid AND a.attname = CASE c.relname WHEN 'tenants' THEN 'id' ELSE 'tenant_id' END
		    ) AS tenant_indexed,
		    coalesce((
		        SELECT array_agg(p.policyname || ' for ' || p.cmd || ' to ' || array_to_string(p.roles, ',') || ' using ' || p.qual ORDER BY p.policyname)
		        FROM pg_policies p
		        WHERE p.schemaname = 'public' AND p.tablename = c.relname
		    ), '{}') AS policies
		FROM pg_class c
		WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relname <> 'goose_db_version'
		ORDER BY c.relname`)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowToStructByPos[table])
	if err != nil {
		t.Fatal(err)
	}
	if len(tables) < 18 {
		t.Errorf("found only %d tables", len(tables))
	}
	for _, got := range tables {
		column := "tenant_id"
		if got.Name == "tenants" {
			column = "id"
		}
		want := table{
			Name: got.Name, Enabled: true, Forced: true, TenantIndexed: true,
			Policies: []string{
				"all_tenants for ALL to vault_system using true",
				"one_tenant for ALL to vault_app using (" + column + " = (NULLIF(current_setting('vault.tenant'::text, true), ''::text))::uuid)",
			},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (- want, + got):\n%s", got.Name, diff)
		}
	}
}

func TestRoles_LeastPrivilege(t *testing.T) {
	t.Parallel()
	url := dbtest.URL(t)
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	rows, err := conn.Query(t.Context(), `
		SELECT r.rolname::text
		FROM pg_roles r
		WHERE r.rolname IN ('vault_app', 'vault_system')
		  AND NOT (r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR r.rolcreatedb OR r.rolcanlogin OR r.rolreplication)
		  AND NOT EXISTS (SELECT 1 FROM pg_auth_members m WHERE m.member = r.oid)
		ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	harmless, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(harmless, " "); got != "vault_app vault_system" {
		t.Errorf("harmless are only: %q", got)
	}
	for role, refused := range map[string][]string{
		"vault_app": {
			"SELECT 1 FROM goose_db_version", "DELETE FROM tenants", "INSERT INTO api_keys (id) VALUES (gen_random_uuid())", "UPDATE api_keys SET name = ''",
			"CREATE TABLE more ()", "ALTER TABLE operations DISABLE ROW LEVEL SECURITY", "DROP POLICY one_tenant ON operations", "TRUNCATE operations",
			"ALTER ROLE vault_app BYPASSRLS",
			"UPDATE audit_entries SET actor = ''", "DELETE FROM audit_entries", "TRUNCATE audit_entries",
			"UPDATE audit_seals SET number = 1", "DELETE FROM audit_seals",
		},
		"vault_system": {
			"DELETE FROM goose_db_version", "UPDATE goose_db_version SET version_id = 1", "CREATE TABLE more ()", "DROP TABLE operations", "TRUNCATE operations",
			"UPDATE audit_entries SET actor = ''", "DELETE FROM audit_entries", "TRUNCATE audit_entries",
			"UPDATE audit_seals SET number = 1", "DELETE FROM audit_seals",
		},
	} {
		for _, sql := range refused {
			as, err := pgx.ParseConfig(url)
			if err != nil {
				t.Fatal(err)
			}
			as.RuntimeParams["role"] = role
			limited, err := pgx.ConnectConfig(t.Context(), as)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := limited.Exec(t.Context(), sql); !isState("42501")(err) {
				t.Errorf("%s: %s: got %v, want that it is refused", role, sql, err)
			}
			_ = limited.Close(t.Context())
		}
	}
}
