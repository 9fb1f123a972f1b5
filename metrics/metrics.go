// Package metrics is what the programs of the vault count, for Prometheus. Labels are names of ours, from sets that are known
// beforehand: never a tenant, a customer, a field's name or a value.
//
//   - metrics.go: what both programs export, the worker and the API;
//   - collect.go: what others count (cache, language model, dependencies), read at each scrape;
//   - steps.go: the steps that a worker runs;
//   - counts.go: what there is in the database, counted by the worker.
//
// Beside these, package api counts requests. docs/operation.md lists all of them.
package metrics

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/contextvault/contextvault/cache"
	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/telemetry"
	"github.com/contextvault/contextvault/vault"
)

// Metrics are those of one process. It is what steps and queries tell what they find.
type Metrics struct {
	// Registry is where they are, and where a program adds its own.
	Registry *prometheus.Registry

	chains      prometheus.Histogram
	validation  *prometheus.CounterVec
	gaps        *prometheus.CounterVec
	budgetSpent prometheus.Counter
}

// Sources are what counts by itself.
type Sources struct {
	Cache        *cache.Cache
	Model        *llm.Counters
	Dependencies []telemetry.Dependency
}

// Outcomes of a validation that found something wrong.
const (
	rejected = "rejected" // mode strict
	warned   = "warned"   // mode warn: stored, with its warnings
)

// New makes the metrics of a process.
func New(s Sources) *Metrics {
	m := &Metrics{
		Registry: prometheus.NewRegistry(),
		chains: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "profile_derivation_chain_depth", Help: "Items in the derivation chains that were read, the item itself included.",
			Buckets: []float64{1, 2, 3, 4, 5, 7, 10, 20, 50, 100},
		}),
		validation: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "profile_schema_validation_errors_total",
			Help: "Values that broke the rules of their definition, by what was asked for and what came of it: rejected, or stored with a warning.",
		}, []string{"workflow", "outcome"}),
		gaps: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gap_fill_attempts_total",
			Help: "Fields that gap fills tried to fill, counted when the fill ends, by where the value came from (none: nowhere) and what came of it.",
		}, []string{"source", "outcome"}),
		budgetSpent: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "vault_llm_budget_refusals_total", Help: "Calls of the language model that were not made, because the tenant's budget of the day was spent.",
		}),
	}
	for _, w := range []string{vault.WriteValue.Name, vault.ImportValues.Name, vault.AnswerQuestion.Name} {
		for _, outcome := range []string{rejected, warned} {
			m.validation.WithLabelValues(w, outcome) // there from the start, so that the first one shows in a rate
		}
	}
	m.Registry.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		m.chains, m.validation, m.gaps, m.budgetSpent,
		cacheStats{s.Cache}, modelUsage{s.Model}, dependencies(s.Dependencies),
	)
	return m
}

// ChainRead is told of each chain that is read (query.OnChain).
func (m *Metrics) ChainRead(items int) { m.chains.Observe(float64(items)) }

// ValuesInvalid implements steps.Observer.
func (m *Metrics) ValuesInvalid(workflow string, refused, warnings int) {
	m.validation.WithLabelValues(workflow, rejected).Add(float64(refused))
	m.validation.WithLabelValues(workflow, warned).Add(float64(warnings))
}

// GapTried implements steps.Observer.
func (m *Metrics) GapTried(source, outcome string) {
	if source == "" {
		source = "none"
	}
	m.gaps.WithLabelValues(source, outcome).Inc()
}

// BudgetSpent implements steps.Observer.
func (m *Metrics) BudgetSpent() { m.budgetSpent.Inc() }
