package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/db/personal"
	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/vault"
)

// anyBytes finds binary columns.
var anyBytes = regexp.MustCompile(`\\x([0-9a-f]{72,})`)

// idsIn returns which of the ids occur in a text, also in its binary parts. A canary ends with an id.
func idsIn(text string, ids map[string]bool) []string {
	found := map[string]bool{}
	collect := func(text string) {
		const before, length = 8, 36 // characters before the first hyphen, and of all
		for at := 0; ; at++ {
			next := strings.IndexByte(text[at:], '-')
			if next < 0 {
				return
			}
			at += next
			if from := at - before; from >= 0 && from+length <= len(text) && ids[text[from:from+length]] {
				found[text[from:from+length]] = true
			}
		}
	}
	collect(text)
	for _, part := range anyBytes.FindAllStringSubmatch(text, -1) {
		if raw, err := hex.DecodeString(part[1][:len(part[1])&^1]); err == nil {
			collect(string(raw))
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// canaries are the ids in the canaries of the erased.
func (d *drill) canaries() map[string]bool {
	out := map[string]bool{}
	for _, p := range d.erased {
		out[p.canary[len(p.canary)-36:]] = true
	}
	return out
}

// needles are the canaries of the erased, and the ids of the erased and of all that belonged to them.
func (d *drill) needles() map[string]bool {
	out := d.canaries()
	for _, p := range d.erased {
		for _, id := range p.scope.IDs() {
			out[id.String()] = true
		}
	}
	return out
}

// nothingLeft searches all tables of the vault and of the engine, Redis and the logs for the erased.
func (d *drill) nothingLeft(t *testing.T, engineURL, when string) {
	t.Helper()
	canaries, needles := d.canaries(), d.needles()
	held := maps.Clone(needles)
	for _, p := range d.erased {
		for _, id := range p.scope.Questions { // the engine has the ids of questions, in the outputs of gap fills
			delete(held, id.String())
		}
	}
	search := func(where, text string, wanted map[string]bool) {
		if found := idsIn(text, wanted); len(found) > 0 {
			t.Errorf("%s %s has %d ids or canaries of the erased, such as %s", when, where, len(found), found[0])
		}
	}
	for table, rows := range dbtest.Dump(t, d.DatabaseURL) {
		wanted := needles
		if personal.Kept[table] != "" {
			wanted = canaries
		}
		rows = slices.DeleteFunc(rows, func(row string) bool { // it tells of the erasure, with the id of the customer alone
			return table == "events" && strings.Contains(row, `"customer.erased"`) && strings.Count(row, "null") >= 3
		})
		search("table "+table, strings.Join(rows, "\n"), wanted)
	}
	for table, text := range everyRow(t, engineURL) {
		search("the engine's table "+table, text, held)
	}
	opts, err := redis.ParseURL(os.Getenv("REDIS_URL"))
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(opts)
	defer func() { _ = client.Close() }()
	for keys := client.Scan(t.Context(), 0, "*"+d.tenant.String()+"*", 1000).Iterator(); keys.Next(t.Context()); {
		search("Redis", keys.Val()+client.Get(t.Context(), keys.Val()).Val(), needles)
	}
	for _, p := range d.logs {
		search("the log of a worker", p.log.String(), canaries)
	}
	d.scan(t, when)
}

// scan counts the rows of the erased in each table of the list, by the ids from before.
func (d *drill) scan(t *testing.T, when string) {
	t.Helper()
	all := personal.Scope{Tenant: d.tenant}
	for _, p := range d.erased {
		all.Customers = append(all.Customers, p.scope.Customers...)
		all.Profiles = append(all.Profiles, p.scope.Profiles...)
		all.Sessions = append(all.Sessions, p.scope.Sessions...)
		all.Items = append(all.Items, p.scope.Items...)
		all.Fills = append(all.Fills, p.scope.Fills...)
		all.Questions = append(all.Questions, p.scope.Questions...)
		all.Operations = append(all.Operations, p.scope.Operations...)
	}
	if err := d.DB.InTenantTx(t.Context(), d.tenant, pgx.TxOptions{}, func(tx pgx.Tx) error {
		found, tables, err := personal.Scan(t.Context(), tx, all)
		if len(found) > 0 || len(tables) < len(personal.Tables) {
			t.Errorf("%s a scan of %d tables finds rows of the erased: %v", when, len(tables), found)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// everyRow returns the rows of all tables of a database as text.
func everyRow(t *testing.T, url string) map[string]string {
	t.Helper()
	conn := connect(t, url)
	rows, err := conn.Query(t.Context(), `SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname NOT IN ('pg_catalog', 'information_schema')`)
	if err != nil {
		t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, name := range names {
		var text *string
		err := conn.QueryRow(t.Context(), "SELECT string_agg(x::text, ' ') FROM "+name+" x").Scan(&text)
		if err != nil {
			t.Fatal(err)
		}
		if text != nil {
			out[name] = *text
		}
	}
	return out
}

// passing are tables whose rows come and go by themselves.
var passing = []string{"fill_wakeups", "holds", "orphan_candidates", "pending_invalidations"}

// changing are the columns that the load, a delivery or a shared operation changes, by table.
var changing = map[string][]string{
	"customer_profiles":  {"version", "updated_at"},
	"events":             {"position"},
	"webhook_deliveries": {"status", "attempts", "next_at", "leased_until", "last_status", "last_error", "finished_at"},
	"operations": {
		"attempts", "batch_id", "due_at", "enqueued_at", "failures", "payload", "prepared", "result", "touched_pending", "updated_at",
	},
}

// lasting returns the rows of the customers in each table of the list, without those of the erased, those that come and
// go, and the columns that change.
func (d *drill) lasting(t *testing.T) map[string]map[string]bool {
	t.Helper()
	gone := d.needles()
	derived := map[string]bool{}
	for _, p := range d.erased {
		for _, id := range slices.Concat(p.scope.Operations, p.scope.Fills) {
			gone[id.String()] = true
		}
	}
	for _, p := range d.kept {
		for _, name := range []string{"derived", "further"} {
			derived[p.before.Fields[name].ID.String()] = true
		}
	}
	all := dbtest.Dump(t, d.DatabaseURL)
	out := map[string]map[string]bool{}
	for _, table := range personal.Tables {
		if slices.Contains(passing, table.Name) {
			continue
		}
		out[table.Name] = map[string]bool{}
		for _, text := range all[table.Name] {
			var row map[string]any
			if err := json.Unmarshal([]byte(text), &row); err != nil {
				t.Fatal(err)
			}
			if id, _ := row["id"].(string); derived[id] {
				row = map[string]any{"id": id}
			}
			for _, column := range changing[table.Name] {
				delete(row, column)
			}
			if text := string(encode(t, row)); len(idsIn(text, gone)) == 0 {
				out[table.Name][text] = true
			}
		}
	}
	return out
}

// complete checks that the customers who stay have everything: each row from before, and what readers see.
func (d *drill) complete(t *testing.T, written []int) {
	t.Helper()
	now := d.lasting(t)
	for table, rows := range d.rows {
		var lost []string
		for row := range rows {
			if !now[table][row] {
				lost = append(lost, row)
			}
		}
		if len(rows) == 0 || len(lost) > 0 {
			t.Errorf("%d of %d rows of customers who stay are missing in %s, or changed: %.600s", len(lost), len(rows), table,
				strings.Join(lost, " "))
		}
	}
	for i, p := range d.kept {
		d.readable(t, p, written[i])
	}
	// What waits for a webhook is still delivered, and nothing of the erased is.
	d.receiver.forget()
	d.receiver.accepting.Store(true)
	dbtest.Exec(t, d.DatabaseURL, "UPDATE webhook_deliveries SET next_at = clock_timestamp() WHERE status = 'pending'")
	testkit.Eventually(t, "the deliveries that waited are made", func(context.Context) (struct{}, bool) {
		var left bool
		dbtest.Scan(t, d.DatabaseURL, &left, "SELECT EXISTS (SELECT FROM webhook_deliveries WHERE status <> 'delivered')")
		return struct{}{}, !left
	})
	for _, p := range d.people {
		erased, got := slices.Contains(d.erased, p), d.receiver.got(p.id.String())
		if got && erased || !got && !erased && p.whole {
			t.Errorf("a customer (erased: %v) is in a late delivery: %v", erased, got)
		}
	}
}

func encode(t *testing.T, v any) []byte {
	t.Helper()
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// readable checks that readers see everything of a customer who stays.
func (d *drill) readable(t *testing.T, p *person, written int) {
	t.Helper()
	now, err := d.Query.Profile(t.Context(), d.tenant, p.id)
	if err != nil {
		t.Fatal(err)
	}
	for name, before := range p.before.Fields {
		got := now.Fields[name]
		from := p.partner
		if name == "further" {
			from = p.furtherFrom.partner
		}
		switch {
		case name == "derived" || name == "further":
			if kept := got.ID == before.ID && got.StaleSince != nil; kept == (from.derived == vault.DerivedErase) {
				t.Errorf("%s, derived from one who was erased (%q), is %s, stale since %v", name, from.derived, got.Value, got.StaleSince)
			}
		case got.ID != before.ID || string(got.Value) != string(before.Value):
			t.Errorf("%s of a customer who stays is %s", name, got.Value)
		}
	}
	// As JSON: times from the cache and from the database have different locations.
	if !bytes.Equal(encode(t, now.Assets), encode(t, p.before.Assets)) || len(now.Channels) != len(p.before.Channels) ||
		len(now.Consents) != len(p.before.Consents) {
		t.Errorf("a customer who stays has lost something: %+v", now)
	}
	if h, err := d.Query.History(t.Context(), d.tenant, p.id, "load"); err != nil || len(h) != written {
		t.Errorf("%d of %d writes of the load are there, %v", len(h), written, err)
	}
	session, err := d.Query.Session(t.Context(), d.tenant, p.session)
	if err != nil || !strings.Contains(session.Turns[0].Text, p.canary) {
		t.Errorf("the session of a customer who stays has %d turns, %v", len(session.Turns), err)
	}
	if open, err := d.Query.Questions(t.Context(), d.tenant, p.id); err != nil || (len(open) == 1) != p.whole {
		t.Errorf("a customer who stays has %d open questions, %v", len(open), err)
	}
}

// backup restores a dump from before the erasures with the keys of today, as docs/backup.md says.
func (d *drill) backup(t *testing.T, dump string) {
	t.Helper()
	cluster := dbtest.Server()
	name := "drill_" + strings.ReplaceAll(testkit.ID().String(), "-", "")
	restored := createDatabase(t, cluster, name)
	t.Cleanup(func() { dbtest.Exec(t, cluster, "DROP DATABASE "+name+" WITH (FORCE)") })
	keys := filepath.Join(t.TempDir(), "keys.sql")
	postgres(t, "pg_restore", "--exit-on-error", "--dbname="+restored, dump)
	postgres(t, "pg_dump", "--data-only", "--table=(customer|tenant)_keys", "--file="+keys, d.DatabaseURL)
	postgres(t, "psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--file="+keys, restored)
	database := dbtest.OpenURL(t, restored)
	sealer, err := db.NewSealer(d.Config.SealingKey.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	reads := query.New(database, nil, sealer.Bind(database))
	for _, p := range d.kept {
		if got, err := reads.Profile(t.Context(), d.tenant, p.id); err != nil ||
			string(got.Fields["passport"].Value) != string(quoted(p.canary)) {
			t.Errorf("the backup of a customer who stays reads %v, %v", got.Fields["passport"].Value, err)
		}
	}
	for _, p := range d.erased {
		if got, err := reads.Profile(t.Context(), d.tenant, p.id); err == nil {
			t.Errorf("the backup of an erased customer opens: %d values", len(got.Fields))
		}
		if got, err := reads.Session(t.Context(), d.tenant, p.session); err == nil {
			t.Errorf("the backup of an erased conversation opens: %d turns", len(got.Turns))
		}
	}
}
