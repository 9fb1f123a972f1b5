package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/contextvault/contextvault/config"
	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/internal/app"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/vault"
)

// sizes are the numbers of value versions at which reads and sweeps are measured.
var sizes = []int{10_000, 100_000, 1_000_000}

const (
	valuesEach   = 20 // versions per profile, half of them superseded
	growingReads = 2000
	stale        = 1000
	sweepTimes   = 5
)

// rows holds a tenant with a growing number of profiles.
type rows struct {
	*app.Runtime
	raw       *pgxpool.Pool // as the login role
	reader    *query.Queries
	tenant    uuid.UUID
	customers []uuid.UUID
}

// growRows measures reads and sweeps at each size, without the engine and the cache.
func growRows(ctx context.Context, cfg config.Config, out *growth) error {
	cfg.Redis.URL = ""
	r := rows{tenant: uuid.Must(uuid.NewV7())}
	var err error
	if r.Runtime, err = app.Connect(ctx, cfg, nil, quietLog()); err != nil {
		return err
	}
	defer r.Close()
	if r.raw, err = pgxpool.New(ctx, cfg.Database.OwnerURL().Reveal()); err != nil {
		return err
	}
	defer r.raw.Close()
	sealer, err := db.NewSealer(cfg.SealingKey.Reveal())
	if err != nil {
		return err
	}
	r.reader = query.New(r.DB, nil, sealer.Bind(r.DB))
	if _, err := r.DB.System().CreateTenant(ctx, r.tenant, "bench"); err != nil {
		return err
	}
	out.Bytes = map[int]int64{}
	for _, size := range sizes {
		if err := r.fillTo(ctx, size); err != nil {
			return fmt.Errorf("fill to %d rows: %w", size, err)
		}
		for _, m := range []struct {
			into    *[]byRows
			times   int
			prepare func() error
			what    func() error
		}{
			{&out.Reads, growingReads, nil, func() error {
				_, err := r.reader.Profile(ctx, r.tenant, r.customers[rand.IntN(len(r.customers))]) //nolint:gosec // no secret
				return err
			}},
			{&out.Sweeps, sweepTimes, func() error { return r.makeStale(ctx) }, func() error { return r.sweep(ctx, stale) }},
			{&out.Idle, sweepTimes * 20, nil, func() error { return r.sweep(ctx, 0) }},
			{&out.Counts, sweepTimes, nil, func() error {
				_, err := r.DB.System().CountValuesByStatus(ctx)
				return err
			}},
		} {
			measured, err := timed(size, m.times, m.prepare, m.what)
			if err != nil {
				return err
			}
			measured.Ratio = 1
			if len(*m.into) > 0 {
				measured.Ratio = measured.P50 / (*m.into)[0].P50
			}
			*m.into = append(*m.into, measured)
		}
		var bytes int64
		if err := r.raw.QueryRow(ctx, `SELECT pg_total_relation_size('customer_values')`).Scan(&bytes); err != nil {
			return err
		}
		out.Bytes[size] = bytes
		fmt.Fprintf(os.Stderr, "%d rows: done\n", size)
	}
	return nil
}

// timed measures a function a number of times, after one warm-up.
func timed(size, times int, prepare, fn func() error) (byRows, error) {
	var took []time.Duration
	for i := range times + 1 {
		if prepare != nil {
			if err := prepare(); err != nil {
				return byRows{}, err
			}
		}
		start := time.Now()
		if err := fn(); err != nil {
			return byRows{}, err
		}
		if i > 0 {
			took = append(took, time.Since(start))
		}
	}
	m := byRows{Rows: size, Times: times}
	m.P50, m.P99 = percentiles(took)
	return m, nil
}

// fillTo adds profiles until size value versions are stored.
func (r *rows) fillTo(ctx context.Context, size int) error {
	var made []uuid.UUID
	for range size/valuesEach - len(r.customers) {
		made = append(made, uuid.Must(uuid.NewV7()))
	}
	if _, err := r.raw.Exec(
		ctx,
		`INSERT INTO customer_profiles (id, tenant_id, customer_id) SELECT c, $1, c FROM unnest($2::uuid[]) c`,
		r.tenant,
		made,
	); err != nil {
		return err
	}
	if _, err := r.raw.Exec(ctx, `
		INSERT INTO customer_values (
			id, tenant_id, profile_id, name, value, value_type, source, status, superseded_by_id, collected_at, operation_id,
			accepted_at
		)
		SELECT id, $1, profile, 'field_' || n / 2, '"a value of some length, as people have"', 'string', 'user_provided',
		       CASE n % 2 WHEN 0 THEN 'active' ELSE 'superseded' END, CASE n % 2 WHEN 0 THEN NULL ELSE id END,
		       now(), gen_random_uuid(), now()
		FROM (
			SELECT gen_random_uuid() AS id, c AS profile, n FROM unnest($2::uuid[]) c, generate_series(1, $3::int) n
		) x`, r.tenant, made, valuesEach); err != nil {
		return err
	}
	r.customers = append(r.customers, made...)
	_, err := r.raw.Exec(ctx, `VACUUM ANALYZE customer_values, customer_profiles`)
	return err
}

// makeStale sets the expiry of some values to the past, in random profiles.
func (r *rows) makeStale(ctx context.Context) error {
	some := make([]uuid.UUID, 0, stale/10)
	for _, i := range rand.Perm(len(r.customers))[:stale/10] {
		some = append(some, r.customers[i])
	}
	tag, err := r.raw.Exec(ctx, `
		UPDATE customer_values SET status = 'active', expires_at = now() - interval '1 minute'
		WHERE profile_id = ANY ($1) AND status IN ('active', 'expired')`, some)
	if err == nil && tag.RowsAffected() != stale {
		err = fmt.Errorf("%d values were made stale, not %d", tag.RowsAffected(), stale)
	}
	return err
}

// sweep runs the expiry like its cron.
func (r *rows) sweep(ctx context.Context, want int) error {
	done, err := r.Steps.Sweeps.ExpireValues(ctx, vault.Event{})
	if err == nil && done.Result.Marked != want {
		err = fmt.Errorf("%d values expired, not %d", done.Result.Marked, want)
	}
	return err
}
