package console_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/console"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// hostile is markup that must never become part of a page.
const hostile = `"><img src=x onerror=alert(1)><script>alert(2)</script>'`

const insurance = "We need the customer's date of birth. Perhaps ask for the employer name. " +
	"Collect the customer's loyalty card number, shoe size and dietary wishes. " +
	"If trip_cost > 100 then ask for the billing address."

// full is a world with something on every page: text is in each place that takes free text.
func full(t *testing.T, text string) (w *world, paths map[string]string) {
	t.Helper()
	w = newWorld(t)
	w.define(nil, "plan", "tier", "note", "city", "region")
	w.define(func(d *vault.Definition) { d.IsPII = true }, "passport")
	pending := w.conflict("plan", text+" gold", text+" silver")
	plan := w.active("plan")
	w.write("tier", text+" first", from(plan))
	w.write("region", "West", from(w.write("city", "Bergen")))
	w.write("city", "Oslo") // makes region stale
	w.write("passport", "X1234567")
	session := testkit.ID()
	apply(w, vault.SaveSession, vault.SaveSessionInput{
		SessionID: session, AgentID: w.agent, CustomerID: w.customer,
		Turns: []vault.Turn{{Speaker: vault.SpeakerCustomer, Text: text + " my note is blue"}},
	})
	apply(w, vault.SetCustomerLabel, vault.SetCustomerLabelInput{CustomerID: w.customer, Label: "VIP " + short(text)})
	scenario := w.scenario(insurance + " " + text)
	failed := w.failing(testkit.ID())
	id := w.customer.String()
	return w, map[string]string{
		"inbox": "/inbox", "customers": "/customers", "customer": "/customers/" + id,
		"timeline": "/customers/" + id + "/timeline", "correct": "/customers/" + id + "/values/plan/correct",
		"verify": "/customers/" + id + "/values/tier/verify", "item": "/items/" + plan.String(),
		"delete": "/items/" + plan.String() + "/delete", "pending": "/items/" + pending.String(),
		"session": "/sessions/" + session.String(), "operations": "/operations",
		"operation": "/operations/" + failed.String(), "schema": "/schema", "agent": "/agents/" + w.agent.String(),
		"scenario": "/scenarios/" + scenario.String(),
		"expire":   "/customers/" + id + "/values/plan/expire", "delete customer": "/customers/" + id + "/delete",
		"export": "/customers/" + id + "/export", "erase": "/customers/" + id + "/erase", "erasures": "/erasures",
		"questions": "/customers/" + id + "/questions", "keys": "/keys", "audit": "/audit", "usage": "/usage",
		"webhooks": "/webhooks", "webhook": "/webhooks/" + w.webhook("https://example.com/x", false).String(),
	}
}

func short(text string) string { return text[:min(len(text), 60)] }

// active returns the id of the active version of a field.
func (w *world) active(name string) uuid.UUID {
	w.t.Helper()
	p, err := kit.Query.Profile(w.t.Context(), w.tenant, w.customer)
	if err != nil {
		w.t.Fatal(err)
	}
	return p.Fields[name].ID
}

