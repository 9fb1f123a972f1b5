package catalogue_test

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/contextvault/contextvault/db/catalogue"
	"github.com/contextvault/contextvault/db/dbtest"
)

var update = flag.Bool("update", false, "write the facts of a fresh migration into "+file)

const file = "expected.jsonl"

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	return conn
}

func read(t *testing.T, conn *pgx.Conn) []catalogue.Fact {
	t.Helper()
	facts, err := catalogue.Read(t.Context(), conn)
	if err != nil {
		t.Fatal(err)
	}
	return facts
}

// The committed facts are those of a fresh migration.
func TestExpected_IsAFreshMigration(t *testing.T) {
	t.Parallel()
	var now bytes.Buffer
	if err := catalogue.Write(&now, read(t, connect(t, dbtest.URL(t)))); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(file, now.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	committed, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(committed), "\n"), strings.Split(now.String(), "\n")); diff != "" {
		t.Errorf("%s is out of date, run `make generate` (- committed, + migrated):\n%s", file, diff)
	}
	count := map[catalogue.Kind]int{}
	for _, f := range catalogue.Expected() {
		count[f.Kind]++
	}
	for kind, least := range map[catalogue.Kind]int{
		catalogue.KindRole: 2, catalogue.KindTable: 20, catalogue.KindFunction: 1, catalogue.KindTrigger: 4,
		catalogue.KindRowSecurity: 20, catalogue.KindPolicy: 40, catalogue.KindGrant: 100, catalogue.KindIndex: 40,
	} {
		if count[kind] < least {
			t.Errorf("%d facts of the kind %s, want at least %d", count[kind], kind, least)
		}
	}
}

// Whatever is lost or added is named, and repaired.
func TestCompare_EachLoss(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change string
		want   []string // the differences, "kind name: problem"
		manual bool     // Repair refuses
	}{
		"a policy is gone": {
			change: "DROP POLICY one_tenant ON customer_values",
			want:   []string{"policy one_tenant on customer_values: is missing"},
		},
		"a policy lets all through": {
			change: "ALTER POLICY one_tenant ON operations USING (true)",
			want:   []string{"policy one_tenant on operations: is \"CREATE POLICY one_tenant ON operations AS PERMISSIVE FOR ALL TO vault_app USING (true)"},
		},
		"a policy too many": {
			change: "CREATE POLICY open ON operations USING (true)",
			want:   []string{"policy open on operations: is not part of the vault"},
		},
		"row-level security is off": {
			change: "ALTER TABLE sessions DISABLE ROW LEVEL SECURITY",
			want:   []string{"row security sessions: is "},
		},
		"it is not forced": {
			change: "ALTER TABLE sessions NO FORCE ROW LEVEL SECURITY",
			want:   []string{"row security sessions: is "},
		},
		"a grant is gone": {
			change: "REVOKE SELECT ON customer_profiles FROM vault_app",
			want:   []string{"grant SELECT on TABLE customer_profiles to vault_app: is missing"},
		},
		"a grant too many": {
			change: "GRANT UPDATE ON api_keys TO vault_app",
			want:   []string{"grant UPDATE on TABLE api_keys to vault_app: is not part of the vault"},
		},
		"a grant to everybody": {
			change: "GRANT SELECT ON customer_profiles TO PUBLIC",
			want:   []string{"grant SELECT on TABLE customer_profiles to PUBLIC: is not part of the vault"},
		},
		"a grant that is passed on": {
			change: "GRANT SELECT ON customer_profiles TO vault_app WITH GRANT OPTION",
			want:   []string{"grant SELECT on TABLE customer_profiles to vault_app: is "},
		},
		"a grant of a column is gone": {
			change: "REVOKE SELECT (version_id) ON goose_db_version FROM vault_system",
			want:   []string{"grant SELECT (version_id) on TABLE goose_db_version to vault_system: is missing"},
		},
		"a grant of the table over one of its columns": {
			change: "GRANT SELECT ON goose_db_version TO vault_system",
			want:   []string{"grant SELECT on TABLE goose_db_version to vault_system: is not part of the vault"},
		},
		"a grant of a column too many": {
			change: "GRANT UPDATE (name) ON tenants TO vault_app",
			want:   []string{"grant UPDATE (name) on TABLE tenants to vault_app: is not part of the vault"},
		},
		"the schema is closed": {
			change: "REVOKE USAGE ON SCHEMA public FROM vault_app",
			want:   []string{"grant USAGE on SCHEMA public to vault_app: is missing"},
		},
		"a trigger is gone": {
			change: "DROP TRIGGER customer_values_removed ON customer_values",
			want:   []string{"trigger customer_values_removed on customer_values: is missing"},
		},
		"a trigger is off": {
			change: "ALTER TABLE customer_values DISABLE TRIGGER customer_values_deleted",
			want:   []string{"trigger customer_values_deleted on customer_values: is "},
		},
		"a trigger too many": {
			change: `CREATE FUNCTION copy_out() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
			         CREATE TRIGGER copy_out AFTER INSERT ON customer_values FOR EACH ROW EXECUTE FUNCTION copy_out()`,
			want: []string{"trigger copy_out on customer_values: is not part of the vault"},
		},
		"the function of a trigger does nothing": {
			change: "CREATE OR REPLACE FUNCTION add_orphan_candidate() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
			want:   []string{"function add_orphan_candidate(): is "},
		},
		"an index is gone": {
			change: "DROP INDEX " + anIndex(t),
			want:   []string{"index " + anIndex(t) + ": is missing"},
		},
		"an index more": {change: "CREATE INDEX more ON customer_values (operation_id)"},
		"a foreign table": {
			change: "CREATE TABLE notes (id int PRIMARY KEY); GRANT SELECT ON notes TO PUBLIC",
		},
		"a table is gone": {
			change: "DROP TABLE consents CASCADE",
			want:   []string{"table consents: is missing"},
			manual: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := connect(t, dbtest.URL(t))
			if _, err := conn.Exec(t.Context(), c.change); err != nil {
				t.Fatal(err)
			}
			found := catalogue.Compare(catalogue.Expected(), read(t, conn))
			if len(found) != len(c.want) {
				t.Fatalf("found %v, want %v", found, c.want)
			}
			for i, want := range c.want {
				if got := found[i].String(); !strings.HasPrefix(got, want) {
					t.Errorf("got %q, want %q", got, want)
				}
			}
			repaired, err := catalogue.Repair(t.Context(), conn)
			if c.manual {
				if err == nil {
					t.Errorf("it was repaired: %v", repaired)
				}
				return
			}
			if err != nil || len(repaired) != len(c.want) {
				t.Fatalf("repaired %v: %v", repaired, err)
			}
			if left := catalogue.Compare(catalogue.Expected(), read(t, conn)); len(left) > 0 {
				t.Errorf("after the repair: %v", left)
			}
		})
	}
}

