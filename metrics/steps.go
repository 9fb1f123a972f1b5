package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Steps counts the steps of workflows that one worker runs.
type Steps struct {
	ended   *prometheus.CounterVec
	seconds *prometheus.HistogramVec
	running prometheus.GaugeFunc
}

// Outcomes of a step.
const (
	StepSucceeded = "succeeded"
	StepFailed    = "failed"    // it is tried again, or its run fails
	StepRejected  = "rejected"  // no retry can mend it: what was asked for is wrong, or a budget is spent
	StepCancelled = "cancelled" // by the engine
)

// NewSteps makes the counts; running says how many steps are under way.
func NewSteps(running func() int64) *Steps {
	return &Steps{
		ended: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "vault_steps_total", Help: "Steps that ended, by workflow and step, and outcome: succeeded, failed (it is tried again), rejected (what was asked for is wrong) or cancelled.",
		}, []string{"step", "outcome"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "vault_step_seconds", Help: "How long steps took, without the wait for their turn. What waits for people is left out.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 16),
		}, []string{"step"}),
		running: prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "vault_steps_running", Help: "Steps that run now, or wait for their turn in this worker.",
		}, func() float64 { return float64(running()) }),
	}
}

// Ended counts a step, named workflow:step.
func (s *Steps) Ended(step, outcome string) { s.ended.WithLabelValues(step, outcome).Inc() }

// Took tells how long a step took.
func (s *Steps) Took(step string, d time.Duration) {
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