// failing submits a decision about a row that does not exist, and returns the failed operation.
func (w *world) failing(item uuid.UUID) uuid.UUID {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), testkit.Patience)
	defer cancel()
	receipt, err := trigger.Submit(ctx, kit.Trigger, w.tenant, vault.DecideReview, vault.DecideReviewInput{
		Kind: vault.ReviewOfRequirement, ID: item, Decision: vault.Approve,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := receipt.Wait(ctx); vault.CodeOf(err) != vault.CodeUnknown {
		w.t.Fatalf("the operation ends with %v", err)
	}
	return receipt.ID
}

// undefined writes a value of a field without a definition, and returns the failed operation.
func (w *world) undefined(name string) uuid.UUID {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), testkit.Patience)
	defer cancel()
	receipt, err := trigger.Submit(ctx, kit.Trigger, w.tenant, vault.WriteValue, vault.WriteValueInput{
		AgentID: w.agent, CustomerID: w.customer, Name: name, Value: json.RawMessage(`"chess"`),
		Source: vault.ValueUserProvided,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := receipt.Wait(ctx); vault.CodeOf(err) == "" {
		w.t.Fatalf("the operation ends with %v", err)
	}
	return receipt.ID
}

// Markup in values, texts and labels stays text, on every page.
func TestPages_ShowMarkupAsText(t *testing.T) {
	t.Parallel()
	w, paths := full(t, hostile)
	v := w.visitor(w.key)
	shown := 0
	for name, path := range paths {
		p := v.get(path).want(200)
		if strings.Contains(p.body, "<img") || strings.Contains(p.body, "<script>") {
			t.Errorf("%s has markup of a value: %s", name, p.body)
		}
		if strings.Contains(p.text(), "alert(2)") {
			shown++
		}
	}
	if shown < 5 {
		t.Errorf("only %d pages show the text", shown)
	}
	p := v.post(paths["session"]+"/reveal").want(200).has("alert(2)", "my note is blue")
	if strings.Contains(p.body, "<img") {
		t.Errorf("the conversation has markup: %s", p.body)
	}
	p = v.post("/customers/find", "channel", hostile, "external_id", hostile).want(404).has("No customer has this identity")
	if strings.Contains(p.body, "<img") || !strings.Contains(p.body, `value="&#34;&gt;&lt;img`) {
		t.Errorf("what was typed is not kept as text: %s", p.body)
	}
}

// A personal value is masked until the person asks for it, and always for a key that sees none.
func TestPages_MaskPersonalValues(t *testing.T) {
	t.Parallel()
	w, paths := full(t, "plain")
	v := w.visitor(w.key)
	for _, path := range []string{paths["customer"], paths["timeline"]} {
		v.get(path).want(200).lacks("X1234567")
		v.post(path + "/reveal").want(200).has("X1234567")
	}
	correct := "/customers/" + w.customer.String() + "/values/passport"
	v.get(correct + "/correct").want(200).lacks("X1234567").has("Reveal it before you correct it")
	if p := v.post(correct + "/reveal").want(200); !strings.Contains(p.body, "X1234567") {
		t.Error("the revealed value is not in the form")
	}
	masked := w.visitor(w.newKey(func(in *dbgen.CreateAPIKeyParams) { in.Masked = true }, "admin"))
	for _, path := range []string{paths["customer"], paths["timeline"], paths["session"], correct, paths["item"], "/inbox"} {
		masked.get(paths["customer"]).want(200).lacks("X1234567", "Reveal")
		masked.post(path + "/reveal").want(403).lacks("X1234567").has("masked values only")
	}
}

// The audit names who revealed which fields of whom. Values that it cannot record are not shown.
func TestReveal_IsAudited(t *testing.T) {
	t.Parallel()
	w, paths := full(t, "plain")
	v := w.visitor(w.key)
	entries := func() []vault.AuditEntry {
		t.Helper()
		all, _, err := kit.Query.AuditPage(t.Context(), w.tenant, vault.AuditFilter{Action: vault.AuditRead}, nil, 100)
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	for _, path := range paths {
		v.get(path).want(200)
	}
	if n := len(entries()); n != 0 {
		t.Fatalf("%d entries about masked pages", n)
	}
	for i, c := range []struct{ path, operation, field string }{
		{paths["customer"], "reveal-customer", "passport"},
		{paths["timeline"], "reveal-timeline", "passport"},
		{"/customers/" + w.customer.String() + "/values/passport", "reveal-value", "passport"},
		{"/items/" + w.active("passport").String(), "reveal-item", "passport"},
		{paths["session"], "reveal-conversation", vault.AuditedTurns},
	} {
		v.post(c.path + "/reveal").want(200)
		all := entries()
		if len(all) != i+1 {
			t.Fatalf("after %s there are %d entries", c.path, len(all))
		}
		e := all[0]
		if e.Operation != c.operation || e.Subject != w.customer.String() || !slices.Contains(e.Fields, c.field) ||
			!strings.HasPrefix(string(e.Actor), "console:") {
			t.Errorf("the entry of %s is %+v", c.path, e)
		}
	}
	v.post(paths["item"] + "/reveal").want(200)
	if n := len(entries()); n != 5 {
		t.Errorf("a value that is not personal gives an entry; there are %d", n)
	}
	v.url = serve(t, func(o *console.Options) {
		o.Audit = func(context.Context, []vault.AuditEntry) error { return vault.Unavailable("the audit", io.EOF) }
	})
	v.post(paths["customer"] + "/reveal").want(503).lacks("X1234567")
}

// Every page and action refuses a session of another tenant, and of a key without the scope.
func TestRights_OfEveryPageAndAction(t *testing.T) {
	t.Parallel()
	w, paths := full(t, "plain")
	before := w.state()
	stranger := newWorld(t)
	other := stranger.visitor(stranger.key)
	other.url = w.url
	for name, path := range paths {
		p := other.get(path)
		switch name {
		case "inbox", "customers", "operations", "schema", "erasures", "keys", "webhooks", "audit", "usage": // lists, which are empty
			p.want(200).lacks("gold", "silver", w.customer.String(), w.agent.String(), "Travel insurance")
		default:
			p.want(404).lacks("gold", "silver", "Travel insurance")
		}
	}
	reader := w.visitor(w.newKey(nil, "read"))
	writer := w.visitor(w.newKey(nil, "read", "write"))
	beyond := map[string]bool{ // the rights of a reader
		"correct": true, "verify": true, "delete": true, "expire": true, "delete customer": true, "export": true,
		"erase": true, "erasures": true, "keys": true, "webhooks": true, "webhook": true, "audit": true, "usage": true,
	}
	for name, path := range paths {
		if beyond[name] {
			reader.get(path).want(403).lacks("gold", "silver")
		} else {
			reader.get(path).want(200)
		}
	}
	none := &visitor{t: t, url: w.url, client: &http.Client{}}
	customer, plan := "/customers/"+w.customer.String(), w.active("plan").String()
	pending := strings.TrimPrefix(paths["pending"], "/items/")
	for _, action := range []struct {
		path    string
		fields  []string
		mayGo   *visitor // a weaker session that has the scope; nil: none
		unknown int      // the status for another tenant
	}{
		{"/inbox", []string{"do", "approve:value:" + pending}, nil, 409},
		{customer + "/values/plan/correct", []string{"seen", plan, "agent", w.agent.String(), "value", "x", "reason", "y"}, nil, 404},
		{customer + "/values/plan/verify", []string{"seen", plan, "agent", w.agent.String(), "method", "x"}, nil, 404},
		{"/items/" + plan + "/delete", []string{"force", "yes"}, nil, 404},
		{customer + "/merge", []string{"source", testkit.ID().String(), "confirmed", "yes"}, writer, 404},
		{customer + "/unmerge", nil, writer, 404},
		{paths["operation"] + "/replay", nil, nil, 404},
		{"/operations/replay", []string{"workflow", "decide-review"}, nil, 200},
		{"/operations/relay", nil, nil, 200},
		{"/operations/sweep-own", []string{"sweep", "expire-values"}, nil, 200},
		{"/operations/sweep", []string{"sweep", "expire-values", "admin_token", "guess"}, nil, 403},
		{customer + "/values/plan/expire", []string{"seen", plan}, writer, 404},
		{customer + "/delete", nil, writer, 404},
		{customer + "/export", nil, nil, 404},
		{customer + "/erase", []string{"confirm", w.customer.String(), "derived", "stale"}, nil, 404},
		{"/items/" + plan + "/restore", nil, nil, 404},
		{"/keys", []string{"name", "mine"}, nil, 422},
		{"/keys/" + w.firstKey() + "/revoke", nil, nil, 404},
		{paths["webhook"] + "/test", nil, nil, 404},
		{paths["webhook"] + "/replay", nil, nil, 404},
		{paths["webhook"] + "/delete", nil, nil, 404},
		{"/audit/verify", nil, nil, 200},
	} {
		reader.post(action.path, action.fields...).want(403).has("nothing was changed")
		if action.mayGo == nil {
			writer.post(action.path, action.fields...).want(403).has("nothing was changed")
		}
		other.post(action.path, action.fields...).want(action.unknown)
		none.post(action.path, action.fields...).want(200).has("API key") // the sign-in
		forged := append([]string{"token", "forged"}, action.fields...)
		w.visitor(w.key).post(action.path, forged...).want(403).has("not of your session")
	}
	if after := w.state(); after != before {
		t.Errorf("something was changed:\n%s\n%s", before, after)
	}
}

// firstKey returns the id of a key of the tenant.
func (w *world) firstKey() string {
	w.t.Helper()
	keys, _, err := kit.Query.KeysPage(w.t.Context(), w.tenant, nil, 1)
	if err != nil || len(keys) == 0 {
		w.t.Fatalf("the keys are %v, %v", keys, err)
	}
	return keys[0].ID.String()
}

// A session with a key that is limited to another agent shows nothing of the agent, and changes nothing of it.
func TestAgents_LimitedSession(t *testing.T) {
	t.Parallel()
	w, paths := full(t, "of the other agent:")
	other := w.agent
	w.agent = testkit.ID()
	w.define(nil, "hobby")
	w.write("hobby", "chess problems")
	before := w.state()
	limited := w.visitor(w.newKey(func(in *dbgen.CreateAPIKeyParams) {
		in.Agents = []uuid.UUID{w.agent}
	}, "read", "write", "verify", "review"))
	for name, path := range paths {
		p := limited.get(path)
		p.lacks("gold", "silver", "my note is blue", "Travel insurance", "X1234567", "loyalty card")
		if p.status == 200 {
			p.lacks(other.String())
		}
		switch name {
		case "inbox", "customers", "operations", "schema", "customer", "timeline", "questions":
			p.want(200)
		case "correct", "verify", "delete", "expire":
			if p.status == 200 {
				t.Errorf("%s is shown: %s", name, p.body)
			}
		default:
			p.want(403)
		}
	}
	limited.get(paths["customer"]).want(200).has("chess problems")
	pending := strings.TrimPrefix(paths["pending"], "/items/")
	plan := w.active("plan").String()
	for path, fields := range map[string][]string{
		"/inbox": {"do", "approve:value:" + pending},
		paths["customer"] + "/values/plan/correct": {"seen", plan, "agent", other.String(), "value", "x", "reason", "y"},
		paths["customer"] + "/values/plan/verify":  {"seen", plan, "agent", w.agent.String(), "method", "x"},
	} {
		limited.post(path, fields...).lacks("gold", "silver")
	}
	if after := w.state(); after != before {
		t.Errorf("something was changed:\n%s\n%s", before, after)
	}
}

// state is what the actions of a console could change.
func (w *world) state() string {
	w.t.Helper()
	p, err := kit.Query.Profile(w.t.Context(), w.tenant, w.customer)
	if err != nil {
		w.t.Fatal(err)
	}
	ops, _, err := kit.Query.OperationsPage(w.t.Context(), w.tenant, vault.OperationFilter{}, nil, 1000)
	if err != nil {
		w.t.Fatal(err)
	}
	failed := 0
	for _, op := range ops {
		if op.Status == vault.OperationFailed {
			failed++
		}
	}
	state, err := json.Marshal(map[string]any{"profile": p.Fields, "pending": p.Pending, "failed": failed})
	if err != nil {
		w.t.Fatal(err)
	}
	return string(state)
}

// A form that another site sends changes nothing, also with the token of the session.
func TestForms_OfOtherSitesAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.visitor(w.key)
	v.get("/inbox").want(200)
	for header, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"} {
		form := url.Values{"token": {v.token}}
		v.do(v.form("/sign-out", form, header, value)).want(403).has("came from another site")
		v.do(v.form("/sign-in", url.Values{"key": {w.key}}, header, value)).want(403).has("came from another site")
	}
	v.get("/inbox").want(200).has("Sign out")
}

