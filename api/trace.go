package api

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

// startSpan begins the span of a request, in the trace of its caller where that sent one (traceparent). It is made by hand,
// since otelhttp puts the path into it, which holds ids and names of customers: a span has the route, as the log has.
func startSpan(ctx context.Context, r *http.Request) (context.Context, trace.Span) {
	ctx = propagation.TraceContext{}.Extract(ctx, propagation.HeaderCarrier(r.Header))
	return otel.Tracer(tracerName).Start(ctx, "HTTP", trace.WithSpanKind(trace.SpanKindServer))
}

// endSpan says what came of the request.
func endSpan(span trace.Span, method, route string, status int, i *info) {
	span.SetName(method + " " + route)
	span.SetAttributes(
		attribute.String("http.request.method", method), attribute.String("http.route", route),
		attribute.Int("http.response.status_code", status), attribute.String("vault.request_id", i.id),
	)
	for _, id := range i.ids() {
		span.SetAttributes(attribute.String("vault."+id.Key, id.Value.String()))
	}
	if status >= http.StatusInternalServerError {
		span.SetStatus(codes.Error, http.StatusText(status))
	}
	span.End()
}
