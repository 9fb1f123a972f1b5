package steps_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"go.uber.org/goleak"

	"github.com/contextvault/contextvault/cache"
	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/llm/offline"
	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

func TestMain(m *testing.M) {
	code := m.Run()
	for _, d := range spare.list {
		d.close()
	}
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// database is a test database that tests use one after the other: emptying one is ten times faster than creating one.
type database struct {
	*db.DB
	url  string
	drop func(context.Context) error
}

// spare holds the databases that no test uses now.
var spare struct {
	mu   sync.Mutex
	list []*database
}

func (d *database) close() {
	d.Close()
	if err := d.drop(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}

// openDatabase returns an empty database for the duration of the test.
func openDatabase(t *testing.T) *database {
	t.Helper()
	spare.mu.Lock()
	defer spare.mu.Unlock()
	var d *database
	if n := len(spare.list); n > 0 {
		d, spare.list = spare.list[n-1], spare.list[:n-1]
	} else {
		url, drop, err := dbtest.Clone(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		opened, err := dbtest.OpenLogins(context.WithoutCancel(t.Context()), url, db.Options{MaxConns: 8})
		if err != nil {
			t.Fatal(err)
		}
		d = &database{DB: opened, url: url, drop: drop}
	}
	t.Cleanup(func() {
		dbtest.Clear(t, d.url)
		spare.mu.Lock()
		defer spare.mu.Unlock()
		spare.list = append(spare.list, d)
	})
	return d
}

// world is the vault of one test without a workflow engine. The test runs the steps itself, in any order and number.
type world struct {
	t       *testing.T
	url     string
	db      *db.DB
	sealer  *db.Sealer
	trigger *trigger.Client // accepts operations and pushes nothing
	engine  *engine         // records the events that steps and the relay push
	model   *model
	cache   *cache.Cache
	steps   steps.Steps
	late    *atomic.Int64 // offset of the steps' clock

	tenant, agent, customer uuid.UUID
}

func newWorld(t *testing.T, change ...func(*steps.Deps)) *world {
	t.Helper()
	database := openDatabase(t)
	w := &world{
		t: t, url: database.url, db: database.DB, sealer: dbtest.Sealer(t, database.DB), engine: &engine{}, late: &atomic.Int64{},
		agent: newID(), customer: newID(),
	}
	w.tenant = dbtest.Tenant(t, w.db)
	offline, err := offline.New(llm.Config{})
	w.must(err)
	w.model = &model{Model: offline, calls: map[string]int{}}
	w.cache = w.newCache(cache.Options{URL: os.Getenv("REDIS_URL")})
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	w.trigger = trigger.New(trigger.Options{DB: w.db, Sealer: w.sealer, Log: log})
	t.Cleanup(w.trigger.Close)
	relay := trigger.New(trigger.Options{DB: w.db, Sealer: w.sealer, Engine: w.engine, Log: log})
	t.Cleanup(relay.Close)
	deps := steps.Deps{
		DB: w.db, Sealer: w.sealer, Cache: w.cache, Model: w.model, Enqueuer: relay, Log: log,
		Settings: once.Settings{
			Mode: vault.ModeStrict, UseThreshold: vault.UseThreshold, ConfirmThreshold: vault.ConfirmThreshold,
			MatchThreshold: 0.8,
			ExportFor:      time.Hour,
			SweepBatch:     2, RetainSucceeded: 24 * time.Hour, RetainFailed: 48 * time.Hour,
			RetainEvents: 24 * time.Hour,
		},
		Now: func() time.Time { return time.Now().Add(time.Duration(w.late.Load())) },
	}
	for _, c := range change {
		c(&deps)
	}
	w.steps = steps.New(deps)
	return w
}

// newCache returns a cache with time-outs for a slow machine and a fast failure without Redis.
func (w *world) newCache(opts cache.Options) *cache.Cache {
	w.t.Helper()
	opts.Enabled, opts.LeaseDuration = true, 50*time.Millisecond
	if opts.OpTimeout == 0 {
		opts.OpTimeout = 5 * time.Second
	}
	opts.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	opts.FlushPending = func(ctx context.Context) error {
		_, err := w.steps.Caches.FlushPending(ctx)
		return err
	}
	c, err := cache.New(opts)
	w.must(err)
	w.t.Cleanup(c.Close)
	return c
}

func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

func ptr[T any](v T) *T { return &v }

// text returns a JSON string.
func text(s string) json.RawMessage {
	out, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return out
}

// engine is a fake workflow engine: it records events and runs nothing.
type engine struct {
	mu     sync.Mutex
	pushes []push
	err    error
}

type push struct {
	Event     string
	Operation uuid.UUID
}

// Push implements trigger.Engine.
func (e *engine) Push(_ context.Context, event string, b vault.Batch) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.err != nil {
		return e.err
	}
	for _, id := range b.IDs() {
		e.pushes = append(e.pushes, push{event, id})
	}
	return nil
}

func (e *engine) taken() []push {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]push(nil), e.pushes...)
}

