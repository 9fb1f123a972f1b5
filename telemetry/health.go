package telemetry

import (
	"context"
	"net"
	"sync"
	"time"
)

// Dependency is something that a program works with.
type Dependency struct {
	Name string
	// Required says that the program can do nothing without it. The others are reported, and done without.
	Required bool
	Check    func(ctx context.Context) error
}

// lookTimeout bounds one look at the dependencies.
const lookTimeout = 2 * time.Second

// Statuses of Health.
const (
	StatusReady       = "ready"
	StatusDegraded    = "degraded"    // something is missing that can be done without
	StatusUnavailable = "unavailable" // something is missing that cannot
	StatusStopping    = "stopping"    // it takes no more work
)

// Health is how a program is.
type Health struct {
	Status       string            `json:"status" enum:"ready,degraded,unavailable,stopping" doc:"degraded: something is missing that can be done without; stopping: it takes no more requests soon."`
	Dependencies map[string]string `json:"dependencies" doc:"Each dependency: ok, or what is wrong with it."`
}

// Ready reports whether the program works.
func (h Health) Ready() bool { return h.Status == StatusReady || h.Status == StatusDegraded }

// CheckDependencies asks all dependencies at once. What is wrong with one is not quoted: an error may hold an address.
func CheckDependencies(ctx context.Context, all []Dependency) Health {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	faults := make([]error, len(all))
	var looks sync.WaitGroup
	for i, d := range all {
		looks.Go(func() { faults[i] = d.Check(ctx) })
	}
	looks.Wait()
	out := Health{Status: StatusReady, Dependencies: map[string]string{}}
	for i, d := range all {
		out.Dependencies[d.Name] = "ok"
		if faults[i] == nil {
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

// Dial checks a dependency by its TCP port.
func Dial(hostPort string) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", hostPort)
		if err != nil {
			return err
		}
		return conn.Close()
	}
}
