package dbtest

import (
	"context"
	"net/url"
	"strings"
	"sync"

	"github.com/contextvault/contextvault/db"
)

// Logins of the programs under test, with the password of the server's administrator.
const (
	appLogin    = "vault_test_app"    // may only become vault_app
	systemLogin = "vault_test_system" // may only become vault_system
)

var createdLogins sync.Map // servers on which this process has created the logins

// ensureLogins creates the logins once.
func ensureLogins(ctx context.Context, server string) error {
	u, err := url.Parse(server)
	if err != nil {
		return errServerURL
	}
	if _, done := createdLogins.Load(u.Host); done {
		return nil
	}
	if err := CreateLogins(ctx, server); err != nil {
		return err
	}
	createdLogins.Store(u.Host, true)
	return nil
}

// CreateLogins creates the logins of the programs under test on a server, and the roles of the vault.
func CreateLogins(ctx context.Context, server string) error {
	u, err := url.Parse(server)
	if err != nil {
		return errServerURL
	}
	password, _ := u.User.Password()
	conn, err := connect(ctx, server)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }() // this releases the lock
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", templateLock); err != nil {
		return err
	}
	literal := "'" + strings.ReplaceAll(password, "'", "''") + "'"
	for _, of := range [][2]string{{appLogin, "vault_app"}, {systemLogin, "vault_system"}} {
		login, role := of[0], of[1]
		for _, make := range []string{role + " NOLOGIN", login + " LOGIN NOINHERIT"} {
			name, _, _ := strings.Cut(make, " ")
			var there bool
			const query = "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)"
			if err := conn.QueryRow(ctx, query, name).Scan(&there); err != nil {
				return err
			}
			if there {
				continue
			}
			if _, err := conn.Exec(ctx, "CREATE ROLE "+make); err != nil {
				return err
			}
		}
		if _, err := conn.Exec(ctx, "ALTER ROLE "+login+" PASSWORD "+literal); err != nil {
			return err
		}
		if _, err := conn.Exec(ctx, "GRANT "+role+" TO "+login); err != nil {
			return err
		}
	}
	return nil
}

// App returns the URL of a database with the login that may only become vault_app.
func App(database string) string { return withLogin(database, appLogin) }

// System returns the URL of a database with the login that may only become vault_system.
func System(database string) string { return withLogin(database, systemLogin) }

// Environ returns the variables with the logins of a program under test.
func Environ(database string) []string {
	return []string{"DATABASE_URL=" + App(database), "SYSTEM_DATABASE_URL=" + System(database)}
}

// OpenLogins is db.Open with the logins of programs under test.
func OpenLogins(ctx context.Context, database string, opts db.Options) (*db.DB, error) {
	opts.SystemURL = System(database)
	return db.Open(ctx, App(database), opts)
}

// withLogin replaces the login of a URL. What is not a URL stays, for the tests of wrong ones.
func withLogin(database, login string) string {
	u, err := url.Parse(database)
	if err != nil || u.User == nil {
		return database
	}
	if password, set := u.User.Password(); set {
		u.User = url.UserPassword(login, password)
	} else {
		u.User = url.User(login)
	}
	return u.String()
}
