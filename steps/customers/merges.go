package customers

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// Merges merges two customers and undoes merges.
type Merges struct {
	Once once.Runner
	Now  func() time.Time
	Log  *slog.Logger
}

// mergedState is the state before a merge of everything that the merge changes. It is stored with the merge, and the
// unmerge restores it.
type mergedState struct {
	SourceFields []fieldState `json:"source_fields"` // all fields of the source, with deleted versions
	TargetFields []fieldState `json:"target_fields"` // fields of the target that the source has too
	Assets       []uuid.UUID  `json:"assets"`        // assets of the source
	Channels     []uuid.UUID  `json:"channels"`
	Consents     []uuid.UUID  `json:"consents"`
	Merged       []uuid.UUID  `json:"merged"` // profiles that were merged into the source
}

// versions returns the versions whose status the merge may change.
func (s mergedState) versions() []uuid.UUID {
	out := make([]uuid.UUID, 0, len(s.SourceFields)+len(s.TargetFields))
	for _, f := range append(slices.Clone(s.SourceFields), s.TargetFields...) {
		out = append(out, f.ID)
	}
	return out
}

// itemsOf returns the versions and the assets of profiles.
func itemsOf(ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, profiles ...uuid.UUID) ([]uuid.UUID, error) {
	var out []uuid.UUID
	for _, profile := range profiles {
		values, err := q.ListValueStates(ctx, tenant, profile)
		if err != nil {
			return nil, err
		}
		for _, v := range values {
			out = append(out, v.ID)
		}
		relations, err := q.ListProfileRelations(ctx, tenant, profile)
		if err != nil {
			return nil, err
		}
		out = append(out, relations.Assets...)
	}
	return out, nil
}

type fieldState struct {
	ID             uuid.UUID        `json:"id"`
	Name           string           `json:"name"`
	Status         vault.ItemStatus `json:"status"`
	SupersededByID *uuid.UUID       `json:"superseded_by_id,omitempty"`
	SupersededAt   *time.Time       `json:"superseded_at,omitempty"`
	YieldsToID     *uuid.UUID       `json:"yields_to_id,omitempty"`
}

// MergeCustomers moves everything from the source to the target. If both have a field, their versions become one
// history, so the newest value is active unless a stronger one is. Lineage refers to items, which keep their ids.
func (s Merges) MergeCustomers(ctx context.Context, ev vault.Event) (once.Applied[vault.CustomerResult], error) {
	return once.Apply(ctx, s.Once, ev, func(
		t *once.Touched, q *dbgen.Queries, op dbgen.Operation, in vault.MergeCustomersInput,
	) (vault.CustomerResult, error) {
		source, target, err := lockPair(ctx, s.Once, q, ev.TenantID, in)
		if err != nil {
			return vault.CustomerResult{}, err
		}
		return s.merge(ctx, t, q, op, source, target)
	})
}

// merge merges the source into the target. The caller holds the locks of both.
func (s Merges) merge(
	ctx context.Context, t *once.Touched, q *dbgen.Queries, op dbgen.Operation, source, target dbgen.CustomerProfile,
) (vault.CustomerResult, error) {
	before, relinked, err := s.planMerge(ctx, q, op.TenantID, source.ID, target.ID)
	if err != nil {
		return vault.CustomerResult{}, err
	}
	encoded, err := json.Marshal(before)
	if err != nil {
		return vault.CustomerResult{}, fmt.Errorf("encode the state before the merge: %w", err)
	}
	err = q.InsertMerge(ctx, dbgen.InsertMergeParams{
		ID: once.NewID(), TenantID: op.TenantID, SourceProfileID: source.ID, TargetProfileID: target.ID, Before: encoded,
		OperationID: op.ID,
	})
	if err != nil {
		return vault.CustomerResult{}, err
	}
	// The history first: while it is in two profiles, no profile can have two active versions.
	if err := s.relink(ctx, q, op.TenantID, relinked, before); err != nil {
		return vault.CustomerResult{}, err
	}
	if err := move(ctx, q, op.TenantID, before, target.ID); err != nil {
		return vault.CustomerResult{}, err
	}
	err = q.SetMergedInto(ctx, dbgen.SetMergedIntoParams{
		TenantID: op.TenantID, Ids: append(before.Merged, source.ID), MergedIntoID: &target.ID, Version: source.Version,
	})
	if err != nil {
		return vault.CustomerResult{}, err
	}
	if err := RefreshStale(ctx, t, q, op.TenantID, before.versions(), target.ID); err != nil {
		return vault.CustomerResult{}, err
	}
	version := max(source.Version, target.Version)
	return vault.CustomerResult{
		CustomerID: target.CustomerID, Version: version + 1,
	}, raiseBothVersions(ctx, t, q, op.TenantID, version, target.ID)
}

