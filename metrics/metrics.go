// Package metrics exports the Prometheus metrics of the API and the worker. The values of labels come from fixed sets:
// never a tenant, a customer, the name of a field or a value.
//
//   - metrics.go: the metrics of both programs;
//   - collect.go: the counts of other packages (cache, language model, dependencies), read at each scrape;
//   - steps.go: the steps of a worker;
//   - counts.go: the counts of operations and values in the database, by the worker.
//
// Package api exports the metrics of requests. docs/operation.md lists all metrics.
package metrics

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/contextvault/contextvault/cache"
	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/telemetry"
	"github.com/contextvault/contextvault/vault"
)

// Metrics holds the metrics of one process. Steps and queries report to it.
type Metrics struct {
	// Registry holds the metrics. A program may register more.
	Registry *prometheus.Registry

	chains      prometheus.Histogram
	validation  *prometheus.CounterVec
	gaps        *prometheus.CounterVec
	budgetSpent prometheus.Counter
}

// Sources are the packages that count themselves.
type Sources struct {
	Cache        *cache.Cache
	Model        *llm.Counters
	Dependencies []telemetry.Dependency
}

// Outcomes of a failed validation.
const (
	rejected = "rejected" // mode strict: not stored
	warned   = "warned"   // mode warn: stored with warnings
)

// New returns the metrics of a process.
func New(s Sources) *Metrics {
	m := &Metrics{
		Registry: prometheus.NewRegistry(),
		chains: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "profile_derivation_chain_depth",
			Help:    "Number of items in the derivation chains that were read, the item included.",
			Buckets: []float64{1, 2, 3, 4, 5, 7, 10, 20, 50, 100},
		}),
		validation: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "profile_schema_validation_errors_total",
			Help: "Values that failed the validation of their definition, by workflow and outcome: rejected or warned (stored).",
		}, []string{"workflow", "outcome"}),
		gaps: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gap_fill_attempts_total",
			Help: "Fields of ended gap fills, by source of the value (none: no value) and outcome.",
		}, []string{"source", "outcome"}),
		budgetSpent: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "vault_llm_budget_refusals_total",
			Help: "Calls of the language model that were refused: the daily budget of the tenant is spent.",
		}),
	}
	for _, w := range []string{vault.WriteValue.Name, vault.ImportValues.Name, vault.AnswerQuestion.Name} {
		for _, outcome := range []string{rejected, warned} {
			m.validation.WithLabelValues(w, outcome) // exported from the start, so that rate() sees the first failure
		}
	}
	m.Registry.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		m.chains, m.validation, m.gaps, m.budgetSpent,
		cacheStats{s.Cache}, modelUsage{s.Model}, dependencies(s.Dependencies),
	)
	return m
}

// ChainRead records the number of items of a chain that was read (query.OnChain).
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
