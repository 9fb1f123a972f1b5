package customers

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// Merges makes one customer of two, and two of one again.
type Merges struct {
	Once once.Runner
	Now  func() time.Time
}

// mergedState is what a merge changes, as it was before. It is stored with the merge, and read by its undoing.
type mergedState struct {
	SourceFields []fieldState `json:"source_fields"` // all of the source's, deleted ones too
	TargetFields []fieldState `json:"target_fields"` // the target's of names that both have
	Assets       []uuid.UUID  `json:"assets"`        // the source's
	Channels     []uuid.UUID  `json:"channels"`
	Consents     []uuid.UUID  `json:"consents"`
	Merged       []uuid.UUID  `json:"merged"` // profiles that led to the source
}

type fieldState struct {
	ID             uuid.UUID        `json:"id"`
	Name           string           `json:"name"`
	Status         vault.ItemStatus `json:"status"`
	SupersededByID *uuid.UUID       `json:"superseded_by_id,omitempty"`
	SupersededAt   *time.Time       `json:"superseded_at,omitempty"`
}

// MergeCustomers moves all that is the source's to the target. Where both have a field its versions become one history, in
// order of acceptance, so the newer value stays. Lineage names items, which keep their ids.
func (s Merges) MergeCustomers(ctx context.Context, ev vault.Event) (once.Applied[vault.CustomerResult], error) {
	return once.Apply(ctx, s.Once, ev, func(t *once.Touched, q *dbgen.Queries, op dbgen.Operation, in vault.MergeCustomersInput) (vault.CustomerResult, error) {
		source, target, err := lockPair(ctx, q, ev.TenantID, in)
		if err != nil {
			return vault.CustomerResult{}, err
		}
		before, relinked, err := planMerge(ctx, q, ev.TenantID, source.ID, target.ID)
		if err != nil {
			return vault.CustomerResult{}, err
		}
		encoded, err := json.Marshal(before)
		if err != nil {
			return vault.CustomerResult{}, fmt.Errorf("encode what the merge changes: %w", err)
		}
		err = q.InsertMerge(ctx, dbgen.InsertMergeParams{
			ID: once.NewID(), TenantID: ev.TenantID, SourceProfileID: source.ID, TargetProfileID: target.ID, Before: encoded, OperationID: op.ID,
		})
		if err != nil {
			return vault.CustomerResult{}, err
		}
		// The history first: while it is in two profiles, no two versions can be active in one.
		if err := relink(ctx, q, ev.TenantID, relinked); err != nil {
			return vault.CustomerResult{}, err
		}
		if err := move(ctx, q, ev.TenantID, before, target.ID); err != nil {
			return vault.CustomerResult{}, err
		}
		err = q.SetMergedInto(ctx, dbgen.SetMergedIntoParams{
			TenantID: ev.TenantID, Ids: append(before.Merged, source.ID), MergedIntoID: &target.ID, Version: source.Version,
		})
		if err != nil {
			return vault.CustomerResult{}, err
		}
		version := max(source.Version, target.Version)
		return vault.CustomerResult{CustomerID: target.CustomerID, Version: version + 1}, raiseBothVersions(ctx, t, q, ev.TenantID, version, target.ID)
	})
}

// UnmergeCustomer gives back what the merge took, in the state it was in. What was written to the target since stays there.
func (s Merges) UnmergeCustomer(ctx context.Context, ev vault.Event) (once.Applied[vault.CustomerResult], error) {
	return once.Apply(ctx, s.Once, ev, func(t *once.Touched, q *dbgen.Queries, _ dbgen.Operation, in vault.UnmergeCustomerInput) (vault.CustomerResult, error) {
		source, target, merge, err := lockMerged(ctx, q, ev.TenantID, in.CustomerID)
		if err != nil {
			return vault.CustomerResult{}, err
		}
		var before mergedState
		if err := json.Unmarshal(merge.Before, &before); err != nil {
			return vault.CustomerResult{}, fmt.Errorf("decode what merge %s changed: %w", merge.ID, err)
		}
		if err := move(ctx, q, ev.TenantID, before, source.ID); err != nil {
			return vault.CustomerResult{}, err
		}
		for _, profile := range []uuid.UUID{source.ID, target.ID} {
			if err := s.restoreStates(ctx, q, ev.TenantID, profile, before); err != nil {
				return vault.CustomerResult{}, err
			}
			if err := s.restoreAssets(ctx, q, ev.TenantID, profile); err != nil {
				return vault.CustomerResult{}, err
			}
		}
		version := max(source.Version, target.Version)
		err = q.SetMergedInto(ctx, dbgen.SetMergedIntoParams{TenantID: ev.TenantID, Ids: []uuid.UUID{source.ID}, Version: version})
		if err != nil {
			return vault.CustomerResult{}, err
		}
		if len(before.Merged) > 0 {
			err := q.SetMergedInto(ctx, dbgen.SetMergedIntoParams{TenantID: ev.TenantID, Ids: before.Merged, MergedIntoID: &source.ID})
			if err != nil {
				return vault.CustomerResult{}, err
			}
		}
		if err := q.MarkMergeUndone(ctx, ev.TenantID, merge.ID); err != nil {
			return vault.CustomerResult{}, err
		}
		return vault.CustomerResult{CustomerID: in.CustomerID, Version: version + 1}, raiseBothVersions(ctx, t, q, ev.TenantID, version, source.ID, target.ID)
	})
}

