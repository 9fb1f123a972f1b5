package main

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/contextvault/contextvault/cache"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// curve is how something grows. The value and the ceiling of a point are from the same run.
type curve struct {
	Name    string  `json:"name"`
	X       string  `json:"x"`
	Y       string  `json:"y"`
	Ceiling string  `json:"ceiling"`
	Points  []point `json:"points"`
	Between string  `json:"in_the_way,omitempty"`

	xs             []int // the numbers of clients; nil: 1 to 128
	ceilingClients int   // maximum number of clients of the ceiling; 0: that of the clients
}

type point struct {
	X       float64 `json:"x"`
	Value   float64 `json:"value"`
	Ceiling float64 `json:"ceiling"`
	Ratio   float64 `json:"ratio"`
}

// clients are the numbers of concurrent clients.
func (b *benchmarks) clients() []int {
	if b.effort.short {
		return []int{1, 16, 64}
	}
	return []int{1, 2, 4, 8, 16, 32, 64, 128}
}

// loadTime is the duration of one round of a load.
func (b *benchmarks) loadTime() time.Duration {
	if b.effort.short {
		return time.Second
	}
	return 2 * time.Second
}

// byClients measures the calls per second of two functions with a growing number of clients, in turn, and takes the
// medians of the rounds.
func (b *benchmarks) byClients(
	ctx context.Context, c curve, fn, ceiling func(ctx context.Context) error,
) (curve, error) {
	rounds := 3
	if b.effort.short {
		rounds = 1
	}
	xs := b.clients()
	if c.xs != nil {
		xs = c.xs
	}
	for _, n := range xs {
		var values, ceilings, ratios []float64
		for range rounds {
			value, err := perSecond(ctx, n, b.loadTime(), fn)
			if err != nil {
				return c, fmt.Errorf("%s: %w", c.Name, err)
			}
			limit, err := perSecond(ctx, min(n, cmp.Or(c.ceilingClients, n)), b.loadTime(), ceiling)
			if err != nil {
				return c, fmt.Errorf("%s: ceiling: %w", c.Name, err)
			}
			values, ceilings, ratios = append(values, value), append(ceilings, limit), append(ratios, value/limit)
		}
		c.Points = append(c.Points, point{
			X: float64(n), Value: median(values), Ceiling: median(ceilings), Ratio: median(ratios),
		})
	}
	return c, nil
}

// perSecond calls a function from n clients for a time, and returns the calls per second. Calls that began in the time
// are waited for, and their time counts.
func perSecond(ctx context.Context, n int, d time.Duration, fn func(ctx context.Context) error) (float64, error) {
	var calls atomic.Int64
	start := time.Now()
	g, ctx := errgroup.WithContext(ctx)
	for range n {
		g.Go(func() error {
			for time.Since(start) < d {
				if err := fn(ctx); err != nil {
					return err
				}
				calls.Add(1)
			}
			return nil
		})
	}
	err := g.Wait()
	return float64(calls.Load()) / time.Since(start).Seconds(), err
}

// newWrite is a write of another customer each time.
func (b *benchmarks) newWrite() vault.WriteValueInput {
	return vault.WriteValueInput{
		AgentID: b.agent, CustomerID: uuid.Must(uuid.NewV7()), Name: "email", Value: text("ada.quill@example.com"),
		Source: vault.ValueUserProvided,
	}
}

// writeOne writes a value and waits for its acknowledgement.
func (b *benchmarks) writeOne(ctx context.Context) error { return b.writeAs(ctx, b.tenant) }

func (b *benchmarks) writeAs(ctx context.Context, tenant uuid.UUID) error {
	r, err := trigger.Submit(ctx, b.Trigger, tenant, vault.WriteValue, b.newWrite())
	if err == nil {
		_, err = r.Wait(ctx)
	}
	return err
}

// insertOne commits one row.
func (b *benchmarks) insertOne(ctx context.Context) error {
	_, err := b.raw.Exec(ctx, `INSERT INTO bench_copy (id, tenant_id, profile_id, name, value, value_type, source, status,
		collected_at, operation_id, accepted_at)
		VALUES ($1, $2, $1, 'email', '"ada.quill@example.com"', 'email', 'user_provided', 'active', now(), $1, now())`,
		uuid.Must(uuid.NewV7()), b.tenant)
	return err
}

