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

// Usage is what one operation cost.
type Usage struct {
	Operation        Operation
	Model            string        // the one that was asked; "offline" for the offline model
	Calls            int           // 1, or 2 with a repair; a request that was retried counts once; embeddings: one per batch
	PromptTokens     int64         // as the endpoint counted them; where it did not, a quarter of the bytes
	CompletionTokens int64         // likewise
	Duration         time.Duration // from the request to the checked answer
	Outcome          Outcome
}

// Operation names what a model was asked for, in metrics.
type Operation string

const (
	OperationPropose Operation = "propose_fields"
	OperationExtract Operation = "extract_values"
	OperationEmbed   Operation = "embed"
)

// Outcome says how an operation went, in metrics.
type Outcome string

const (
	OutcomeOK          Outcome = "ok"
	OutcomeRepaired    Outcome = "repaired"    // the first answer did not match its schema, the second did
	OutcomeMalformed   Outcome = "malformed"   // neither did
	OutcomeRefused     Outcome = "refused"     // turned down for good: the key, the model, the request, or the model declined
	OutcomeUnavailable Outcome = "unavailable" // no usable answer in time, after all retries
)

type usageKey struct{}

// WithUsage returns a context under which every operation also tells fn what it cost, for a caller that counts the calls of
// one piece of work. Those that were to be told already are told as well.
func WithUsage(ctx context.Context, fn func(Usage)) context.Context {
	before, told := ctx.Value(usageKey{}).(func(Usage))
	return context.WithValue(ctx, usageKey{}, func(u Usage) {
		fn(u)
		if told {
			before(u)
		}
	})
}

// meter adds up what one operation costs.
type meter struct {
	usage   Usage
	started time.Time
}

func startMeter(op Operation, model string) *meter {
	return &meter{usage: Usage{Operation: op, Model: model}, started: time.Now()}
}

// bytesPerToken is how many bytes of English a token is.
const bytesPerToken = 4

// count adds the tokens of one call. An endpoint that does not count them would let a budget never be spent, and so would an answer
// that never comes whole: then they are estimated from the bytes that were sent and received.
func (m *meter) count(prompt, completion int64, sent, received int) {
	if prompt <= 0 && completion <= 0 {
		prompt, completion = int64(sent/bytesPerToken), int64(received/bytesPerToken)
	}
	m.usage.PromptTokens += max(0, prompt)
	m.usage.CompletionTokens += max(0, completion)
}

// done reports the operation to hook and to the context's own hook. An outcome that was not set is taken from err.
func (m *meter) done(ctx context.Context, hook func(Usage), err error) {
	m.usage.Duration = time.Since(m.started)
	if m.usage.Outcome == "" {
		switch {
		case err == nil:
			m.usage.Outcome = OutcomeOK
		case vault.Permanent(err):
			m.usage.Outcome = OutcomeRefused
		default:
			m.usage.Outcome = OutcomeUnavailable
		}
	}
	if hook != nil {
		hook(m.usage)
	}
	if fn, ok := ctx.Value(usageKey{}).(func(Usage)); ok {
		fn(m.usage)
	}
}

// Counters add up what operations cost, for metrics. The zero value is ready; Count is a hook for Config.Usage.
type Counters struct {
	mu     sync.Mutex
	totals map[CounterKey]Total
}

// CounterKey is what operations are added up by.
type CounterKey struct {
	Operation Operation
	Outcome   Outcome
}

// Total is what the operations of one kind and outcome cost.
type Total struct {
	CounterKey
	Operations, Calls, PromptTokens, CompletionTokens int64
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
}

// Totals gives what was added up, by operation and outcome.
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