// lockPair locks two profiles in the order of their ids, so that two merges of a pair in opposite directions do not wait for
// each other: the second finds that the pair is one already.
func lockPair(ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, in vault.MergeCustomersInput) (source, target dbgen.CustomerProfile, err error) {
	if in.SourceCustomerID == in.TargetCustomerID {
		return source, target, vault.Invalid("target_customer_id", "is the source itself; name two different customers")
	}
	pair := []uuid.UUID{in.SourceCustomerID, in.TargetCustomerID}
	rows, err := q.LockOwnProfiles(ctx, tenant, pair)
	if err == nil && len(rows) < len(pair) {
		// PostgreSQL may leave out a row that another merge changed while the lock was waited for. A new statement sees it.
		rows, err = q.LockOwnProfiles(ctx, tenant, pair)
	}
	if err != nil {
		return source, target, err
	}
	for _, r := range rows {
		switch r.CustomerID {
		case in.SourceCustomerID:
			source = r
		case in.TargetCustomerID:
			target = r
		}
	}
	for _, p := range []struct {
		row      dbgen.CustomerProfile
		customer uuid.UUID
		field    string
	}{{source, in.SourceCustomerID, "source_customer_id"}, {target, in.TargetCustomerID, "target_customer_id"}} {
		switch {
		case p.row.MergedIntoID != nil:
			return source, target, vault.Conflict(p.field, "%s: customer %s was merged into another already; name that one, or undo that merge first", p.field, p.customer)
		case p.row.ID == uuid.Nil || p.row.DeletedAt != nil:
			return source, target, vault.Unknown("customer", p.customer)
		}
	}
	return source, target, nil
}

// lockMerged finds the merge that took a customer away, and locks both profiles with all that lead to the target.
func lockMerged(ctx context.Context, q *dbgen.Queries, tenant, customer uuid.UUID) (source, target dbgen.CustomerProfile, merge dbgen.CustomerMerge, err error) {
	rows, err := q.LockMergedProfiles(ctx, tenant, customer)
	if err != nil {
		return source, target, merge, err
	}
	for _, r := range rows {
		if r.CustomerID == customer {
			source = r
		}
	}
	if source.ID == uuid.Nil {
		if _, err := lockKnownProfile(ctx, q, tenant, customer); err != nil {
			return source, target, merge, err
		}
		return lockMerged(ctx, q, tenant, customer) // its merge was undone while the locks were waited for
	}
	merge, err = q.GetMerge(ctx, tenant, source.ID)
	if db.IsNotFound(err) {
		return source, target, merge, vault.Conflict("customer_id", "customer_id: customer %s is not merged into another", customer)
	}
	if err != nil {
		return source, target, merge, err
	}
	locked, err := q.LockProfilesByID(ctx, tenant, []uuid.UUID{merge.TargetProfileID})
	if err != nil {
		return source, target, merge, err
	}
	target = locked[0]
	switch {
	case target.MergedIntoID != nil:
		return source, target, merge, vault.Conflict("customer_id", "customer_id: customer %s, into which %s was merged, was itself merged since; undo that first", target.CustomerID, customer)
	case target.DeletedAt != nil:
		return source, target, merge, vault.Conflict("customer_id", "customer_id: customer %s, into which %s was merged, was deleted since, and took all that was merged with it", target.CustomerID, customer)
	}
	return source, target, merge, nil
}

