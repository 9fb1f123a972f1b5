package worker_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/contextvault/contextvault/config"
	"github.com/contextvault/contextvault/internal/app"
	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
	"github.com/contextvault/contextvault/worker"
)

var kit *testkit.Kit

func TestMain(m *testing.M) {
	os.Exit(testkit.Main(m, func(k *testkit.Kit) { kit = k }, modelStub.environ()...))
}

// run runs another worker of the system. stop ends it and returns the error of Run.
func run(t *testing.T, opts worker.Options, healthAddress string) (stop func() error) {
	t.Helper()
	r := *kit.Runtime
	r.Config.Worker.HealthAddress = healthAddress
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- worker.Run(ctx, &r, kit.Client, opts) }()
	t.Cleanup(cancel)
	return func() error {
		cancel()
		return <-ended
	}
}

// A worker that is stopped while it starts returns no error.
func TestRun_StoppedAtOnce(t *testing.T) {
	t.Parallel()
	if err := run(t, worker.Options{NoHealth: true}, "")(); err != nil {
		t.Errorf("it ended with %v", err)
	}
}

// A worker that starts while the engine is down reports it, and honours a shutdown.
func TestRun_NoEngine(t *testing.T) {
	t.Parallel()
	nobody, err := net.Listen("tcp", "127.0.0.1:0") // it listens and never answers
	if err != nil {
		t.Fatal(err)
	}
	defer nobody.Close()
	cfg, err := config.Load("", append(kit.Environ(), "HATCHET_CLIENT_HOST_PORT="+nobody.Addr().String(), "VAULT_WORKER_HEALTH_ADDRESS=127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	engine, err := app.NewEngine(cfg)
	if err != nil {
		t.Fatal(err)
	}
	r, said := *kit.Runtime, make(lines, 100)
	r.Config, r.Log = cfg, slog.New(slog.NewJSONHandler(said, nil))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- worker.Run(ctx, &r, engine, worker.Options{}) }()
	var health struct{ Msg, Address string }
	for health.Msg != "health_started" {
		if err := json.Unmarshal(<-said, &health); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]string{"/healthz": "200 ok", "/readyz": `503 "engine":"does not answer"`} {
		res, err := http.Get("http://" + health.Address + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		status, text, _ := strings.Cut(want, " ")
		if err != nil || strconv.Itoa(res.StatusCode) != status || !strings.Contains(string(body), text) {
			t.Errorf("%s answers %d %s, %v", path, res.StatusCode, body, err)
		}
	}
	cancel()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("it ended with %v", err)
		}
	case <-time.After(40 * time.Second): // by itself the SDK gives up after a minute and a half
		t.Error("it goes on")
	}
}

// lines are those of a log.
type lines chan []byte

// Write implements io.Writer.
func (l lines) Write(p []byte) (int, error) {
	l <- slices.Clone(p)
	return len(p), nil
}

// A worker with a bad configuration of the language model refuses to start; the API starts (package cmd/vault).
func TestRun_BadModelConfiguration(t *testing.T) {
	t.Parallel()
	cfg, err := config.Load("", append(kit.Environ(), "VAULT_LLM_PROVIDER=openai"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := app.Connect(t.Context(), cfg, kit.Client, testkit.Log())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	err = worker.Run(t.Context(), r, kit.Client, worker.Options{NoHealth: true})
	if err == nil || !strings.Contains(err.Error(), "set OPENAI_API_KEY") {
		t.Errorf("it ended with %v", err)
	}
}

// A worker that cannot serve its health endpoint ends.
func TestRun_NoHealthEndpoint(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	r := *kit.Runtime
	r.Config.Worker.HealthAddress = listener.Addr().String()
	if err := worker.Run(t.Context(), &r, kit.Client, worker.Options{}); err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Errorf("it ended with %v", err)
	}
}

// Several workers share the steps. When one stops, the others take over its unfinished steps.
func TestRun_SeveralWorkersShareTheWork(t *testing.T) {
	t.Parallel()
	ready := make(chan struct{})
	stop := run(t, worker.Options{NoHealth: true, Ready: func() { close(ready) }}, "")
	<-ready
	tenant, agent := kit.Tenant(t), testkit.ID()
	define, err := trigger.Submit(t.Context(), kit.Trigger, tenant, vault.SaveDefinition, vault.Definition{AgentID: agent, Name: "plan", ValueType: vault.TypeString, Enabled: true})
	if err != nil {
		t.Fatal(err)
	}
	kit.Operation(t, tenant, define.ID, vault.OperationSucceeded)
	type written struct{ customer, op [16]byte }
	var all []written
	for i := range 20 {
		customer := testkit.ID()
		r, err := trigger.Submit(t.Context(), kit.Trigger, tenant, vault.WriteValue, vault.WriteValueInput{
			AgentID: agent, CustomerID: customer, Name: "plan", Value: json.RawMessage(`"gold"`), Source: vault.ValueUserProvided,
		})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, written{customer, r.ID})
		if i == 10 {
			if err := stop(); err != nil {
				t.Errorf("it ended with %v", err)
			}
		}
	}
	for _, w := range all {
		kit.Operation(t, tenant, w.op, vault.OperationSucceeded)
		if h, err := kit.Query.History(t.Context(), tenant, w.customer, "plan"); err != nil || len(h) != 1 {
			t.Errorf("written %d times, %v", len(h), err)
		}
	}
}
