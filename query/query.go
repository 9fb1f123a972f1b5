// Package query is how the vault is read. Nothing here changes anything; a read is one round trip to PostgreSQL, or one to
// Redis where it holds the answer, and two where it is of two tables that have nothing to be joined by: a session with its turns,
// what waits for a person. A row of another tenant does not exist.
//
//   - query.go: the profile, its history and its lineage;
//   - config.go: definitions, requirements, scenarios;
//   - missing.go: what a scenario still needs of a customer, put together from these reads;
//   - operations.go: one question, one operation;
//   - pages.go: lists, a page at a time.
package query

import (
	"context"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/cache"
	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// historyLimit is the most versions of one field that a history shows, newest first.
const historyLimit = 1000

// Queries reads the vault. It is safe for concurrent use.
type Queries struct {
	db      *db.DB
	cache   *cache.Cache
	sealer  *db.Sealer
	onChain func(items int) // told how long a chain is that was read
}

// Option changes how the vault is read.
type Option func(*Queries)

// OnChain has fn told how many items each chain has that is read, for metrics.
func OnChain(fn func(items int)) Option { return func(q *Queries) { q.onChain = fn } }

// New makes the reads over a database and a cache, which may be a disabled one. The sealer opens the values that are stored
// encrypted; the cache holds them as PostgreSQL does.
func New(database *db.DB, c *cache.Cache, sealer *db.Sealer, opts ...Option) *Queries {
	q := &Queries{db: database, cache: c, sealer: sealer, onChain: func(int) {}}
	for _, opt := range opts {
		opt(q)
	}
	return q
}

// Profile gives what is known of a customer: active fields and assets. It comes from the cache where that is there.
func (q *Queries) Profile(ctx context.Context, tenant, customer uuid.UUID) (vault.Profile, error) {
	p, err := cache.Read(ctx, q.cache, cache.ProfileKey(tenant, customer), func(ctx context.Context) (vault.Profile, int64, error) {
		p, err := q.profile(ctx, tenant, customer)
		return p, p.Version, err
	})
	if err != nil {
		return p, err
	}
	err = q.sealer.OpenProfile(&p)
	return p, err
}

func (q *Queries) profile(ctx context.Context, tenant, customer uuid.UUID) (vault.Profile, error) {
	row, err := q.db.Tenant(tenant).GetProfile(ctx, tenant, customer)
	if err != nil {
		return vault.Profile{}, db.WrapNotFound(err, "customer", customer)
	}
	profile, err := db.ProfileOf(row)
	profile.VerificationLevel = rules.LevelOf(profile.Fields)
	return profile, err
}

// History gives every version of a field, newest first by order of acceptance.
func (q *Queries) History(ctx context.Context, tenant, customer uuid.UUID, name string) ([]vault.Value, error) {
	rows, err := q.db.Tenant(tenant).ListHistory(ctx, dbgen.ListHistoryParams{
		TenantID: tenant, CustomerID: customer, Name: name, MaxRows: historyLimit,
	})
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		if _, err := q.profile(ctx, tenant, customer); err != nil {
			return nil, err
		}
	}
	out := make([]vault.Value, len(rows))
	for i, row := range rows {
		out[i] = db.ValueOf(row)
	}
	return out, q.sealer.OpenValues(tenant, out)
}

// Field gives one version of a field by its id.
func (q *Queries) Field(ctx context.Context, tenant, id uuid.UUID) (vault.Value, error) {
	row, err := q.db.Tenant(tenant).GetValue(ctx, tenant, id)
	if err != nil {
		return vault.Value{}, db.WrapNotFound(err, "item", id)
	}
	field := db.ValueOf(row)
	err = q.sealer.OpenValue(tenant, &field)
	return field, err
}

// Chain gives where an item came from, the origin first, to a depth: 0 is vault.DefaultChainDepth.
func (q *Queries) Chain(ctx context.Context, tenant, item uuid.UUID, depth int) (vault.Chain, error) {
	if depth == 0 {
		depth = vault.DefaultChainDepth
	}
	if depth < 0 || depth > maxChainDepth {
		return vault.Chain{}, vault.Invalid("depth", "is %d; it is from 1 to %d", depth, maxChainDepth)
	}
	out, err := q.readChain(ctx, tenant, item, depth)
	if err == nil {
		q.onChain(len(out.Links))
	}
	return out, err
}

// readChain is chain, from the cache where that has it.
func (q *Queries) readChain(ctx context.Context, tenant, item uuid.UUID, depth int) (vault.Chain, error) {
	if depth != vault.DefaultChainDepth { // one depth is cached
		return q.chain(ctx, tenant, item, depth)
	}
	return cache.Read(ctx, q.cache, cache.ChainKey(tenant, item), func(ctx context.Context) (vault.Chain, int64, error) {
		out, err := q.chain(ctx, tenant, item, depth)
		if out.Missing {
			return out, cache.NotStored, err // the source may come (back), and whoever brings it does not know who waits for it
		}
		return out, 0, err // dropped when an item of it is deleted
	})
}

func (q *Queries) chain(ctx context.Context, tenant, item uuid.UUID, depth int) (vault.Chain, error) {
	// One link more than asked for tells whether the chain goes on.
	rows, err := q.db.Tenant(tenant).GetChain(ctx, dbgen.GetChainParams{TenantID: tenant, ItemID: item, Depth: int32(depth)}) //nolint:gosec // at most maxChainDepth
	if err != nil {
		return vault.Chain{}, err
	}
	if len(rows) == 0 {
		return vault.Chain{}, vault.Unknown("item", item)
	}
	return db.ChainOf(rows, depth), nil
}

// maxChainDepth bounds what one read of a chain may cost.
const maxChainDepth = 100

// AnalysisFields gives the ids of the fields that were read off an asset (analysis_field_ids).
func (q *Queries) AnalysisFields(ctx context.Context, tenant, asset uuid.UUID) ([]uuid.UUID, error) {
	return q.db.Tenant(tenant).ListAnalysisValues(ctx, tenant, asset)
}

// Derived gives the items that name this one as their source.
func (q *Queries) Derived(ctx context.Context, tenant, item uuid.UUID) ([]vault.ChainLink, error) {
	rows, err := q.db.Tenant(tenant).ListDerived(ctx, tenant, item)
	if err != nil {
		return nil, err
	}
	out := make([]vault.ChainLink, len(rows))
	for i, r := range rows {
		out[i] = vault.ChainLink{ID: r.ID, Type: vault.SourceType(r.Kind), Name: r.Name, Status: vault.ItemStatus(r.Status), Meta: r.SourceMetadata}
	}
	return out, nil
}