const inTheWayOfWrites = "the engine's run of each batch, three transactions with row-level security and sealing, Redis"

func (b *benchmarks) writesByClients(ctx context.Context) (curve, error) {
	drop, err := b.copyTable(ctx)
	if err != nil {
		return curve{}, err
	}
	defer drop()
	return b.byClients(ctx, curve{
		Name: "validated writes, accepted to acknowledged", X: "clients", Y: "writes/s",
		Ceiling: "one-row INSERT and COMMIT/s", Between: inTheWayOfWrites,
	}, b.writeOne, b.insertOne)
}

// writesInFlight is writesByClients for 64 clients that have several writes in flight each, as a program that writes
// what it hears does: it waits for the acceptance of each write, and for the acknowledgements later.
func (b *benchmarks) writesInFlight(ctx context.Context) (curve, error) {
	drop, err := b.copyTable(ctx)
	if err != nil {
		return curve{}, err
	}
	defer drop()
	const clients = 64
	return b.byClients(ctx, curve{
		Name: "validated writes of 64 clients, by writes in flight", X: "writes in flight", Y: "writes/s",
		Ceiling: "one-row INSERT and COMMIT/s by 64 clients", Between: inTheWayOfWrites,
		xs: []int{clients, 4 * clients, 16 * clients}, ceilingClients: clients,
	}, b.writeOne, b.insertOne)
}

// writesBesideSingleRuns compares the writes of 64 clients of one tenant with writes that have a run each: those of 64
// tenants with one write in flight each, since a run carries operations of one tenant only.
func (b *benchmarks) writesBesideSingleRuns(ctx context.Context) (curve, error) {
	const clients = 64
	free := make(chan uuid.UUID, clients)
	g, making := errgroup.WithContext(ctx)
	g.SetLimit(8)
	for range clients {
		g.Go(func() error {
			tenant := uuid.Must(uuid.NewV7())
			free <- tenant
			return b.defineEmail(making, tenant)
		})
	}
	if err := g.Wait(); err != nil {
		return curve{}, err
	}
	return b.byClients(ctx, curve{
		Name: "validated writes of 64 clients, beside one run for each write", X: "writes in flight", Y: "writes/s",
		Ceiling: "writes/s with a run each, 64 in flight", xs: []int{clients, 16 * clients}, ceilingClients: clients,
	}, b.writeOne, func(ctx context.Context) error {
		tenant := <-free
		defer func() { free <- tenant }()
		return b.writeAs(ctx, tenant)
	})
}

func (b *benchmarks) httpWritesByClients(ctx context.Context) (curve, error) {
	drop, err := b.copyTable(ctx)
	if err != nil {
		return curve{}, err
	}
	defer drop()
	return b.byClients(ctx, curve{
		Name: "validated writes through HTTP, with Prefer: wait", X: "clients", Y: "writes/s",
		Ceiling: "one-row INSERT and COMMIT/s", Between: inTheWayOfWrites + ", HTTP",
	}, b.putOne, b.insertOne)
}

func (b *benchmarks) readsByClients(ctx context.Context) (curve, error) {
	before := b.Cache.StatsOf(cache.KindProfile)
	key := cache.ProfileKey(b.tenant, b.customer).String()
	c, err := b.byClients(ctx, curve{
		Name: "profile reads, Go, warm", X: "clients", Y: "reads/s", Ceiling: "raw Redis GET/s",
	}, func(ctx context.Context) error {
		_, err := b.Query.Profile(ctx, b.tenant, b.customer)
		return err
	}, func(ctx context.Context) error { return b.redis.Get(ctx, key).Err() })
	after := b.Cache.StatsOf(cache.KindProfile)
	bypassed := after.Bypassed - before.Bypassed
	c.Between = fmt.Sprintf("a copy of the profile; %d of %d reads went to PostgreSQL, because Redis did not answer in "+
		"time or the lease was being renewed", bypassed, after.Hits-before.Hits+bypassed)
	return c, err
}

// copyTable creates the table of the ceilings.
func (b *benchmarks) copyTable(ctx context.Context) (drop func(), err error) {
	_, err = b.raw.Exec(ctx,
		`DROP TABLE IF EXISTS bench_copy; CREATE TABLE bench_copy (LIKE customer_values INCLUDING DEFAULTS)`)
	return func() { _, _ = b.raw.Exec(context.WithoutCancel(ctx), `DROP TABLE IF EXISTS bench_copy`) }, err
}

