package console_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/api"
	"github.com/contextvault/contextvault/console"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/internal/webconsole"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

var kit *testkit.Kit

func TestMain(m *testing.M) {
	code := testkit.Main(m, func(k *testkit.Kit) { kit = k }, "VAULT_EVENTS_WEBHOOK_PRIVATE_ADDRESSES=true")
	quitBrowser()
	os.Exit(code)
}

// world is a tenant with a console, and what a test put into it.
type world struct {
	t        testing.TB
	url      string
	tenant   uuid.UUID
	agent    uuid.UUID
	customer uuid.UUID
	key      string // with all scopes
}

func newWorld(t testing.TB, change ...func(*console.Options)) *world {
	t.Helper()
	w := &world{t: t, tenant: kit.Tenant(t), agent: testkit.ID(), customer: testkit.ID()}
	w.url = serve(t, change...)
	w.key = w.newKey(nil, "admin")
	return w
}

// serve starts a process of the API with the console.
func serve(t testing.TB, change ...func(*console.Options)) string {
	t.Helper()
	s := httptest.NewServer(handlerOf(t, change...))
	t.Cleanup(s.Close)
	return s.URL
}

// handlerOf returns the API with the console.
func handlerOf(t testing.TB, change ...func(*console.Options)) http.Handler {
	t.Helper()
	o := kit.APIOptions(uuid.Nil)
	o.AdminToken, o.OperatorTenant = adminToken, kit.Tenant(t)
	server := api.New(o)
	if err := webconsole.Mount(server, kit.Runtime, nil, change...); err != nil {
		t.Fatal(err)
	}
	return server
}

const adminToken = "the token of the operator of these tests"

// newKey creates a key of the tenant.
func (w *world) newKey(change func(*dbgen.CreateAPIKeyParams), scopes ...string) string {
	w.t.Helper()
	secret := api.NewKey()
	in := dbgen.CreateAPIKeyParams{
		ID: testkit.ID(), TenantID: w.tenant, Name: "test", KeyHash: api.HashKey(secret), Scopes: scopes,
	}
	if change != nil {
		change(&in)
	}
	if err := kit.DB.System().CreateAPIKey(w.t.Context(), in); err != nil {
		w.t.Fatal(err)
	}
	return secret
}

// apply submits an operation and waits for its success.
func apply[In, Out any](w *world, spec vault.Spec[In, Out], in In) (out Out) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), testkit.Patience)
	defer cancel()
	receipt, err := trigger.Submit(ctx, kit.Trigger, w.tenant, spec, in)
	if err != nil {
		w.t.Fatal(err)
	}
	op, err := receipt.Wait(ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := json.Unmarshal(op.Result, &out); err != nil {
		w.t.Fatal(err)
	}
	return out
}

func (w *world) define(change func(*vault.Definition), names ...string) {
	w.t.Helper()
	for _, name := range names {
		d := vault.Definition{AgentID: w.agent, Name: name, ValueType: vault.TypeString, Enabled: true}
		if change != nil {
			change(&d)
		}
		apply(w, vault.SaveDefinition, d)
	}
}

func (w *world) write(name string, value any, change ...func(*vault.WriteValueInput)) uuid.UUID {
	w.t.Helper()
	raw, err := json.Marshal(value)
	if err != nil {
		w.t.Fatal(err)
	}
	in := vault.WriteValueInput{
		AgentID: w.agent, CustomerID: w.customer, Name: name, Value: raw, Source: vault.ValueUserProvided,
	}
	for _, f := range change {
		f(&in)
	}
	return apply(w, vault.WriteValue, in).ItemID
}

// from derives a value from an item.
func from(source uuid.UUID) func(*vault.WriteValueInput) {
	return func(in *vault.WriteValueInput) {
		in.Source = vault.ValueSystemInferred
		in.Lineage = vault.Lineage{SourceItemID: &source, SourceItemType: vault.SourceProfileField}
	}
}

// byPerson makes a claim strong, byGuess weak.
func byPerson(in *vault.WriteValueInput) {
	in.Source, in.Verified, in.VerificationMethod = vault.ValueHumanEntered, true, "letter"
}

func byGuess(in *vault.WriteValueInput) {
	low := 0.4
	in.Source, in.Confidence = vault.ValueSystemInferred, &low
}

// conflict makes a pending value beside a stronger one.
func (w *world) conflict(name, active, pending string) uuid.UUID {
	w.t.Helper()
	w.write(name, active, byPerson)
	return w.write(name, pending, byGuess)
}

// scenario saves a scenario whose text gives reviews, and waits for the first.
func (w *world) scenario(text string) uuid.UUID {
	w.t.Helper()
	s := vault.Scenario{
		ID: testkit.ID(), AgentID: w.agent, Name: "Travel insurance", Description: text,
	}
	apply(w, vault.SaveScenario, s)
	testkit.Eventually(w.t, "something waits for review", func(ctx context.Context) (vault.Reviews, bool) {
		r, _, err := kit.Query.ReviewsPage(ctx, w.tenant, nil, 10)
		if err != nil {
			w.t.Fatal(err)
		}
		return r, len(r.Definitions) > 0
	})
	return s.ID
}

// visitor is a client with a session, without JavaScript.
func (w *world) visitor(key string) *visitor {
	w.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	v := &visitor{t: w.t, url: w.url, client: &http.Client{Jar: jar}}
	v.post("/sign-in", "key", key, "name", "Grace").want(http.StatusOK)
	return v
}
