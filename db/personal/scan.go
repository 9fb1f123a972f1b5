package personal

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// searched is a table as a scan reads it.
type searched struct {
	Name    string
	Tenant  bool
	Columns []string // that can hold an id or a value as text
}

// searchedTables lists all tables of the schema, those of no list included.
const searchedTables = `SELECT c.relname::text,
    bool_or(a.attname = 'tenant_id'),
    array_agg(quote_ident(a.attname) ORDER BY a.attnum) FILTER (
        WHERE a.attname <> 'tenant_id' AND t.typname IN ('uuid', '_uuid', 'text', '_text', 'varchar', 'jsonb', 'json')
    )
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
GROUP BY c.relname
ORDER BY c.relname`

func allTables(ctx context.Context, tx pgx.Tx) ([]searched, error) {
	found, err := collect[searched](ctx, tx, searchedTables, nil)
	if err != nil {
		return nil, fmt.Errorf("read the catalogue: %w", err)
	}
	return slices.DeleteFunc(found, func(s searched) bool { return !s.Tenant || len(s.Columns) == 0 }), nil
}

// text is the expression with the content of a row.
func (s searched) text() string { return "concat_ws(' ', " + strings.Join(s.Columns, ", ") + ")" }

// own leaves out what the erasure itself still needs, and what tells of it.
func (s searched) own() string {
	switch s.Name {
	case "events":
		return " AND " + notErased
	case "erasures", "operations":
		return " AND id <> @self"
	default:
		return ""
	}
}

// namesID matches rows whose text, at %s, has one of the ids.
const namesID = ` EXISTS (SELECT FROM regexp_matches(%s,
    '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}', 'g') m WHERE m[1] = ANY (@ids))`

// Found is a place where a scan found something of an erased customer.
type Found struct {
	Table string
	Rows  int64
}

// Scan searches for rows of an erased customer: by the conditions of the list, and in every other table of the tenant
// for the ids. It returns the places, and the names of the tables that it searched.
func Scan(ctx context.Context, tx pgx.Tx, s Scope) (found []Found, tables []string, err error) {
	args := s.args()
	for _, t := range Tables {
		var n int64
		if err := tx.QueryRow(ctx, "SELECT count(*) FROM "+t.Name+t.where(), args).Scan(&n); err != nil {
			return nil, nil, fmt.Errorf("scan %s: %w", t.Name, err)
		}
		if n > 0 {
			found = append(found, Found{t.Name, n})
		}
	}
	all, err := allTables(ctx, tx)
	if err != nil {
		return nil, nil, err
	}
	args["ids"] = texts(s.IDs())
	for _, t := range all {
		tables = append(tables, t.Name)
		if Kept[t.Name] != "" {
			continue
		}
		var n int64
		err := tx.QueryRow(ctx, "SELECT count(*) FROM "+t.Name+" WHERE tenant_id = @tenant"+t.own()+
			" AND"+fmt.Sprintf(namesID, t.text()), args).Scan(&n)
		if err != nil {
			return nil, nil, fmt.Errorf("scan %s: %w", t.Name, err)
		}
		if n > 0 && !slices.ContainsFunc(found, func(f Found) bool { return f.Table == t.Name }) {
			found = append(found, Found{t.Name, n})
		}
	}
	return found, tables, nil
}

// Mentions counts the rows of a tenant, by table, in which a value occurs. Erase has removed the rows of the customer,
// so these are rows of others, and the value may be their own.
func Mentions(ctx context.Context, tx pgx.Tx, tenant, self uuid.UUID, values []string) (map[string]int64, error) {
	out := map[string]int64{}
	if len(values) == 0 {
		return out, nil
	}
	all, err := allTables(ctx, tx)
	if err != nil {
		return nil, err
	}
	patterns := make([]string, len(values))
	for i, v := range values {
		patterns[i] = "%" + strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(v) + "%"
	}
	args := pgx.NamedArgs{"tenant": tenant, "self": self, "patterns": patterns}
	for _, t := range all {
		var n int64
		err := tx.QueryRow(ctx, "SELECT count(*) FROM "+t.Name+" WHERE tenant_id = @tenant"+t.own()+
			" AND "+t.text()+" LIKE ANY (@patterns)", args).Scan(&n)
		if err != nil {
			return nil, fmt.Errorf("search %s for mentions: %w", t.Name, err)
		}
		if n > 0 {
			out[t.Name] = n
		}
	}
	return out, nil
}
