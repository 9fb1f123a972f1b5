package personal

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// catalogued lists the tables of the schema, whether they have a column that names a customer, and the tables that
// their foreign keys refer to.
const catalogued = `SELECT c.relname::text,
    EXISTS (
        SELECT FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
          AND a.attname IN ('customer_id', 'profile_id', 'session_id', 'customer_ids')
    ),
    ARRAY(
        SELECT r.relname::text FROM pg_constraint k JOIN pg_class r ON r.oid = k.confrelid
        WHERE k.conrelid = c.oid AND k.contype = 'f' AND r.oid <> c.oid
    )
FROM pg_class c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
ORDER BY c.relname`

type catalogueRow struct {
	Name   string
	Names  bool // a customer
	Refers []string
}

// Check fails if the database has a table with rows of customers that the list does not have, or lacks one of the list.
// Export, erasure and scan call it: none of them works with an incomplete list.
func Check(ctx context.Context, tx pgx.Tx) error {
	found, err := collect[catalogueRow](ctx, tx, catalogued, nil)
	if err != nil {
		return fmt.Errorf("read the catalogue: %w", err)
	}
	if problems := compare(found); len(problems) > 0 {
		return fmt.Errorf("the list of tables with data of customers is incomplete: %s", strings.Join(problems, "; "))
	}
	return nil
}

// compare returns what the list lacks.
func compare(found []catalogueRow) []string {
	listed := map[string]bool{}
	for _, t := range Tables {
		listed[t.Name] = true
	}
	var problems []string
	reached := map[string]string{} // tables with rows of customers, and why
	for changed := true; changed; {
		changed = false
		for _, row := range found {
			if reached[row.Name] != "" || listed[row.Name] {
				continue
			}
			why := ""
			if row.Names {
				why = "has a column that names a customer"
			}
			for _, r := range row.Refers {
				if listed[r] || reached[r] != "" {
					why = "refers to " + r
				}
			}
			if _, other := Others[row.Name]; why != "" && !other {
				reached[row.Name] = why
				problems = append(problems, fmt.Sprintf("table %s %s and is not in personal.Tables", row.Name, why))
				changed = true
			}
		}
	}
	for name := range listed {
		if !slices.ContainsFunc(found, func(row catalogueRow) bool { return row.Name == name }) {
			problems = append(problems, fmt.Sprintf("table %s of personal.Tables does not exist", name))
		}
	}
	slices.Sort(problems)
	return problems
}

// Unlisted returns the tables of the database that neither Tables nor Others has. Tests call it.
func Unlisted(ctx context.Context, tx pgx.Tx) ([]string, error) {
	found, err := collect[catalogueRow](ctx, tx, catalogued, nil)
	if err != nil {
		return nil, fmt.Errorf("read the catalogue: %w", err)
	}
	var out []string
	for _, row := range found {
		if Others[row.Name] == "" && Kept[row.Name] == "" &&
			!slices.ContainsFunc(Tables, func(t Table) bool { return t.Name == row.Name }) {
			out = append(out, row.Name)
		}
	}
	return out, nil
}