// model is the offline model. It counts calls, and a test can replace its answers.
type model struct {
	llm.Model
	mu      sync.Mutex
	calls   map[string]int
	propose func(llm.ProposeRequest) ([]vault.ProposedRequirement, error)
	extract func(llm.ExtractRequest) ([]vault.Candidate, error)
	embed   func([]string) ([][]float32, error)
}

var errModel = vault.Unavailable("the language model", errors.New("scripted"))

func (m *model) count(call string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls[call]++
}

func (m *model) called(call string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.calls[call]
}

func (m *model) ProposeRequirements(ctx context.Context, req llm.ProposeRequest) ([]vault.ProposedRequirement, error) {
	m.count("propose")
	if m.propose != nil {
		return m.propose(req)
	}
	return m.Model.ProposeRequirements(ctx, req)
}

func (m *model) ExtractValues(ctx context.Context, req llm.ExtractRequest) ([]vault.Candidate, error) {
	m.count("extract")
	if m.extract != nil {
		return m.extract(req)
	}
	return m.Model.ExtractValues(ctx, req)
}

func (m *model) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	m.count("embed")
	if m.embed != nil {
		return m.embed(texts)
	}
	return m.Model.Embed(ctx, texts)
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// later moves the clock of the steps forward.
func (w *world) later(d time.Duration) { w.late.Add(int64(d)) }

// sql runs a statement without tenant restrictions.
func (w *world) sql(statement string, args ...any) {
	w.t.Helper()
	dbtest.Exec(w.t, w.url, statement, args...)
}

// dump returns the whole database. Sealed data is opened, so sealing it again is no difference.
func (w *world) dump() dbtest.Rows {
	w.t.Helper()
	rows := dbtest.Dump(w.t, w.url)
	for i, row := range rows["operations"] {
		var op map[string]any
		w.must(json.Unmarshal([]byte(row), &op))
		if op["prepared"] == nil {
			continue
		}
		id := uuid.MustParse(op["id"].(string))
		stored, err := w.db.Tenant(w.tenant).GetOperation(w.t.Context(), w.tenant, id)
		w.must(err)
		plain, err := w.sealer.OpenBytes(w.t.Context(), w.tenant, id, stored.Prepared)
		w.must(err)
		op["prepared"] = string(plain)
		encoded, err := json.Marshal(op)
		w.must(err)
		rows["operations"][i] = string(encoded)
	}
	return rows
}

// unchanged fails the test if the database differs from before.
func (w *world) unchanged(before dbtest.Rows, what string) {
	w.t.Helper()
	if diff := cmp.Diff(before, w.dump()); diff != "" {
		w.t.Errorf("%s changed the database (- before, + after):\n%s", what, diff)
	}
}

// retries matches what a failed step records for the relay.
var retries = regexp.MustCompile(`"due_at": "[^"]*"|"failures": \d+`)

// onlyRetried is unchanged, except for what a failed step records for the relay.
func (w *world) onlyRetried(before dbtest.Rows, what string) {
	w.t.Helper()
	strip := func(rows dbtest.Rows) dbtest.Rows {
		out := maps.Clone(rows)
		out["operations"] = nil
		for _, row := range rows["operations"] {
			out["operations"] = append(out["operations"], retries.ReplaceAllString(row, ""))
		}
		return out
	}
	if diff := cmp.Diff(strip(before), strip(w.dump())); diff != "" {
		w.t.Errorf("%s changed the database (- before, + after):\n%s", what, diff)
	}
}