// UnmergeCustomer moves the source's items back and restores their state before the merge. Values written to the target
// since stay with the target.
func (s Merges) UnmergeCustomer(ctx context.Context, ev vault.Event) (once.Applied[vault.CustomerResult], error) {
	return once.Apply(ctx, s.Once, ev, func(
		t *once.Touched, q *dbgen.Queries, _ dbgen.Operation, in vault.UnmergeCustomerInput,
	) (vault.CustomerResult, error) {
		source, target, merge, err := lockMerged(ctx, s.Once, q, ev.TenantID, in.CustomerID)
		if err != nil {
			return vault.CustomerResult{}, err
		}
		var before mergedState
		if err := json.Unmarshal(merge.Before, &before); err != nil {
			return vault.CustomerResult{}, fmt.Errorf("decode the state before merge %s: %w", merge.ID, err)
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
		err = q.SetMergedInto(ctx, dbgen.SetMergedIntoParams{
			TenantID: ev.TenantID, Ids: []uuid.UUID{source.ID}, Version: version,
		})
		if err != nil {
			return vault.CustomerResult{}, err
		}
		if len(before.Merged) > 0 {
			err := q.SetMergedInto(ctx, dbgen.SetMergedIntoParams{
				TenantID: ev.TenantID, Ids: before.Merged, MergedIntoID: &source.ID,
			})
			if err != nil {
				return vault.CustomerResult{}, err
			}
		}
		restored, err := itemsOf(ctx, q, ev.TenantID, source.ID, target.ID)
		if err != nil {
			return vault.CustomerResult{}, err
		}
		if err := RefreshStale(ctx, t, q, ev.TenantID, restored, source.ID, target.ID); err != nil {
			return vault.CustomerResult{}, err
		}
		if err := q.MarkMergeUndone(ctx, ev.TenantID, merge.ID); err != nil {
			return vault.CustomerResult{}, err
		}
		return vault.CustomerResult{CustomerID: in.CustomerID, Version: version + 1}, raiseBothVersions(
			ctx, t, q, ev.TenantID, version, source.ID, target.ID,
		)
	})
}

// lockPair locks two profiles in the order of their ids, so two merges of a pair in opposite directions do not
// deadlock: the second one finds that the pair is merged.
func lockPair(
	ctx context.Context, o once.Runner, q *dbgen.Queries, tenant uuid.UUID, in vault.MergeCustomersInput,
) (source, target dbgen.CustomerProfile, err error) {
	if in.SourceCustomerID == in.TargetCustomerID {
		return source, target, vault.Invalid("target_customer_id", "is also the source; use two different customers")
	}
	pair := []uuid.UUID{in.SourceCustomerID, in.TargetCustomerID}
	// PostgreSQL may omit a row that another merge changed while this transaction waited for its lock. A new statement
	// sees it, unless yet another merge comes between; a customer who does not exist is looked for in vain.
	const attempts = 5
	for n := 0; n < attempts && (source.ID == uuid.Nil || target.ID == uuid.Nil); n++ {
		rows, err := q.LockOwnProfiles(ctx, tenant, pair)
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
	}
	for _, p := range []struct {
		row      dbgen.CustomerProfile
		customer uuid.UUID
		field    string
	}{{source, in.SourceCustomerID, "source_customer_id"}, {target, in.TargetCustomerID, "target_customer_id"}} {
		switch {
		case p.row.MergedIntoID != nil:
			return source, target, vault.Conflict(
				p.field, "%s: customer %s is already merged into another customer; name that customer, or undo the merge first",
				p.field, p.customer,
			)
		case p.row.ID == uuid.Nil || p.row.DeletedAt != nil:
			if err := db.CheckErased(ctx, q, o.Sealer, tenant, p.customer); err != nil {
				return source, target, err
			}
			return source, target, vault.Unknown("customer", p.customer)
		}
	}
	return source, target, nil
}

// lockMerged finds the merge of a source customer and locks the source, the target and all profiles merged into the
// target.
func lockMerged(
	ctx context.Context, o once.Runner, q *dbgen.Queries, tenant, customer uuid.UUID,
) (source, target dbgen.CustomerProfile, merge dbgen.CustomerMerge, err error) {
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
		if _, err := lockKnownProfile(ctx, o, q, tenant, customer); err != nil {
			return source, target, merge, err
		}
		return lockMerged(ctx, o, q, tenant, customer) // the merge was undone while this transaction waited for the locks
	}
	merge, err = q.GetMerge(ctx, tenant, source.ID)
	if db.IsNotFound(err) {
		return source, target, merge, notMerged(ctx, q, source)
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
		return source, target, merge, vault.Conflict(
			"customer_id",
			"customer_id: customer %s, the target of the merge of %s, was merged itself since; undo that merge first",
			target.CustomerID, customer,
		)
	case target.DeletedAt != nil:
		return source, target, merge, vault.Conflict(
			"customer_id",
			"customer_id: customer %s, the target of the merge of %s, was deleted since, with everything merged into it",
			target.CustomerID, customer,
		)
	}
	return source, target, merge, nil
}

