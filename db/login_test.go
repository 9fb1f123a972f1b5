package db_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbtest"
)

// newLogin creates a login with attributes for one test, and returns the URL of the database with it.
func newLogin(t *testing.T, database, attributes string, grants ...string) string {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	password, _ := u.User.Password()
	name := "vault_test_" + strings.ReplaceAll(uuid.NewString(), "-", "")[:16]
	dbtest.Exec(t, database, fmt.Sprintf("CREATE ROLE %s LOGIN %s PASSWORD '%s'", name, attributes, password))
	t.Cleanup(func() {
		dbtest.Exec(t, database, "REASSIGN OWNED BY "+name+" TO CURRENT_USER")
		dbtest.Exec(t, database, "DROP OWNED BY "+name)
		dbtest.Exec(t, database, "DROP ROLE "+name)
	})
	for _, grant := range grants {
		dbtest.Exec(t, database, fmt.Sprintf(grant, name))
	}
	u.User = url.UserPassword(name, password)
	return u.String()
}

func open(ctx context.Context, app, system string) error {
	d, err := db.Open(ctx, app, db.Options{SystemURL: system})
	if err == nil {
		d.Close()
	}
	return err
}

// A login that could see more than its role may is refused, directly and behind a pooler.
func TestOpen_LoginWithTooManyRights(t *testing.T) {
	t.Parallel()
	const both = "GRANT vault_app, vault_system TO %s"
	database := dbtest.URL(t)
	owner := newLogin(t, database, "", "ALTER TABLE sessions OWNER TO %s", both)
	ownerName := strings.Split(strings.TrimPrefix(owner, "postgres://"), ":")[0]
	for name, c := range map[string]struct {
		app, system string
		want        string // "": it opens
	}{
		"two logins":                {dbtest.App(database), dbtest.System(database), ""},
		"one login with both roles": {newLogin(t, database, "NOINHERIT", both), "", ""},
		"a superuser":               {database, dbtest.System(database), "(DATABASE_URL) is a superuser"},
		"a superuser for sweeps":    {dbtest.App(database), database, "(SYSTEM_DATABASE_URL) is a superuser"},
		"it bypasses the policies":  {newLogin(t, database, "BYPASSRLS", both), "", "bypasses row-level security"},
		"it may create roles":       {newLogin(t, database, "CREATEROLE", both), "", "may create roles"},
		"the owner":                 {owner, "", "owns tables, such as sessions"},
		"a member of the owner": {
			newLogin(t, database, "NOINHERIT", both, "GRANT "+ownerName+" TO %s"), "", "owns tables, such as sessions",
		},
		"both roles beside a login for sweeps": {
			newLogin(t, database, "NOINHERIT", both), dbtest.System(database), "is a member of vault_system too",
		},
		"no role":              {newLogin(t, database, ""), "", "permission denied to set role"},
		"no role for sweeps":   {dbtest.App(database), "", "permission denied to set role"},
		"no URL for sweeps":    {dbtest.App(database), "postgres://u:s3cret@h:port/d", "SYSTEM_DATABASE_URL is not a PostgreSQL URL"},
		"swapped":              {dbtest.System(database), dbtest.App(database), "permission denied to set role"},
		"the same login twice": {dbtest.App(database), dbtest.App(database), "permission denied to set role"},
	} {
		t.Run(name, func(t *testing.T) {
			err := open(t.Context(), c.app, c.system)
			if c.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	pooled := dbtest.PgBouncer(t, database, "transaction")
	if err := open(t.Context(), pooled, dbtest.System(pooled)); err == nil || !strings.Contains(err.Error(), "is a superuser") {
		t.Errorf("a superuser behind a pooler: %v", err)
	}
}

// The check is made on every connection: a login that becomes a superuser gets no further one.
func TestOpen_LoginGainsRights(t *testing.T) {
	t.Parallel()
	database := dbtest.URL(t)
	login := newLogin(t, database, "NOINHERIT", "GRANT vault_app TO %s")
	d, err := db.Open(t.Context(), login, db.Options{SystemURL: dbtest.System(database)})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	name := strings.Split(strings.TrimPrefix(login, "postgres://"), ":")[0]
	dbtest.Exec(t, database, "ALTER ROLE "+name+" SUPERUSER")
	d.AppPool().Reset()
	if err := d.Ping(t.Context()); err == nil || !strings.Contains(err.Error(), "is a superuser") {
		t.Errorf("got %v", err)
	}
}

// The login of tenants cannot become the role that sees all, nor leave its own.
func TestLogins_SeeOneTenant(t *testing.T) {
	t.Parallel()
	database := dbtest.URL(t)
	d := dbtest.OpenURL(t, database)
	accept(t, d, dbtest.Tenant(t, d))
	conn, err := pgx.Connect(t.Context(), dbtest.App(database))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	for _, sql := range []string{
		"SELECT * FROM operations", "SET ROLE vault_system", "ALTER TABLE operations DISABLE ROW LEVEL SECURITY",
		"GRANT vault_system TO vault_app", "CREATE ROLE other",
	} {
		if _, err := conn.Exec(t.Context(), sql); !isState("42501")(err) {
			t.Errorf("%s: got %v, want that it is refused", sql, err)
		}
	}
	var rows int
	if err := conn.QueryRow(t.Context(), "SET ROLE vault_app").Scan(); err != nil && err != pgx.ErrNoRows {
		t.Fatal(err)
	}
	if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM operations").Scan(&rows); err != nil || rows != 0 {
		t.Errorf("without a tenant it sees %d rows (%v)", rows, err)
	}
}

// An owner that is no superuser migrates, and sees no rows.
func TestMigrate_ByAnOwner(t *testing.T) {
	t.Parallel()
	database := dbtest.URL(t)
	if err := db.MigrateDownAll(t.Context(), database); err != nil {
		t.Fatal(err)
	}
	dbtest.Exec(t, database, "DROP TABLE goose_db_version")
	dbtest.Exec(t, database, "CREATE EXTENSION vector")
	owner := newLogin(t, database, "", "ALTER SCHEMA public OWNER TO %s")
	if err := db.Migrate(t.Context(), owner); err != nil {
		t.Fatal(err)
	}
	if found, err := db.VerifySchema(t.Context(), owner); err != nil || len(found) > 0 {
		t.Errorf("%v, %v", found, err)
	}
	d := dbtest.OpenURL(t, database)
	if err := d.Verify(t.Context()); err != nil {
		t.Error(err)
	}
	accept(t, d, dbtest.Tenant(t, d))
	var rows int
	dbtest.Scan(t, owner, &rows, "SELECT count(*) FROM operations")
	if rows != 0 {
		t.Errorf("the owner sees %d rows", rows)
	}
	if err := db.MigrateDownAll(t.Context(), owner); err != nil {
		t.Error(err)
	}
}

// A database that lost a policy is refused, of a newer schema too if row-level security is off.
func TestVerify_LostProtection(t *testing.T) {
	t.Parallel()
	database := dbtest.URL(t)
	d := dbtest.OpenURL(t, database)
	dbtest.Exec(t, database, "DROP POLICY one_tenant ON sessions")
	if err := d.Verify(t.Context()); !db.IsUnverified(err) || !strings.Contains(err.Error(), "policy one_tenant on sessions: is missing") ||
		!strings.Contains(err.Error(), "vault migrate repair") {
		t.Errorf("got %v", err)
	}
	dbtest.Exec(t, database, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)")
	if err := d.Verify(t.Context()); err != nil {
		t.Errorf("a newer schema: %v", err)
	}
	dbtest.Exec(t, database, "ALTER TABLE sessions DISABLE ROW LEVEL SECURITY")
	if err := d.Verify(t.Context()); !db.IsUnverified(err) {
		t.Errorf("a newer schema without row-level security: %v", err)
	}
}
