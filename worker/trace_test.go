package worker_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/contextvault/contextvault/api"
	"github.com/contextvault/contextvault/internal/testkit"
)

// traced has the tests from here on make spans, and keeps them. The provider is set once: what was made before takes
// the first.
var traced = sync.OnceValue(func() *tracetest.InMemoryExporter {
	exporter := tracetest.NewInMemoryExporter()
	otel.SetTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter)))
	return exporter
})

// oneKey lets every caller in as a tenant.
type oneKey struct{ tenant uuid.UUID }

func (k oneKey) FindKey(_ context.Context, hash []byte) (api.Key, error) {
	return api.Key{ID: testkit.ID(), TenantID: k.tenant, Hash: hash, Scopes: []api.Scope{"read", "write"}}, nil
}

func (oneKey) TouchKey(context.Context, uuid.UUID) error { return nil }

// One request is one trace: from HTTP over the event and the steps of its workflow to the SQL, in two programs. No span
// holds a value of the customer, also where something went wrong, and that of the request neither what is in its path.
func TestTrace_RequestIsOneTraceWithoutValues(t *testing.T) {
	t.Parallel()
	exporter := traced()
	tenant, agent, customer := kit.Tenant(t), testkit.ID(), testkit.ID()
	server := httptest.NewServer(api.New(api.Options{Query: kit.Query, Trigger: kit.Trigger, Keys: oneKey{tenant}, Log: testkit.Log()}))
	t.Cleanup(server.Close)
	// Each request is in a trace of its caller's.
	send := func(method, path, body string, want int) trace.TraceID {
		t.Helper()
		id := trace.TraceID(testkit.ID())
		req, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header = http.Header{
			"Authorization": {"Bearer " + api.NewKey()}, "Content-Type": {"application/json"}, "Prefer": {"wait=60"},
			"Traceparent": {fmt.Sprintf("00-%s-00f067aa0ba902b7-01", id)},
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if res.StatusCode != want {
			var problem api.Problem
			_ = json.NewDecoder(res.Body).Decode(&problem)
			t.Fatalf("%s %s: %d, %s", method, path, res.StatusCode, problem.Detail)
		}
		return id
	}
	send("PUT", fmt.Sprintf("/v1/agents/%s/definitions/plan_email", agent), `{"value_type": "email", "enabled": true, "is_pii": true}`, 200)
	path := fmt.Sprintf("/v1/customers/%s/values/plan_email", customer)
	body := `{"agent_id": "` + agent.String() + `", "source": "user_provided", "value": "%s"}`
	written := send("PUT", path, fmt.Sprintf(body, "hunter2@example.com"), 200)
	rejected := send("PUT", path, fmt.Sprintf(body, "hunter3 is no address"), 422)

	// The last step ends a moment after its outcome is told.
	spans := testkit.Eventually(t, "the last span of the trace ends", func(context.Context) (map[trace.SpanID]tracetest.SpanStub, bool) {
		own := map[trace.SpanID]tracetest.SpanStub{}
		last := false
		for _, s := range exporter.GetSpans() {
			if s.SpanContext.TraceID() == written {
				own[s.SpanContext.SpanID()] = s
				last = last || attribute(s, "hatchet.step_name") == "invalidate-and-acknowledge"
			}
		}
		return own, last
	})
	request := only(t, spans, "the request", func(s tracetest.SpanStub) bool { return s.SpanKind == trace.SpanKindServer })
	if request.Name != "PUT /v1/customers/{customer_id}/values/{name}" || attribute(request, "vault.operation_id") == "" || attribute(request, "vault.tenant_id") != tenant.String() {
		t.Errorf("the request is %s with %v", request.Name, request.Attributes)
	}
	push := only(t, spans, "the push", func(s tracetest.SpanStub) bool { return s.SpanKind == trace.SpanKindProducer })
	for _, step := range []string{"validate", "persist", "invalidate-and-acknowledge"} {
		span := only(t, spans, step, func(s tracetest.SpanStub) bool { return attribute(s, "hatchet.step_name") == step })
		if !under(spans, span, push) || !under(spans, span, request) {
			t.Errorf("the step %s is not under the push, or not under the request", step)
		}
	}
	persist := only(t, spans, "persist", func(s tracetest.SpanStub) bool { return attribute(s, "hatchet.step_name") == "persist" })
	insert := only(t, spans, "the insert", func(s tracetest.SpanStub) bool { return s.Name == "query InsertValue" })
	accept := only(t, spans, "the acceptance", func(s tracetest.SpanStub) bool { return s.Name == "query InsertOperations" })
	if !under(spans, insert, persist) || !under(spans, accept, request) || under(spans, accept, push) {
		t.Error("the queries are not under what made them")
	}

	testkit.Eventually(t, "a span tells of the rejected write", func(context.Context) (struct{}, bool) {
		for _, s := range exporter.GetSpans() {
			if s.SpanContext.TraceID() == rejected && s.Status.Code == codes.Error && strings.Contains(s.Status.Description, "plan_email") {
				return struct{}{}, true
			}
		}
		return struct{}{}, false
	})
	for _, s := range exporter.GetSpans() { // of all traces
		encoded, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(encoded), "hunter") {
			t.Errorf("the span %s holds a value: %s", s.Name, encoded)
		}
		if s.SpanKind == trace.SpanKindServer && (strings.Contains(string(encoded), customer.String()) || strings.Contains(string(encoded), "plan_email")) {
			t.Errorf("the span of a request holds what is in its path: %s", encoded)
		}
	}
}

func attribute(s tracetest.SpanStub, name string) string {
	for _, a := range s.Attributes {
		if string(a.Key) == name {
			return a.Value.Emit()
		}
	}
	return ""
}

// only gives the one span for which is holds.
func only(t *testing.T, spans map[trace.SpanID]tracetest.SpanStub, what string, is func(tracetest.SpanStub) bool) tracetest.SpanStub {
	t.Helper()
	var found []tracetest.SpanStub
	for _, s := range spans {
		if is(s) {
			found = append(found, s)
		}
	}
	if len(found) != 1 {
		var names []string
		for _, s := range spans {
			names = append(names, s.Name)
		}
		t.Fatalf("%s: %d spans, of %q", what, len(found), names)
	}
	return found[0]
}

// under reports whether one span is a descendant of another.
func under(spans map[trace.SpanID]tracetest.SpanStub, s, ancestor tracetest.SpanStub) bool {
	for s.Parent.HasSpanID() {
		if s.Parent.SpanID() == ancestor.SpanContext.SpanID() {
			return true
		}
		parent, ok := spans[s.Parent.SpanID()]
		if !ok {
			return false
		}
		s = parent
	}
	return false
}
