package query

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/cache"
	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// ProfileAt returns the profile of a customer as it was at a moment: what was true then, as the vault knew it then. The
// zero moment is Profile. Customers who were merged since are one; the label is the present one. It does not use the
// cache.
func (q *Queries) ProfileAt(ctx context.Context, tenant, customer uuid.UUID, at vault.Moment) (vault.Profile, error) {
	if at.IsZero() {
		return q.Profile(ctx, tenant, customer)
	}
	now := time.Now()
	if err := at.Check(now); err != nil {
		return vault.Profile{}, err
	}
	g, err := q.guard(ctx, tenant)
	if err != nil {
		return vault.Profile{}, err
	}
	p, err := q.pastProfile(ctx, tenant, customer, at, now)
	if err != nil || g == nil {
		return p, err
	}
	if !g.restricts {
		return p, g.profile(ctx, &p)
	}
	// The consents of today decide: what was withdrawn since is not shown.
	present, err := q.openProfile(ctx, tenant, customer)
	if err != nil {
		return p, err
	}
	g.consents[p.CustomerID] = present.Consents
	return p, g.profile(ctx, &p)
}

func (q *Queries) pastProfile(
	ctx context.Context, tenant, customer uuid.UUID, at vault.Moment, now time.Time,
) (vault.Profile, error) {
	p, err := q.profile(ctx, tenant, customer)
	if vault.CodeOf(err) == vault.CodeUnknown {
		return q.emptyProfile(ctx, tenant, customer, err)
	}
	if err != nil {
		return p, err
	}
	asOf, knownAt := at.Times(now)
	if p.Fields, err = q.pastValues(ctx, tenant, customer, nil, asOf, knownAt); err != nil {
		return p, err
	}
	p.Pending = nil
	tq := q.db.Tenant(tenant)
	assets, err := tq.ListPastAssets(ctx, dbgen.ListPastAssetsParams{
		TenantID: tenant, ProfileID: p.ID, KnownAt: knownAt, AsOf: asOf,
	})
	if err != nil {
		return p, err
	}
	p.Assets = convert(assets, func(r dbgen.CustomerAsset) vault.Asset { return pastAsset(r, knownAt) })
	consents, err := tq.ListPastConsents(ctx, dbgen.ListPastConsentsParams{
		TenantID: tenant, ProfileID: p.ID, KnownAt: knownAt,
	})
	if err != nil {
		return p, err
	}
	p.Consents = convert(consents, db.ConsentOf)
	channels := p.Channels
	p.Channels = nil
	for _, c := range channels {
		if !c.LinkedAt.After(knownAt) {
			p.Channels = append(p.Channels, c)
		}
	}
	p.VerificationLevel = rules.LevelOf(p.Fields)
	return p, nil
}

func pastAsset(r dbgen.CustomerAsset, knownAt time.Time) vault.Asset {
	a := db.AssetOf(r)
	a.Status = vault.StatusActive
	if a.StaleSince != nil && a.StaleSince.After(knownAt) {
		a.StaleSince = nil
	}
	return a
}

