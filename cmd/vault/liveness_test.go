package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/embedded"
	"github.com/contextvault/contextvault/embedded/embeddedtest"
	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// killsEnv is the number of kills of TestPostgres_KilledUnderLoad. `make chaos` sets a higher one.
const killsEnv = "CHAOS_KILLS"

// load is what a test has submitted.
type load struct {
	s         *system
	scenario  uuid.UUID
	fills     map[uuid.UUID]trigger.Receipt // by customer
	writes    map[uuid.UUID]trigger.Receipt // by customer
	others    []trigger.Receipt
	customers []uuid.UUID
}

// retried repeats a call while PostgreSQL is down.
func retried[T any](t *testing.T, what string, call func(ctx context.Context) (T, error)) T {
	t.Helper()
	var last error
	defer func() {
		if t.Failed() {
			t.Logf("%s: %v", what, last)
		}
	}()
	return testkit.Eventually(t, what, func(ctx context.Context) (T, bool) {
		out, err := call(ctx)
		last = err
		if err != nil && vault.Permanent(err) {
			t.Fatalf("%s: %v", what, err)
		}
		return out, err == nil
	})
}

// add submits a gap fill, a write and the save of a scenario with a text.
func (l *load) add(t *testing.T) {
	t.Helper()
	customer := testkit.ID()
	l.customers = append(l.customers, customer)
	l.fills[customer] = retried(t, "submit a fill", func(ctx context.Context) (trigger.Receipt, error) {
		return trigger.Submit(ctx, l.s.Trigger, l.s.tenant, vault.FillGaps,
			vault.FillGapsInput{CustomerID: customer, ScenarioID: l.scenario},
			trigger.IdempotencyKey("fill "+customer.String()))
	})
	l.writes[customer] = retried(t, "submit a write", func(ctx context.Context) (trigger.Receipt, error) {
		return trigger.Submit(ctx, l.s.Trigger, l.s.tenant, vault.WriteValue, vault.WriteValueInput{
			AgentID: l.s.agent, CustomerID: customer, Name: "plan", Value: json.RawMessage(`"gold"`),
			Source: vault.ValueUserProvided,
		}, trigger.IdempotencyKey("write "+customer.String()))
	})
	l.others = append(l.others, retried(t, "submit a scenario", func(ctx context.Context) (trigger.Receipt, error) {
		return trigger.Submit(ctx, l.s.Trigger, l.s.tenant, vault.SaveScenario, vault.Scenario{
			ID: customer, AgentID: l.s.agent, Name: "Close an account",
			Steps: []vault.ScenarioStep{{ID: "ask", Text: "Ask for the customer's city and the order number."}},
		}, trigger.IdempotencyKey("scenario "+customer.String()))
	}))
}

