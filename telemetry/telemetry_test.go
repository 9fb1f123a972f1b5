package telemetry_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace"

	"github.com/contextvault/contextvault/telemetry"
)

func TestCheckDependencies_States(t *testing.T) {
	t.Parallel()
	up := func(context.Context) error { return nil }
	down := func(context.Context) error { return errors.New("an address") }
	hangs := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	for name, c := range map[string]struct {
		database, redis func(context.Context) error
		want            telemetry.Health
		ready           bool
	}{
		"all answer":              {up, up, telemetry.Health{Status: "ready", Dependencies: map[string]string{"database": "ok", "redis": "ok"}}, true},
		"optional one is down":    {up, down, telemetry.Health{Status: "degraded", Dependencies: map[string]string{"database": "ok", "redis": "does not answer"}}, true},
		"required one is down":    {down, up, telemetry.Health{Status: "unavailable", Dependencies: map[string]string{"database": "does not answer", "redis": "ok"}}, false},
		"both, one of them hangs": {hangs, down, telemetry.Health{Status: "unavailable", Dependencies: map[string]string{"database": "does not answer", "redis": "does not answer"}}, false},
	} {
		got := telemetry.CheckDependencies(t.Context(), []telemetry.Dependency{{Name: "database", Required: true, Check: c.database}, {Name: "redis", Check: c.redis}})
		if diff := cmp.Diff(c.want, got); diff != "" || got.Ready() != c.ready {
			t.Errorf("%s: ready is %t (-want +got):\n%s", name, got.Ready(), diff)
		}
	}
}

func TestDial_OpenAndClosedPort(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	check := telemetry.Dial(listener.Addr().String())
	if err := check(t.Context()); err != nil {
		t.Error(err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	if check(t.Context()) == nil {
		t.Error("a closed port passes the check")
	}
}

func TestLogHandler_AddsContextAttributes(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := slog.New(telemetry.LogHandler(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))).With("program", "test")
	ctx := telemetry.WithLog(t.Context(), slog.String("request_id", "r"))
	inner := telemetry.WithLog(ctx, slog.String("operation_id", "o"))
	spanCtx := trace.ContextWithSpanContext(inner, trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}}))
	log.InfoContext(t.Context(), "none")
	log.InfoContext(ctx, "outer")
	log.InfoContext(inner, "inner", "operation_id", "its own")
	log.InfoContext(spanCtx, "traced")
	want := `level=INFO msg=none program=test
level=INFO msg=outer program=test request_id=r
level=INFO msg=inner program=test operation_id="its own" request_id=r
level=INFO msg=traced program=test request_id=r operation_id=o trace_id=01000000000000000000000000000000
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("the log (-want +got):\n%s", diff)
	}
}

// The provider is global, so this is one test.
func TestStartTracing_ExportsToEndpoint(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	stop, err := telemetry.StartTracing(t.Context(), telemetry.Tracing{Protocol: telemetry.ProtocolGRPC, SampleRatio: 1}, "vault-test", log)
	if err != nil {
		t.Fatal(err)
	}
	_, span := otel.Tracer("test").Start(t.Context(), "off")
	if span.IsRecording() {
		t.Error("without an endpoint there are spans")
	}
	span.End()
	stop()

	if _, err := telemetry.StartTracing(t.Context(), telemetry.Tracing{Endpoint: "http://h", Protocol: "carrier-pigeon"}, "vault-test", log); err == nil || !strings.Contains(err.Error(), "carrier-pigeon") {
		t.Errorf("another protocol: %v", err)
	}

	got := make(chan []byte, 8)
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body io.Reader = r.Body
		if r.Header.Get("Content-Encoding") == "gzip" {
			body, _ = gzip.NewReader(r.Body) // a broken one fails below
		}
		raw, _ := io.ReadAll(body)
		got <- append([]byte(r.URL.Path+" "), raw...)
	}))
	defer collector.Close()
	stop, err = telemetry.StartTracing(t.Context(), telemetry.Tracing{Endpoint: collector.URL, Protocol: telemetry.ProtocolHTTP, SampleRatio: 1}, "vault-test", log)
	if err != nil {
		t.Fatal(err)
	}
	_, span = otel.Tracer("test").Start(t.Context(), "a span of ours")
	span.End()
	stop() // sends what is left
	select {
	case body := <-got:
		for _, want := range []string{"/v1/traces ", "vault-test", "a span of ours"} {
			if !bytes.Contains(body, []byte(want)) {
				t.Errorf("what was sent does not hold %q: %q", want, body)
			}
		}
	default:
		t.Error("nothing was sent")
	}
}
