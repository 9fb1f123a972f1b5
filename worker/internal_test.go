package worker

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	hatchetworker "github.com/hatchet-dev/hatchet/pkg/worker"

	"github.com/contextvault/contextvault/config"
	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/internal/app"
	"github.com/contextvault/contextvault/internal/turns"
	"github.com/contextvault/contextvault/metrics"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/telemetry"
)

const patience = time.Minute

// step is a fake of the engine's context of one step.
type step struct {
	hatchetworker.HatchetContext
	ctx    context.Context
	name   string
	action string // "": the step of write-value with this name
	tenant string
}

func (s *step) GetContext() context.Context    { return s.ctx }
func (s *step) SetContext(ctx context.Context) { s.ctx = ctx }

// AdditionalMetadata returns the metadata of the operation's event.
func (s *step) AdditionalMetadata() map[string]string {
	return map[string]string{"operation_id": "an operation", "tenant_id": s.tenant}
}
func (s *step) StepName() string            { return s.name }
func (s *step) ActionId() string            { return cmp.Or(s.action, "write-value:"+s.name) }
func (s *step) WorkflowRunId() string       { return "a run" }
func (s *step) RetryCount() int             { return 0 }
func (s *step) Done() <-chan struct{}       { return s.ctx.Done() }
func (s *step) Err() error                  { return s.ctx.Err() }
func (s *step) Value(key any) any           { return s.ctx.Value(key) }
func (s *step) Deadline() (time.Time, bool) { return s.ctx.Deadline() }

func newTestObserver(t *testing.T, concurrency int, log io.Writer) *observer {
	t.Helper()
	cfg, err := config.Load("", nil)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Jobs.Hatchet.WorkerConcurrency = concurrency
	return newObserver(&app.Runtime{Config: cfg, Log: slog.New(telemetry.LogHandler(slog.NewTextHandler(log, nil)))})
}

// The engine assigns more steps than may run; the others wait in the worker.
func TestObserve_LimitsConcurrency(t *testing.T) {
	t.Parallel()
	const allowed, handed = 3, 20
	m := newTestObserver(t, allowed, io.Discard)
	running, release := make(chan struct{}, handed), make(chan struct{})
	var all sync.WaitGroup
	for i := range handed {
		all.Go(func() {
			// more tenants than turns, so that the share of one tenant does not matter
			s := &step{ctx: t.Context(), name: "persist", tenant: strconv.Itoa(i)}
			_ = m.observe(s, func(hatchetworker.HatchetContext) error {
				running <- struct{}{}
				<-release
				return nil
			})
		})
	}
	for range allowed {
		<-running
	}
	select {
	case <-running:
		t.Error("one more step runs")
	default:
	}
	for range handed - allowed { // the end of each lets another one run
		release <- struct{}{}
		<-running
	}
	close(release)
	all.Wait()
	if n := m.n.Load(); n != 0 {
		t.Errorf("%d steps are still counted", n)
	}
}

// Steps that call the model use their own turns only: as many as there are, they hold up no other step.
func TestObserve_ModelStepsHoldUpNoOther(t *testing.T) {
	t.Parallel()
	m := newTestObserver(t, 2, io.Discard)
	m.model = turns.New(3)
	started, release := make(chan string, 100), make(chan struct{})
	var all sync.WaitGroup
	run := func(action string, tenant int, end <-chan struct{}) {
		all.Go(func() {
			s := &step{ctx: t.Context(), action: action, tenant: strconv.Itoa(tenant)}
			_ = m.observe(s, func(hatchetworker.HatchetContext) error {
				started <- action
				<-end
				return nil
			})
		})
	}
	for i := range 40 {
		run([]string{"fill-gaps:resolve", "extract-schema:propose", "extract-schema:match"}[i%3], i, release)
	}
	for range 3 {
		<-started
	}
	ended := make(chan struct{})
	close(ended)
	for i, action := range []string{
		"write-value:persist", "fill-gaps:ask", "fill-gaps:find-missing", "extract-schema:persist", "save-definition:persist",
	} {
		run(action, i, ended)
		if got := <-started; got != action {
			t.Errorf("%s started, want %s", got, action)
		}
	}
	close(release)
	all.Wait()
}

