// Package query reads the vault. It changes nothing, except that reading the feed publishes its new events, and calls
// no model, except that a recall embeds its question. A read is one round trip to PostgreSQL, or one to Redis on a
// cache hit. Session and ReviewsPage read two tables and take two, and so do the sessions and the operations of a
// customer, who may be merged; a chain with PII takes a second one for its customers; Missing combines several reads.
// Rows of other tenants are not found.
//
//   - query.go: the profile, its history and its lineage; document.go: the JSON of a profile;
//   - access.go: what a reader may see: every read of values passes through its guard; reads.go: the audit of what was
//     shown;
//   - past.go: profile, value and chain at a time;
//   - config.go: definitions, requirements, scenarios;
//   - missing.go: missing fields, combined from these reads;
//   - context.go: the context block, combined from the profile and the missing fields;
//   - operations.go: questions and operations; keys.go: API keys and the use of the model;
//   - customers.go: the search for customers;
//   - events.go: the feed of events;
//   - pages.go: lists of customers and what belongs to them, one page at a time; lists.go: the other lists;
//   - recall.go: the facts and quotes of a customer that are closest to a question;
//   - reviews.go: what waits for a decision.
package query

import (
	"context"
	"slices"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/contextvault/contextvault/cache"
	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/internal/turns"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// historyLimit is the maximum number of versions that History returns.
const historyLimit = 1000

// Queries reads the vault. It is safe for concurrent use.
type Queries struct {
	db      *db.DB
	cache   *cache.Cache
	sealer  *db.Sealer
	decoded decodedProfiles
	// policies are those of the tenants that this process served last.
	policies *lru.Cache[uuid.UUID, tenantPolicies]
	// searched are the fields that this process searched for last.
	searched *lru.Cache[fieldName, searchedField]
	onChain  func(items int) // called with the length of each chain read
	reads    ReadAudit       // nil: reads are not recorded
	embedder Embedder        // nil: recalls compare no meanings
	// conditions are the turns to evaluate conditions. A tenant has one at a time and rests after it, so that its
	// expensive ones leave the CPUs to the others.
	conditions *turns.Turns
}

// conditionTurns is the number of tenants whose conditions are evaluated at the same time.
const conditionTurns = 16

// Option configures Queries.
type Option func(*Queries)

// OnChain calls fn with the number of items of each chain read, for metrics.
func OnChain(fn func(items int)) Option { return func(q *Queries) { q.onChain = fn } }

// New returns Queries that read from a database and a cache, which may be disabled. The sealer decrypts encrypted
// values; the cache stores them encrypted, as PostgreSQL does.
func New(database *db.DB, c *cache.Cache, sealer *db.Sealer, opts ...Option) *Queries {
	q := &Queries{
		db: database, cache: c, sealer: sealer, decoded: newDecodedProfiles(), onChain: func(int) {},
		policies:   newPolicies(),
		searched:   newSearched(),
		conditions: turns.NewWithShare(conditionTurns, 1).Resting(1, nil),
	}
	for _, opt := range opts {
		opt(q)
	}
	return q
}

// Profile returns the active values and assets of a customer. It reads through the cache. The profile of a customer who
// has only a session or a gap fill is empty: its version is 0. The caller owns the maps and slices of the profile; what
// a value or an asset points to, such as the bytes of a value, may be shared with other readers: do not change it.
func (q *Queries) Profile(ctx context.Context, tenant, customer uuid.UUID) (vault.Profile, error) {
	g, err := q.guard(ctx, tenant)
	if err != nil {
		return vault.Profile{}, err
	}
	p, err := q.openProfile(ctx, tenant, customer)
	if err == nil {
		err = g.profile(ctx, &p)
	}
	return p, err
}

// openProfile is Profile with everything.
func (q *Queries) openProfile(ctx context.Context, tenant, customer uuid.UUID) (vault.Profile, error) {
	s, err := q.stored(ctx, tenant, customer)
	if err != nil {
		return vault.Profile{}, err
	}
	p, err := q.decoded.decode(tenant, s)
	if err != nil {
		return p, err
	}
	err = q.sealer.OpenProfile(ctx, &p)
	return p, err
}

// stored reads a profile through the cache.
func (q *Queries) stored(ctx context.Context, tenant, customer uuid.UUID) (*stored, error) {
	s, err := cache.ReadWith(ctx, q.cache, cache.ProfileKey(tenant, customer), storedCodec, func(
		ctx context.Context,
	) (*stored, int64, error) {
		p, err := q.profile(ctx, tenant, customer)
		return &stored{profile: &p}, p.Version, err
	})
	if vault.CodeOf(err) == vault.CodeUnknown {
		p, err := q.emptyProfile(ctx, tenant, customer, err)
		return &stored{profile: &p}, err
	}
	return s, err
}

// emptyProfile returns the profile of a customer for whom nothing was written yet, or unknown if nothing names the
// customer. It is not cached, as the session that names a customer invalidates no entry.
func (q *Queries) emptyProfile(ctx context.Context, tenant, customer uuid.UUID, unknown error) (vault.Profile, error) {
	at, err := q.db.Tenant(tenant).GetFirstSeen(ctx, tenant, customer)
	if db.IsNotFound(err) {
		return vault.Profile{}, unknown
	}
	return vault.Profile{
		TenantID: tenant, CustomerID: customer, Fields: map[string]vault.Value{}, VerificationLevel: rules.LevelOf(nil),
		CreatedAt: at, UpdatedAt: at,
	}, err
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

// History returns the versions of a field, newest first by order of acceptance, up to 1000.
func (q *Queries) History(ctx context.Context, tenant, customer uuid.UUID, name string) ([]vault.Value, error) {
	if err := q.checkFields(ctx, tenant, name); err != nil {
		return nil, err
	}
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
	if err := q.sealer.OpenValues(ctx, tenant, out); err != nil {
		return nil, err
	}
	g, err := q.guard(ctx, tenant)
	if err != nil {
		return nil, err
	}
	return out, g.history(ctx, customer, out)
}

// Field returns one version of a field by its id.
func (q *Queries) Field(ctx context.Context, tenant, id uuid.UUID) (vault.Value, error) {
	if err := q.checkIDs(ctx, tenant, id); err != nil {
		return vault.Value{}, err
	}
	row, err := q.db.Tenant(tenant).GetValue(ctx, tenant, id)
	if err != nil {
		return vault.Value{}, db.WrapNotFound(err, "item", id)
	}
	field := db.ValueOf(row)
	if err := q.sealer.OpenValue(ctx, tenant, &field); err != nil {
		return field, err
	}
	g, err := q.guard(ctx, tenant)
	if err != nil || g == nil {
		return field, err
	}
	if _, restricted := g.policies[field.Name]; !restricted {
		return field, nil
	}
	owner, err := g.ownerOf(ctx, id)
	if err != nil {
		return vault.Value{}, err
	}
	shown, err := g.value(ctx, owner, &field)
	if err == nil && !shown {
		err = g.refusal(ctx, owner, field.Name)
	}
	if err != nil {
		return vault.Value{}, err
	}
	return field, nil
}

// Chain returns the chain of an item, origin first. depth limits the number of links; 0: vault.DefaultChainDepth.
func (q *Queries) Chain(ctx context.Context, tenant, item uuid.UUID, depth int) (vault.Chain, error) {
	depth, err := chainDepth(depth)
	if err != nil {
		return vault.Chain{}, err
	}
	if err := q.checkIDs(ctx, tenant, item); err != nil {
		return vault.Chain{}, err
	}
	out, err := q.readChain(ctx, tenant, item, depth)
	if err != nil {
		return out, err
	}
	q.onChain(len(out.Links))
	return q.shownChain(ctx, tenant, out)
}

// shownChain is a chain as the reader may see it.
func (q *Queries) shownChain(ctx context.Context, tenant uuid.UUID, chain vault.Chain) (vault.Chain, error) {
	chain.Links = slices.Clone(chain.Links)
	if err := q.sealer.OpenChain(ctx, tenant, chain.Links); err != nil {
		return chain, err
	}
	g, err := q.guard(ctx, tenant)
	if err != nil || g == nil {
		return chain, err
	}
	chain.Links, err = g.links(ctx, chain.Links)
	chain.Withheld = Withheld(ctx)
	return chain, err
}

// chainDepth returns the maximum number of links of a chain; 0 is the default.
func chainDepth(depth int) (int, error) {
	if depth == 0 {
		return vault.DefaultChainDepth, nil
	}
	if depth < 0 || depth > maxChainDepth {
		return 0, vault.Invalid("depth", "is %d; it must be from 1 to %d", depth, maxChainDepth)
	}
	return depth, nil
}

// readChain reads a chain through the cache.
func (q *Queries) readChain(ctx context.Context, tenant, item uuid.UUID, depth int) (vault.Chain, error) {
	if depth != vault.DefaultChainDepth { // only the default depth is cached
		return q.chain(ctx, tenant, item, depth)
	}
	return cache.Read(ctx, q.cache, cache.ChainKey(tenant, item), func(ctx context.Context) (vault.Chain, int64, error) {
		out, err := q.chain(ctx, tenant, item, depth)
		if out.Missing {
			return out, cache.NotStored, err // the write that adds the missing source does not invalidate this chain
		}
		return out, 0, err // the deletion of one of its items drops the entry
	})
}

func (q *Queries) chain(ctx context.Context, tenant, item uuid.UUID, depth int) (vault.Chain, error) {
	// The query reads one link more than requested, which tells whether the chain continues.
	//nolint:gosec // at most maxChainDepth
	rows, err := q.db.Tenant(tenant).GetChain(ctx, dbgen.GetChainParams{
		TenantID: tenant, ItemID: item, Depth: int32(depth),
	})
	if err != nil {
		return vault.Chain{}, err
	}
	if len(rows) == 0 {
		return vault.Chain{}, vault.Unknown("item", item)
	}
	return db.ChainOf(rows, depth), nil
}

// maxChainDepth limits the cost of one chain read.
const maxChainDepth = 100

// AnalysisFields returns the ids of the values that were read from an asset (analysis_field_ids).
func (q *Queries) AnalysisFields(ctx context.Context, tenant, asset uuid.UUID) ([]uuid.UUID, error) {
	if err := q.checkIDs(ctx, tenant, asset); err != nil {
		return nil, err
	}
	return q.db.Tenant(tenant).ListAnalysisValues(ctx, tenant, asset)
}

// Derived returns the items that name this item as their source.
func (q *Queries) Derived(ctx context.Context, tenant, item uuid.UUID) ([]vault.ChainLink, error) {
	if err := q.checkIDs(ctx, tenant, item); err != nil {
		return nil, err
	}
	rows, err := q.db.Tenant(tenant).ListDerived(ctx, tenant, item)
	if err != nil {
		return nil, err
	}
	out := make([]vault.ChainLink, len(rows))
	for i, r := range rows {
		out[i] = vault.ChainLink{
			ID: r.ID, Type: vault.SourceType(r.Kind), Name: r.Name, Status: vault.ItemStatus(r.Status), Meta: r.SourceMetadata,
			StaleSince: r.StaleSince, Actor: vault.Actor(r.Actor),
		}
	}
	if err := q.sealer.OpenChain(ctx, tenant, out); err != nil {
		return nil, err
	}
	g, err := q.guard(ctx, tenant)
	if err != nil {
		return nil, err
	}
	return g.links(ctx, out)
}