// sameBut is unchanged, except for some tables, and for the audit, which records rejections.
func (w *world) sameBut(before dbtest.Rows, what string, tables ...string) {
	w.t.Helper()
	tables = append(tables, "audit_entries")
	if diff := cmp.Diff(before.Without(tables...), w.dump().Without(tables...)); diff != "" {
		w.t.Errorf("%s changed the database (- before, + after):\n%s", what, diff)
	}
}

// event returns the event of an accepted operation.
func (w *world) event(r trigger.Receipt, err error) vault.Event {
	w.t.Helper()
	w.must(err)
	op, err := w.db.Tenant(r.TenantID).GetOperation(w.t.Context(), r.TenantID, r.ID)
	w.must(err)
	return db.EventOf(op)
}

// operation returns the row of an operation.
func (w *world) op(ev vault.Event) vault.Operation {
	w.t.Helper()
	op, err := w.trigger.Operation(w.t.Context(), ev.TenantID, ev.OperationID)
	w.must(err)
	return op
}

// resultOf decodes the result of an operation.
func resultOf[T any](w *world, ev vault.Event) T {
	w.t.Helper()
	var out T
	w.must(json.Unmarshal(w.op(ev).Result, &out))
	return out
}

// step returns a step by its name, such as "Values.PersistValue".
func (w *world) step(name string) func(context.Context, vault.Event) (any, error) {
	w.t.Helper()
	concern, method, _ := strings.Cut(name, ".")
	fn := reflect.ValueOf(w.steps).FieldByName(concern).MethodByName(method)
	if !fn.IsValid() {
		w.t.Fatalf("there is no step %s", name)
	}
	return func(ctx context.Context, ev vault.Event) (any, error) {
		in := reflect.ValueOf(ev)
		if fn.Type().In(1) == reflect.TypeFor[vault.Batch]() {
			in = reflect.ValueOf(vault.BatchOf(ev))
		}
		out := fn.Call([]reflect.Value{reflect.ValueOf(ctx), in})
		err, _ := out[1].Interface().(error)
		return out[0].Interface(), err
	}
}

// run runs steps by their names and stops at the first failure.
func (w *world) run(ev vault.Event, names ...string) error {
	w.t.Helper()
	for _, name := range names {
		if _, err := w.step(name)(w.t.Context(), ev); err != nil {
			return err
		}
	}
	return nil
}

// The steps of each workflow, in order.
var (
	writeValue     = []string{"Values.ValidateValue", "Values.PersistValue", "Caches.InvalidateAndAcknowledge"}
	addAsset       = []string{"Assets.ValidateAsset", "Assets.PersistAsset", "Caches.InvalidateAndAcknowledge"}
	saveSession    = []string{"Sessions.PersistSession", "Caches.InvalidateAndAcknowledge"}
	saveDefinition = []string{
		"Definitions.ValidateDefinition", "Definitions.PersistDefinition", "Caches.InvalidateAndAcknowledge",
	}
	deleteDefinition  = []string{"Definitions.DeleteDefinition", "Caches.InvalidateAndAcknowledge"}
	deleteRequirement = []string{"Definitions.DeleteRequirement", "Caches.InvalidateAndAcknowledge"}
	saveRequirement   = []string{
		"Definitions.ValidateRequirement", "Definitions.PersistRequirement", "Caches.InvalidateAndAcknowledge",
	}
	saveScenario       = []string{"Scenarios.PersistScenario", "Scenarios.AnnounceSave"}
	saveRule           = []string{"Scenarios.PersistRule", "Scenarios.AnnounceSave"}
	applyConfiguration = []string{
		"Configuration.ValidateConfiguration", "Configuration.PersistConfiguration", "Caches.InvalidateAndAcknowledge",
	}
	extractSchema = []string{
		"Extraction.LoadSchemaSource", "Extraction.ProposeSchema", "Extraction.MatchSchema", "Extraction.PersistSchema",
		"Caches.InvalidateAndAcknowledge",
	}
	answerQuestion = []string{
		"Answers.ValidateAnswer", "Answers.PersistAnswer", "Caches.InvalidateAndAcknowledge",
	}
	openCustomers = []string{"Customers.OpenCustomers", "Caches.InvalidateAndAcknowledge"}
	cancelFill    = []string{"Gaps.CancelFill", "Caches.InvalidateAndAcknowledge"}
)