// notMerged returns the error for undoing the merge of a customer who is not merged. It names the merges that can be
// undone: the caller may have named the target of a merge.
func notMerged(ctx context.Context, q *dbgen.Queries, customer dbgen.CustomerProfile) error {
	sources, err := q.ListUndoableMerges(ctx, dbgen.ListUndoableMergesParams{
		TenantID: customer.TenantID, TargetProfileID: customer.ID, MaxRows: vault.MaxProblems,
	})
	if err != nil {
		return err
	}
	rejection := vault.Conflict(
		"customer_id", "customer_id: customer %s is not merged into another, and no other customer is merged into it",
		customer.CustomerID,
	)
	if len(sources) > 0 {
		ids := make([]string, len(sources))
		for i, id := range sources {
			ids[i] = id.String()
		}
		rejection = vault.Conflict(
			"customer_id",
			"customer_id: customer %s is not merged into another; to undo a merge into it, name the customer who was merged: %s",
			customer.CustomerID, strings.Join(ids, ", "),
		)
		rejection.Related = sources
	}
	return rejection
}

// planMerge reads the state that the merge changes, and computes the common histories of fields that both customers
// have.
func (s Merges) planMerge(
	ctx context.Context, q *dbgen.Queries, tenant, source, target uuid.UUID,
) (mergedState, []rules.Relinked, error) {
	var before mergedState
	ofSource, err := q.ListValueStates(ctx, tenant, source)
	if err != nil {
		return before, nil, err
	}
	ofTarget, err := q.ListValueStates(ctx, tenant, target)
	if err != nil {
		return before, nil, err
	}
	inSource, shared := map[string]bool{}, map[string]bool{}
	for _, r := range ofSource {
		before.SourceFields = append(before.SourceFields, stateOf(r))
		inSource[r.Name] = inSource[r.Name] || !r.Deleted
	}
	for _, r := range ofTarget {
		if !r.Deleted && inSource[r.Name] {
			before.TargetFields = append(before.TargetFields, stateOf(r))
			shared[r.Name] = true
		}
	}
	relinked, err := s.joinHistories(ctx, q, tenant, append(ofSource, ofTarget...), shared)
	if err != nil {
		return before, nil, err
	}
	belongings, err := q.ListProfileRelations(ctx, tenant, source)
	before.Assets, before.Channels = belongings.Assets, belongings.Channels
	before.Consents, before.Merged = belongings.Consents, belongings.Merged
	return before, relinked, err
}