// planMerge reads what the merge will change, and how the histories of names that both have become one.
func planMerge(ctx context.Context, q *dbgen.Queries, tenant, source, target uuid.UUID) (mergedState, []rules.Relinked, error) {
	var before mergedState
	histories := map[string][]rules.Version{}
	ofSource := map[string]bool{}
	rows, err := q.ListValueStates(ctx, tenant, source)
	if err != nil {
		return before, nil, err
	}
	for _, r := range rows {
		before.SourceFields = append(before.SourceFields, stateOf(r))
		if !r.Deleted {
			ofSource[r.Name] = true
			histories[r.Name] = append(histories[r.Name], versionOf(r))
		}
	}
	if rows, err = q.ListValueStates(ctx, tenant, target); err != nil {
		return before, nil, err
	}
	for _, r := range rows {
		if !r.Deleted && ofSource[r.Name] {
			before.TargetFields = append(before.TargetFields, stateOf(r))
			histories[r.Name] = append(histories[r.Name], versionOf(r))
		}
	}
	var relinked []rules.Relinked
	shared := map[string]bool{}
	for _, f := range before.TargetFields {
		if !shared[f.Name] {
			shared[f.Name] = true
			relinked = append(relinked, rules.Relink(histories[f.Name])...)
		}
	}
	belongings, err := q.ListBelongings(ctx, tenant, source)
	before.Assets, before.Channels, before.Consents, before.Merged = belongings.Assets, belongings.Channels, belongings.Consents, belongings.Merged
	return before, relinked, err
}

// restoreStates puts the versions that a profile has after an undone merge back where they stood before it. What happened since
// counts: newer writes displace, and what was expired, orphaned or restored stays so.
func (s Merges) restoreStates(ctx context.Context, q *dbgen.Queries, tenant, profile uuid.UUID, before mergedState) error {
	recorded := map[uuid.UUID]fieldState{}
	names := map[string]bool{} // only histories that the source had a part in have changed
	for _, f := range before.SourceFields {
		recorded[f.ID], names[f.Name] = f, true
	}
	for _, f := range before.TargetFields {
		recorded[f.ID] = f
	}
	rows, err := q.ListValueStates(ctx, tenant, profile)
	if err != nil {
		return err
	}
	current := map[uuid.UUID]dbgen.ListValueStatesRow{}
	for _, r := range rows {
		current[r.ID] = r
	}
	var displaced, newest []dbgen.SetValueStateParams
	next := map[string]uuid.UUID{} // the next newer version that is seen, by name
	for _, r := range slices.Backward(rows) {
		if !names[r.Name] {
			continue
		}
		state, sure := stateAfterUnmerge(r, recorded, current, next[r.Name])
		if !sure {
			if state, err = s.placeLatest(ctx, q, tenant, r.ID); err != nil {
				return err
			}
		}
		state.TenantID, state.ID = tenant, r.ID
		if state.Status == string(vault.StatusSuperseded) {
			displaced = append(displaced, state)
		} else {
			newest = append(newest, state)
		}
		if !r.Deleted {
			next[r.Name] = r.ID
		}
	}
	for _, state := range append(displaced, newest...) { // no two are active in between
		if err := q.SetValueState(ctx, state); err != nil {
			return err
		}
	}
	return nil
}

// stateAfterUnmerge says where a version of a profile stands once the merge is undone, next being the next newer one that is seen. It is not
// sure of one that a version of the other profile had displaced and that may be active: its source may be gone since.
func stateAfterUnmerge(r dbgen.ListValueStatesRow, recorded map[uuid.UUID]fieldState, current map[uuid.UUID]dbgen.ListValueStatesRow, next uuid.UUID) (state dbgen.SetValueStateParams, sure bool) {
	// displacing reports whether a version of this profile is one that may stand as the next.
	displacing := func(id *uuid.UUID) bool {
		if id == nil {
			return false
		}
		by, ok := current[*id]
		return ok && (by.ID == next || by.Deleted || r.Deleted)
	}
	was, known := recorded[r.ID]
	now := fieldState{Status: vault.ItemStatus(r.Status), SupersededByID: r.SupersededByID, SupersededAt: r.SupersededAt}
	as := func(f fieldState) (dbgen.SetValueStateParams, bool) {
		return dbgen.SetValueStateParams{Status: string(f.Status), SupersededByID: f.SupersededByID, SupersededAt: f.SupersededAt}, true
	}
	switch {
	case known && displacing(was.SupersededByID):
		return as(was)
	case displacing(now.SupersededByID):
		return as(now)
	case next != uuid.Nil && !r.Deleted:
		at := db.UTC(time.Now())
		return as(fieldState{Status: vault.StatusSuperseded, SupersededByID: &next, SupersededAt: &at})
	case now.SupersededByID == nil:
		return as(now)
	case known && was.SupersededByID == nil && was.Status != vault.StatusActive:
		return as(was)
	default:
		return dbgen.SetValueStateParams{}, false
	}
}

