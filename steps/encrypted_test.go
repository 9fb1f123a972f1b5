package steps_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// holders returns the tables and cache keys that contain a text: as it is, or encoded as the bytes of a bytea or in base64.
func (w *world) holders(text string) []string {
	w.t.Helper()
	var found []string
	for table, rows := range dbtest.Dump(w.t, w.url) {
		for _, row := range rows {
			if holds(row, text) {
				found = append(found, table)
			}
		}
	}
	for key, entry := range w.cached() {
		if holds(entry, text) {
			found = append(found, key)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

func holds(in, text string) bool {
	if strings.Contains(in, text) || strings.Contains(in, hex.EncodeToString([]byte(text))) {
		return true
	}
	for shift := range 3 { // base64 of a longer text has other characters at each offset
		encoded := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", shift) + text))
		if strings.Contains(in, encoded[4:len(encoded)-4]) {
			return true
		}
	}
	return false
}

// cached returns the tenant's entries in Redis, by key.
func (w *world) cached() map[string]string {
	w.t.Helper()
	opts, err := redis.ParseURL(os.Getenv("REDIS_URL"))
	w.must(err)
	client := redis.NewClient(opts)
	defer func() { _ = client.Close() }()
	out := map[string]string{}
	keys := client.Scan(w.t.Context(), 0, "*"+w.tenant.String()+"*", 1000).Iterator()
	for keys.Next(w.t.Context()) {
		if out[keys.Val()], err = client.Get(w.t.Context(), keys.Val()).Result(); err != nil && !errors.Is(err, redis.Nil) {
			w.t.Fatal(err)
		}
	}
	w.must(keys.Err())
	return out
}

func TestEncryption_ValueIsSealedEverywhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(
		vault.Definition{Name: "tax_id", ValueType: vault.TypeString, EncryptionRequired: true},
		vault.Definition{Name: "plan", ValueType: vault.TypeString},
	)
	const first, second, imported = "DE-118-first", "DE-118-second", "DE-118-imported"
	reader := readerOf(w)
	read := func() vault.Value {
		t.Helper()
		var got vault.Value
		for range 2 { // the second read uses the cache
			p, err := reader.Profile(t.Context(), w.tenant, w.customer)
			w.must(err)
			got = p.Fields["tax_id"]
		}
		return got
	}
	w.write("plan", text("gold"))
	written := w.write("tax_id", text(first))
	if got := read(); string(got.Value) != string(text(first)) || !got.Encrypted {
		t.Errorf("the profile says %s, encrypted: %t", got.Value, got.Encrypted)
	}
	one, err := reader.Field(t.Context(), w.tenant, written.ItemID)
	w.must(err)
	if string(one.Value) != string(text(first)) {
		t.Errorf("the item says %s", one.Value)
	}
	w.write("tax_id", text(second))
	in := vault.ImportValuesInput{Writes: []vault.WriteValueInput{
		{AgentID: w.agent, CustomerID: w.customer, Name: "tax_id", Value: text(imported), Source: vault.ValueHumanEntered},
	}}
	r, err := trigger.Submit(t.Context(), w.trigger, w.tenant, vault.ImportValues, in)
	w.must(w.run(w.event(r, err), importValues...))
	history, err := reader.History(t.Context(), w.tenant, w.customer, "tax_id")
	w.must(err)
	var values []string
	for _, f := range history {
		values = append(values, string(f.Value))
	}
	if got := fmt.Sprint(values); got != fmt.Sprint([]string{
		string(text(imported)), string(text(second)), string(text(first)),
	}) {
		t.Errorf("the history is %s", got)
	}
	page, _, err := reader.HistoryPage(t.Context(), w.tenant, w.customer, "", nil, 10)
	w.must(err)
	for _, f := range page {
		if f.Name == "tax_id" && strings.Contains(string(f.Value), "=") {
			t.Errorf("a page of the history holds a sealed value")
		}
	}

	// The target of a merge has the value too.
	source := w.customer
	w.customer = newID()
	w.write("plan", text("silver"))
	r, err = trigger.Submit(t.Context(), w.trigger, w.tenant, vault.MergeCustomers, vault.MergeCustomersInput{
		SourceCustomerID: source, TargetCustomerID: w.customer,
	})
	w.must(w.run(w.event(r, err), mergeCustomers...))
	if got := read(); string(got.Value) != string(text(imported)) {
		t.Errorf("after the merge the profile says %s", got.Value)
	}
	for _, secret := range []string{first, second, imported} {
		if found := w.holders(secret); len(found) != 0 {
			t.Errorf("%s is held by %v", secret, found)
		}
	}
	if found := w.holders("silver"); len(found) < 2 { // the search finds an unencrypted value in a table and in the cache
		t.Errorf("an unencrypted value is found only in %v", found)
	}
}

// A writer to the table cannot give one customer the value of another.
func TestEncryption_SealedValueIsBoundToItsRow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(vault.Definition{Name: "tax_id", ValueType: vault.TypeString, EncryptionRequired: true})
	first := w.write("tax_id", text("DE-118"))
	second := w.write("tax_id", text("DE-119"))
	w.sql(
		"UPDATE customer_values SET value = (SELECT value FROM customer_values WHERE id = $1) WHERE id = $2", first.ItemID,
		second.ItemID,
	)
	_, err := readerOf(w).Field(t.Context(), w.tenant, second.ItemID)
	if err == nil || !strings.Contains(err.Error(), "sealed with another key, or altered") {
		t.Errorf("a value that was moved was read: %v", err)
	}
}

// Conditions and confirmations of gap fills use the decrypted value.
func TestEncryption_FillGapsReadsTheValue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(
		vault.Definition{Name: "segment", ValueType: vault.TypeString, EncryptionRequired: true},
		vault.Definition{Name: "plan", ValueType: vault.TypeString},
	)
	scenario := w.scenario("Ask.")
	w.require(scenario.ID, vault.Requirement{FieldName: "plan", WhenCondition: `fields.segment == "private"`})
	w.write("segment", json.RawMessage(`"business"`))
	if read, asked := w.lacking(scenario.ID); read != 0 || asked != 0 {
		t.Errorf("for a business customer %d fields are missing, and %d are asked for", read, asked)
	}
	w.write("segment", json.RawMessage(`"private"`))
	if read, asked := w.lacking(scenario.ID); read != 1 || asked != 1 {
		t.Errorf("for a private customer %d fields are missing, and %d are asked for; want the plan", read, asked)
	}
}

// lacking returns the number of missing fields that a reader and a gap fill find.
func (w *world) lacking(scenario uuid.UUID) (read, filled int) {
	w.t.Helper()
	missing, err := readerOf(w).Missing(w.t.Context(), w.tenant, query.MissingInput{
		CustomerID: w.customer, ScenarioID: scenario,
	})
	w.must(err)
	fill := w.event(
		trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.FillGaps, vault.FillGapsInput{
			CustomerID: w.customer, ScenarioID: scenario,
		}),
	)
	w.must(w.run(fill, fillGaps...))
	return len(missing.Missing), w.count("SELECT count(*) FROM questions WHERE fill_id = $1", fill.OperationID)
}
