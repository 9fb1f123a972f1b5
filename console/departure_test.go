package console_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/contextvault/contextvault/console"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/vault"
)

// A value expires by hand, leaves the profile and stays on the page as expired. A form for an older version changes
// nothing.
func TestExpire_ByHand(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(nil, "city", "region")
	first := w.write("city", "Bergen")
	second := w.write("city", "Oslo")
	w.write("region", "East", from(second))
	v := w.visitor(w.key)
	at := "/customers/" + w.customer.String()
	v.get(at+"/values/city/expire").want(200).has("Oslo", "becomes stale")
	v.post(at+"/values/city/expire", "seen", first.String()).want(422).has("expire that one", "Nothing was changed.")
	v.post(at+"/values/city/expire", "seen", second.String()).want(200).
		has("expire-value succeeded.", "Orphaned and expired values", "Oslo", "stale")
	if w.active("city") != (vault.Value{}).ID {
		t.Error("the value is still active")
	}
	v.get(at + "/values/city/expire").want(404)
}

// An item that was deleted is restored from the page of the operation.
func TestDelete_IsUndone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(nil, "city")
	city := w.write("city", "Oslo")
	v := w.visitor(w.key)
	v.get("/items/" + city.String() + "/delete").want(200)
	p := v.post("/items/" + city.String() + "/delete").want(200).has("delete-item succeeded.")
	_, op, _ := strings.Cut(p.at, "op=")
	v.get("/operations/" + op).want(200).has("Restore the deleted item")
	v.post("/items/"+city.String()+"/restore").want(200).has("restore-item succeeded.", "Oslo")
	if w.active("city") != city {
		t.Error("the value is not active again")
	}
	v.post("/items/" + city.String() + "/restore").want(409)
}

// The items of others that depend on a customer are shown before it is deleted, and only an admin orphans them.
func TestDeleteCustomer_ShowsDependents(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *console.Options) { o.PurgeAfter = 30 * 24 * time.Hour })
	w.define(nil, "plan", "tier")
	plan := w.write("plan", "gold")
	gone := w.customer
	w.customer = testkit.ID()
	w.write("tier", "first", from(plan))
	at := "/customers/" + gone.String()
	writer := w.visitor(w.newKey(nil, "read", "write"))
	writer.get(at+"/delete").want(200).has("tier", w.customer.String(), "reversible", "30 days from now", "Delete those first")
	writer.post(at+"/delete").want(409).has("Cannot delete", "Nothing was changed.")
	writer.post(at+"/delete", "force", "yes").want(403)
	v := w.visitor(w.key)
	v.get(at + "/delete").want(200)
	p := v.post(at+"/delete", "force", "yes", "purge_after", "2001-01-01").want(422).has("Enter a later day")
	if !strings.Contains(p.body, `value="2001-01-01"`) {
		t.Error("what was typed is gone")
	}
	v.get(at).want(200)
	v.post(at+"/delete", "force", "yes", "purge_after", time.Now().AddDate(0, 1, 0).Format(time.DateOnly)).want(200).
		has("delete-customer succeeded.")
	v.get(at).want(404)
	v.get("/customers/"+w.customer.String()).want(200).has("Orphaned and expired values", "orphaned")
}

// An export is recorded, and downloaded as a page and as JSON. A masked key gets none.
func TestExport_JSONAndPage(t *testing.T) {
	t.Parallel()
	w, _ := full(t, hostile)
	at := "/customers/" + w.customer.String()
	v := w.visitor(w.key)
	v.get(at + "/export").want(200).has("everything that an erasure would remove")
	p := v.post(at+"/export").want(200).has("export-customer succeeded.", "can be fetched until")
	export, _, _ := strings.Cut(strings.TrimPrefix(p.at, "/console"), "?")
	json := v.get(export + "/customer.json").want(200)
	if !strings.Contains(json.body, "X1234567") || !strings.Contains(json.body, `"complete": true`) {
		t.Errorf("the export is %s", json.body)
	}
	html := v.get(export + "/customer.html").want(200)
	if !strings.Contains(html.body, "X1234567") || strings.Contains(html.body, "<img") {
		t.Errorf("the page is %s", html.body)
	}
	for _, file := range []page{json, html} {
		if !strings.HasPrefix(file.header.Get("Content-Disposition"), "attachment") {
			t.Errorf("the headers of %s are %v", file.at, file.header)
		}
	}
	masked := w.visitor(w.newKey(func(in *dbgen.CreateAPIKeyParams) { in.Masked = true }, "admin"))
	masked.get(at + "/export").want(200).has("needs a key that sees PII")
	masked.post(at + "/export").want(403)
	masked.get(export + "/customer.json").want(403).lacks("X1234567")
	stranger := newWorld(t)
	other := stranger.visitor(stranger.key)
	other.url = w.url
	other.get(export + "/customer.json").want(404)
	other.get(export).want(404)
}