// answer answers every open question, until ctx ends.
func (l *load) answer(ctx context.Context) {
	for ctx.Err() == nil {
		for _, customer := range l.customers {
			open, err := l.s.Query.Questions(ctx, l.s.tenant, customer)
			if err != nil {
				continue
			}
			for _, q := range open {
				_, _ = trigger.Submit(ctx, l.s.Trigger, l.s.tenant, vault.AnswerQuestion, vault.AnswerQuestionInput{
					QuestionID: q.ID, Value: json.RawMessage(`"Norway"`),
				}, trigger.IdempotencyKey("answer "+q.ID.String()))
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// logUnfinished logs the state of the operations that have not ended, after a failure.
func (l *load) logUnfinished(t *testing.T) {
	if !t.Failed() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), testkit.Patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, l.s.DatabaseURL)
	if err != nil {
		t.Logf("the state of the operations is unknown: %v", err)
		return
	}
	defer func() { _ = conn.Close(ctx) }()
	rows, err := conn.Query(ctx, `
		SELECT format('%s %s %s: %s pushes, the last one %s ago, %s failures, due in %s, %s wake-ups, finished since: %s',
		    o.workflow, o.id, o.status, o.attempts, clock_timestamp() - o.enqueued_at, o.failures,
		    o.due_at - clock_timestamp(), (SELECT count(*) FROM fill_wakeups w WHERE w.fill_id = o.id),
		    (SELECT count(*) FROM operations f WHERE f.finished_at > clock_timestamp() - interval '30 seconds'))
		FROM operations o
		WHERE o.status IN ('accepted', 'applied')
		ORDER BY o.accepted_at`)
	if err != nil {
		t.Logf("the state of the operations is unknown: %v", err)
		return
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	t.Logf("unfinished (%v):\n%s", err, strings.Join(lines, "\n"))
}

// ended checks that everything ends, once.
func (l *load) ended(t *testing.T) {
	t.Helper()
	defer l.logUnfinished(t)
	for customer, fill := range l.fills {
		op := l.s.Operation(t, l.s.tenant, fill.ID, vault.OperationSucceeded)
		var filled vault.FillResult
		if err := json.Unmarshal(op.Result, &filled); err != nil || filled.Blocked {
			t.Errorf("the fill %s ended with %+v, %v", fill.ID, filled, err)
		}
		l.s.Operation(t, l.s.tenant, l.writes[customer].ID, vault.OperationSucceeded)
		l.s.writtenOnce(customer, "country")
		l.s.writtenOnce(customer, "plan")
	}
	for _, other := range l.others {
		op := l.s.Operation(t, l.s.tenant, other.ID, vault.OperationSucceeded)
		var saved vault.SavedResult
		if err := json.Unmarshal(op.Result, &saved); err != nil || saved.Extraction == nil {
			t.Fatalf("the save %s ended with %s, %v", other.ID, op.Result, err)
		}
		l.s.Operation(t, l.s.tenant, *saved.Extraction, vault.OperationSucceeded)
	}
}

func (s *system) asking(field string) uuid.UUID {
	s.t.Helper()
	scenario := testkit.ID()
	s.applied(trigger.Submit(s.t.Context(), s.Trigger, s.tenant, vault.SaveScenario,
		vault.Scenario{ID: scenario, AgentID: s.agent, Name: "Open an account"}))
	s.applied(trigger.Submit(s.t.Context(), s.Trigger, s.tenant, vault.SaveRequirement, vault.Requirement{
		AgentID: s.agent, ScenarioID: scenario, FieldName: field, RequiredLevel: vault.LevelHard,
		FallbackAction: vault.FallbackAsk,
	}))
	return scenario
}

// PostgreSQL, which holds the vault's and the engine's database, is killed and started under gap fills, extractions and
// writes. Everything ends, once.
func TestPostgres_KilledUnderLoad(t *testing.T) {
	t.Parallel()
	kills := 3
	if n, err := strconv.Atoi(os.Getenv(killsEnv)); err == nil {
		kills = n
	}
	server := testkit.StartPostgres(t)
	if err := db.Migrate(t.Context(), server.URL); err != nil {
		t.Fatal(err)
	}
	engine := startEngine(t, embedded.Config{
		DatabaseURL: server.EngineURL, Dir: t.TempDir(), SingleEngine: true, FastShutdown: true, LogLevel: "disabled",
	})
	kit := testkit.OnDatabase(t, engine, server.URL)
	s := &system{Kit: kit, t: t, tenant: kit.Tenant(t), agent: testkit.ID()}
	startWorker(t, s.Kit)
	s.define("country", "plan")
	l := &load{
		s: s, scenario: s.asking("country"),
		fills: map[uuid.UUID]trigger.Receipt{}, writes: map[uuid.UUID]trigger.Receipt{},
	}
	for i := range kills {
		for range 3 {
			l.add(t)
		}
		ctx, cancel := context.WithCancel(t.Context())
		answering := make(chan struct{})
		go func() {
			defer close(answering)
			l.answer(ctx)
		}()
		// The kills hit different moments of the work.
		time.Sleep(time.Duration(50+i*137%400) * time.Millisecond)
		server.Kill(t)
		server.Start(t)
		time.Sleep(time.Duration(i*211%700) * time.Millisecond)
		cancel()
		<-answering
	}
	last := time.Now()
	ctx, cancel := context.WithCancel(t.Context())
	answering := make(chan struct{})
	go func() {
		defer close(answering)
		l.answer(ctx)
	}()
	l.ended(t)
	cancel()
	<-answering
	t.Logf("%d kills; %d fills, writes and extractions ended %s after the last one", kills, len(l.fills), time.Since(last))
}

// The engine loses the runs that it has accepted: they never start. The relay pushes their operations again.
func TestRelay_RunsLostByTheEngine(t *testing.T) {
	t.Parallel()
	cfg := embeddedtest.Config(t)
	s := newSystem(t, startEngine(t, cfg))
	first := startWorker(t, s.Kit)
	s.define("country", "plan")
	l := &load{
		s: s, scenario: s.asking("country"),
		fills: map[uuid.UUID]trigger.Receipt{}, writes: map[uuid.UUID]trigger.Receipt{},
	}
	first.kill()
	for range 3 {
		l.add(t)
	}
	lost := loseRuns(t, cfg.DatabaseURL, len(l.fills)+len(l.writes)+len(l.others))
	startWorker(t, s.Kit)
	ctx, cancel := context.WithCancel(t.Context())
	answering := make(chan struct{})
	go func() {
		defer close(answering)
		l.answer(ctx)
	}()
	l.ended(t)
	cancel()
	<-answering
	t.Logf("%d runs were lost", lost)
}

// loseRuns waits until the engine has queued n tasks, and deletes them from its queue.
func loseRuns(t *testing.T, url string, n int) int64 {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	testkit.Eventually(t, fmt.Sprintf("%d runs are queued", n), func(ctx context.Context) (int, bool) {
		var queued int
		err := conn.QueryRow(ctx, "SELECT count(*) FROM v1_queue_item").Scan(&queued)
		return queued, err == nil && queued >= n
	})
	tag, err := conn.Exec(t.Context(), "DELETE FROM v1_queue_item")
	if err != nil {
		t.Fatal(err)
	}
	return tag.RowsAffected()
}

// While PostgreSQL stops, is down and starts, every response of the API is 503 with Retry-After, or a success.
func TestAPI_DatabaseRestarts(t *testing.T) {
	t.Parallel()
	server := testkit.StartPostgres(t)
	if err := db.Migrate(t.Context(), server.URL); err != nil {
		t.Fatal(err)
	}
	kit := testkit.OnDatabase(t, embeddedtest.Start(t), server.URL)
	api, err := kit.ServeAPI(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(api.Close)
	key, _, err := kit.APIKey(t.Context(), kit.Tenant(t), "read", "write")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	statuses := map[int]int{}
	ctx, cancel := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	for i := range 6 {
		clients.Go(func() {
			for ctx.Err() == nil {
				status, retry := request(ctx, api.URL, key, i%2 == 0)
				mu.Lock()
				statuses[status]++
				mu.Unlock()
				if status == http.StatusServiceUnavailable && retry == "" {
					t.Error("a response 503 has no Retry-After")
				}
			}
		})
	}
	time.Sleep(200 * time.Millisecond)
	for range 3 {
		server.Kill(t)
		server.Start(t)
		server.Stop(t)
		server.Start(t)
	}
	answered := func(ctx context.Context) (int, bool) {
		status, _ := request(ctx, api.URL, key, true)
		return status, status == http.StatusAccepted
	}
	testkit.Eventually(t, "the API works again", answered)
	cancel()
	clients.Wait()
	t.Logf("statuses: %v", statuses)
	delete(statuses, 0) // the end of the test
	if statuses[http.StatusServiceUnavailable] == 0 {
		t.Error("no request met the outage")
	}
	for status, n := range statuses {
		switch status {
		case http.StatusServiceUnavailable, http.StatusAccepted, http.StatusNotFound:
		default:
			t.Errorf("%d responses have the status %d", n, status)
		}
	}
}

// request writes a value, or reads an unknown customer, and returns the status and Retry-After. 0: no response.
func request(ctx context.Context, server, key string, write bool) (status int, retryAfter string) {
	method, path, body := http.MethodGet, "/v1/customers/"+testkit.ID().String(), ""
	if write {
		method, path = http.MethodPut, path+"/values/plan"
		body = `{"agent_id": "` + testkit.ID().String() + `", "value": "gold", "source": "user_provided"}`
	}
	req, err := http.NewRequestWithContext(ctx, method, server+path, strings.NewReader(body))
	if err != nil {
		return 0, ""
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, ""
	}
	defer func() { _ = res.Body.Close() }()
	return res.StatusCode, res.Header.Get("Retry-After")
}
