package api

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/telemetry"
)

// info is what is known of a request beside what it says, for its line in the log.
type info struct {
	id        string
	tenant    uuid.UUID
	key       uuid.UUID
	operation uuid.UUID
}

// ids are those that are known, in order.
func (i *info) ids() []slog.Attr {
	var out []slog.Attr
	for _, id := range []struct {
		name  string
		value uuid.UUID
	}{{"tenant_id", i.tenant}, {"key_id", i.key}, {"operation_id", i.operation}} {
		if id.value != uuid.Nil {
			out = append(out, slog.String(id.name, id.value.String()))
		}
	}
	return out
}

func (i *info) caller(tenant, key uuid.UUID) { i.tenant, i.key = tenant, key }

type infoKey struct{}

func infoOf(ctx context.Context) *info {
	if i, ok := ctx.Value(infoKey{}).(*info); ok {
		return i
	}
	return &info{}
}

// requestID is what a caller may name a request.
var requestID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// observe is what every request goes through: an id, a time-out, a line in the log, metrics, and an answer even where the
// vault made a mistake. Paths are logged as the route they took, so that no name or id of a customer is.
func (s *Server) observe(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	i := &info{id: r.Header.Get("X-Request-Id")}
	if !requestID.MatchString(i.id) {
		i.id = uuid.Must(uuid.NewV7()).String()
	}
	ctx, span := startSpan(telemetry.WithLog(context.WithValue(r.Context(), infoKey{}, i), slog.String("request_id", i.id)), r)
	ctx, cancel := context.WithTimeout(ctx, s.options.RequestTimeout+waitOf(r.Header.Get("Prefer")))
	defer cancel()
	r = r.WithContext(ctx)
	rec := &recorder{ResponseWriter: w, stopping: s.stopping}
	h := rec.Header()
	h.Set("X-Request-Id", i.id)
	h.Set("X-Content-Type-Options", "nosniff")
	if strings.HasPrefix(r.URL.Path, "/v1/") || strings.HasPrefix(r.URL.Path, "/admin/") {
		h.Set("Cache-Control", "no-store")
	}
	s.metrics.inFlight.Inc()
	defer s.metrics.inFlight.Dec()
	func() {
		defer func() {
			if p := recover(); p != nil {
				s.options.Log.ErrorContext(ctx, "request_panicked", "request_id", i.id, "panic", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
				if rec.status == 0 {
					s.answer(rec, problem(http.StatusInternalServerError, codeInternal, "", "something went wrong in the vault; its log knows what, by the request id"))
				}
			}
		}()
		if _, err := url.ParseQuery(r.URL.RawQuery); err != nil { // what cannot be read would count as not given: a cursor as the first page
			s.answer(rec, problem(http.StatusBadRequest, codeMalformed, "", "the query of the address cannot be read; escape % and ; in values, as %25 and %3B"))
			return
		}
		s.mux.ServeHTTP(rec, r)
	}()
	took := time.Since(start)
	route := routeOf(r.Pattern)
	method := methodOf(r.Method)
	s.metrics.request(method, route, rec.code(), took)
	defer endSpan(span, method, route, rec.code(), i)
	level := slog.LevelInfo
	if route == "/healthz" || route == "/readyz" || route == "/metrics" {
		level = slog.LevelDebug // an orchestrator asks every few seconds
	}
	attrs := []slog.Attr{
		slog.String("method", r.Method), slog.String("route", route), slog.Int("status", rec.code()),
		slog.Float64("seconds", took.Seconds()), slog.String("request_id", i.id),
	}
	s.options.Log.LogAttrs(ctx, level, "request", append(attrs, i.ids()...)...)
}

// routeOf is the route of a pattern, which begins with the method. What no route serves has one name, whatever the path.
func routeOf(pattern string) string {
	if _, path, ok := strings.Cut(pattern, " "); ok {
		return path
	}
	return "none"
}

// recorder remembers the status of an answer, and says in it when the server stops.
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
			r.Header().Set("Connection", "close") // so that the caller goes elsewhere with its next request
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

// Unwrap is for http.ResponseController.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (r *recorder) code() int {
	if r.status == 0 {
		return http.StatusOK
	}
	return r.status
}

func typeOf(err error) string { return fmt.Sprintf("%T", err) }