// A customer is erased once its id is typed, and the receipt is shown and downloaded. Another tenant sees none of it.
func TestErase_AfterItsIDIsTyped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(nil, "city")
	w.write("city", "Oslo")
	at := "/customers/" + w.customer.String()
	for _, scopes := range [][]string{{"read"}, {"read", "write"}, {"read", "review"}} {
		weak := w.visitor(w.newKey(nil, scopes...))
		weak.get(at + "/erase").want(403)
		weak.post(at+"/erase", "confirm", w.customer.String(), "derived", "stale").want(403).has("nothing was changed")
	}
	v := w.visitor(w.newKey(nil, "read", "erase"))
	v.get(at + "/erase").want(200).has("cannot be undone")
	p := v.post(at+"/erase", "confirm", "yes", "derived", "erase").want(422).has("This is not the id of the customer.")
	if !strings.Contains(p.body, `value="yes"`) {
		t.Error("what was typed is gone")
	}
	v.post(at+"/erase", "confirm", w.customer.String(), "derived", "both").want(422).has("Choose what happens")
	v.get(at).want(200).has("Oslo")
	p = v.post(at+"/erase", "confirm", w.customer.String(), "derived", "stale").want(200).
		has("erase-customer succeeded.", "finished", "signature", "customer values")
	erasure, _, _ := strings.Cut(strings.TrimPrefix(p.at, "/console"), "?")
	receipt := v.get(erasure + "/receipt.json").want(200)
	if _, err := vault.ParseReceipt([]byte(receipt.body)); err != nil {
		t.Errorf("the receipt is no receipt: %v", err)
	}
	v.get("/erasures").want(200).has(strings.TrimPrefix(erasure, "/erasures/"))
	v.get(at).want(http.StatusNotFound)
	v.post(at+"/erase", "confirm", w.customer.String(), "derived", "stale").want(404)
	stranger := newWorld(t)
	other := stranger.visitor(stranger.key)
	other.url = w.url
	other.get(erasure).want(404)
	other.get(erasure + "/receipt.json").want(404)
	other.get("/erasures").want(200).lacks(strings.TrimPrefix(erasure, "/erasures/"))
}

// A conversation shows everything that was heard in it, marked in the turn that says it.
func TestConversation_MarksWhatWasHeard(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(nil, "city", "pet")
	session := testkit.ID()
	apply(w, vault.SaveSession, vault.SaveSessionInput{
		SessionID: session, AgentID: w.agent, CustomerID: w.customer,
		Turns: []vault.Turn{
			{Speaker: vault.SpeakerCustomer, Text: "I live in Oslo and have a cat."},
			{Speaker: vault.SpeakerCustomer, Text: "Yes, I live in Oslo."},
		},
	})
	heard := func(quote, turn string) func(*vault.WriteValueInput) {
		return func(in *vault.WriteValueInput) {
			in.Source, in.SourceSessionID = vault.ValueLLMExtracted, &session
			in.SourceMetadata = []byte(`{"quote": "` + quote + `", "turn": ` + turn + `}`)
		}
	}
	w.write("city", "Oslo", heard("I live in Oslo", "0"))
	w.write("pet", "cat", heard("have a cat", "0"))
	v := w.visitor(w.key)
	v.get("/sessions/" + session.String()).want(200).lacks("Oslo")
	p := v.post("/sessions/"+session.String()+"/reveal").want(200).has("Heard in it", "city", "pet")
	if strings.Count(p.body, "<mark>") != 2 || !strings.Contains(p.body, "<mark>have a cat</mark>") {
		t.Errorf("the marks are not two: %s", p.body)
	}
}
