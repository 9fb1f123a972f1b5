package worker

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/contextvault/contextvault/llm"
)

// metrics are what the worker tells of itself. Labels are names of ours, never a tenant's or customer's.
type metrics struct {
	running
	turns    chan struct{} // one for each step that may run at a time
	log      *slog.Logger
	registry *prometheus.Registry
	steps    *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

func newMetrics(r *Runtime) *metrics {
	m := &metrics{
		turns: make(chan struct{}, r.Config.Jobs.Hatchet.WorkerConcurrency), log: r.Log,
		registry: prometheus.NewRegistry(),
		steps: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "vault_steps_total", Help: "Steps that ended, by workflow and step, and outcome.",
		}, []string{"step", "outcome"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "vault_step_seconds", Help: "How long steps took.", Buckets: prometheus.ExponentialBuckets(0.001, 2, 16),
		}, []string{"step"}),
	}
	m.registry.MustRegister(collectors.NewGoCollector(), m.steps, m.seconds,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "vault_steps_running", Help: "Steps that run now."},
			func() float64 { return float64(m.n.Load()) }),
		counter("profile_cache_hits_total", "Reads that the cache answered.", func() uint64 { return r.Cache.Stats().Hits }),
		counter("profile_cache_misses_total", "Reads that went to PostgreSQL.", func() uint64 { return r.Cache.Stats().Misses }),
		counter("profile_cache_invalidations_total", "Entries that were invalidated.", func() uint64 { return r.Cache.Stats().Invalidations }),
		modelUsage{r.ModelUsage},
	)
	return m
}

// modelUsage collects what the language model cost.
type modelUsage struct{ counters *llm.Counters }

var (
	modelCalls  = prometheus.NewDesc("vault_llm_calls_total", "Calls of the language model, by operation and outcome.", []string{"operation", "outcome"}, nil)
	modelTokens = prometheus.NewDesc("vault_llm_tokens_total", "Tokens of these calls, as the model's server counted them.", []string{"operation", "kind"}, nil)
)

// Describe implements prometheus.Collector.
func (modelUsage) Describe(ch chan<- *prometheus.Desc) { ch <- modelCalls; ch <- modelTokens }

// Collect implements prometheus.Collector.
func (m modelUsage) Collect(ch chan<- prometheus.Metric) {
	tokens := map[[2]string]int64{}
	for _, t := range m.counters.Totals() {
		ch <- prometheus.MustNewConstMetric(modelCalls, prometheus.CounterValue, float64(t.Calls), string(t.Operation), string(t.Outcome))
		tokens[[2]string{string(t.Operation), "prompt"}] += t.PromptTokens
		tokens[[2]string{string(t.Operation), "completion"}] += t.CompletionTokens
	}
	for labels, n := range tokens {
		ch <- prometheus.MustNewConstMetric(modelTokens, prometheus.CounterValue, float64(n), labels[:]...)
	}
}

func counter(name, help string, value func() uint64) prometheus.CounterFunc {
	return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, func() float64 { return float64(value()) })
}

// serveHealth serves /healthz (the process lives), /readyz (it reaches what it needs) and /metrics until ctx ends.
func serveHealth(ctx context.Context, r *Runtime, m *metrics) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, req *http.Request) {
		ctx, cancel := context.WithTimeout(req.Context(), 2*time.Second)
		defer cancel()
		if err := r.Ready(ctx); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte("ok\n"))
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	server := &http.Server{
		Addr: r.Config.Worker.HealthAddress, Handler: mux, ReadHeaderTimeout: 5 * time.Second,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
