package db_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/vault"
)

func TestSafeText_HidesValues(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	_, err := e.db.TenantConn(e.tenant).Exec(t.Context(), "SELECT $1::text::uuid", "ada@example.com")
	if err == nil || !strings.Contains(err.Error(), "ada@example.com") {
		t.Fatalf("got %v: PostgreSQL's own text no longer quotes values, and this test proves nothing", err)
	}
	if got := db.SafeText(fmt.Errorf("wrapped: %w", err)); got != "database error 22P02" {
		t.Errorf("got %q", got)
	}
	constraint := &pgconn.PgError{Code: "23505", ConstraintName: "some_key", Detail: "Key (email)=(ada@example.com) exists."}
	if got := db.SafeText(constraint); got != "database error 23505 (constraint some_key)" || !db.IsDuplicate(constraint) {
		t.Errorf("got %q", got)
	}
	if got := db.SafeText(errors.New("other")); got != "" {
		t.Errorf("no error of PostgreSQL: got %q", got)
	}
}

func TestIsUnavailable_ByCause(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"57P01", "57P02", "57P03", "53300", "25006", "08000", "08006", "08P01"} {
		if err := fmt.Errorf("load: %w", &pgconn.PgError{Code: code}); !db.IsUnavailable(err) {
			t.Errorf("%s is not taken for an outage", code)
		}
	}
	for _, err := range []error{
		io.ErrUnexpectedEOF, io.EOF, net.ErrClosed, context.DeadlineExceeded, errors.New("conn closed"),
		&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, &net.OpError{Op: "read", Err: syscall.ECONNRESET},
	} {
		if !db.IsUnavailable(fmt.Errorf("load: %w", err)) {
			t.Errorf("%v is not taken for an outage", err)
		}
	}
	for _, err := range []error{
		&pgconn.PgError{Code: "22P02"}, &pgconn.PgError{Code: "23505"}, &pgconn.PgError{Code: "57014"},
		pgx.ErrNoRows, errors.New("other"), vault.Invalid("name", "is required"),
	} {
		if db.IsUnavailable(err) {
			t.Errorf("%v is taken for an outage", err)
		}
	}
	_, err := pgx.Connect(t.Context(), "postgres://nobody@127.0.0.1:1/none")
	if err == nil || !db.IsUnavailable(err) {
		t.Errorf("a failed connection is not taken for an outage: %v", err)
	}
}

func TestWrapNotFound_MissingRow(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	_, err := e.db.Tenant(e.tenant).GetScenario(t.Context(), e.tenant, newID())
	if found := db.WrapNotFound(err, "scenario", "x"); vault.CodeOf(found) != vault.CodeUnknown || found.Error() != "unknown scenario: x does not exist in this tenant" {
		t.Errorf("got %v", found)
	}
	other := errors.New("other")
	if got := db.WrapNotFound(other, "scenario", "x"); !errors.Is(got, other) || db.WrapNotFound(nil, "scenario", "x") != nil {
		t.Errorf("got %v", got)
	}
}

func TestOpen_BadURLHidesPassword(t *testing.T) {
	t.Parallel()
	server, err := url.Parse(dbtest.Server())
	if err != nil {
		t.Fatal("the server's address is no URL")
	}
	for name, c := range map[string]struct{ url, says string }{
		"no URL":             {"postgres://user:s3cret@host:port/db", "DATABASE_URL is not a PostgreSQL URL, such as postgres://"},
		"nobody listens":     {"postgres://user:s3cret@127.0.0.1:1/db?sslmode=disable", "connection refused"},
		"no such database":   {strings.Replace(server.String(), server.Path, "/no_such_database", 1), "does not exist"},
		"another's password": {strings.Replace(server.String(), server.User.String(), "vault:s3cret", 1), "password authentication failed"},
	} {
		d, err := db.Open(t.Context(), c.url, db.Options{})
		if err == nil {
			d.Close()
			t.Errorf("%s: it opened", name)
			continue
		}
		password, _ := server.User.Password()
		if !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), password) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
