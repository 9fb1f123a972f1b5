package metrics

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/contextvault/contextvault/cache"
	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/telemetry"
)

// cacheStats collects what the cache counts, by kind of entry.
type cacheStats struct{ cache *cache.Cache }

var (
	byKind = []string{"kind"}

	cacheHits          = prometheus.NewDesc("profile_cache_hits_total", "Reads that Redis answered.", byKind, nil)
	cacheMisses        = prometheus.NewDesc("profile_cache_misses_total", "Reads that asked Redis and went to PostgreSQL.", byKind, nil)
	cacheBypassed      = prometheus.NewDesc("profile_cache_bypassed_total", "Reads that went to PostgreSQL at once, because Redis was unavailable, not trusted, or switched off.", byKind, nil)
	cacheInvalidations = prometheus.NewDesc("profile_cache_invalidations_total", "Invalidations that reached Redis.", byKind, nil)
	cacheErrors        = prometheus.NewDesc("profile_cache_errors_total", "Exchanges with Redis that failed.", byKind, nil)
	cacheCircuit       = prometheus.NewDesc("profile_cache_circuit_open", "1 while Redis counts as unavailable, and is not asked.", nil, nil)
)

// Describe implements prometheus.Collector.
func (cacheStats) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{cacheHits, cacheMisses, cacheBypassed, cacheInvalidations, cacheErrors, cacheCircuit} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c cacheStats) Collect(ch chan<- prometheus.Metric) {
	for _, kind := range cache.Kinds {
		s := c.cache.StatsOf(kind)
		for d, n := range map[*prometheus.Desc]uint64{
			cacheHits: s.Hits, cacheMisses: s.Misses, cacheBypassed: s.Bypassed, cacheInvalidations: s.Invalidations, cacheErrors: s.Errors,
		} {
			ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), string(kind))
		}
	}
	ch <- prometheus.MustNewConstMetric(cacheCircuit, prometheus.GaugeValue, truth(c.cache.CircuitOpen()))
}

// modelUsage collects what the language model was asked for and cost.
type modelUsage struct{ counters *llm.Counters }

var (
	byOutcome   = []string{"operation", "outcome"}
	modelOps    = prometheus.NewDesc("vault_llm_operations_total", "Operations of the language model, by what was asked for and how it went.", byOutcome, nil)
	modelCalls  = prometheus.NewDesc("vault_llm_calls_total", "Calls that these operations made: two where an answer had to be repaired.", byOutcome, nil)
	modelTokens = prometheus.NewDesc("vault_llm_tokens_total", "Tokens of these calls, as the model's server counted them.", []string{"operation", "kind"}, nil)
)

// Describe implements prometheus.Collector.
func (modelUsage) Describe(ch chan<- *prometheus.Desc) {
	ch <- modelOps
	ch <- modelCalls
	ch <- modelTokens
}

// Collect implements prometheus.Collector.
func (m modelUsage) Collect(ch chan<- prometheus.Metric) {
	tokens := map[[2]string]int64{}
	for _, t := range m.counters.Totals() {
		ch <- prometheus.MustNewConstMetric(modelOps, prometheus.CounterValue, float64(t.Operations), string(t.Operation), string(t.Outcome))
		ch <- prometheus.MustNewConstMetric(modelCalls, prometheus.CounterValue, float64(t.Calls), string(t.Operation), string(t.Outcome))
		tokens[[2]string{string(t.Operation), "prompt"}] += t.PromptTokens
		tokens[[2]string{string(t.Operation), "completion"}] += t.CompletionTokens
	}
	for labels, n := range tokens {
		ch <- prometheus.MustNewConstMetric(modelTokens, prometheus.CounterValue, float64(n), labels[:]...)
	}
}

// dependencies collects whether what the process works with answers: asked at each scrape, for two seconds at most.
type dependencies []telemetry.Dependency

var dependencyUp = prometheus.NewDesc("vault_dependency_up", "1 where a dependency answers this process.", []string{"dependency"}, nil)

// Describe implements prometheus.Collector.
func (dependencies) Describe(ch chan<- *prometheus.Desc) { ch <- dependencyUp }

// Collect implements prometheus.Collector.
func (d dependencies) Collect(ch chan<- prometheus.Metric) {
	for name, state := range telemetry.CheckDependencies(context.Background(), d).Dependencies {
		ch <- prometheus.MustNewConstMetric(dependencyUp, prometheus.GaugeValue, truth(state == "ok"), name)
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
