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

// Protocols in which traces are sent.
const (
	ProtocolGRPC = "grpc"
	ProtocolHTTP = "http/protobuf"
)

// Tracing says where traces go. What it does not say (headers, time-outs, certificates, attributes of the resource) the
// variables of OpenTelemetry do, OTEL_….
type Tracing struct {
	// Endpoint is the address of an OTLP collector, such as http://collector:4317. "": traces go nowhere.
	Endpoint string
	// Protocol is ProtocolGRPC or ProtocolHTTP.
	Protocol string
	// SampleRatio is the share of traces that begin here and are kept, from 0 to 1. One that a caller began is kept where the
	// caller keeps it.
	SampleRatio float64
}

// flushTimeout bounds how long a program that ends waits for its last spans to be sent.
const flushTimeout = 5 * time.Second

// StartTracing has the whole program send its traces; stop sends what is left. The provider is OpenTelemetry's global one,
// since the SDK of the workflow engine takes no other: it, PostgreSQL (package db), the worker and the API make their spans of
// it. Spans hold ids, names and SQL without its parameters.
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
		resource.WithFromEnv(), // OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win
	)
	if err != nil {
		return nil, fmt.Errorf("tracing: %w", err)
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		log.Warn("traces_not_sent", "error", err) // a collector that is away costs traces, and nothing else
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