func TestCustomers_AreFoundByIdentity(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	opened := apply(w, vault.OpenCustomer, vault.OpenCustomerInput{Channel: "sms", ExternalID: "+4915112345678"})
	v := w.visitor(w.key)
	v.get("/customers").want(200)
	at := "/console/customers/" + opened.CustomerID.String()
	for _, fields := range [][]string{{"id", opened.CustomerID.String()}, {"channel", "sms", "external_id", "+4915112345678"}} {
		if p := v.post("/customers/find", fields...).want(200); p.at != at {
			t.Errorf("%v leads to %s", fields, p.at)
		}
	}
	v.post("/customers/find").want(422).has("Enter the id of a customer, or a channel and an identity.")
	v.post("/customers/find", "id", "7").want(422).has("This is not the id of a customer")
	v.post("/customers/find", "id", testkit.ID().String()).want(404).has("There is no customer with this id.")
	v.post("/customers/find", "external_id", "7").want(422).has("Enter the channel")
	for _, typed := range [][]string{
		{"channel", "chat", "external_id", "a\x00b"},
		{"channel", "a\x00b", "external_id", "7"},
		{"field", "plan", "value", "a\xff"},
		{"field", "a\x00b", "value", "gold"},
	} {
		if p := v.post("/customers/find", typed...); p.status != 422 {
			t.Errorf("%q is answered with %d", typed, p.status)
		}
	}
}

