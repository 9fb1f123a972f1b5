package steps

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/contextvault/contextvault/cache"
	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/vault"
)

// Caches makes readers forget the old value, and acknowledges the operation after that (rule 10).
type Caches struct {
	db    *db.DB
	cache *cache.Cache
	log   *slog.Logger
}

// Invalidated says how many cache entries were invalidated.
type Invalidated struct {
	Entries int `json:"entries"`
	Noted   int `json:"noted"` // Redis did not answer: the relay, or the first reader after it is back, makes up for them
}

// How many noted invalidations are worked off in one batch, and how many of them at once.
const (
	drainBatch  = 500
	drainAtOnce = 8
)

// InvalidateProfile invalidates the cached profile of the operation's customer and acknowledges the operation. Without Redis
// the invalidation is noted in the database first, and the acknowledgement waits until no reader trusts the cache.
func (s Caches) InvalidateProfile(ctx context.Context, ev vault.Event) (Invalidated, error) {
	customer, err := uuid.Parse(ev.Subject)
	if err != nil {
		return Invalidated{}, vault.Invalid("subject", "is not a customer id")
	}
	entries, err := s.db.Tenant(ev.TenantID).ListProfileEntries(ctx, ev.TenantID, customer)
	if err != nil || len(entries) == 0 { // none: nothing was written, the operation was rejected
		return Invalidated{}, err
	}
	var out Invalidated
	for _, e := range entries {
		if err := s.cache.Invalidate(ctx, cache.ProfileKey(ev.TenantID, e.CustomerID), e.Version); err == nil {
			out.Entries++
			continue
		}
		out.Noted++
		err := s.db.Tenant(ev.TenantID).NoteCacheInvalidation(ctx, dbgen.NoteCacheInvalidationParams{
			TenantID: ev.TenantID, Kind: string(cache.KindProfile), Subject: e.CustomerID, Version: e.Version,
		})
		if err != nil {
			return out, err
		}
	}
	if entries[0].ChainsNoted { // the operation's own, or another's of the tenant
		if _, err := s.Drain(ctx); err != nil {
			out.Noted++
		}
	}
	if out.Noted > 0 {
		if err := s.settle(ctx); err != nil {
			return out, err
		}
	}
	return out, s.acknowledge(ctx, ev)
}

// settle waits until no reader trusts the cache. While an older note is left nobody has trusted it for that long, so a long
// outage of Redis slows only its first writes down.
func (s Caches) settle(ctx context.Context) error {
	oldest, err := s.db.System().OldestCacheInvalidation(ctx)
	if err == nil && oldest > longSettled {
		return nil
	}
	return s.cache.Settle(ctx)
}

// longSettled is well over the time for which readers trust the cache (cache.DefaultTrustFor).
const longSettled = 3 * cache.DefaultTrustFor

func (s Caches) acknowledge(ctx context.Context, ev vault.Event) error {
	return s.db.InTx(ctx, ev.TenantID, func(q *dbgen.Queries) error { return succeed(ctx, q, ev) })
}

// Acknowledge ends an operation that no cache holds anything of.
func (s Caches) Acknowledge(ctx context.Context, ev vault.Event) (Invalidated, error) {
	return Invalidated{}, s.acknowledge(ctx, ev)
}

// InvalidateNoted works off what sweeps touched and what could not be invalidated, then acknowledges ev, unless a cron
// started it. What Redis does not take stays noted.
func (s Caches) InvalidateNoted(ctx context.Context, ev vault.Event) (Invalidated, error) {
	out, err := s.Drain(ctx)
	if err != nil {
		s.log.WarnContext(ctx, "cache_invalidations_noted", "error_code", vault.CodeOf(err))
		if err := s.settle(ctx); err != nil {
			return out, err
		}
	}
	if ev.OperationID == uuid.Nil {
		return out, nil
	}
	return out, s.acknowledge(ctx, ev)
}

// Drain invalidates the noted entries until none is left or Redis fails. It ends with a look that finds none: settle relies on
// that, and so does the cache, which trusts Redis after it.
func (s Caches) Drain(ctx context.Context) (Invalidated, error) {
	var out Invalidated
	for {
		rows, err := s.db.System().ListCacheInvalidations(ctx, drainBatch)
		if err != nil {
			return out, err
		}
		if len(rows) == 0 {
			return out, nil
		}
		var done dbgen.DeleteCacheInvalidationsParams
		g, gctx := errgroup.WithContext(ctx)
		g.SetLimit(drainAtOnce)
		for _, r := range rows {
			g.Go(func() error { return s.forget(gctx, r) })
			done.Tenants, done.Kinds = append(done.Tenants, r.TenantID), append(done.Kinds, r.Kind)
			done.Subjects, done.Versions = append(done.Subjects, r.Subject), append(done.Versions, r.Version)
		}
		if err := g.Wait(); err != nil {
			return out, err // all of them stay noted: to invalidate one again is harmless
		}
		if err := s.db.System().DeleteCacheInvalidations(ctx, done); err != nil {
			return out, err
		}
		out.Entries += len(rows)
	}
}

// forget invalidates one noted entry. Only profiles have versions; the others are dropped whatever they hold.
func (s Caches) forget(ctx context.Context, r dbgen.ListCacheInvalidationsRow) error {
	switch cache.Kind(r.Kind) {
	case cache.KindProfile:
		return s.cache.Invalidate(ctx, cache.ProfileKey(r.TenantID, r.Subject), r.Version)
	case cache.KindDefinitions:
		return s.cache.Drop(ctx, cache.DefinitionsKey(r.TenantID, r.Subject))
	case cache.KindRequirements:
		return s.cache.Drop(ctx, cache.RequirementsKey(r.TenantID, r.Subject))
	case cache.KindChain:
		return s.cache.Drop(ctx, cache.ChainKey(r.TenantID, r.Subject))
	default:
		return fmt.Errorf("cache entries of kind %q are not known", r.Kind)
	}
}

// noteConfig notes what readers hold of an agent's fields or a scenario's requirements, in the transaction that changes them.
func noteConfig(ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, kind cache.Kind, subject uuid.UUID) error {
	return q.NoteCacheInvalidation(ctx, dbgen.NoteCacheInvalidationParams{TenantID: tenant, Kind: string(kind), Subject: subject})
}
