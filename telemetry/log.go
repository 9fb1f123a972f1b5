package telemetry

import (
	"context"
	"log/slog"
	"slices"

	"go.opentelemetry.io/otel/trace"
)

type logKey struct{}

// WithLog adds attributes to every line that is logged under the context: ids of ours, never a customer's value.
func WithLog(ctx context.Context, attrs ...slog.Attr) context.Context {
	return context.WithValue(ctx, logKey{}, slices.Concat(logged(ctx), attrs))
}

func logged(ctx context.Context) []slog.Attr {
	attrs, _ := ctx.Value(logKey{}).([]slog.Attr)
	return attrs
}

// LogHandler adds to each line what WithLog put into its context, and the id of the trace. What a line says itself stays.
func LogHandler(next slog.Handler) slog.Handler { return logHandler{next} }

type logHandler struct{ slog.Handler }

// Handle implements slog.Handler.
func (h logHandler) Handle(ctx context.Context, r slog.Record) error {
	attrs := logged(ctx)
	if span := trace.SpanContextFromContext(ctx); span.HasTraceID() {
		attrs = slices.Concat(attrs, []slog.Attr{slog.String("trace_id", span.TraceID().String())})
	}
	if len(attrs) == 0 {
		return h.Handler.Handle(ctx, r)
	}
	said := map[string]bool{}
	r.Attrs(func(a slog.Attr) bool {
		said[a.Key] = true
		return true
	})
	r = r.Clone()
	for _, a := range attrs {
		if !said[a.Key] {
			said[a.Key] = true
			r.AddAttrs(a)
		}
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return logHandler{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h logHandler) WithGroup(name string) slog.Handler { return logHandler{h.Handler.WithGroup(name)} }
