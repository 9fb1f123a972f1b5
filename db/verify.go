package db

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/contextvault/contextvault/db/catalogue"
)

// UnverifiedError reports a database whose roles, row-level security, policies, grants, triggers or indexes are not those
// that the migrations make, as after the restore of a dump into a cluster without the roles of the vault.
type UnverifiedError struct{ Differences []catalogue.Difference }

// repairHint says what to do about a database that is not verified.
const repairHint = "`vault migrate verify` lists all differences, and `vault migrate repair` repairs them; docs/backup.md " +
	"describes the restore of a dump"

func (e *UnverifiedError) Error() string {
	first := e.Differences[0]
	return fmt.Sprintf("the database does not protect its rows as it must, %d differences, first: %s %s: %s. %s",
		len(e.Differences), first.Kind, first.Name, first.Problem, repairHint)
}

// Verify returns an UnverifiedError if the database does not protect its rows as the migrations make it. Of a newer
// schema it checks what this program knows: the roles, and that row-level security is on.
func (d *DB) Verify(ctx context.Context) error {
	has, err := d.schemaVersion(ctx)
	if err != nil {
		return err
	}
	conn, err := d.system.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("verify the database: %w", err)
	}
	defer conn.Release()
	is, err := catalogue.Read(ctx, conn)
	if err != nil {
		return err
	}
	compare := catalogue.Compare
	if has > newestVersion() {
		compare = catalogue.CompareNewer
	}
	if found := compare(catalogue.Expected(), is); len(found) > 0 {
		return &UnverifiedError{found}
	}
	return nil
}

// VerifySchema returns the differences between the database at url and what the migrations of this program make. Any
// login of the database may ask.
func VerifySchema(ctx context.Context, url string) (found []catalogue.Difference, err error) {
	err = withConn(ctx, url, func(conn *pgx.Conn) error {
		is, err := catalogue.Read(ctx, conn)
		if err == nil {
			found = catalogue.Compare(catalogue.Expected(), is)
		}
		return err
	})
	return found, err
}

// RepairSchema repairs the differences that VerifySchema finds, all or none, and returns them. It changes no row.
func RepairSchema(ctx context.Context, url string) (repaired []catalogue.Difference, err error) {
	err = withConn(ctx, url, func(conn *pgx.Conn) error {
		repaired, err = catalogue.Repair(ctx, conn)
		return err
	})
	return repaired, err
}

// withConn runs fn on a connection of the login of the url, without a role of the vault.
func withConn(ctx context.Context, url string, fn func(*pgx.Conn) error) error {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return errDatabaseURL
	}
	cfg.ConnectTimeout = connectTimeout
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	return fn(conn)
}

// IsUnverified reports whether a database was refused because it does not protect its rows as it must.
func IsUnverified(err error) bool {
	_, ok := errors.AsType[*UnverifiedError](err)
	return ok
}