// importRows imports values of new customers with two operations in flight, as `vault import` does.
func (b *benchmarks) importRows(ctx context.Context, rows int) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(2)
	for left := rows; left > 0; left -= vault.MaxImport {
		in := vault.ImportValuesInput{}
		for range min(left, vault.MaxImport) {
			in.Writes = append(in.Writes, b.newWrite())
		}
		g.Go(func() error {
			r, err := trigger.Submit(ctx, b.Trigger, b.tenant, vault.ImportValues, in)
			if err == nil {
				_, err = r.Wait(ctx)
			}
			return err
		})
	}
	return g.Wait()
}

// copyRows copies as many rows as importRows stores.
func (b *benchmarks) copyRows(ctx context.Context, rows int) error {
	now := time.Now()
	_, err := b.raw.CopyFrom(ctx, pgx.Identifier{"bench_copy"}, []string{
		"id", "tenant_id", "profile_id", "name", "value", "value_type", "source", "status", "collected_at", "operation_id",
		"accepted_at",
	}, pgx.CopyFromSlice(rows, func(int) ([]any, error) {
		id := uuid.Must(uuid.NewV7())
		return []any{
			id, b.tenant, id, "email", text("ada.quill@example.com"), "email", "user_provided", "active", now, id, now,
		}, nil
	}))
	return err
}

// importByRows measures imports of more and more rows.
func (b *benchmarks) importByRows(ctx context.Context) (curve, error) {
	c := curve{
		Name: "import", X: "values", Y: "values/s", Ceiling: "pgx CopyFrom, rows/s",
		Between: "validation, sealing, locks, the place of each value in its history, indexes, one cache entry each",
	}
	sizes := []int{1_000, 10_000, 100_000}
	if b.effort.short {
		sizes = sizes[:1]
	}
	drop, err := b.copyTable(ctx)
	if err != nil {
		return c, err
	}
	defer drop()
	for _, rows := range sizes {
		start := time.Now()
		if err := b.importRows(ctx, rows); err != nil {
			return c, err
		}
		took := time.Since(start)
		start = time.Now()
		if err := b.copyRows(ctx, rows); err != nil {
			return c, err
		}
		p := point{
			X: float64(rows), Value: float64(rows) / took.Seconds(), Ceiling: float64(rows) / time.Since(start).Seconds(),
		}
		p.Ratio = p.Ceiling / p.Value // as for times: how much longer it takes
		c.Points = append(c.Points, p)
	}
	return c, nil
}

// latencyByLoad measures the p99 of a write at parts of the peak rate, beside the p50 of an idle system.
func (b *benchmarks) latencyByLoad(ctx context.Context) (curve, error) {
	c := curve{
		Name: "latency of a write at a part of the peak rate", X: "percent of the peak rate", Y: "p99 ms",
		Ceiling: "p50 ms, idle", Between: "waiting for the batch before",
	}
	peak, err := perSecond(ctx, 64, b.loadTime(), b.writeOne)
	if err != nil {
		return c, err
	}
	var idle []time.Duration
	for range b.effort.of(50) {
		start := time.Now()
		if err := b.writeOne(ctx); err != nil {
			return c, err
		}
		idle = append(idle, time.Since(start))
	}
	idleP50, _ := percentiles(idle)
	for _, percent := range []float64{10, 25, 50, 75, 90} {
		times, err := b.atRate(ctx, peak*percent/100)
		if err != nil {
			return c, err
		}
		_, p99 := percentiles(times)
		c.Points = append(c.Points, point{X: percent, Value: p99, Ceiling: idleP50, Ratio: p99 / idleP50})
	}
	return c, nil
}

// atRate starts writes at a steady rate, whether or not earlier ones have ended, and returns their durations.
func (b *benchmarks) atRate(ctx context.Context, rate float64) ([]time.Duration, error) {
	var mu sync.Mutex
	var times []time.Duration
	g, ctx := errgroup.WithContext(ctx)
	start := time.Now()
	for i := range int(rate * b.loadTime().Seconds()) {
		due := start.Add(time.Duration(float64(i) / rate * float64(time.Second)))
		g.Go(func() error {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(time.Until(due)):
			}
			if err := b.writeOne(ctx); err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			times = append(times, time.Since(due))
			return nil
		})
	}
	err := g.Wait()
	return times, err
}
