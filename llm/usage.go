package llm

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/contextvault/contextvault/vault"
)

// Usage is the cost of one operation.
type Usage struct {
	Operation        Operation
	Model            string        // id of the model; "offline" for the offline model
	Calls            int           // 1, or 2 with a repair, without retries; embeddings: one per batch
	PromptTokens     int64         // as reported by the endpoint, else estimated
	CompletionTokens int64         // as reported by the endpoint, else estimated
	Duration         time.Duration // from the request to the checked answer
	Outcome          Outcome
	Drops            Drops // entries of the answer that are not used; nil: none
}

// Operation is the name of a model operation in metrics.
type Operation string

const (
	OperationPropose Operation = "propose_requirements"
	OperationExtract Operation = "extract_values"
	OperationEmbed   Operation = "embed"
)

// Outcome is the outcome of an operation in metrics.
type Outcome string

const (
	OutcomeOK          Outcome = "ok"
	OutcomeRepaired    Outcome = "repaired"    // the first answer did not match its schema, the second did
	OutcomeMalformed   Outcome = "malformed"   // neither answer matched the schema
	OutcomeRefused     Outcome = "refused"     // permanent: the request or key was rejected, or the model refused
	OutcomeUnavailable Outcome = "unavailable" // no usable answer in time, after all retries
)

type usageHookKey struct{}

// WithUsage returns a context that makes every operation also call fn with its cost. Functions of outer contexts are
// still called.
func WithUsage(ctx context.Context, fn func(Usage)) context.Context {
	outer, ok := ctx.Value(usageHookKey{}).(func(Usage))
	return context.WithValue(ctx, usageHookKey{}, func(u Usage) {
		fn(u)
		if ok {
			outer(u)
		}
	})
}

// Meter measures one operation of a model.
type Meter struct {
	Usage   Usage
	started time.Time
}

// StartMeter starts the measurement of an operation. Call Report when it ends.
func StartMeter(op Operation, model string) *Meter {
	return &Meter{Usage: Usage{Operation: op, Model: model}, started: time.Now()}
}

// BytesPerToken is the average size of an English token.
const BytesPerToken = 4

// AddTokens adds the tokens of one call. If the endpoint reports none, it estimates them from the bytes sent and
// received: without the estimate, such an endpoint would never use up a budget.
func (m *Meter) AddTokens(prompt, completion int64, sent, received int) {
	if prompt <= 0 && completion <= 0 {
		prompt, completion = int64(sent/BytesPerToken), int64(received/BytesPerToken)
	}
	m.Usage.PromptTokens += max(0, prompt)
	m.Usage.CompletionTokens += max(0, completion)
}

// Report passes the usage to hook, which may be nil, and to the functions of WithUsage. If Usage.Outcome is empty,
// err decides it.
func (m *Meter) Report(ctx context.Context, hook func(Usage), err error) {
	m.Usage.Duration = time.Since(m.started)
	if m.Usage.Outcome == "" {
		switch {
		case err == nil:
			m.Usage.Outcome = OutcomeOK
		case vault.Permanent(err):
			m.Usage.Outcome = OutcomeRefused
		default:
			m.Usage.Outcome = OutcomeUnavailable
		}
	}
	if hook != nil {
		hook(m.Usage)
	}
	if fn, ok := ctx.Value(usageHookKey{}).(func(Usage)); ok {
		fn(m.Usage)
	}
}

// Counters sum up usage for metrics. The zero value is ready to use. Count is a hook for Config.Usage.
type Counters struct {
	mu     sync.Mutex
	totals map[CounterKey]Total
	drops  map[DropKey]int64
	open   map[Endpoint]bool
}

// CounterKey identifies one sum.
type CounterKey struct {
	Operation Operation
	Outcome   Outcome
}

// Total is the sum of the operations with one key.
type Total struct {
	CounterKey
	Operations, Calls, PromptTokens, CompletionTokens int64
}

// DropKey identifies one sum of dropped entries.
type DropKey struct {
	Operation Operation
	Reason    DropReason
}

// Count adds one operation.
func (c *Counters) Count(u Usage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.totals == nil {
		c.totals = map[CounterKey]Total{}
	}
	key := CounterKey{u.Operation, u.Outcome}
	t := c.totals[key]
	t.CounterKey = key
	t.Operations++
	t.Calls += int64(u.Calls)
	t.PromptTokens += u.PromptTokens
	t.CompletionTokens += u.CompletionTokens
	c.totals[key] = t
	for reason, n := range u.Drops {
		if c.drops == nil {
			c.drops = map[DropKey]int64{}
		}
		c.drops[DropKey{u.Operation, reason}] += int64(n)
	}
}

// SetCircuit notes that a circuit breaker is open or closed. It is a hook for Config.Circuit.
func (c *Counters) SetCircuit(endpoint Endpoint, open bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open == nil {
		c.open = map[Endpoint]bool{}
	}
	c.open[endpoint] = open
}

// CircuitOpen reports whether the circuit breaker of an endpoint is open. It returns false for a nil c.
func (c *Counters) CircuitOpen(endpoint Endpoint) bool {
	if c == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.open[endpoint]
}

// Drops returns the sums of dropped entries. It returns nil for a nil c.
func (c *Counters) Drops() map[DropKey]int64 {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.drops)
}

// Totals returns the sums, ordered by operation and outcome. It returns nil for a nil c.
func (c *Counters) Totals() []Total {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.SortedFunc(maps.Values(c.totals), func(a, b Total) int {
		return cmp.Or(cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.Outcome, b.Outcome))
	})
}
