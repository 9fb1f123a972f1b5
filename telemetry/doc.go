// Package telemetry holds the health checks, the log handler and the tracing that all programs share. Metrics are in
// package metrics.
//
//   - health.go: the dependencies of a program and their state (/readyz);
//   - log.go: the ids in all log lines of a request or a step;
//   - tracing.go: OpenTelemetry traces, disabled by default.
package telemetry