// joinHistories joins the versions of the fields that both customers have.
func (s Merges) joinHistories(
	ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, rows []dbgen.ListValueStatesRow, shared map[string]bool,
) ([]rules.Relinked, error) {
	histories := map[string][]rules.Version{}
	definitions := map[string]uuid.UUID{}
	var names []string
	var ids []uuid.UUID
	for _, r := range rows {
		if r.Deleted || !shared[r.Name] {
			continue
		}
		v, err := versionFrom(ctx, s.Once.Sealer, tenant, dbgen.ListVersionsRow(r))
		if err != nil {
			return nil, err
		}
		if histories[r.Name] == nil {
			names = append(names, r.Name)
		}
		histories[r.Name] = append(histories[r.Name], v)
		if r.DefinitionID != nil {
			definitions[r.Name] = *r.DefinitionID
			ids = append(ids, *r.DefinitionID)
		}
	}
	found, err := q.ListDefinitionsByID(ctx, tenant, ids)
	if err != nil {
		return nil, err
	}
	byID := map[uuid.UUID]*vault.Definition{}
	for _, row := range found {
		def, err := db.DefinitionOf(row)
		if err != nil {
			return nil, err
		}
		byID[def.ID] = &def
	}
	var out []rules.Relinked
	for _, name := range names {
		authority := rules.AuthorityOf(byID[definitions[name]])
		out = append(out, rules.Relink(histories[name], authority, s.Now())...)
	}
	return out, nil
}

// restoreStates restores the versions of a profile to their state before the merge. Later changes count: newer writes
// supersede, and versions that were expired, orphaned or restored since stay so.
func (s Merges) restoreStates(
	ctx context.Context, q *dbgen.Queries, tenant, profile uuid.UUID, before mergedState,
) error {
	recorded := map[uuid.UUID]fieldState{}
	names := map[string]bool{} // the merge changed only histories of the source's fields
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
	next := map[string]uuid.UUID{} // the next newer version that is not deleted, by name
	for _, r := range slices.Backward(rows) {
		if !names[r.Name] {
			continue
		}
		state, place := stateAfterUnmerge(r, recorded, current, next[r.Name])
		if place == placeAgain {
			if state, err = placeLatest(ctx, q, tenant, r.ID, s.Now()); err != nil {
				return err
			}
		}
		state.TenantID, state.ID = tenant, r.ID
		if state.Status == string(vault.StatusActive) {
			newest = append(newest, state)
		} else {
			displaced = append(displaced, state)
		}
		if !r.Deleted && place != placeBeside {
			next[r.Name] = r.ID
		}
	}
	// active versions last: no field ever has two active versions
	for _, state := range append(displaced, newest...) {
		if err := q.SetValueState(ctx, state); err != nil {
			return err
		}
	}
	return nil
}

// afterUnmerge says how a version takes part in the succession of its field after an unmerge.
type afterUnmerge int

const (
	placeKept   afterUnmerge = iota // with the state that stateAfterUnmerge returns
	placeBeside                     // beside the succession: pending, or it yielded to a stronger version
	placeAgain                      // as the newest, whose source may be deleted since
)

// stateAfterUnmerge returns the state of a version after the merge is undone. next is the next newer version that is
// neither deleted nor beside the succession.
func stateAfterUnmerge(
	r dbgen.ListValueStatesRow, recorded map[uuid.UUID]fieldState, current map[uuid.UUID]dbgen.ListValueStatesRow,
	next uuid.UUID,
) (dbgen.SetValueStateParams, afterUnmerge) {
	// displacing reports whether id is a version of this profile that may supersede this one.
	displacing := func(id *uuid.UUID) bool {
		if id == nil {
			return false
		}
		by, ok := current[*id]
		return ok && (by.ID == next || by.Deleted || r.Deleted)
	}
	here := func(id *uuid.UUID) bool {
		if id == nil {
			return false
		}
		_, ok := current[*id]
		return ok
	}
	was, known := recorded[r.ID]
	now := stateOf(r)
	yielded := now.beside()
	if yielded {
		switch {
		case r.Decision == string(vault.DecisionRejected):
			return now.params(), placeBeside
		case known && was.beside() && !here(now.SupersededByID):
			return was.params(), placeBeside
		case (known && was.beside()) || (!known && here(now.YieldsToID)):
			return now.params(), placeBeside
		}
		now.YieldsToID = nil // it yielded to a version of the other customer
	}
	switch {
	case known && displacing(was.SupersededByID):
		return was.params(), placeKept
	case displacing(now.SupersededByID):
		return now.params(), placeKept
	case next != uuid.Nil && !r.Deleted:
		at := db.UTC(time.Now())
		return fieldState{Status: vault.StatusSuperseded, SupersededByID: &next, SupersededAt: &at}.params(), placeKept
	case now.SupersededByID == nil && !yielded:
		return now.params(), placeKept
	case known && was.SupersededByID == nil && was.Status != vault.StatusActive && !was.beside():
		return was.params(), placeKept
	default:
		return dbgen.SetValueStateParams{}, placeAgain
	}
}

