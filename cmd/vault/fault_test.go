package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/contextvault/contextvault/embedded"
	"github.com/contextvault/contextvault/embedded/embeddedtest"
	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// system is a vault for one test, with workers in separate processes.
type system struct {
	*testkit.Kit
	t             *testing.T
	tenant, agent uuid.UUID

	worker *process // nil: the test does not use it
}

func newSystem(t *testing.T, e *embedded.Engine) *system {
	t.Helper()
	kit := testkit.On(t, e)
	return &system{Kit: kit, t: t, tenant: kit.Tenant(t), agent: testkit.ID()}
}

// applied waits until an operation has succeeded.
func (s *system) applied(r trigger.Receipt, err error) vault.Operation {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
	return s.Operation(s.t, s.tenant, r.ID, vault.OperationSucceeded)
}

func (s *system) define(names ...string) {
	s.t.Helper()
	for _, name := range names {
		s.applied(trigger.Submit(s.t.Context(), s.Trigger, s.tenant, vault.SaveDefinition, vault.Definition{
			AgentID: s.agent, Name: name, ValueType: vault.TypeString, Enabled: true,
		}))
	}
}

// write submits a value.
func (s *system) write(customer uuid.UUID, name string) trigger.Receipt {
	s.t.Helper()
	r, err := trigger.Submit(s.t.Context(), s.Trigger, s.tenant, vault.WriteValue, vault.WriteValueInput{
		AgentID: s.agent, CustomerID: customer, Name: name, Value: json.RawMessage(`"Norway"`), Source: vault.ValueUserProvided,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

// writtenOnce checks that a field has exactly one version, which reads return.
func (s *system) writtenOnce(customer uuid.UUID, name string) {
	s.t.Helper()
	h, err := s.Query.History(s.t.Context(), s.tenant, customer, name)
	if err != nil || len(h) != 1 || h[0].Status != vault.StatusActive {
		s.t.Errorf("the history of %s is %v, %v", name, h, err)
		return
	}
	p, err := s.Query.Profile(s.t.Context(), s.tenant, customer)
	if err != nil || p.Fields[name].ID != h[0].ID {
		s.t.Errorf("a reader sees %v of %s, %v", p.Fields[name].Value, name, err)
	}
}

// A waiting gap fill survives the end of its worker.
func TestFill_SurvivesWorker(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*process){
		"killed": (*process).kill,
		"asked to stop": func(p *process) {
			p.signal(syscall.SIGTERM)
			if code := p.wait(); code != 0 {
				p.t.Errorf("it exited with %d", code)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSystem(t, embeddedtest.Start(t))
			fill, question := s.fillThatWaits(end)
			startWorker(t, s.Kit)
			s.answer(fill, question)
		})
	}
}

// fillThatWaits starts a worker and a gap fill, and ends the worker once the question is open.
func (s *system) fillThatWaits(end func(*process)) (trigger.Receipt, vault.Question) {
	s.t.Helper()
	first := startWorker(s.t, s.Kit)
	s.define("country")
	scenario, customer := testkit.ID(), testkit.ID()
	s.applied(
		trigger.Submit(s.t.Context(), s.Trigger, s.tenant, vault.SaveScenario,
			vault.Scenario{ID: scenario, AgentID: s.agent, Name: "Open an account"}),
	)
	s.applied(trigger.Submit(s.t.Context(), s.Trigger, s.tenant, vault.SaveRequirement, vault.Requirement{
		AgentID: s.agent, ScenarioID: scenario, FieldName: "country", RequiredLevel: vault.LevelHard, FallbackAction: vault.FallbackAsk,
	}))
	fill, err := trigger.Submit(s.t.Context(), s.Trigger, s.tenant, vault.FillGaps,
		vault.FillGapsInput{CustomerID: customer, ScenarioID: scenario})
	if err != nil {
		s.t.Fatal(err)
	}
	question := s.Question(s.t, s.tenant, customer)
	end(first)
	return fill, question
}

// answer answers the question of a fill and checks that the gap is filled once.
func (s *system) answer(fill trigger.Receipt, question vault.Question) {
	s.t.Helper()
	s.applied(
		trigger.Submit(s.t.Context(), s.Trigger, s.tenant, vault.AnswerQuestion,
			vault.AnswerQuestionInput{QuestionID: question.ID, Value: json.RawMessage(`"Norway"`)}),
	)
	var filled vault.FillResult
	if err := json.Unmarshal(s.applied(fill, nil).Result, &filled); err != nil {
		s.t.Fatal(err)
	}
	if len(filled.Fields) != 1 || !filled.Fields[0].Filled || filled.Fields[0].Source != vault.GapFromCustomer ||
		filled.Blocked {
		s.t.Errorf("the fill ended with %+v", filled)
	}
	s.writtenOnce(question.CustomerID, "country")
}

func TestWorker_KilledLosesNoWrite(t *testing.T) {
	t.Parallel()
	s := newSystem(t, embeddedtest.Start(t))
	first := startWorker(t, s.Kit)
	fields := []string{"country", "plan", "name", "city", "colour"}
	s.define(fields...)
	type write struct {
		customer uuid.UUID
		name     string
		receipt  trigger.Receipt
	}
	// The lock on one profile blocks the steps of some batches until the worker is killed, so that they are interrupted:
	// two of one write each, and the next one, which carries the third write of the customer and those of others.
	held := testkit.ID()
	s.applied(s.write(held, "country"), nil)
	lock := lockProfile(t, s.DatabaseURL, held)
	var writes []write
	for _, name := range fields[1:4] {
		writes = append(writes, write{held, name, s.write(held, name)})
	}
	for range 10 {
		customer := testkit.ID()
		for _, name := range fields {
			writes = append(writes, write{customer, name, s.write(customer, name)})
		}
	}
	lock.untilSomeoneWaits()
	finished := func(ctx context.Context) int {
		n := 0
		for _, w := range writes {
			if op, err := s.Query.Operation(ctx, s.tenant, w.receipt.ID); err == nil && op.Status.Finished() {
				n++
			}
		}
		return n
	}
	testkit.Eventually(t, "a write is applied",
		func(ctx context.Context) (int, bool) { n := finished(ctx); return n, n > 0 })
	first.kill()
	if n := finished(t.Context()); n == len(writes) {
		t.Fatal("all writes were applied before the worker was killed: this showed nothing")
	}
	lock.release()
	startWorker(t, s.Kit)
	for _, w := range writes {
		s.applied(w.receipt, nil)
		s.writtenOnce(w.customer, w.name)
	}
}

// A write is accepted while the engine is down and applied once it is up. The worker keeps running.
func TestWrite_AcceptedWithoutEngine(t *testing.T) {
	t.Parallel()
	cfg := embeddedtest.Config(t)
	engine := startEngine(t, cfg)
	s := newSystem(t, engine)
	worker := startWorker(t, s.Kit)
	s.define("country", "plan")
	customer := testkit.ID()
	s.applied(s.write(customer, "country"), nil)

	stopEngine(t, engine)
	owed := s.write(customer, "plan")
	if op, err := s.Query.Operation(t.Context(), s.tenant, owed.ID); err != nil || op.Status != vault.OperationAccepted {
		t.Errorf("without the engine the write is %s, %v", op.Status, err)
	}
	startEngine(t, cfg)
	s.applied(owed, nil)
	s.writtenOnce(customer, "plan")
	if worker.hasEnded() {
		t.Error("the worker ended")
	}
}

func startEngine(t *testing.T, cfg embedded.Config) *embedded.Engine {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testkit.Patience)
	defer cancel()
	e, err := embedded.Start(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), testkit.Patience)
		defer cancel()
		if err := e.Shutdown(ctx); err != nil {
			t.Logf("stop engine: %v", err)
		}
	})
	return e
}

