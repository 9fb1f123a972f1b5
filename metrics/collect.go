package metrics

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/contextvault/contextvault/cache"
	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/telemetry"
)

// cacheStats collects the counts of the cache, by kind of entry.
type cacheStats struct{ cache *cache.Cache }

var (
	byKind = []string{"kind"}

	cacheHits = prometheus.NewDesc(
		"profile_cache_hits_total", "Reads that were answered from Redis.", byKind, nil,
	)
	cacheMisses = prometheus.NewDesc(
		"profile_cache_misses_total", "Reads that asked Redis and then PostgreSQL.", byKind, nil,
	)
	cacheBypassed = prometheus.NewDesc(
		"profile_cache_bypassed_total",
		"Reads that asked only PostgreSQL: Redis was unavailable or disabled, or the process held no lease.",
		byKind,
		nil,
	)
	cacheInvalidations = prometheus.NewDesc(
		"profile_cache_invalidations_total", "Invalidations that reached Redis.", byKind, nil,
	)
	cacheErrors  = prometheus.NewDesc("profile_cache_errors_total", "Failed exchanges with Redis.", byKind, nil)
	cacheCircuit = prometheus.NewDesc(
		"profile_cache_circuit_open", "1 while the circuit breaker considers Redis unavailable.", nil, nil,
	)
)

// Describe implements prometheus.Collector.
func (cacheStats) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		cacheHits, cacheMisses, cacheBypassed, cacheInvalidations, cacheErrors, cacheCircuit,
	} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c cacheStats) Collect(ch chan<- prometheus.Metric) {
	for _, kind := range cache.Kinds {
		s := c.cache.StatsOf(kind)
		for d, n := range map[*prometheus.Desc]uint64{
			cacheHits: s.Hits, cacheMisses: s.Misses, cacheBypassed: s.Bypassed, cacheInvalidations: s.Invalidations,
			cacheErrors: s.Errors,
		} {
			ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), string(kind))
		}
	}
	ch <- prometheus.MustNewConstMetric(cacheCircuit, prometheus.GaugeValue, boolValue(c.cache.CircuitOpen()))
}

// modelUsage collects the operations of the language model and their cost.
type modelUsage struct{ counters *llm.Counters }

var (
	byOutcome  = []string{"operation", "outcome"}
	modelOps   = prometheus.NewDesc("vault_llm_operations_total", "Operations of the language model.", byOutcome, nil)
	modelCalls = prometheus.NewDesc(
		"vault_llm_calls_total", "Calls of these operations. An operation with a repair makes two.", byOutcome, nil,
	)
	modelTokens = prometheus.NewDesc(
		"vault_llm_tokens_total",
		"Tokens of these calls, as counted by the server of the model.",
		[]string{"operation", "kind"},
		nil,
	)
	modelCircuit = prometheus.NewDesc(
		"vault_llm_circuit_open",
		"1 while the circuit breaker considers an endpoint of the language model unavailable: calls fail at once.",
		[]string{"endpoint"},
		nil,
	)
	modelDrops = prometheus.NewDesc(
		"vault_llm_entries_dropped_total",
		"Entries of the model's answers that were left out, by reason. The other entries of the answer were used.",
		[]string{"operation", "reason"},
		nil,
	)
)

// Describe implements prometheus.Collector.
func (modelUsage) Describe(ch chan<- *prometheus.Desc) {
	ch <- modelOps
	ch <- modelCalls
	ch <- modelTokens
	ch <- modelDrops
	ch <- modelCircuit
}

// Collect implements prometheus.Collector.
func (m modelUsage) Collect(ch chan<- prometheus.Metric) {
	tokens := map[[2]string]int64{}
	for _, t := range m.counters.Totals() {
		op, outcome := string(t.Operation), string(t.Outcome)
		ch <- prometheus.MustNewConstMetric(modelOps, prometheus.CounterValue, float64(t.Operations), op, outcome)
		ch <- prometheus.MustNewConstMetric(modelCalls, prometheus.CounterValue, float64(t.Calls), op, outcome)
		tokens[[2]string{op, "prompt"}] += t.PromptTokens
		tokens[[2]string{op, "completion"}] += t.CompletionTokens
	}
	for labels, n := range tokens {
		ch <- prometheus.MustNewConstMetric(modelTokens, prometheus.CounterValue, float64(n), labels[:]...)
	}
	for _, endpoint := range llm.Endpoints {
		open := boolValue(m.counters.CircuitOpen(endpoint))
		ch <- prometheus.MustNewConstMetric(modelCircuit, prometheus.GaugeValue, open, string(endpoint))
	}
	drops := m.counters.Drops()
	for _, op := range []llm.Operation{llm.OperationPropose, llm.OperationExtract} {
		for _, reason := range llm.DropReasons { // exported from the start, so that rate() sees the first one
			n := float64(drops[llm.DropKey{Operation: op, Reason: reason}])
			ch <- prometheus.MustNewConstMetric(modelDrops, prometheus.CounterValue, n, string(op), string(reason))
		}
	}
}

// dependencies collects whether the dependencies answer. Each scrape checks them, within two seconds.
type dependencies []telemetry.Dependency

var dependencyUp = prometheus.NewDesc(
	"vault_dependency_up",
	"1 if the dependency answers this process.",
	[]string{"dependency"},
	nil,
)

// Describe implements prometheus.Collector.
func (dependencies) Describe(ch chan<- *prometheus.Desc) { ch <- dependencyUp }

// Collect implements prometheus.Collector.
func (d dependencies) Collect(ch chan<- prometheus.Metric) {
	for name, state := range telemetry.CheckDependencies(context.Background(), d).Dependencies {
		ch <- prometheus.MustNewConstMetric(dependencyUp, prometheus.GaugeValue, boolValue(state == "ok"), name)
	}
}

func boolValue(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