// restoreAssets finds the place again of what was superseded by an asset that is the other profile's.
func (s Merges) restoreAssets(ctx context.Context, q *dbgen.Queries, tenant, profile uuid.UUID) error {
	stranded, err := q.ListStrandedAssets(ctx, tenant, profile)
	if err != nil {
		return err
	}
	for _, a := range stranded {
		state := dbgen.PlaceAssetParams{TenantID: tenant, ID: a.ID, Status: string(vault.StatusSuperseded)}
		newer, err := q.GetNewerAsset(ctx, dbgen.GetNewerAssetParams{
			TenantID: tenant, ProfileID: profile, Name: a.Name, AcceptedAt: a.AcceptedAt, OperationID: a.OperationID,
		})
		switch {
		case err == nil:
			state.SupersededByID = &newer
		case !db.IsNotFound(err):
			return err
		default:
			found, err := checkSource(ctx, q, tenant, a.ID, vault.Lineage{SourceItemID: a.SourceItemID, SourceItemType: vault.SourceType(a.SourceItemType)})
			if err != nil {
				return err
			}
			state.Status = string(rules.Place(nil, a.OperationID, a.AcceptedAt, found, a.ExpiresAt, s.Now()).Status)
		}
		if err := q.PlaceAsset(ctx, state); err != nil {
			return err
		}
	}
	return nil
}

// placeLatest says where a version stands that nothing displaces.
func (s Merges) placeLatest(ctx context.Context, q *dbgen.Queries, tenant, id uuid.UUID) (dbgen.SetValueStateParams, error) {
	row, err := q.GetAnyValue(ctx, tenant, id)
	if err != nil {
		return dbgen.SetValueStateParams{}, err
	}
	found, err := checkSource(ctx, q, tenant, id, vault.Lineage{SourceItemID: row.SourceItemID, SourceItemType: vault.SourceType(row.SourceItemType)})
	place := rules.Place(nil, row.OperationID, row.AcceptedAt, found, row.ExpiresAt, s.Now())
	return dbgen.SetValueStateParams{Status: string(place.Status)}, err
}

// relink makes versions superseded.
func relink(ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, versions []rules.Relinked) error {
	if len(versions) == 0 {
		return nil
	}
	var p dbgen.SupersedeValuesParams
	p.TenantID = tenant
	for _, v := range versions {
		p.Ids, p.ByIds = append(p.Ids, v.ID), append(p.ByIds, v.SupersededBy)
	}
	return q.SupersedeValues(ctx, p)
}

// move gives what was the source's to a profile.
func move(ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, what mergedState, to uuid.UUID) error {
	fields := make([]uuid.UUID, len(what.SourceFields))
	for i, f := range what.SourceFields {
		fields[i] = f.ID
	}
	if err := q.MoveValues(ctx, dbgen.MoveValuesParams{ToProfile: to, TenantID: tenant, Ids: fields}); err != nil {
		return err
	}
	if err := q.MoveAssets(ctx, dbgen.MoveAssetsParams{ToProfile: to, TenantID: tenant, Ids: what.Assets}); err != nil {
		return err
	}
	if err := q.MoveChannels(ctx, dbgen.MoveChannelsParams{ToProfile: to, TenantID: tenant, Ids: what.Channels}); err != nil {
		return err
	}
	return q.MoveConsents(ctx, dbgen.MoveConsentsParams{ToProfile: to, TenantID: tenant, Ids: what.Consents})
}

// raiseBothVersions brings profiles to a version beyond both of a pair, since a cache may hold either under the same customer, and notes
// their entries.
func raiseBothVersions(ctx context.Context, t *once.Touched, q *dbgen.Queries, tenant uuid.UUID, version int64, profiles ...uuid.UUID) error {
	for _, id := range profiles {
		if err := q.SetProfileVersion(ctx, dbgen.SetProfileVersionParams{TenantID: tenant, ID: id, Version: version}); err != nil {
			return err
		}
	}
	return t.Profiles(ctx, q, profiles)
}

func stateOf(r dbgen.ListValueStatesRow) fieldState {
	return fieldState{ID: r.ID, Name: r.Name, Status: vault.ItemStatus(r.Status), SupersededByID: r.SupersededByID, SupersededAt: r.SupersededAt}
}

func versionOf(r dbgen.ListValueStatesRow) rules.Version {
	return rules.Version{ID: r.ID, OperationID: r.OperationID, AcceptedAt: r.AcceptedAt, Status: vault.ItemStatus(r.Status), SupersededByID: r.SupersededByID}
}