func TestObserve_CancelledBeforeItsTurn(t *testing.T) {
	t.Parallel()
	m := newTestObserver(t, 1, io.Discard)
	if err := m.turns.Acquire(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := m.observe(&step{ctx: ctx, name: "persist"}, func(hatchetworker.HatchetContext) error {
		t.Error("it ran")
		return nil
	})
	if !errors.Is(err, context.Canceled) || m.n.Load() != 0 {
		t.Errorf("it ended with %v; counted: %d", err, m.n.Load())
	}
}

func TestObserve_CountsOutcomesAndLogsFailures(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	m := newTestObserver(t, 2, &log)
	rejected := hatchetworker.NewNonRetryableError(errors.New("conflict: it belongs to another customer")) //nolint:staticcheck // the SDK has no other name for it
	for _, err := range []error{nil, nil, errors.New("unavailable: the model"), rejected, rejected, rejected, context.Canceled, once.ErrYielded} {
		if got := m.observe(&step{ctx: t.Context(), name: "persist"}, func(hatchetworker.HatchetContext) error { return err }); !errors.Is(got, err) {
			t.Errorf("%v became %v", err, got)
		}
	}
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		if f.GetName() != "vault_steps_total" {
			continue
		}
		for _, metric := range f.GetMetric() {
			for _, label := range metric.GetLabel() {
				if label.GetName() == "outcome" {
					got[label.GetValue()] = metric.GetCounter().GetValue()
				}
			}
		}
	}
	if got["succeeded"] != 2 || got["failed"] != 1 || got["rejected"] != 3 || got["cancelled"] != 2 {
		t.Errorf("counted were %v", got)
	}
	if text := log.String(); strings.Count(text, "step_failed") != 4 || !strings.Contains(text, `run_id="a run"`) || !strings.Contains(text, "attempt=1") || !strings.Contains(text, `operation_id="an operation"`) {
		t.Errorf("the log is\n%s", text)
	}
}

func TestWait_EndsAfterGrace(t *testing.T) {
	t.Parallel()
	var r running
	if left := r.wait(patience); left != 0 {
		t.Errorf("with nothing to wait for %d are left", left)
	}
	r.n.Add(1)
	if left := r.wait(time.Millisecond); left != 1 {
		t.Errorf("after the grace %d are left", left)
	}
	done := make(chan int64)
	go func() { done <- r.wait(patience) }()
	r.n.Add(-1)
	if left := <-done; left != 0 {
		t.Errorf("after it has ended %d are left", left)
	}
}

func newKey(t *testing.T) string {
	t.Helper()
	key, err := db.NewSealingKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// connectTo returns a Runtime with a health address on a free port.
func connectTo(t *testing.T, url, sealingKey, redisURL string) (*app.Runtime, error) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	cfg, err := config.Load("", append(dbtest.Environ(url),
		"REDIS_URL="+redisURL, "VAULT_SEALING_KEY="+sealingKey,
		"VAULT_WORKER_HEALTH_ADDRESS="+listener.Addr().String(),
	))
	if err != nil {
		t.Fatal(err)
	}
	return app.Connect(t.Context(), cfg, nil, slog.New(slog.DiscardHandler))
}

func get(ctx context.Context, address, path string) (int, string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+path, nil)
	if err != nil {
		return 0, "", err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return res.StatusCode, string(body), err
}

func TestHealth_LiveAndReady(t *testing.T) {
	t.Parallel()
	r, err := connectTo(t, dbtest.URL(t), newKey(t), os.Getenv("REDIS_URL"))
	if err != nil {
		t.Fatal(err)
	}
	closed := sync.OnceFunc(r.Close)
	t.Cleanup(closed)
	m := newObserver(r)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	working, stopWorking := context.WithCancel(ctx)
	defer stopWorking()
	ended := make(chan error, 1)
	go func() { ended <- serveHealth(ctx, working, r, m) }()
	address := r.Config.Worker.HealthAddress

	deadline := time.Now().Add(patience)
	for { // until it listens
		if _, _, err := get(ctx, address, "/healthz"); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("it does not listen")
		}
	}
	_ = m.observe(&step{ctx: t.Context(), name: "persist"}, func(hatchetworker.HatchetContext) error { return nil })
	expect := func(path string, code int, text string) {
		t.Helper()
		if got, body, err := get(ctx, address, path); err != nil || got != code || !strings.Contains(body, text) {
			t.Errorf("%s answers %d, %v:\n%s", path, got, err, body)
		}
	}
	expect("/healthz", http.StatusOK, "ok")
	expect("/readyz", http.StatusOK, `{"status":"ready","dependencies":{"database":"ok","redis":"ok"}}`)
	expect("/metrics", http.StatusOK, `vault_steps_total{outcome="succeeded",step="write-value:persist"} 1`)
	expect("/metrics", http.StatusOK, "profile_cache_hits_total")

	closed() // the database is gone
	expect("/readyz", http.StatusServiceUnavailable, `{"status":"unavailable","dependencies":{"database":"does not answer","redis":`)
	expect("/metrics", http.StatusOK, `vault_dependency_up{dependency="database"} 0`)
	stopWorking()
	expect("/readyz", http.StatusServiceUnavailable, `"status":"stopping"`)
	expect("/healthz", http.StatusOK, "ok")
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("it ended with %v", err)
	}
}

func TestHealth_PortIsTaken(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	m := newTestObserver(t, 1, io.Discard)
	r := &app.Runtime{Metrics: metrics.New(metrics.Sources{})}
	r.Config.Worker.HealthAddress = listener.Addr().String()
	if err := serveHealth(t.Context(), t.Context(), r, m); err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Errorf("it ended with %v", err)
	}
}
