package personal

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/vault"
)

// Derived are the items of others that an erasure changes, and their profiles.
type Derived struct{ Items, Profiles []uuid.UUID }

// Rows of others that refer to erased ones are cut loose: a version that an erased one superseded is expired.
var unlink = []string{
	`UPDATE customer_assets SET superseded_by_id = NULL,
			status = CASE status WHEN 'superseded' THEN 'expired' ELSE status END
WHERE tenant_id = @tenant AND superseded_by_id = ANY (@items) AND NOT profile_id = ANY (@profiles)`,
	`UPDATE customer_values SET superseded_by_id = NULL,
			status = CASE status WHEN 'superseded' THEN 'expired' ELSE status END
WHERE tenant_id = @tenant AND superseded_by_id = ANY (@items) AND NOT profile_id = ANY (@profiles)`,
	`UPDATE customer_values SET yields_to_id = NULL, status = CASE status WHEN 'pending' THEN 'expired' ELSE status END
WHERE tenant_id = @tenant AND yields_to_id = ANY (@items) AND NOT profile_id = ANY (@profiles)`,
}

// EraseDerived cuts what was derived from the items of the customer, of others and at any depth, from its sources:
// marked as stale, or with its value erased. Call it before Erase.
func EraseDerived(ctx context.Context, tx pgx.Tx, s Scope, action vault.DerivedAction) (Derived, error) {
	args := s.args()
	type item struct {
		ID, ProfileID uuid.UUID
		Direct        bool
		Asset         bool
	}
	found, err := collect[item](ctx, tx, `WITH RECURSIVE items AS (
    SELECT f.id, f.profile_id, f.source_item_id, false AS asset FROM customer_values f
    WHERE f.tenant_id = @tenant AND f.source_item_id = ANY (@items)
    UNION
    SELECT a.id, a.profile_id, a.source_item_id, true FROM customer_assets a
    WHERE a.tenant_id = @tenant AND a.source_item_id = ANY (@items)
    UNION
    SELECT d.id, d.profile_id, d.source_item_id, d.asset
    FROM items i
    CROSS JOIN LATERAL (
        SELECT f.id, f.profile_id, f.source_item_id, false AS asset FROM customer_values f
        WHERE f.source_item_id = i.id AND f.tenant_id = @tenant
        UNION ALL
        SELECT a.id, a.profile_id, a.source_item_id, true FROM customer_assets a
        WHERE a.source_item_id = i.id AND a.tenant_id = @tenant
    ) d
)
SELECT DISTINCT id, profile_id, source_item_id = ANY (@items), asset FROM items
WHERE NOT profile_id = ANY (@profiles)
ORDER BY id`, args)
	if err != nil {
		return Derived{}, fmt.Errorf("find derived items: %w", err)
	}
	var out Derived
	var direct []uuid.UUID
	profiles := map[uuid.UUID]bool{}
	for _, f := range found {
		out.Items = append(out.Items, f.ID)
		if !profiles[f.ProfileID] {
			profiles[f.ProfileID] = true
			out.Profiles = append(out.Profiles, f.ProfileID)
		}
		if f.Direct {
			direct = append(direct, f.ID)
		}
	}
	args["derived"], args["direct"] = list(out.Items), list(direct)
	statements := unlink
	for _, table := range []string{"customer_values", "customer_assets"} {
		if action == vault.DerivedErase {
			statements = append(statements, blank(table))
			continue
		}
		statements = append(statements,
			"UPDATE "+table+` SET stale_since = coalesce(stale_since, clock_timestamp()), updated_at = clock_timestamp()
WHERE tenant_id = @tenant AND id = ANY (@derived)`,
			// The evidence may quote the customer.
			"UPDATE "+table+` SET source_item_id = NULL, source_item_type = 'external', source_metadata = '{}'
WHERE tenant_id = @tenant AND id = ANY (@direct)`)
	}
	for _, sql := range statements {
		if _, err := tx.Exec(ctx, sql, args); err != nil {
			return out, fmt.Errorf("cut derived items from their sources: %w", err)
		}
	}
	return out, nil
}

