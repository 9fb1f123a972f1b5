package telemetry

import (
	"context"
	"net"
	"sync"
	"time"
)

// Dependency is an external service of a program.
type Dependency struct {
	Name string
	// Required: the program cannot work without the service. The state of the others is only reported.
	Required bool
	Check    func(ctx context.Context) error
}

// checkTimeout limits one check of all dependencies.
const checkTimeout = 2 * time.Second

// Statuses of Health.
const (
	StatusReady       = "ready"
	StatusDegraded    = "degraded"    // an optional dependency does not answer
	StatusUnavailable = "unavailable" // a required dependency does not answer
	StatusStopping    = "stopping"    // it accepts no more work
)

// Health is the state of a program.
type Health struct {
	Status       string            `json:"status" enum:"ready,degraded,unavailable,stopping" doc:"degraded: an optional dependency does not answer; stopping: the program shuts down."`
	Dependencies map[string]string `json:"dependencies" doc:"The state of each dependency: ok or does not answer."`
}

// Ready reports whether the program can work.
func (h Health) Ready() bool { return h.Status == StatusReady || h.Status == StatusDegraded }

// CheckDependencies checks all dependencies concurrently. It does not return their errors, which may contain addresses.
func CheckDependencies(ctx context.Context, all []Dependency) Health {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	errs := make([]error, len(all))
	var checks sync.WaitGroup
	for i, d := range all {
		checks.Go(func() { errs[i] = d.Check(ctx) })
	}
	checks.Wait()
	out := Health{Status: StatusReady, Dependencies: map[string]string{}}
	for i, d := range all {
		out.Dependencies[d.Name] = "ok"
		if errs[i] == nil {
			continue
		}
		out.Dependencies[d.Name] = "does not answer"
		if d.Required {
			out.Status = StatusUnavailable
		} else if out.Status == StatusReady {
			out.Status = StatusDegraded
		}
	}
	return out
}

// Dial returns a check that opens a TCP connection.
func Dial(hostPort string) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", hostPort)
		if err != nil {
			return err
		}
		return conn.Close()
	}
}
