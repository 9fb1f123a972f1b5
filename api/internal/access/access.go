// Package access wraps the routes of the API: request ids, time-outs, the access log, metrics, traces and the recovery
// from panics.
package access

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/api/internal/problem"
	"github.com/contextvault/contextvault/telemetry"
)

// Info identifies a request in the log and in its span.
type Info struct {
	RequestID string
	Tenant    uuid.UUID
	Key       uuid.UUID
	Operation uuid.UUID
}

// ids returns the known ids, in a fixed order.
func (i *Info) ids() []slog.Attr {
	var out []slog.Attr
	for _, id := range []struct {
		name  string
		value uuid.UUID
	}{{"tenant_id", i.Tenant}, {"key_id", i.Key}, {"operation_id", i.Operation}} {
		if id.value != uuid.Nil {
			out = append(out, slog.String(id.name, id.value.String()))
		}
	}
	return out
}

type infoKey struct{}

// InfoOf returns the Info of a request, which handlers complete.
func InfoOf(ctx context.Context) *Info {
	if i, ok := ctx.Value(infoKey{}).(*Info); ok {
		return i
	}
	return &Info{}
}

// requestID is the form of a request id that a caller may set.
var requestID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// Handler serves requests through the routes of a mux.
type Handler struct {
	Mux *http.ServeMux
	// Timeout returns the maximum duration of a request. 0: no limit.
	Timeout func(*http.Request) time.Duration
	// Stopping ends when the server stops. From then on, responses close their connections.
	Stopping context.Context
	Metrics  *Metrics
	Log      *slog.Logger
}

// ServeHTTP implements http.Handler. Logs, metrics and spans contain the route instead of the path, which holds the ids
// and field names of customers.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	i := &Info{RequestID: r.Header.Get("X-Request-Id")}
	if i.RequestID == "" || !requestID.MatchString(i.RequestID) {
		i.RequestID = uuid.Must(uuid.NewV7()).String()
	}
	ctx := context.WithValue(r.Context(), infoKey{}, i)
	ctx, span := startSpan(telemetry.WithLog(ctx, slog.String("request_id", i.RequestID)), r)
	if timeout := h.Timeout(r); timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	r = r.WithContext(ctx)
	rec := &recorder{ResponseWriter: w, stopping: h.Stopping}
	rec.Header().Set("X-Request-Id", i.RequestID)
	rec.Header().Set("X-Content-Type-Options", "nosniff")
	if strings.HasPrefix(r.URL.Path, "/v1/") || strings.HasPrefix(r.URL.Path, "/admin/") {
		rec.Header().Set("Cache-Control", "no-store")
	}
	h.Metrics.inFlight.Inc()
	defer h.Metrics.inFlight.Dec()
	h.serve(rec, r, i)
	rec.flushWhole()
	duration := time.Since(start)
	route, method := routeOf(r.Pattern), methodOf(r.Method)
	h.Metrics.observe(method, route, rec.code(), duration)
	defer endSpan(span, method, route, rec.code(), i)
	level := slog.LevelInfo
	if route == "/healthz" || route == "/readyz" || route == "/metrics" {
		level = slog.LevelDebug // orchestrators request these every few seconds
	}
	if !h.Log.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("method", r.Method), slog.String("route", route), slog.Int("status", rec.code()),
		slog.Float64("seconds", duration.Seconds()), slog.String("request_id", i.RequestID),
	}
	h.Log.LogAttrs(ctx, level, "request", append(attrs, i.ids()...)...)
}

// serve calls the route. It responds with a problem if the route panics before it has responded.
func (h *Handler) serve(rec *recorder, r *http.Request, i *Info) {
	defer func() {
		if p := recover(); p != nil {
			h.Log.ErrorContext(r.Context(), "request_panicked",
				"request_id", i.RequestID, "panic", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
			if rec.status == 0 {
				problem.Write(rec, problem.Internal())
			}
		}
	}()
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil { // net/http would drop the invalid parameters
		problem.Write(rec, problem.New(http.StatusBadRequest, problem.CodeMalformed, "",
			"the query of the URL is invalid; escape % and ; in values as %25 and %3B"))
		return
	}
	if name, ok := notText(r.URL.Path, query); ok { // PostgreSQL would refuse it
		problem.Write(rec, problem.New(http.StatusBadRequest, problem.CodeMalformed, name,
			name+": must be UTF-8 without the character U+0000"))
		return
	}
	h.Mux.ServeHTTP(rec, r)
}

// notText returns the name of a parameter of a query that is not a text, or "path" if the path is none. The name of a
// parameter that is none itself is "query".
func notText(path string, query url.Values) (name string, found bool) {
	if !isText(path) {
		return "path", true
	}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if !isText(name) {
			return "query", true
		}
		if slices.ContainsFunc(query[name], func(value string) bool { return !isText(value) }) {
			return name, true
		}
	}
	return "", false
}

// isText reports whether PostgreSQL can store a string.
func isText(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

// routeOf returns the route of a pattern, which starts with the method. It is "none" for requests without a route.
func routeOf(pattern string) string {
	if _, path, ok := strings.Cut(pattern, " "); ok {
		return path
	}
	return "none"
}

// recorder records the status of a response. It closes connections while the server stops.
type recorder struct {
	http.ResponseWriter
	stopping context.Context
	status   int
}

// WriteHeader implements http.ResponseWriter.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
		if r.stopping.Err() != nil {
			r.Header().Set("Connection", "close") // the next request of the client goes to another server
		}
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (r *recorder) Write(p []byte) (int, error) {
	if r.status == 0 {
		r.WriteHeader(http.StatusOK)
	}
	return r.ResponseWriter.Write(p)
}

// flushWhole sends a response that is complete, so that the client does not wait for the log, the metrics and the span.
// Only a response with a Content-Length is known to be complete.
func (r *recorder) flushWhole() {
	if r.status != 0 && r.Header().Get("Content-Length") != "" {
		_ = http.NewResponseController(r.ResponseWriter).Flush() // the client has gone
	}
}

// Unwrap supports http.ResponseController.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (r *recorder) code() int {
	if r.status == 0 {
		return http.StatusOK
	}
	return r.status
}
