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

// Counts counts what there is in the database, in the background: a scrape shows the last count, and costs the database
// nothing. Every worker counts and exports the whole, so over several of them it is the maximum that is meant, never the sum.
//
// What a count of operations costs follows what is owed, and what finished in five minutes. What a count of fields costs follows
// how many there are: 0.17 s at a million of them, with 6 MB of an index read (measured; without the index 0.4 s and the whole
// table, 257 MB). Where it takes more than a hundredth of the time it is made less often.
type Counts struct {
	db    *db.DB
	log   *slog.Logger
	every time.Duration

	mu      sync.Mutex
	fields  []dbgen.CountValuesByStatusRow // nil: not known
	counted time.Time
	owed    []dbgen.CountOwedOperationsRow
	ended   []dbgen.CountFinishedOperationsRow
}

const (
	atMost       = 100 // the part of the time that counting fields may take is one of so many
	countTimeout = 2 * time.Minute
)

// NewCounts makes a counts, which counts when it runs, and then so often.
func NewCounts(d *db.DB, log *slog.Logger, every time.Duration) *Counts {
	return &Counts{db: d, log: log, every: every}
}

// Run counts until ctx ends.
func (c *Counts) Run(ctx context.Context) error {
	tick := time.NewTicker(c.every)
	defer tick.Stop()
	var fieldsDue time.Time
	failing := false
	for {
		err := c.countOperations(ctx)
		if began := time.Now(); err == nil && !began.Before(fieldsDue) {
			err = c.countFields(ctx)
			fieldsDue = began.Add(atMost * time.Since(began))
		}
		if err != nil && !failing && ctx.Err() == nil {
			c.log.WarnContext(ctx, "count_failed", "error_code", vault.CodeOf(err)) // once, until it works again
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// countOperations counts what is owed and what finished. What cannot be counted is not shown, rather than what was true once.
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

func (c *Counts) countFields(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, countTimeout)
	defer cancel()
	rows, err := c.db.System().CountValuesByStatus(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fields = rows
	if err == nil {
		c.counted = time.Now()
	}
	return err
}

var (
	fieldsByStatus   = prometheus.NewDesc("profile_values_by_status", "Field versions in the database by status, deleted ones left out, of all tenants. Every worker exports all of them: take the maximum.", []string{"status"}, nil)
	fieldsCounted    = prometheus.NewDesc("profile_values_counted_timestamp_seconds", "When profile_values_by_status was counted.", nil, nil)
	operationsOwed   = prometheus.NewDesc("vault_operations_owed", "Operations that were accepted and are not finished, by age. Every worker exports all of them: take the maximum.", []string{"workflow", "status", "age"}, nil)
	operationsOldest = prometheus.NewDesc("vault_operations_oldest_seconds", "The age of the oldest of them. A gap fill waits for people: days are no fault.", []string{"workflow", "status"}, nil)
	operationsEnded  = prometheus.NewDesc("vault_operations_finished", "Operations that finished in the last five minutes.", []string{"workflow", "status"}, nil)
)

// statuses of fields, each of which is shown, also where there is none.
var statuses = []vault.ItemStatus{vault.StatusActive, vault.StatusSuperseded, vault.StatusExpired, vault.StatusOrphaned}

// Describe implements prometheus.Collector.
func (*Counts) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{fieldsByStatus, fieldsCounted, operationsOwed, operationsOldest, operationsEnded} {
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
	if c.fields != nil {
		found := map[string]int64{}
		for _, row := range c.fields {
			found[row.Status] = row.Fields
		}
		for _, s := range statuses {
			gauge(fieldsByStatus, float64(found[string(s)]), string(s))
		}
		gauge(fieldsCounted, float64(c.counted.Unix()))
	}
	for _, row := range c.owed {
		gauge(operationsOwed, float64(row.Minute), row.Workflow, row.Status, "under_1m")
		gauge(operationsOwed, float64(row.TenMinutes), row.Workflow, row.Status, "1m_to_10m")
		gauge(operationsOwed, float64(row.Hour), row.Workflow, row.Status, "10m_to_1h")
		gauge(operationsOwed, float64(row.Longer), row.Workflow, row.Status, "over_1h")
		gauge(operationsOldest, row.OldestSeconds, row.Workflow, row.Status)
	}
	for _, row := range c.ended {
		gauge(operationsEnded, float64(row.Operations), row.Workflow, row.Status)
	}
}
