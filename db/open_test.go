package db_test

import (
	"io"
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbtest"
)

func TestOpen_OlderSchemaIsRefused(t *testing.T) {
	t.Parallel()
	url := dbtest.URL(t)
	open := func() error {
		d, err := dbtest.OpenLogins(t.Context(), url, db.Options{})
		if err == nil {
			d.Close()
		}
		return err
	}
	dbtest.Exec(t, url, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)")
	if err := open(); err != nil {
		t.Errorf("a newer schema is refused: %v", err)
	}
	dbtest.Exec(t, url, "DELETE FROM goose_db_version WHERE version_id > 5")
	if err := open(); err == nil || !strings.Contains(err.Error(), "at version 5 and this program needs") || !strings.Contains(err.Error(), "vault migrate up") {
		t.Errorf("an older schema: %v", err)
	}
}

// poolerWithout is a proxy that drops a startup parameter, as PgBouncer does with those in ignore_startup_parameters.
func poolerWithout(t *testing.T, database, parameter string) string {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	server := u.Host
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = client.Close() }()
				first, err := pgproto3.NewBackend(client, client).ReceiveStartupMessage()
				startup, ok := first.(*pgproto3.StartupMessage)
				if err != nil || !ok {
					return
				}
				delete(startup.Parameters, parameter)
				up, err := net.Dial("tcp", server)
				if err != nil {
					return
				}
				defer func() { _ = up.Close() }()
				encoded, err := startup.Encode(nil)
				if err != nil {
					return
				}
				_, _ = up.Write(encoded)
				go func() { _, _ = io.Copy(up, client) }()
				_, _ = io.Copy(client, up)
			}()
		}
	}()
	u.Host = listener.Addr().String()
	return u.String()
}

// Behind a pooler that drops the role, row-level security would be off: Open refuses.
func TestOpen_PoolerDropsTheRole(t *testing.T) {
	t.Parallel()
	opened, err := dbtest.OpenLogins(t.Context(), poolerWithout(t, dbtest.URL(t), "role"), db.Options{})
	if err == nil {
		opened.Close()
		t.Fatal("it was opened")
	}
	for _, want := range []string{"vault_app", "dropped the startup parameter role", "connect to PostgreSQL itself"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("it does not say %q: %v", want, err)
		}
	}
}

// A pooler that keeps the role is no problem.
func TestOpen_PoolerKeepsTheRole(t *testing.T) {
	t.Parallel()
	opened, err := dbtest.OpenLogins(t.Context(), poolerWithout(t, dbtest.URL(t), "application_name"), db.Options{})
	if err != nil {
		t.Fatalf("behind a pooler that keeps the role: %v", err)
	}
	opened.Close()
}