// Customers are found by the whole value of a field; a personal value is found by those who may see it, and the audit has
// that.
func TestCustomers_AreFoundByValue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(nil, "plan")
	w.define(func(d *vault.Definition) { d.IsPII = true }, "passport")
	w.write("plan", "gold")
	w.write("passport", "X1234567")
	v := w.visitor(w.key)
	v.get("/customers").want(200)
	id := w.customer.String()
	v.post("/customers/find", "field", "plan", "value", "gold").want(200).has("Customers with this value", id)
	v.post("/customers/find", "field", "plan", "value", "silver").want(200).has("There is no customer").lacks(id)
	v.post("/customers/find", "field", "plan").want(422).has("Enter the value, or its beginning.")
	v.post("/customers/find", "value", "gold").want(422).has("Enter the name of the field")
	if p := v.post("/customers/find", "field", "no such", "value", hostile); p.status < 400 || strings.Contains(p.body, "<img") {
		t.Errorf("an odd field gives %d: %s", p.status, p.body)
	}
	v.post("/customers/find", "field", "plan", "value", "go", "begins", "yes").want(422).
		has("compares the beginning of plan", "prefix_search")
	w.define(func(d *vault.Definition) { d.PrefixSearch = true }, "city")
	w.write("city", "Oslo")
	v.post("/customers/find", "field", "city", "value", "os", "begins", "yes").want(200).has("Customers with this value", id)
	v.post("/customers/find", "field", "city", "value", "slo", "begins", "yes").want(200).has("There is no customer").lacks(id)
	v.post("/customers/find", "field", "city", "value", strings.Repeat("o", 65), "begins", "yes").want(422).has("64 characters")
	v.post("/customers/find", "field", "passport", "value", "X1234567").want(200).has(id)
	testkit.Eventually(t, "the audit has the search", func(ctx context.Context) (bool, bool) {
		all, _, err := kit.Query.AuditPage(ctx, w.tenant, vault.AuditFilter{Operation: "find-customers"}, nil, 10)
		if err != nil {
			t.Fatal(err)
		}
		return true, len(all) > 0 && slices.Contains(all[0].Fields, "passport")
	})
	masked := w.visitor(w.newKey(func(in *dbgen.CreateAPIKeyParams) { in.Masked = true }, "read"))
	masked.get("/customers").want(200)
	if p := masked.post("/customers/find", "field", "passport", "value", "X1234567").lacks("Customers with this value"); p.status < 400 {
		t.Errorf("a masked key searches personal values: %s", p.text())
	}
}

