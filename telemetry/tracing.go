package telemetry

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// Protocols of the trace exporter.
const (
	ProtocolGRPC = "grpc"
	ProtocolHTTP = "http/protobuf"
)

// Tracing configures the trace exporter. The OTEL_… variables of OpenTelemetry set the rest: headers, timeouts,
// certificates, resource attributes.
type Tracing struct {
	// Endpoint is the address of an OTLP collector, such as http://collector:4317. "": no traces.
	Endpoint string
	// Protocol is ProtocolGRPC or ProtocolHTTP.
	Protocol string
	// SampleRatio is the share of sampled traces, from 0 to 1. For a trace that a caller began, the caller decides.
	SampleRatio float64
}

// flushTimeout limits the export of the last spans at shutdown.
const flushTimeout = 5 * time.Second

// StartTracing starts the export of all traces of the program. stop exports the remaining spans. It sets
// OpenTelemetry's global provider, because the SDK of the workflow engine uses no other. Spans hold ids, names and SQL
// without parameters.
func StartTracing(ctx context.Context, t Tracing, service string, log *slog.Logger) (stop func(), err error) {
	if t.Endpoint == "" {
		return func() {}, nil
	}
	var client otlptrace.Client
	switch t.Protocol {
	case ProtocolGRPC:
		client = otlptracegrpc.NewClient(otlptracegrpc.WithEndpointURL(t.Endpoint))
	case ProtocolHTTP:
		client = otlptracehttp.NewClient(otlptracehttp.WithEndpointURL(t.Endpoint))
	default:
		return nil, fmt.Errorf("tracing.protocol: %q is not %s or %s", t.Protocol, ProtocolGRPC, ProtocolHTTP)
	}
	exporter, err := otlptrace.New(ctx, client)
	if err != nil {
		return nil, fmt.Errorf("tracing: %w", err)
	}
	about, err := resource.New(ctx,
		resource.WithAttributes(attribute.String("service.name", service)), resource.WithTelemetrySDK(),
		resource.WithFromEnv(), // OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES override
	)
	if err != nil {
		return nil, fmt.Errorf("tracing: %w", err)
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		log.Warn("traces_not_sent", "error", err) // an unavailable collector loses traces, nothing else
	}))
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(exporter), sdktrace.WithResource(about),
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(t.SampleRatio))),
	)
	otel.SetTracerProvider(provider)
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
		defer cancel()
		if err := provider.Shutdown(ctx); err != nil {
			log.WarnContext(ctx, "traces_not_sent", "error", err)
		}
	}, nil
}
