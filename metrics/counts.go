package metrics

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/vault"
)

// Counts counts operations and values in the database, in the background: a scrape exports the last counts and runs no
// query. Every worker exports the counts of the whole database, so use the maximum over the workers, never the sum.
//
// The cost of counting operations is proportional to the unfinished ones and those that finished in the last five
// minutes. The cost of counting values is proportional to their number: 0.17 s for a million, reading 6 MB of an index
// (measured; without the index 0.4 s and the whole table, 257 MB). Values are counted less often if that takes more
// than a hundredth of the time.
type Counts struct {
	db    *db.DB
	log   *slog.Logger
	every time.Duration

	mu      sync.Mutex
	values  []dbgen.CountValuesByStatusRow // nil: unknown
	counted time.Time
	owed    []dbgen.CountOwedOperationsRow
	ended   []dbgen.CountFinishedOperationsRow
}

const (
	valuesShare  = 100 // counting values may take one hundredth of the time
	countTimeout = 2 * time.Minute
)

// NewCounts returns a Counts that counts at the start of Run and then at the interval every.
func NewCounts(d *db.DB, log *slog.Logger, every time.Duration) *Counts {
	return &Counts{db: d, log: log, every: every}
}

// Run counts until ctx ends.
func (c *Counts) Run(ctx context.Context) error {
	tick := time.NewTicker(c.every)
	defer tick.Stop()
	var valuesDue time.Time
	failing := false
	for {
		err := c.countOperations(ctx)
		if began := time.Now(); err == nil && !began.Before(valuesDue) {
			err = c.countValues(ctx)
			valuesDue = began.Add(valuesShare * time.Since(began))
		}
		if err != nil && !failing && ctx.Err() == nil {
			c.log.WarnContext(ctx, "count_failed", "error_code", vault.CodeOf(err)) // logged once per outage
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// countOperations counts unfinished and finished operations. After an error they are not exported, because the old
// counts may be wrong.
func (c *Counts) countOperations(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, countTimeout)
	defer cancel()
	owed, err := c.db.System().CountOwedOperations(ctx)
	var ended []dbgen.CountFinishedOperationsRow
	if err == nil {
		ended, err = c.db.System().CountFinishedOperations(ctx)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.owed, c.ended = owed, ended
	return err
}

func (c *Counts) countValues(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, countTimeout)
	defer cancel()
	rows, err := c.db.System().CountValuesByStatus(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.values = rows
	if err == nil {
		c.counted = time.Now()
	}
	return err
}

var (
	valuesByStatus = prometheus.NewDesc(
		"profile_values_by_status",
		"Versions of values in the database, without deleted ones, of all tenants. Every worker exports all: use "+
			"the maximum.",
		[]string{"status"},
		nil,
	)
	valuesCounted = prometheus.NewDesc(
		"profile_values_counted_timestamp_seconds",
		"Time of the last count of profile_values_by_status.",
		nil, nil,
	)
	operationsOwed = prometheus.NewDesc(
		"vault_operations_owed",
		"Accepted operations that are not finished, by status (accepted, applied, waiting) and age. "+
			"Every worker exports all: use the maximum.",
		[]string{"workflow", "status", "age"}, nil,
	)
	operationsOldest = prometheus.NewDesc(
		"vault_operations_oldest_seconds",
		"Age of the oldest unfinished operation. A gap fill with the status waiting waits for a person, for days.",
		[]string{"workflow", "status"}, nil,
	)
	operationsEnded = prometheus.NewDesc(
		"vault_operations_finished",
		"Operations that finished in the last five minutes.",
		[]string{"workflow", "status"}, nil,
	)
)

// statuses lists the statuses of values. Each is exported, even if its count is 0.
var statuses = []vault.ItemStatus{vault.StatusActive, vault.StatusSuperseded, vault.StatusExpired, vault.StatusOrphaned}

// Describe implements prometheus.Collector.
func (*Counts) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		valuesByStatus, valuesCounted, operationsOwed, operationsOldest, operationsEnded,
	} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *Counts) Collect(ch chan<- prometheus.Metric) {
	c.mu.Lock()
	defer c.mu.Unlock()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	if c.values != nil {
		found := map[string]int64{}
		for _, row := range c.values {
			found[row.Status] = row.Fields
		}
		for _, s := range statuses {
			gauge(valuesByStatus, float64(found[string(s)]), string(s))
		}
		gauge(valuesCounted, float64(c.counted.Unix()))
	}
	for _, row := range c.owed {
		gauge(operationsOwed, float64(row.Minute), row.Workflow, row.State, "under_1m")
		gauge(operationsOwed, float64(row.TenMinutes), row.Workflow, row.State, "1m_to_10m")
		gauge(operationsOwed, float64(row.Hour), row.Workflow, row.State, "10m_to_1h")
		gauge(operationsOwed, float64(row.Longer), row.Workflow, row.State, "over_1h")
		gauge(operationsOldest, row.OldestSeconds, row.Workflow, row.State)
	}
	for _, row := range c.ended {
		gauge(operationsEnded, float64(row.Operations), row.Workflow, row.Status)
	}
}