// blank returns the statement that erases the values of derived items and keeps their place in the history.
func blank(table string) string {
	what := "value = 'null', encrypted = false, warnings = '{}', decision_note = ''"
	if table == "customer_assets" {
		what = "storage_path = '', checksum = '', size_bytes = 0, verification_result = '{}'"
	}
	return "UPDATE " + table + " SET " + what + `, source_item_id = NULL, source_item_type = '', source_metadata = '{}',
    deleted_at = coalesce(deleted_at, clock_timestamp()), updated_at = clock_timestamp()
WHERE tenant_id = @tenant AND id = ANY (@derived)`
}

// Erase removes the rows of the scope, except what EraseShared removes. It returns the number of rows by table.
func Erase(ctx context.Context, tx pgx.Tx, s Scope) (map[string]int64, error) {
	counts := map[string]int64{}
	args := s.args()
	for _, t := range Tables {
		if t.Flushed {
			continue
		}
		n, err := t.erase(ctx, tx, args)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			counts[t.Name] = n
		}
	}
	n, err := eraseNaming(
		ctx, tx, s, "UPDATE operations SET "+Tables[tableAt("operations")].Set, "AND NOT workflow = ANY (@shared)",
	)
	if n > 0 {
		counts["operations"] += n
	}
	return counts, err
}

