package console_test

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/console"
	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

const canary = "CANARY8842"

// withheld is a world with the value of one field in every place that a page shows. The field needs a purpose.
type withheld struct {
	*world
	visitor *visitor
	ids     map[string][]string // what takes the place of {id} in a path, by the first part of the path
	other   uuid.UUID           // a second customer, to merge with
}

func newWithheld(t *testing.T) withheld {
	t.Helper()
	w := newWorld(t)
	w.define(func(d *vault.Definition) {
		d.Purposes, d.ValidationRegex = []string{"support", "offers"}, "[A-Z0-9]+ [a-z]+"
	}, "passport")
	w.define(nil, "plan", "asked")
	session, scenario, other := testkit.ID(), testkit.ID(), testkit.ID()
	for _, customer := range []uuid.UUID{w.customer, other} {
		apply(w, vault.RecordConsent, vault.RecordConsentInput{CustomerID: customer, Purpose: "support", Granted: true})
	}
	apply(w, vault.SaveSession, vault.SaveSessionInput{
		SessionID: session, AgentID: w.agent, CustomerID: w.customer,
		Turns: []vault.Turn{{Speaker: vault.SpeakerCustomer, Text: "Please call me."}},
	})
	heard := func(in *vault.WriteValueInput) {
		in.SourceSessionID = &session
		in.Lineage = vault.Lineage{
			SourceItemID: &session, SourceItemType: vault.SourceSession,
			SourceMetadata: []byte(`{"quote": "It is ` + canary + `."}`),
		}
	}
	old := w.write("passport", canary+" first", heard)
	passport := w.write("passport", canary+" second", heard, byPerson)
	pending := w.write("passport", canary+" guess", heard, byGuess)
	plan := w.write("plan", "gold", from(passport))
	w.write("passport", canary+" other", func(in *vault.WriteValueInput) { in.CustomerID = other })
	apply(w, vault.SaveScenario, vault.Scenario{ID: scenario, AgentID: w.agent, Name: "Call", Description: "Say hello."})
	for _, name := range []string{"asked", "passport"} {
		apply(w, vault.SaveRequirement, vault.Requirement{
			AgentID: w.agent, ScenarioID: scenario, FieldName: name, RequiredLevel: vault.LevelSoft,
			FallbackAction: vault.FallbackAsk,
		})
	}
	rejected := w.rejected("passport", canary+" 7")
	return withheld{world: w, visitor: w.visitor(w.key), other: other, ids: map[string][]string{
		"customers": {w.customer.String(), other.String()}, "sessions": {session.String()}, "agents": {w.agent.String()},
		"items":     {old.String(), passport.String(), pending.String(), plan.String()},
		"scenarios": {scenario.String()}, "operations": {rejected.String()},
	}}
}

// rejected writes a value that its definition rejects, and returns the failed operation.
func (w *world) rejected(name, value string) uuid.UUID {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), testkit.Patience)
	defer cancel()
	receipt, err := trigger.Submit(ctx, kit.Trigger, w.tenant, vault.WriteValue, vault.WriteValueInput{
		AgentID: w.agent, CustomerID: w.customer, Name: name, Value: json.RawMessage(`"` + value + `"`),
		Source: vault.ValueUserProvided,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := receipt.Wait(ctx); vault.CodeOf(err) != vault.CodeInvalid {
		w.t.Fatalf("the operation ends with %v", err)
	}
	return receipt.ID
}

// changes are the routes with POST that change something when they are called. Every other route is called by reads.
func changes(path string) bool {
	return !strings.HasSuffix(path, "/reveal") && !strings.HasSuffix(path, "/try") && !strings.HasSuffix(path, "/find") &&
		!strings.HasSuffix(path, "/merge") && !strings.HasSuffix(path, "/definition")
}

// reads calls every route that shows something, as a person with a purpose, and returns the pages with the value.
func (c withheld) reads(purpose string) []string {
	c.t.Helper()
	v := c.visitor
	v.get("/inbox").want(200)
	v.post("/purpose", "purpose", purpose).want(200)
	var shown []string
	look := func(p page) {
		if strings.Contains(p.body, canary) {
			shown = append(shown, p.at)
		}
	}
	called := 0
	for _, pattern := range console.Pages() {
		method, path, _ := strings.Cut(pattern, " ")
		if method == http.MethodPost && changes(path) || strings.HasPrefix(path, "/sign-") ||
			strings.HasPrefix(path, "/oidc/") || strings.Contains(path, "live") {
			continue
		}
		first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
		ids := c.ids[first]
		if len(ids) == 0 {
			ids = []string{testkit.ID().String()}
		}
		for _, id := range ids {
			at := strings.NewReplacer("{id}", id, "{name}", "passport", "{$}", "").Replace(path)
			called++
			if method == http.MethodGet {
				look(v.get(at))
				for _, query := range []string{"field=passport", "item=" + c.ids["items"][1], "customer=" + id, "name=passport"} {
					look(v.get(at + "?" + query))
				}
				continue
			}
			look(v.post(at, "source", c.other.String(), "customer", c.customer.String(), "do", "preview", "name", "passport",
				"value_type", "string", "enabled", "on", "validation_regex", "[0-9]+", "purposes", "support",
				"field", "passport"))
		}
	}
	if called < 60 {
		c.t.Fatalf("only %d pages were read", called)
	}
	v.get("/customers").want(200)
	p := v.post("/customers/find", "field", "passport", "value", canary+" second")
	if strings.Contains(p.text(), "Customers with this value") && strings.Contains(p.body, c.customer.String()) {
		shown = append(shown, "search by value")
	}
	slices.Sort(shown)
	return slices.Compact(shown)
}

// A value that is withheld is on no page, revealed or not, and no search finds it.
func TestWithheld_NoPageShowsIt(t *testing.T) {
	t.Parallel()
	c := newWithheld(t)
	shown := c.reads("support")
	if len(shown) < 12 || !slices.Contains(shown, "search by value") {
		t.Errorf("with consent and purpose, only these pages show the value: %v", shown)
	}
	for _, purpose := range []string{"", "offers"} {
		if shown := c.reads(purpose); len(shown) > 0 {
			t.Errorf("for the purpose %q the value is on %v", purpose, shown)
		}
	}
	customer := "/customers/" + c.customer.String()
	c.visitor.get(customer).want(200).has("passport", "Not shown: passport (no consent)")
	apply(c.world, vault.RecordConsent, vault.RecordConsentInput{CustomerID: c.customer, Purpose: "support"})
	apply(c.world, vault.RecordConsent, vault.RecordConsentInput{CustomerID: c.other, Purpose: "support"})
	if shown := c.reads("support"); len(shown) > 0 {
		t.Errorf("after the withdrawal the value is on %v", shown)
	}
	c.visitor.post("/purpose", "purpose", "nobody knows it").want(422).has("no definition names this purpose")
}
