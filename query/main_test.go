package query_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"go.opentelemetry.io/otel"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.uber.org/goleak"

	"github.com/contextvault/contextvault/cache"
	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/llm/offline"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// recorder records the spans of statements that belong to a trace.
var recorder = tracetest.NewSpanRecorder()

func TestMain(m *testing.M) {
	otel.SetTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder)))
	goleak.VerifyTestMain(m)
}

// vaultOf is the vault of one test: steps write and the test reads.
type vaultOf struct {
	*query.Queries
	t       *testing.T
	url     string
	db      *db.DB
	cache   *cache.Cache
	sealer  *db.Sealer
	trigger *trigger.Client
	steps   steps.Steps

	tenant, other, agent, customer uuid.UUID
}

// newVault returns a vault with the Redis at a URL; "" is the Redis shared by all tests.
func newVault(t *testing.T, redisURL string) *vaultOf {
	t.Helper()
	url := dbtest.URL(t)
	v := &vaultOf{t: t, url: url, db: dbtest.OpenURL(t, url), agent: newID(), customer: newID()}
	v.tenant, v.other = dbtest.Tenant(t, v.db), dbtest.Tenant(t, v.db)
	if redisURL == "" {
		redisURL = os.Getenv("REDIS_URL")
	}
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	c, err := cache.New(cache.Options{
		URL: redisURL, Enabled: true, Logger: quiet, LeaseDuration: 50 * time.Millisecond,
		FlushPending: func(ctx context.Context) error {
			_, err := v.steps.Caches.FlushPending(ctx)
			return err
		},
	})
	v.must(err)
	v.cache = c
	t.Cleanup(c.Close)
	sealer := dbtest.Sealer(t, v.db)
	v.sealer = sealer
	model, err := offline.New(llm.Config{})
	v.must(err)
	v.trigger = trigger.New(trigger.Options{DB: v.db, Sealer: sealer, Log: quiet})
	t.Cleanup(v.trigger.Close)
	v.steps = steps.New(steps.Deps{
		DB: v.db, Sealer: sealer, Cache: c, Model: model, Log: quiet,
		Settings: once.Settings{Mode: vault.ModeStrict, SweepBatch: 100, MatchThreshold: 0.8},
	})
	v.Queries = query.New(v.db, c, sealer)
	return v
}

func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

func ptr[T any](v T) *T { return &v }

func text(s string) json.RawMessage {
	out, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return out
}

func (v *vaultOf) must(err error) {
	v.t.Helper()
	if err != nil {
		v.t.Fatal(err)
	}
}

func (v *vaultOf) equal(what string, want, got any) {
	v.t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		v.t.Errorf("%s (- want, + got):\n%s", what, diff)
	}
}

// run runs steps of an accepted operation.
func (v *vaultOf) run(r trigger.Receipt, err error, names ...func(context.Context, vault.Event) error) {
	v.t.Helper()
	v.must(err)
	op, err := v.db.Tenant(r.TenantID).GetOperation(v.t.Context(), r.TenantID, r.ID)
	v.must(err)
	for _, step := range names {
		v.must(step(v.t.Context(), db.EventOf(op)))
	}
}

// step drops the output of a step.
func step[Out any](fn func(context.Context, vault.Event) (Out, error)) func(context.Context, vault.Event) error {
	return func(ctx context.Context, ev vault.Event) error {
		_, err := fn(ctx, ev)
		return err
	}
}

// acknowledge is the last step.
func (v *vaultOf) acknowledge(ctx context.Context, ev vault.Event) error {
	_, err := v.steps.Caches.InvalidateAndAcknowledge(ctx, vault.BatchOf(ev))
	return err
}

func (v *vaultOf) define(defs ...vault.Definition) {
	v.t.Helper()
	for _, d := range defs {
		d.AgentID, d.Enabled = v.agent, true
		r, err := trigger.Submit(v.t.Context(), v.trigger, v.tenant, vault.SaveDefinition, d)
		v.run(r, err, step(v.steps.Definitions.PersistDefinition), v.acknowledge)
	}
}

func (v *vaultOf) scenario() vault.Scenario {
	v.t.Helper()
	s := vault.Scenario{
		ID: newID(), AgentID: v.agent, Name: "Loan",
		Steps: []vault.ScenarioStep{{ID: "a", Text: "One."}, {ID: "b", Text: "Two."}},
	}
	r, err := trigger.Submit(v.t.Context(), v.trigger, v.tenant, vault.SaveScenario, s)
	v.run(r, err, step(v.steps.Scenarios.PersistScenario))
	return s
}

func (v *vaultOf) require(scenario uuid.UUID, reqs ...vault.Requirement) {
	v.t.Helper()
	for _, req := range reqs {
		req.AgentID, req.ScenarioID = v.agent, scenario
		if req.RequiredLevel == "" {
			req.RequiredLevel = vault.LevelHard
		}
		req.FallbackAction = vault.FallbackAsk
		r, err := trigger.Submit(v.t.Context(), v.trigger, v.tenant, vault.SaveRequirement, req)
		v.run(r, err, step(v.steps.Definitions.PersistRequirement), v.acknowledge)
	}
}

// write writes a value and returns its id.
func (v *vaultOf) write(name, value string, change ...func(*vault.WriteValueInput)) uuid.UUID {
	v.t.Helper()
	id := newID()
	in := vault.WriteValueInput{
		ItemID: &id, AgentID: v.agent, CustomerID: v.customer, Name: name, Value: text(value),
		Source: vault.ValueUserProvided,
	}
	for _, c := range change {
		c(&in)
	}
	r, err := trigger.Submit(v.t.Context(), v.trigger, v.tenant, vault.WriteValue, in)
	v.run(r, err, step(v.steps.Values.PersistValue), v.acknowledge)
	return id
}

// from sets the source of a write.
func from(kind vault.SourceType, id *uuid.UUID) func(*vault.WriteValueInput) {
	return func(in *vault.WriteValueInput) { in.SourceItemType, in.SourceItemID = kind, id }
}

func (v *vaultOf) asset(name string) uuid.UUID {
	v.t.Helper()
	r, err := trigger.Submit(v.t.Context(), v.trigger, v.tenant, vault.AddAsset, vault.AddAssetInput{
		CustomerID: v.customer, Name: name, AssetType: "image", StorageProvider: "s3", StoragePath: "ids/1.png",
		Checksum: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
	})
	v.run(r, err, step(v.steps.Assets.PersistAsset), v.acknowledge)
	op, err := v.Operation(v.t.Context(), v.tenant, r.ID)
	v.must(err)
	var out vault.ItemResult
	v.must(json.Unmarshal(op.Result, &out))
	return out.ItemID
}

func (v *vaultOf) session(variables map[string]json.RawMessage) uuid.UUID {
	v.t.Helper()
	in := vault.SaveSessionInput{
		SessionID: newID(), AgentID: v.agent, CustomerID: v.customer, Variables: variables,
		Turns: []vault.Turn{{Speaker: vault.SpeakerCustomer, Text: "Hello."}},
	}
	r, err := trigger.Submit(v.t.Context(), v.trigger, v.tenant, vault.SaveSession, in)
	v.run(r, err, step(v.steps.Sessions.PersistSession))
	return in.SessionID
}