// A stale form says what happened and changes nothing; one with an error keeps what was typed.
func TestForms_StaleOrWrong(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(func(d *vault.Definition) { d.ValueType = vault.TypeNumber }, "age")
	first := w.write("age", 41)
	customer := "/customers/" + w.customer.String()
	v := w.visitor(w.key)
	v.get(customer + "/values/age/correct").want(200)
	form := func(value, reason string) []string {
		return []string{"seen", first.String(), "agent", w.agent.String(), "value", value, "reason", reason}
	}
	p := v.post(customer+"/values/age/correct", form("forty", "typing error")...).want(422).has("is not a JSON number")
	if !strings.Contains(p.body, ">forty</textarea>") || !strings.Contains(p.body, `value="typing error"`) {
		t.Errorf("what was typed is gone: %s", p.body)
	}
	v.post(customer+"/values/age/correct", form("42", "")...).want(422).has("Enter why the value is wrong.")
	second := w.write("age", 43, byPerson)
	v.post(customer+"/values/age/correct", form("42", "typing error")...).want(422).
		has("another version of age is active by now", "Nothing was changed.")
	v.post(customer+"/values/age/verify", "seen", first.String(), "agent", w.agent.String(), "method", "letter").want(422).
		has("Nothing was changed.")
	if now := w.active("age"); now != second {
		t.Errorf("a stale form changed the value")
	}
}
