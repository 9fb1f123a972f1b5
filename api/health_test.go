package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/contextvault/contextvault/api"
	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/telemetry"
)

func TestReadyz_NamesMissingDependency(t *testing.T) {
	t.Parallel()
	up := func(context.Context) error { return nil }
	down := func(context.Context) error { return errors.New("secret address") }
	hangs := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	for _, c := range []struct {
		database, redis func(context.Context) error
		status          int
		want            string
	}{
		{up, up, 200, `{"status":"ready","dependencies":{"database":"ok","redis":"ok"}}`},
		{up, down, 200, `{"status":"degraded","dependencies":{"database":"ok","redis":"does not answer"}}`},
		{down, up, 503, `{"status":"unavailable","dependencies":{"database":"does not answer","redis":"ok"}}`},
		{hangs, down, 503, `{"status":"unavailable","dependencies":{"database":"does not answer","redis":"does not answer"}}`},
	} {
		s := newService(t, kit, func(o *api.Options) {
			o.Dependencies = []telemetry.Dependency{
				{Name: "database", Required: true, Check: c.database},
				{Name: "redis", Check: c.redis},
			}
		})
		a := s.do("GET", "/readyz", "", "Authorization: ")
		if a.status != c.status || strings.TrimSpace(string(a.body)) != c.want {
			t.Errorf("got %d %s, want %d %s", a.status, a.body, c.status, c.want)
		}
		s.do("GET", "/healthz", "", "Authorization: ").want(200)
	}
}

// logged records the log.
type logged struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// Each request has one log line with ids and without values. The log has the causes that responses hide, without
// values.
func TestAccessLog_HoldsNoCustomerData(t *testing.T) {
	t.Parallel()
	log := &logged{}
	s := newService(t, kit, func(o *api.Options) {
		o.Log = slog.New(slog.NewJSONHandler(log, nil))
		o.DropProfile = func(_ context.Context, _, _ testID) error { return errors.New("a value: hunter2") }
	})
	customer := testkit.ID()
	var op api.Operation
	s.do("PUT", "/v1/customers/"+customer.String()+"/values/hunter_three", `{"agent_id": "`+testkit.ID().String()+`", "value": "hunter2", "source": "user_provided"}`, "X-Request-Id: r-1").
		want(202).
		into(&op)
	p := s.do("DELETE", "/admin/cache/profiles/"+customer.String(), "", "X-Request-Id: r-2").problem(500, "internal")
	s.do("GET", "/v1/hunter2?hunter2=1", "", "X-Request-Id: r-3").want(404)
	if strings.Contains(p.Detail, "hunter2") {
		t.Errorf("the caller is told %s", p.Detail)
	}
	text := log.String()
	for _, secret := range []string{"hunter2", "hunter_three", customer.String(), s.key} {
		if strings.Contains(text, secret) {
			t.Errorf("the log holds %s:\n%s", secret, text)
		}
	}
	lines := map[string]map[string]any{}
	for line := range strings.Lines(text) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatal(err)
		}
		if entry["msg"] == "request" {
			lines[entry["request_id"].(string)] = entry
		}
	}
	want := lines["r-1"]
	if want["method"] != "PUT" || want["route"] != "/v1/customers/{customer_id}/values/{name}" || want["status"] != 202.0 ||
		want["operation_id"] != op.ID.String() || want["tenant_id"] != s.tenant.String() ||
		want["key_id"] == nil ||
		want["seconds"] == nil {
		t.Errorf("the line is %v", want)
	}
	if lines["r-3"]["route"] != "none" || lines["r-2"]["status"] != 500.0 {
		t.Errorf("the lines are %v", lines)
	}
	if !strings.Contains(text, `"msg":"request_failed","request_id":"r-2"`) {
		t.Errorf("the failure is not in the log:\n%s", text)
	}
}

// A missing database is 503 and an internal error is 500. Neither exposes details.
func TestInternalError_IsLoggedNotExposed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err    error
		status int
	}{
		"network":  {&net.OpError{Op: "dial", Err: errors.New("hunter2")}, 503},
		"deadline": {context.DeadlineExceeded, 503},
		"other":    {errors.New("hunter2"), 500},
	} {
		s := newService(t, kit, func(o *api.Options) { o.Keys = failing{c.err}; o.Log = slog.New(slog.DiscardHandler) })
		a := s.do("GET", "/v1/questions", "")
		if a.status != c.status || strings.Contains(string(a.body), "hunter2") {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
}

type failing struct{ err error }

func (f failing) FindKey(context.Context, []byte) (api.Key, error) { return api.Key{}, f.err }

func (failing) TouchKey(context.Context, testID) error { return nil }

// A panic in a handler is a 500. The server continues.
func TestPanic_IsAProblem(t *testing.T) {
	t.Parallel()
	log := &logged{}
	s := newService(t, kit, func(o *api.Options) {
		o.DropProfile = func(context.Context, testID, testID) error { panic("hunter2") }
		o.Log = slog.New(slog.NewJSONHandler(log, nil))
	})
	s.do("DELETE", "/admin/cache/profiles/"+testkit.ID().String(), "").problem(500, "internal")
	s.do("GET", "/healthz", "").want(200)
	if text := log.String(); !strings.Contains(text, "request_panicked") || strings.Contains(text, "hunter2") {
		t.Errorf("the log is %s", text)
	}
}

// Serve ends with its context and leaves no goroutines.
func TestServe_EndsGracefully(t *testing.T) {
	t.Parallel()
	server := api.New(api.Options{Log: slog.New(slog.DiscardHandler), ShutdownGrace: time.Second})
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- server.Serve(ctx, l) }()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+l.Addr().String()+"/readyz", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil || res.StatusCode != 200 {
		t.Fatalf("%v, %v", res, err)
	}
	_ = res.Body.Close()
	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(testkit.Patience):
		t.Fatal("it does not end")
	}
	rec := httptest.NewRecorder()
	server.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/readyz", nil))
	if rec.Code != http.StatusServiceUnavailable || !strings.Contains(rec.Body.String(), "stopping") {
		t.Errorf("after that it says %d %s", rec.Code, rec.Body)
	}
}

// With a listener of their own, /admin and /metrics do not exist beside it, and the admin token is valid there alone.
func TestServe_AdminListener(t *testing.T) {
	t.Parallel()
	listen := func() net.Listener {
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	outside, inside := listen(), listen()
	if err := makeOperator(); err != nil {
		t.Fatal(err)
	}
	o := kit.APIOptions(operatorTenant)
	o.AdminListener, o.ShutdownGrace = inside, time.Second
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- api.New(o).Serve(ctx, outside) }()
	status := func(l net.Listener, method, path string) int {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, "http://"+l.Addr().String()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+adminToken)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		return res.StatusCode
	}
	for _, c := range []struct {
		method, path    string
		outside, inside int
	}{
		{"GET", "/metrics", 404, 200},
		{"GET", "/metrics/", 404, 404},
		{"POST", "/admin/profiles/expire-stale", 404, 202},
		{"POST", "/admin/profiles/../profiles/expire-stale", 404, 202},
		{"GET", "/admin", 404, 404},
		{"GET", "/v1/operations", 401, 200},
		{"GET", "/healthz", 200, 200},
		{"GET", "/readyz", 200, 200},
		{"GET", "/openapi.json", 200, 200},
	} {
		if got := status(outside, c.method, c.path); got != c.outside {
			t.Errorf("outside %s %s: %d, want %d", c.method, c.path, got, c.outside)
		}
		if got := status(inside, c.method, c.path); got != c.inside {
			t.Errorf("inside %s %s: %d, want %d", c.method, c.path, got, c.inside)
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
