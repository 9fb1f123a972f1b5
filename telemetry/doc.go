// Package telemetry is how the programs of the vault tell of themselves, beside their metrics (package metrics): what every
// one of them does the same way. It knows nothing of what they do.
//
//   - health.go: what a program works with, and whether it answers (/readyz);
//   - log.go: the ids that every log line of a request or a step carries;
//   - tracing.go: OpenTelemetry traces, off unless configured.
package telemetry
