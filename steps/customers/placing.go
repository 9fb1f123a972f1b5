package customers

import (
	"context"
	"maps"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// fieldKey is one field of one profile.
type fieldKey struct {
	profile uuid.UUID
	name    string
}

// loadHistories returns the versions of fields, deleted ones included. The caller holds the locks of the profiles.
func loadHistories(
	ctx context.Context, q *dbgen.Queries, sealer *db.Sealer, tenant uuid.UUID, keys ...fieldKey,
) (map[fieldKey][]rules.Version, error) {
	in := dbgen.ListVersionsParams{TenantID: tenant}
	seen := map[fieldKey]bool{}
	for _, k := range keys {
		if !seen[k] {
			seen[k] = true
			in.Profiles, in.Names = append(in.Profiles, k.profile), append(in.Names, k.name)
		}
	}
	rows, err := q.ListVersions(ctx, in)
	if err != nil {
		return nil, err
	}
	out := make(map[fieldKey][]rules.Version, len(keys))
	for _, r := range rows {
		v, err := versionFrom(ctx, sealer, tenant, r)
		if err != nil {
			return nil, err
		}
		key := fieldKey{r.ProfileID, r.Name}
		out[key] = append(out[key], v)
	}
	return out, nil
}

// loadRecent returns the versions of fields that can matter to new versions. since is the earliest effective time of
// the new versions of each field. So a write costs the same however long the history is. The caller holds the locks of
// the profiles.
//
// If the active version is older than the new ones, no version before it matters. Otherwise the new ones come late, or
// there is no active version, and loadRecent loads the whole history.
func loadRecent(
	ctx context.Context, q *dbgen.Queries, sealer *db.Sealer, tenant uuid.UUID, since map[fieldKey]time.Time,
) (map[fieldKey][]rules.Version, error) {
	if len(since) == 0 {
		return map[fieldKey][]rules.Version{}, nil
	}
	in := dbgen.ListRecentVersionsParams{TenantID: tenant}
	for k, at := range since {
		in.Profiles, in.Names = append(in.Profiles, k.profile), append(in.Names, k.name)
		in.Since = append(in.Since, at)
	}
	rows, err := q.ListRecentVersions(ctx, in)
	if err != nil {
		return nil, err
	}
	out := make(map[fieldKey][]rules.Version, len(since))
	complete := make(map[fieldKey]bool, len(since))
	for _, r := range rows {
		v, err := versionFrom(ctx, sealer, tenant, dbgen.ListVersionsRow(r))
		if err != nil {
			return nil, err
		}
		key := fieldKey{r.ProfileID, r.Name}
		out[key] = append(out[key], v)
		active := v.Status == vault.StatusActive && !v.Deleted
		complete[key] = complete[key] || active && v.EffectiveAt.Before(since[key].Truncate(time.Microsecond))
	}
	var rest []fieldKey
	for key := range out {
		if !complete[key] {
			rest = append(rest, key)
		}
	}
	if len(rest) == 0 {
		return out, nil
	}
	whole, err := loadHistories(ctx, q, sealer, tenant, rest...)
	if err != nil {
		return nil, err
	}
	maps.Copy(out, whole)
	return out, nil
}

// versionFrom converts a row of ListVersions. It decrypts the value, to compare it.
func versionFrom(
	ctx context.Context, sealer *db.Sealer, tenant uuid.UUID, r dbgen.ListVersionsRow,
) (rules.Version, error) {
	status := vault.ItemStatus(r.Status)
	loaded := status == vault.StatusActive || status == vault.StatusPending
	value := vault.Value{ID: r.ID, Value: r.Value, Encrypted: r.Encrypted && loaded}
	if err := sealer.OpenValue(ctx, tenant, &value); err != nil {
		return rules.Version{}, err
	}
	return rules.Version{
		ID: r.ID, OperationID: r.OperationID, AcceptedAt: r.AcceptedAt,
		EffectiveAt: rules.EffectiveTime(r.CollectedAt, r.AcceptedAt),
		Status:      status, SupersededByID: r.SupersededByID, YieldsToID: r.YieldsToID, Deleted: r.Deleted,
		Claim: rules.Claim{
			Value: value.Value, ValueType: vault.ValueType(r.ValueType), Source: vault.ValueSource(r.Source),
			SourceItemType: vault.SourceType(r.SourceItemType), SessionID: r.SourceSessionID, Verified: r.Verified,
			Method: r.VerificationMethod, Flawed: r.Warned || (loaded && rules.IsEmpty(value.Value)),
			Decision:    vault.ValueDecision(r.Decision),
			CollectedAt: r.CollectedAt, ExpiresAt: r.ExpiresAt,
		},
	}, nil
}

// loadVersion returns the version of a stored value, with its value decrypted, and the history of its field.
func loadVersion(
	ctx context.Context, q *dbgen.Queries, sealer *db.Sealer, row dbgen.CustomerValue,
) (rules.Version, []rules.Version, error) {
	value := db.ValueOf(row)
	if err := sealer.OpenValue(ctx, row.TenantID, &value); err != nil {
		return rules.Version{}, nil, err
	}
	key := fieldKey{row.ProfileID, row.Name}
	histories, err := loadHistories(ctx, q, sealer, row.TenantID, key)
	return rules.Version{
		ID: row.ID, OperationID: row.OperationID, AcceptedAt: row.AcceptedAt,
		EffectiveAt: rules.EffectiveTime(row.CollectedAt, row.AcceptedAt), Status: vault.ItemStatus(row.Status),
		SupersededByID: row.SupersededByID, YieldsToID: row.YieldsToID, Deleted: row.DeletedAt != nil,
		Claim: rules.ClaimOf(value),
	}, histories[key], err
}

// hasSource reports whether the source of a stored value exists. A value without a source has one.
func hasSource(ctx context.Context, q *dbgen.Queries, row dbgen.CustomerValue) (bool, error) {
	return checkSource(ctx, q, row.TenantID, row.ID, vault.Lineage{
		SourceItemID: row.SourceItemID, SourceItemType: vault.SourceType(row.SourceItemType),
	})
}

// placeLatest returns the state of a version that no other version supersedes.
func placeLatest(
	ctx context.Context, q *dbgen.Queries, tenant, id uuid.UUID, now time.Time,
) (dbgen.SetValueStateParams, error) {
	row, err := q.GetAnyValue(ctx, tenant, id)
	if err != nil {
		return dbgen.SetValueStateParams{}, err
	}
	found, err := hasSource(ctx, q, row)
	return dbgen.SetValueStateParams{Status: string(rules.StatusOf(found, row.ExpiresAt, now))}, err
}

// makeRoom changes the versions that a placed version supersedes or overtakes. It runs before the version becomes
// active, so that a field never has two active versions.
func makeRoom(
	ctx context.Context, q *dbgen.Queries, tenant, id uuid.UUID, place rules.Placement, now time.Time,
) error {
	for _, o := range place.Overtakes {
		state := dbgen.SetValueStateParams{TenantID: tenant, ID: o.ID, Status: string(o.Status), YieldsToID: &id}
		if o.Status == vault.StatusSuperseded {
			at := db.UTC(now)
			state.SupersededByID, state.SupersededAt = &id, &at
		}
		if err := q.SetValueState(ctx, state); err != nil {
			return err
		}
	}
	superseded := place.Replaces
	if place.Supersedes != nil {
		superseded = append(superseded, *place.Supersedes)
	}
	if len(superseded) == 0 {
		return nil
	}
	by := make([]uuid.UUID, len(superseded))
	for i := range by {
		by[i] = id
	}
	return q.SupersedeValues(ctx, dbgen.SupersedeValuesParams{TenantID: tenant, Ids: superseded, ByIds: by})
}

// definitionOf returns the definition that a version was written with, nil if there is none any more.
func definitionOf(ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, id *uuid.UUID) (*vault.Definition, error) {
	if id == nil {
		return nil, nil
	}
	rows, err := q.ListDefinitionsByID(ctx, tenant, []uuid.UUID{*id})
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	def, err := db.DefinitionOf(rows[0])
	return &def, err
}
