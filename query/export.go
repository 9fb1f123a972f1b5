package query

import (
	"context"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/personal"
	"github.com/contextvault/contextvault/vault"
)

// exportFormat names the form of the JSON of an export.
const exportFormat = "contextvault-customer-export-1"

// CustomerExport is an export of a customer: everything that an erasure would remove. Nothing of it is stored:
// WriteJSON and WriteHTML read it from one snapshot.
type CustomerExport struct {
	ID         uuid.UUID
	CustomerID uuid.UUID
	ExpiresAt  time.Time

	queries *Queries
	tenant  uuid.UUID
}

// CustomerExport returns an export that export-customer recorded. One that has expired is vault.CodeUnknown.
func (q *Queries) CustomerExport(ctx context.Context, tenant, id uuid.UUID) (CustomerExport, error) {
	row, err := q.db.Tenant(tenant).GetCustomerExport(ctx, tenant, id)
	if err != nil {
		return CustomerExport{}, db.WrapNotFound(err, "export", id)
	}
	if time.Now().After(row.ExpiresAt) {
		return CustomerExport{}, &vault.Error{Code: vault.CodeUnknown, Field: "export_id", Message: fmt.Sprintf(
			"export_id: export %s could be fetched until %s; export the customer again", id,
			row.ExpiresAt.UTC().Format(time.RFC3339))}
	}
	return CustomerExport{
		ID: row.ID, CustomerID: row.CustomerID, ExpiresAt: row.ExpiresAt, queries: q, tenant: tenant,
	}, nil
}

// WriteJSON writes the export as JSON. Its last member, complete, is true: without it, the export was cut off.
func (e CustomerExport) WriteJSON(ctx context.Context, w io.Writer) error {
	return e.write(ctx, &jsonExport{w: w})
}

// WriteHTML writes the export as a page for people.
func (e CustomerExport) WriteHTML(ctx context.Context, w io.Writer) error {
	return e.write(ctx, &htmlExport{w: w})
}

// exportWriter writes one format.
type exportWriter interface {
	begin(h exportHead) error
	table(t personal.Table) error
	row(t personal.Table, row map[string]any) error
	end(lineage []itemLineage) error
}

// exportHead says what an export is.
type exportHead struct {
	Format     string      `json:"format"`
	ExportID   uuid.UUID   `json:"export_id"`
	CustomerID uuid.UUID   `json:"customer_id"`
	Customers  []uuid.UUID `json:"customers"` // those that share the profile since a merge
	ExportedAt time.Time   `json:"exported_at"`
}

// itemLineage is the derivation of an item.
type itemLineage struct {
	ItemID  uuid.UUID       `json:"item_id"`
	Name    string          `json:"name"`
	Sources []lineageSource `json:"sources"`
}

// lineageSource is one source of an item.
type lineageSource struct {
	ItemID uuid.UUID `json:"item_id"`
	Name   string    `json:"name,omitempty"`
	// Other reports a source that is not the customer's: its name and value are not exported.
	Other bool `json:"of_another_customer,omitempty"`
}

func (e CustomerExport) write(ctx context.Context, w exportWriter) error {
	opts := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	return e.queries.db.InTenantTx(ctx, e.tenant, opts, func(tx pgx.Tx) error {
		if err := personal.Check(ctx, tx); err != nil {
			return err
		}
		scope, err := personal.Locate(ctx, tx, e.queries.sealer, e.tenant, e.CustomerID, uuid.Nil, false)
		if err != nil {
			return err
		}
		head := exportHead{
			Format: exportFormat, ExportID: e.ID, CustomerID: e.CustomerID, Customers: scope.Customers,
			ExportedAt: time.Now().UTC(),
		}
		if err := e.recordExport(ctx); err != nil {
			return err
		}
		if err := w.begin(head); err != nil {
			return err
		}
		items := map[string]map[string]any{}
		current := ""
		err = personal.Visit(ctx, tx, e.queries.sealer, scope, func(t personal.Table, row map[string]any) error {
			if t.Name == "customer_values" || t.Name == "customer_assets" {
				if id, ok := row["id"].(string); ok {
					items[id] = row
				}
			}
			if t.Name != current {
				current = t.Name
				if err := w.table(t); err != nil {
					return err
				}
			}
			return w.row(t, row)
		})
		if err != nil {
			return err
		}
		return w.end(lineageOf(items))
	})
}

// lineageOf follows the sources of the items of a customer.
func lineageOf(items map[string]map[string]any) []itemLineage {
	out := []itemLineage{}
	for id, row := range items {
		one := itemLineage{Name: textOf(row["name"])}
		seen := map[string]bool{id: true}
		for at := row; ; {
			source := textOf(at["source_item_id"])
			sourceID, err := uuid.Parse(source)
			if err != nil || seen[source] {
				break
			}
			seen[source] = true
			next, own := items[source]
			one.Sources = append(one.Sources, lineageSource{ItemID: sourceID, Name: textOf(next["name"]), Other: !own})
			if !own {
				break
			}
			at = next
		}
		parsed, err := uuid.Parse(id)
		if err == nil && len(one.Sources) > 0 {
			one.ItemID = parsed
			out = append(out, one)
		}
	}
	slices.SortFunc(out, func(a, b itemLineage) int { return slices.Compare(a.ItemID[:], b.ItemID[:]) })
	return out
}

func textOf(v any) string {
	s, _ := v.(string)
	return s
}