// define saves enabled definitions.
func (w *world) define(defs ...vault.Definition) {
	w.t.Helper()
	for _, d := range defs {
		d.AgentID, d.Enabled = w.agent, true
		w.must(w.run(w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.SaveDefinition, d)), saveDefinition...))
	}
}

// scenario saves a scenario with these step texts, without extraction.
func (w *world) scenario(texts ...string) vault.Scenario {
	w.t.Helper()
	s := vault.Scenario{ID: newID(), AgentID: w.agent, Name: "Open an account"}
	for i, said := range texts {
		s.Steps = append(s.Steps, vault.ScenarioStep{ID: "step-" + string(rune('a'+i)), Text: said})
	}
	w.save(s)
	return s
}

func (w *world) save(s vault.Scenario) vault.Event {
	w.t.Helper()
	ev := w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.SaveScenario, s))
	w.must(w.run(ev, saveScenario...))
	return ev
}

// require saves requirements of a scenario in order. Defaults: hard, fallback ask.
func (w *world) require(scenario uuid.UUID, reqs ...vault.Requirement) {
	w.t.Helper()
	for i, r := range reqs {
		r.AgentID, r.ScenarioID, r.Order = w.agent, scenario, i
		if r.RequiredLevel == "" {
			r.RequiredLevel = vault.LevelHard
		}
		if r.FallbackAction == "" {
			r.FallbackAction = vault.FallbackAsk
		}
		w.must(
			w.run(w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.SaveRequirement, r)), saveRequirement...),
		)
	}
}

// accept accepts a write of the customer without running its steps.
func (w *world) accept(name string, value json.RawMessage, change ...func(*vault.WriteValueInput)) vault.Event {
	w.t.Helper()
	in := vault.WriteValueInput{
		AgentID: w.agent, CustomerID: w.customer, Name: name, Value: value, Source: vault.ValueUserProvided,
	}
	for _, c := range change {
		c(&in)
	}
	return w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.WriteValue, in))
}

// write writes a value of the customer.
func (w *world) write(name string, value json.RawMessage, change ...func(*vault.WriteValueInput)) vault.ItemResult {
	w.t.Helper()
	ev := w.accept(name, value, change...)
	w.must(w.run(ev, writeValue...))
	return resultOf[vault.ItemResult](w, ev)
}

// from sets the source of a write.
func from(item uuid.UUID) func(*vault.WriteValueInput) {
	return func(in *vault.WriteValueInput) { in.SourceItemID, in.SourceItemType = &item, vault.SourceProfileField }
}

func (w *world) asset() vault.AddAssetInput {
	return vault.AddAssetInput{
		CustomerID: w.customer, Name: "id card", AssetType: "image", StorageProvider: "s3", StoragePath: "ids/1.png",
		SizeBytes: 12,
		Checksum:  "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
	}
}

// session saves a session of the customer.
func (w *world) session(variables map[string]json.RawMessage, said ...string) uuid.UUID {
	w.t.Helper()
	in := vault.SaveSessionInput{SessionID: newID(), AgentID: w.agent, CustomerID: w.customer, Variables: variables}
	for _, text := range said {
		in.Turns = append(in.Turns, vault.Turn{Speaker: vault.SpeakerCustomer, Text: text})
	}
	w.must(w.run(w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.SaveSession, in)), saveSession...))
	return in.SessionID
}

// history returns the versions of a field of the customer, oldest first.
func (w *world) history(name string) []vault.Value {
	w.t.Helper()
	rows, err := w.db.Tenant(w.tenant).ListHistory(w.t.Context(), dbgen.ListHistoryParams{
		TenantID: w.tenant, CustomerID: w.customer, Name: name, MaxRows: 1000,
	})
	w.must(err)
	out := make([]vault.Value, len(rows))
	for i, row := range rows {
		out[len(rows)-1-i] = db.ValueOf(row)
	}
	return out
}

func sorted(in []string) []string {
	slices.Sort(in)
	return in
}

// statusIn returns the status column of a row of a dump.
func statusIn(w *world, row string) string {
	w.t.Helper()
	var r struct {
		Status string `json:"status"`
	}
	w.must(json.Unmarshal([]byte(row), &r))
	return r.Status
}
