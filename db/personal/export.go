package personal

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/contextvault/contextvault/db"
)

// Visit reads the rows of a customer, table by table in the order of the list, with opened values. Operations that hold
// several customers appear with the part of this customer.
func Visit(
	ctx context.Context, tx pgx.Tx, sealer *db.Sealer, s Scope, visit func(t Table, row map[string]any) error,
) error {
	for _, t := range Tables {
		if err := t.read(ctx, tx, sealer, s, func(row map[string]any) error { return visit(t, row) }); err != nil {
			return err
		}
		if t.Name != "operations" {
			continue
		}
		for _, o := range s.Shared {
			var payload any
			if err := decode(o.Own, &payload); err != nil {
				return err
			}
			row := map[string]any{"id": o.ID.String(), "workflow": o.Workflow, "payload": payload}
			if err := visit(t, row); err != nil {
				return err
			}
		}
	}
	return nil
}

// read reads the rows of a table.
func (t Table) read(
	ctx context.Context, tx pgx.Tx, sealer *db.Sealer, s Scope, visit func(row map[string]any) error,
) error {
	args := s.args()
	args["hidden"] = append([]string{"tenant_id"}, t.Hidden...)
	rows, err := tx.Query(ctx,
		"SELECT to_jsonb(x) - @hidden::text[] FROM "+t.Name+" x WHERE x.tenant_id = @tenant AND ("+t.Where+") ORDER BY "+
			t.Order, args)
	if err != nil {
		return fmt.Errorf("read the rows of %s: %w", t.Name, err)
	}
	defer rows.Close()
	for rows.Next() {
		var raw []byte
		if err := rows.Scan(&raw); err != nil {
			return fmt.Errorf("read the rows of %s: %w", t.Name, err)
		}
		row := map[string]any{}
		if err := decode(raw, &row); err != nil {
			return err
		}
		if t.open != nil {
			if err := t.open(ctx, sealer, s.Tenant, row); err != nil {
				return err
			}
		}
		if err := visit(row); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read the rows of %s: %w", t.Name, err)
	}
	return nil
}

// decode keeps numbers as they are written.
func decode(raw []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		return errSealed // the cause may quote a value
	}
	return nil
}

// Count returns the number of rows of a customer, by table.
func Count(ctx context.Context, tx pgx.Tx, s Scope) (map[string]int64, error) {
	out := map[string]int64{}
	for _, t := range Tables {
		var n int64
		sql := "SELECT count(*) FROM " + t.Name + " WHERE tenant_id = @tenant AND (" + t.Where + ")"
		err := tx.QueryRow(ctx, sql, s.args()).Scan(&n)
		if err != nil {
			return nil, fmt.Errorf("count the rows of %s: %w", t.Name, err)
		}
		if t.Name == "operations" {
			n += int64(len(s.Shared))
		}
		if n > 0 {
			out[t.Name] = n
		}
	}
	return out, nil
}
