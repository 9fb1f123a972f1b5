package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Steps counts the workflow steps of one worker.
type Steps struct {
	ended   *prometheus.CounterVec
	seconds *prometheus.HistogramVec
	running prometheus.GaugeFunc
}

// Outcomes of a step.
const (
	StepSucceeded = "succeeded"
	StepFailed    = "failed"    // the engine retries it, or its run fails
	StepRejected  = "rejected"  // no retry helps: the input is invalid, or a budget is spent
	StepCancelled = "cancelled" // by the engine, or another run does the work
)

// NewSteps returns counters at zero. running returns the number of running steps.
func NewSteps(running func() int64) *Steps {
	return &Steps{
		ended: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "vault_steps_total",
			Help: "Steps that ended, by step (workflow:step) and outcome: succeeded, failed (retried), rejected (invalid " +
				"input) " +
				"or cancelled (by the engine, or another run does the work).",
		}, []string{"step", "outcome"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "vault_step_seconds",
			Help:    "Duration of steps, without the wait for their turn. Steps that wait for people are excluded.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 16),
		}, []string{"step"}),
		running: prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "vault_steps_running", Help: "Steps that run or wait for their turn in this worker.",
		}, func() float64 { return float64(running()) }),
	}
}

// Count counts the end of a step, named workflow:step.
func (s *Steps) Count(step, outcome string) { s.ended.WithLabelValues(step, outcome).Inc() }

// ObserveDuration records the duration of a step, named workflow:step.
func (s *Steps) ObserveDuration(step string, d time.Duration) {
	s.seconds.WithLabelValues(step).Observe(d.Seconds())
}

// Describe implements prometheus.Collector.
func (s *Steps) Describe(ch chan<- *prometheus.Desc) {
	s.ended.Describe(ch)
	s.seconds.Describe(ch)
	s.running.Describe(ch)
}

// Collect implements prometheus.Collector.
func (s *Steps) Collect(ch chan<- prometheus.Metric) {
	s.ended.Collect(ch)
	s.seconds.Collect(ch)
	s.running.Collect(ch)
}