// EraseShared removes the customer from the operations that hold others as well. It returns their number. Call it last
// in a transaction: other erasures need the locks of the same operations.
func EraseShared(ctx context.Context, tx pgx.Tx, sealer *db.Sealer, s Scope) (int64, error) {
	n, err := eraseNaming(ctx, tx, s, `UPDATE operations SET touched_profiles = '{}',
    result = CASE WHEN result IS NULL THEN NULL ELSE '{}'::jsonb END,
    error = CASE WHEN error IS NULL THEN NULL
        ELSE jsonb_build_object('code', error ->> 'code', 'message', 'a customer was erased') END`,
		"AND workflow = ANY (@shared)")
	if err != nil {
		return n, err
	}
	for _, o := range s.Shared {
		if err := eraseShared(ctx, tx, sealer, s, o); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// eraseNaming erases what some of the other operations say of the person: an id in a result, an error or a touched
// profile. Those that hold several customers keep their payload.
func eraseNaming(ctx context.Context, tx pgx.Tx, s Scope, update, which string) (int64, error) {
	names := " WHERE tenant_id = @tenant AND id <> @self AND erased_at IS NULL AND" +
		fmt.Sprintf(namesID, "concat_ws(' ', subject, result, error, touched_profiles)")
	args := s.args()
	args["ids"] = texts(s.IDs())
	done, err := tx.Exec(ctx, update+names+" "+which, args)
	if err != nil {
		return 0, fmt.Errorf("erase what other operations say of the customer: %w", err)
	}
	return done.RowsAffected(), nil
}

func (t Table) erase(ctx context.Context, tx pgx.Tx, args pgx.NamedArgs) (int64, error) {
	sql := "DELETE FROM " + t.Name + t.where()
	if t.Set != "" {
		sql = "UPDATE " + t.Name + " SET " + t.Set + t.where()
	}
	done, err := tx.Exec(ctx, sql, args)
	if err != nil {
		return 0, fmt.Errorf("erase the rows of %s: %w", t.Name, err)
	}
	return done.RowsAffected(), nil
}

// where selects the rows that are not erased yet.
func (t Table) where() string {
	sql := " WHERE tenant_id = @tenant AND (" + t.Where + ")"
	if t.Left != "" {
		sql += " AND " + t.Left
	}
	return sql
}

// eraseShared removes the person from an operation that holds others. Another erasure may have changed the operation
// since it was found, so it is read again with its lock.
func eraseShared(ctx context.Context, tx pgx.Tx, sealer *db.Sealer, s Scope, o Shared) error {
	tenant := s.Tenant
	args := pgx.NamedArgs{"tenant": tenant, "id": o.ID}
	var sql string
	var now []byte
	var erased bool
	err := tx.QueryRow(ctx, `SELECT payload, erased_at IS NOT NULL FROM operations
WHERE tenant_id = @tenant AND id = @id FOR UPDATE`, args).Scan(&now, &erased)
	if db.IsNotFound(err) || erased {
		return nil
	}
	if err != nil {
		return fmt.Errorf("lock operation %s: %w", o.ID, err)
	}
	payload, err := sealer.OpenBytes(ctx, tenant, o.ID, now)
	if err != nil {
		return err
	}
	if _, o.Rest, err = splits[o.Workflow](s, payload); err != nil {
		return fmt.Errorf("operation %s: %w", o.ID, err)
	}
	if o.Rest == nil {
		operations := Tables[tableAt("operations")]
		sql = "UPDATE operations SET " + operations.Set + " WHERE tenant_id = @tenant AND id = @id"
	} else {
		sealed, err := sealer.SealBytes(ctx, db.Owner{TenantID: tenant}, o.ID, o.Rest)
		if err != nil {
			return err
		}
		// The result of an import names no customer; that of an opening lists the ids.
		sql = `UPDATE operations SET payload = @payload, prepared = NULL,
    result = CASE workflow WHEN 'open-customers' THEN '{}'::jsonb ELSE result END
WHERE tenant_id = @tenant AND id = @id`
		args["payload"] = sealed
	}
	if _, err := tx.Exec(ctx, sql, args); err != nil {
		return fmt.Errorf("erase the customer from operation %s: %w", o.ID, err)
	}
	return nil
}

func tableAt(name string) int {
	for i, t := range Tables {
		if t.Name == name {
			return i
		}
	}
	panic("personal: no table " + name)
}

// Canaries returns the distinctive values of a customer, to search for them elsewhere. They stay in memory.
func Canaries(ctx context.Context, tx pgx.Tx, sealer *db.Sealer, s Scope) ([]string, error) {
	seen := map[string]bool{}
	var out []string
	add := func(text string) {
		if text = strings.TrimSpace(text); distinctive(text) && !seen[text] && len(out) < maxCanaries {
			seen[text] = true
			out = append(out, text)
		}
	}
	for _, i := range s.Identities {
		add(i.ExternalID)
	}
	for _, name := range []string{"customer_values", "customer_assets"} {
		t := Tables[tableAt(name)].lenient()
		err := t.read(ctx, tx, sealer, s, func(row map[string]any) error {
			addLeaves(row["value"], add)
			if path, ok := row["storage_path"].(string); ok {
				add(path)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// lenient leaves out the values whose key is gone, as in a restored backup: they are as good as erased.
func (t Table) lenient() Table {
	open := t.open
	if open == nil {
		return t
	}
	t.open = func(ctx context.Context, s *db.Sealer, tenant uuid.UUID, row map[string]any) error {
		err := open(ctx, s, tenant, row)
		if vault.CodeOf(err) == vault.CodeUnknown {
			delete(row, "value")
			return nil
		}
		return err
	}
	return t
}

const (
	minCanary   = 8 // bytes; shorter values, such as a first name, occur everywhere
	maxCanaries = 200
)

// distinctive reports whether a value is unlikely to be that of another person: it is long enough and has a digit or @.
func distinctive(text string) bool {
	return len(text) >= minCanary && strings.ContainsAny(text, "0123456789@")
}

// addLeaves adds the texts and numbers in a JSON value.
func addLeaves(value any, add func(string)) {
	switch v := value.(type) {
	case string:
		add(v)
	case json.Number:
		add(v.String())
	case []any:
		for _, e := range v {
			addLeaves(e, add)
		}
	case map[string]any:
		for _, e := range v {
			addLeaves(e, add)
		}
	}
}