// jsonExport writes JSON, one row a line.
type jsonExport struct {
	w      io.Writer
	tables int
	rows   int
}

func (j *jsonExport) begin(h exportHead) error {
	encoded, err := json.Marshal(h)
	if err != nil {
		return fmt.Errorf("encode the export: %w", err)
	}
	return j.print(string(encoded[:len(encoded)-1]) + ",\n\"tables\": {")
}

func (j *jsonExport) table(t personal.Table) error {
	before := ""
	if j.tables > 0 {
		before = "\n],"
	}
	j.tables++
	j.rows = 0
	return j.print(before + fmt.Sprintf("\n%q: [", t.Name))
}

func (j *jsonExport) row(_ personal.Table, row map[string]any) error {
	encoded, err := json.Marshal(row)
	if err != nil {
		return fmt.Errorf("encode a row of the export: %w", err)
	}
	before := "\n"
	if j.rows > 0 {
		before = ",\n"
	}
	j.rows++
	return j.print(before + string(encoded))
}

func (j *jsonExport) end(lineage []itemLineage) error {
	encoded, err := json.Marshal(lineage)
	if err != nil {
		return fmt.Errorf("encode the lineage of the export: %w", err)
	}
	before := ""
	if j.tables > 0 {
		before = "\n]"
	}
	return j.print(before + "\n},\n\"lineage\": " + string(encoded) + ",\n\"complete\": true}\n")
}

func (j *jsonExport) print(text string) error {
	_, err := io.WriteString(j.w, text)
	return err
}

// htmlExport writes a page. The templates escape everything.
type htmlExport struct {
	w       io.Writer
	machine map[string]int
}

var exportPage = template.Must(template.New("export").Parse(`{{define "begin"}}<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Personal data of customer {{.CustomerID}}</title>
<style>body{font:16px/1.5 sans-serif;margin:2em auto;max-width:60em;padding:0 1em}h2{margin-top:2em}
dl{border-top:1px solid #ccc;display:grid;gap:0 1em;grid-template-columns:14em 1fr;margin:0;padding:.6em 0}
dt{color:#555}dd{margin:0;overflow-wrap:anywhere;white-space:pre-wrap}</style></head><body>
<h1>Personal data</h1>
<p>Everything that is stored about customer {{.CustomerID}}, as of
{{.ExportedAt.Format "2 January 2006, 15:04:05 MST"}}.
Export {{.ExportID}}.</p>
{{end}}{{define "table"}}<h2>{{.Title}}</h2>
{{end}}{{define "row"}}<dl>{{range .}}<dt>{{.Name}}</dt><dd>{{.Text}}</dd>{{end}}</dl>
{{end}}{{define "end"}}{{if .Lineage}}<h2>Where derived values come from</h2>
{{range .Lineage}}<dl><dt>{{.Name}}</dt>
<dd>{{range .Sources}}{{if .Other}}an item of another customer
{{else}}from {{.Name}} ({{.ItemID}}){{end}} {{end}}</dd></dl>
{{end}}{{end}}{{if .Machine}}<h2>Technical data</h2><p>The JSON export has it in full.</p>
<dl>{{range $name, $rows := .Machine}}<dt>{{$name}}</dt><dd>{{$rows}} rows</dd>{{end}}</dl>
{{end}}<p>End of the export.</p></body></html>
{{end}}`))

// shownColumn is one column of a row as a person reads it.
type shownColumn struct{ Name, Text string }

func (h *htmlExport) begin(head exportHead) error {
	h.machine = map[string]int{}
	return exportPage.ExecuteTemplate(h.w, "begin", head)
}

func (h *htmlExport) table(t personal.Table) error {
	if t.Machine {
		return nil
	}
	return exportPage.ExecuteTemplate(h.w, "table", t)
}

func (h *htmlExport) row(t personal.Table, row map[string]any) error {
	if t.Machine {
		h.machine[t.Title]++
		return nil
	}
	return exportPage.ExecuteTemplate(h.w, "row", shown(row))
}

func (h *htmlExport) end(lineage []itemLineage) error {
	return exportPage.ExecuteTemplate(h.w, "end", map[string]any{"Lineage": lineage, "Machine": h.machine})
}

// first are the columns that a person looks for first.
var first = []string{"name", "value", "speaker", "text", "channel", "external_id", "purpose", "granted", "workflow"}

// shown returns the columns of a row that say something, those of first before the others.
func shown(row map[string]any) []shownColumn {
	names := make([]string, 0, len(row))
	for name := range row {
		names = append(names, name)
	}
	rank := func(name string) int {
		if at := slices.Index(first, name); at >= 0 {
			return at
		}
		return len(first)
	}
	slices.SortFunc(names, func(a, b string) int {
		if d := rank(a) - rank(b); d != 0 {
			return d
		}
		return slices.Compare([]byte(a), []byte(b))
	})
	var out []shownColumn
	for _, name := range names {
		if text := readable(row[name]); text != "" {
			out = append(out, shownColumn{name, text})
		}
	}
	return out
}

// readable returns a value as a person reads it, "" if it says nothing.
func readable(v any) string {
	switch x := v.(type) {
	case nil:
		return ""
	case string:
		return x
	case []any:
		if len(x) == 0 {
			return ""
		}
	case map[string]any:
		if len(x) == 0 {
			return ""
		}
	}
	encoded, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(encoded)
}