// pastValues returns the values of a customer that were active at a moment, by name; name limits them to one field.
func (q *Queries) pastValues(
	ctx context.Context, tenant, customer uuid.UUID, name *string, asOf, knownAt time.Time,
) (map[string]vault.Value, error) {
	tq := q.db.Tenant(tenant)
	rows, err := tq.ListPastVersions(ctx, dbgen.ListPastVersionsParams{
		TenantID: tenant, CustomerID: customer, Name: name, KnownAt: knownAt,
	})
	if err != nil {
		return nil, err
	}
	byName := map[string][]rules.PastVersion{}
	for _, r := range rows {
		byName[r.Name] = append(byName[r.Name], pastVersion(r))
	}
	var ids []uuid.UUID
	for _, versions := range byName {
		if id, ok := rules.ActiveAt(versions, asOf, knownAt); ok {
			ids = append(ids, id)
		}
	}
	out := make(map[string]vault.Value, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	found, err := tq.ListValuesByID(ctx, tenant, ids)
	if err != nil {
		return nil, err
	}
	for _, row := range found {
		v := db.ValueOf(row)
		if err := q.sealer.OpenValue(ctx, tenant, &v); err != nil {
			return nil, err
		}
		out[v.Name] = rules.PastValue(v, knownAt)
	}
	return out, nil
}

func pastVersion(r dbgen.ListPastVersionsRow) rules.PastVersion {
	return rules.PastVersion{
		Version: rules.Version{
			ID: r.ID, OperationID: r.OperationID, AcceptedAt: r.AcceptedAt,
			EffectiveAt: rules.EffectiveTime(r.CollectedAt, r.AcceptedAt), Status: vault.ItemStatus(r.Status),
			SupersededByID: r.SupersededByID, YieldsToID: r.YieldsToID, Deleted: r.DeletedAt != nil,
			Claim: rules.Claim{Decision: vault.ValueDecision(r.Decision)},
		},
		ExpiresAt: r.ExpiresAt, DecidedAt: r.DecidedAt, DeletedAt: r.DeletedAt,
		SupersededAt: r.SupersededAt, UpdatedAt: r.UpdatedAt,
	}
}

// ValueAt returns the value of a field that was active at a moment; the zero moment is now.
func (q *Queries) ValueAt(
	ctx context.Context, tenant, customer uuid.UUID, name string, at vault.Moment,
) (vault.Value, error) {
	if err := q.checkFields(ctx, tenant, name); err != nil {
		return vault.Value{}, err
	}
	earlier := takenOf(ctx)
	p, err := q.ProfileAt(ctx, tenant, customer, at)
	keepReads(ctx, earlier, func(read string) bool { return read == name }) // the others are not shown
	if err != nil {
		return vault.Value{}, err
	}
	value, ok := p.Fields[name]
	if !ok {
		for _, w := range p.Withheld {
			if w.Name == name {
				return value, consentRequired(w)
			}
		}
		return value, vault.Unknown("field", name)
	}
	return value, nil
}

// ProfileDocumentAt is ProfileDocument at a moment.
func (q *Queries) ProfileDocumentAt(
	ctx context.Context, tenant, customer uuid.UUID, at vault.Moment,
) (Document, error) {
	if at.IsZero() {
		return q.ProfileDocument(ctx, tenant, customer)
	}
	p, err := q.ProfileAt(ctx, tenant, customer, at)
	if err != nil {
		return Document{}, err
	}
	return encodeDocument(p)
}

// encodeDocument encodes a profile with opened values.
func encodeDocument(p vault.Profile) (Document, error) {
	text, err := cache.EncodeJSON(p)
	if err != nil {
		return Document{}, fmt.Errorf("encode profile %s", p.ID) // the cause may quote a value
	}
	digest := sha256.Sum256(text)
	out := Document{JSON: text, ETag: etag(digest[:digestSize])}
	for v := range valuesOf(&p) {
		out.ValueBytes += len(v.SourceMetadata) + len(v.Value)
	}
	return out, nil
}

// ChainAt is Chain at a moment: it ends where the source was not in effect or not known.
func (q *Queries) ChainAt(
	ctx context.Context, tenant, item uuid.UUID, depth int, at vault.Moment,
) (vault.Chain, error) {
	if at.IsZero() {
		return q.Chain(ctx, tenant, item, depth)
	}
	now := time.Now()
	if err := at.Check(now); err != nil {
		return vault.Chain{}, err
	}
	depth, err := chainDepth(depth)
	if err == nil {
		err = q.checkIDs(ctx, tenant, item)
	}
	if err != nil {
		return vault.Chain{}, err
	}
	asOf, knownAt := at.Times(now)
	//nolint:gosec // at most maxChainDepth
	rows, err := q.db.Tenant(tenant).GetPastChain(ctx, dbgen.GetPastChainParams{
		TenantID: tenant, ItemID: item, KnownAt: knownAt, AsOf: asOf, Depth: int32(depth),
	})
	if err != nil {
		return vault.Chain{}, err
	}
	if len(rows) == 0 {
		return vault.Chain{}, vault.Unknown("item", item)
	}
	out := db.ChainOf(convert(rows, func(r dbgen.GetPastChainRow) dbgen.GetChainRow {
		if r.StaleSince != nil && r.StaleSince.After(knownAt) {
			r.StaleSince = nil
		}
		return dbgen.GetChainRow(r)
	}), depth)
	q.onChain(len(out.Links))
	return q.shownChain(ctx, tenant, out)
}
