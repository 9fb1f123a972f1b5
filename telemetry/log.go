package telemetry

import (
	"context"
	"log/slog"
	"slices"

	"go.opentelemetry.io/otel/trace"
)

type logKey struct{}

// WithLog returns a context that adds attributes to every log line: ids, never values of customers.
func WithLog(ctx context.Context, attrs ...slog.Attr) context.Context {
	return context.WithValue(ctx, logKey{}, slices.Concat(logged(ctx), attrs))
}

func logged(ctx context.Context) []slog.Attr {
	attrs, _ := ctx.Value(logKey{}).([]slog.Attr)
	return attrs
}

// LogHandler adds the attributes of WithLog and the trace id to each line. Attributes of the line itself win.
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
	present := map[string]bool{}
	r.Attrs(func(a slog.Attr) bool {
		present[a.Key] = true
		return true
	})
	r = r.Clone()
	for _, a := range attrs {
		if !present[a.Key] {
			present[a.Key] = true
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