// anIndex returns the name of an index that belongs to no constraint.
func anIndex(t *testing.T) string {
	t.Helper()
	for _, f := range catalogue.Expected() {
		if f.Kind == catalogue.KindIndex && strings.HasPrefix(f.SQL, "CREATE INDEX") {
			return f.Name
		}
	}
	t.Fatal("there is none")
	return ""
}

// All that protects a database can be lost at once, as in a restore without roles, and is repaired.
func TestRepair_AllLost(t *testing.T) {
	t.Parallel()
	conn := connect(t, dbtest.URL(t))
	_, err := conn.Exec(t.Context(), `
		DO $$
		DECLARE
		    p record;
		BEGIN
		    FOR p IN SELECT policyname, tablename FROM pg_policies WHERE schemaname = 'public' LOOP
		        EXECUTE format('DROP POLICY %I ON %I', p.policyname, p.tablename);
		        EXECUTE format('ALTER TABLE %I DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY', p.tablename);
		    END LOOP;
		END
		$$;
		REVOKE ALL ON ALL TABLES IN SCHEMA public FROM vault_app, vault_system;
		REVOKE ALL ON SCHEMA public FROM vault_app, vault_system`)
	if err != nil {
		t.Fatal(err)
	}
	before := len(catalogue.Compare(catalogue.Expected(), read(t, conn)))
	repaired, err := catalogue.Repair(t.Context(), conn)
	if err != nil || before < 150 || len(repaired) != before {
		t.Fatalf("repaired %d of %d: %v", len(repaired), before, err)
	}
	if left := catalogue.Compare(catalogue.Expected(), read(t, conn)); len(left) > 0 {
		t.Errorf("after the repair: %v", left)
	}
}

// Of a newer schema, roles and row-level security are checked, and nothing else.
func TestCompareNewer_RowSecurityAlone(t *testing.T) {
	t.Parallel()
	conn := connect(t, dbtest.URL(t))
	_, err := conn.Exec(t.Context(), `
		DROP POLICY one_tenant ON customer_profiles;
		DROP TABLE consents CASCADE;
		REVOKE SELECT ON customer_profiles FROM vault_app;
		ALTER TABLE sessions DISABLE ROW LEVEL SECURITY`)
	if err != nil {
		t.Fatal(err)
	}
	found := catalogue.CompareNewer(catalogue.Expected(), read(t, conn))
	if len(found) != 1 || found[0].Name != "sessions" || found[0].Kind != catalogue.KindRowSecurity {
		t.Errorf("found %v", found)
	}
}