func stopEngine(t *testing.T, e *embedded.Engine) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testkit.Patience)
	defer cancel()
	if err := e.Shutdown(ctx); err != nil {
		t.Logf("stop engine: %v", err)
	}
}

// A stopping worker finishes its running steps, starts no others, and exits with 0.
func TestWorker_FinishesBeforeStop(t *testing.T) {
	t.Parallel()
	s := newSystem(t, embeddedtest.Start(t))
	first := startWorker(t, s.Kit)
	s.define("country", "plan", "name", "city")
	held := testkit.ID()
	s.applied(s.write(held, "country"), nil)

	// The lock on the profile blocks a step until it is released.
	lock := lockProfile(t, s.DatabaseURL, held)
	others := []trigger.Receipt{s.write(held, "name")}
	writes := map[uuid.UUID]trigger.Receipt{held: s.write(held, "plan")}
	for range 20 { // some share a batch with a write of the held profile
		customer := testkit.ID()
		writes[customer] = s.write(customer, "plan")
	}
	others = append(others, s.write(held, "city"))
	lock.untilSomeoneWaits()
	first.signal(syscall.SIGTERM)
	testkit.Eventually(t, "the worker says that it stops", func(ctx context.Context) (struct{}, bool) {
		return struct{}{}, first.get(ctx, "/readyz") == http.StatusServiceUnavailable
	})
	if first.hasEnded() || first.get(t.Context(), "/healthz") != http.StatusOK {
		t.Error("the worker ended while a step ran, or does not say that it lives")
	}
	lock.release()
	if code := first.wait(); code != 0 {
		t.Errorf("the worker exited with %d", code)
	}
	if log := first.log.String(); !strings.Contains(log, `"msg":"worker_stopped","steps_left":0`) {
		t.Errorf("it does not say that no step was left:\n%s", log)
	}
	stored := 0
	for _, name := range []string{"name", "plan", "city"} {
		h, err := s.Query.History(t.Context(), s.tenant, held, name)
		if stored += len(h); err != nil {
			t.Error(err)
		}
	}
	if stored == 0 {
		t.Error("the steps that ran left no version")
	}

	startWorker(t, s.Kit)
	for customer, r := range writes {
		s.applied(r, nil)
		s.writtenOnce(customer, "plan")
	}
	for name, r := range map[string]trigger.Receipt{"name": others[0], "city": others[1]} {
		s.applied(r, nil)
		s.writtenOnce(held, name)
	}
}

// profileLock locks the row of a profile outside of the worker.
type profileLock struct {
	t    *testing.T
	conn *pgx.Conn
	pid  uint32
	url  string
}

func lockProfile(t *testing.T, url string, customer uuid.UUID) *profileLock {
	t.Helper()
	conn := connect(t, url)
	for _, sql := range []string{"BEGIN", fmt.Sprintf("SELECT FROM customer_profiles WHERE customer_id = '%s' FOR UPDATE", customer)} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	return &profileLock{t: t, conn: conn, pid: conn.PgConn().PID(), url: url}
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func (l *profileLock) untilSomeoneWaits() {
	l.t.Helper()
	watch := connect(l.t, l.url)
	testkit.Eventually(l.t, "a step waits for the lock", func(ctx context.Context) (blocked bool, ok bool) {
		err := watch.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid)))", int32(l.pid)).
			Scan(&blocked)
		if err != nil {
			l.t.Fatal(err)
		}
		return blocked, blocked
	})
}

func (l *profileLock) release() {
	l.t.Helper()
	if _, err := l.conn.Exec(l.t.Context(), "COMMIT"); err != nil {
		l.t.Fatal(err)
	}
}
