package access

import (
	"context"
	"net/http"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

const tracerName = "github.com/contextvault/contextvault/api"

// startSpan starts the span of a request, in the trace of the caller if the request has a traceparent header. It does
// not use otelhttp, which records the path: a path holds the ids and field names of customers.
func startSpan(ctx context.Context, r *http.Request) (context.Context, trace.Span) {
	ctx = propagation.TraceContext{}.Extract(ctx, propagation.HeaderCarrier(r.Header))
	return otel.Tracer(tracerName).Start(ctx, "HTTP", trace.WithSpanKind(trace.SpanKindServer))
}

// endSpan records the outcome of a request and ends its span.
func endSpan(span trace.Span, method, route string, status int, i *Info) {
	defer span.End()
	if !span.IsRecording() { // no tracing, or not sampled
		return
	}
	span.SetName(method + " " + route)
	span.SetAttributes(
		attribute.String("http.request.method", method), attribute.String("http.route", route),
		attribute.Int("http.response.status_code", status), attribute.String("vault.request_id", i.RequestID),
	)
	for _, id := range i.ids() {
		span.SetAttributes(attribute.String("vault."+id.Key, id.Value.String()))
	}
	if status >= http.StatusInternalServerError {
		span.SetStatus(codes.Error, http.StatusText(status))
	}
}
