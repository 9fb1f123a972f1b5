package catalogue

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
)

// Repair repairs all differences in one transaction, and returns them. The login must be the owner of the tables; for a
// missing role or wrong attributes of a role it must be an administrator. It changes no row of a table. What only a
// restore repairs is an error, and nothing is changed.
func Repair(ctx context.Context, conn *pgx.Conn) ([]Difference, error) {
	is, err := Read(ctx, conn)
	if err != nil {
		return nil, err
	}
	done := Compare(Expected(), is)
	if i := slices.IndexFunc(done, func(d Difference) bool { return d.Fix == "" }); i >= 0 {
		return nil, fmt.Errorf("nothing was repaired: %s", done[i])
	}
	tx, err := conn.Begin(ctx)
	if err != nil {
		return nil, fmt.Errorf("repair the database: %w", err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	if _, err := tx.Exec(ctx, "SET LOCAL search_path = public, pg_catalog"); err != nil {
		return nil, fmt.Errorf("repair the database: %w", err)
	}
	for _, d := range done {
		if _, err := tx.Exec(ctx, d.Fix, pgx.QueryExecModeSimpleProtocol); err != nil {
			return nil, fmt.Errorf("nothing was repaired: %s: %w", d, err)
		}
	}
	// A repair may undo another: to revoke a grant of a table revokes those of its columns.
	is, err = Read(ctx, nested{tx})
	if err != nil {
		return nil, err
	}
	for _, d := range Compare(Expected(), is) {
		if _, err := tx.Exec(ctx, d.Fix, pgx.QueryExecModeSimpleProtocol); err != nil {
			return nil, fmt.Errorf("nothing was repaired: %s: %w", d, err)
		}
	}
	if err := tx.Commit(ctx); err != nil {
		return nil, fmt.Errorf("repair the database: %w", err)
	}
	return done, nil
}

// nested reads in a transaction that goes on.
type nested struct{ pgx.Tx }

func (n nested) BeginTx(ctx context.Context, _ pgx.TxOptions) (pgx.Tx, error) { return n.Begin(ctx) }