// beside reports a version that takes no part in the succession of its field.
func (f fieldState) beside() bool { return f.Status == vault.StatusPending || f.YieldsToID != nil }

func (f fieldState) params() dbgen.SetValueStateParams {
	return dbgen.SetValueStateParams{
		Status: string(f.Status), SupersededByID: f.SupersededByID, SupersededAt: f.SupersededAt, YieldsToID: f.YieldsToID,
	}
}

// restoreAssets places assets again that were superseded by an asset of the other profile.
func (s Merges) restoreAssets(ctx context.Context, q *dbgen.Queries, tenant, profile uuid.UUID) error {
	stranded, err := q.ListAssetsSupersededAcrossProfiles(ctx, tenant, profile)
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
			found, err := checkSource(ctx, q, tenant, a.ID, vault.Lineage{
				SourceItemID: a.SourceItemID, SourceItemType: vault.SourceType(a.SourceItemType),
			})
			if err != nil {
				return err
			}
			state.Status = string(rules.StatusOf(found, a.ExpiresAt, s.Now()))
		}
		if err := q.PlaceAsset(ctx, state); err != nil {
			return err
		}
	}
	return nil
}

// relink stores the joined histories. No version becomes active by it.
func (s Merges) relink(
	ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, versions []rules.Relinked, before mergedState,
) error {
	since := map[uuid.UUID]*time.Time{}
	for _, f := range append(slices.Clone(before.SourceFields), before.TargetFields...) {
		since[f.ID] = f.SupersededAt
	}
	p := dbgen.SupersedeValuesParams{TenantID: tenant}
	for _, v := range versions {
		if v.Status == vault.StatusSuperseded && v.YieldsTo == nil {
			p.Ids, p.ByIds = append(p.Ids, v.ID), append(p.ByIds, *v.SupersededBy)
			continue
		}
		state := fieldState{Status: v.Status, SupersededByID: v.SupersededBy, YieldsToID: v.YieldsTo}.params()
		state.TenantID, state.ID = tenant, v.ID
		if v.Status == vault.StatusSuperseded {
			if state.SupersededAt = since[v.ID]; state.SupersededAt == nil {
				at := db.UTC(s.Now())
				state.SupersededAt = &at
			}
		}
		if err := q.SetValueState(ctx, state); err != nil {
			return err
		}
	}
	if len(p.Ids) == 0 {
		return nil
	}
	return q.SupersedeValues(ctx, p)
}

// move moves the source's items, channels and consents to a profile.
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
	if err := q.MoveChannels(ctx, dbgen.MoveChannelsParams{
		ToProfile: to, TenantID: tenant, Ids: what.Channels,
	}); err != nil {
		return err
	}
	return q.MoveConsents(ctx, dbgen.MoveConsentsParams{ToProfile: to, TenantID: tenant, Ids: what.Consents})
}

// raiseBothVersions raises profiles to a version above both of a pair, because the cache may hold either profile under
// the same customer. It adds their pending invalidations.
func raiseBothVersions(
	ctx context.Context, t *once.Touched, q *dbgen.Queries, tenant uuid.UUID, version int64, profiles ...uuid.UUID,
) error {
	for _, id := range profiles {
		if err := q.SetProfileVersion(ctx, dbgen.SetProfileVersionParams{
			TenantID: tenant, ID: id, Version: version,
		}); err != nil {
			return err
		}
	}
	return t.Profiles(ctx, q, profiles)
}

func stateOf(r dbgen.ListValueStatesRow) fieldState {
	return fieldState{
		ID: r.ID, Name: r.Name, Status: vault.ItemStatus(r.Status), SupersededByID: r.SupersededByID,
		SupersededAt: r.SupersededAt, YieldsToID: r.YieldsToID,
	}
}
