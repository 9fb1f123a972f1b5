package customers

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// Imports writes many values at once: a few statements for a thousand values.
type Imports struct{ Values Values }

// ValidateImport validates every write of an import.
func (s Imports) ValidateImport(ctx context.Context, ev vault.Event) (once.Validated, error) {
	return once.Validated{}, once.Prepare(ctx, s.Values.Once, ev, func(
		q *dbgen.Queries, _ dbgen.Operation, in vault.ImportValuesInput,
	) error {
		if err := rules.Check(in); err != nil {
			return err
		}
		refused := rejections{skip: in.SkipInvalid}
		writes, err := s.checkAll(ctx, q, ev.TenantID, in, &refused)
		if err != nil {
			return err
		}
		warned := 0
		for _, w := range writes {
			warned += min(1, len(w.checked.Warnings))
		}
		s.Values.Observer.ValuesInvalid(vault.ImportValues.Name, len(refused.problems), warned)
		return refused.err()
	})
}

// PersistImport stores an import in one transaction, with each version ordered by acceptance.
func (s Imports) PersistImport(ctx context.Context, ev vault.Event) (once.Applied[vault.ImportResult], error) {
	return once.Apply(ctx, s.Values.Once, ev, func(
		t *once.Touched, q *dbgen.Queries, op dbgen.Operation, in vault.ImportValuesInput,
	) (vault.ImportResult, error) {
		var out vault.ImportResult
		refused := rejections{skip: in.SkipInvalid}
		writes, err := s.checkAll(ctx, q, ev.TenantID, in, &refused)
		if err != nil {
			return out, err
		}
		profiles, err := lockCustomers(ctx, q, ev.TenantID, writes)
		if err != nil {
			return out, err
		}
		if writes, err = dropConflicts(ctx, q, ev.TenantID, writes, profiles, &refused); err != nil {
			return out, err
		}
		if writes, err = findSources(ctx, q, ev.TenantID, writes, profiles, &refused); err != nil {
			return out, err
		}
		if writes, err = limitFields(ctx, q, ev.TenantID, writes, profiles, &refused); err != nil {
			return out, err
		}
		if out.Rejected, err = refused.rejected(), refused.err(); err != nil || len(writes) == 0 {
			return out, err
		}
		placed, err := s.place(ctx, q, op, writes, profiles)
		if err != nil {
			return out, err
		}
		for id, place := range placed.places {
			if err := makeRoom(ctx, q, op.TenantID, id, place, s.Values.Now()); err != nil {
				return out, err
			}
		}
		if err := insertVersions(ctx, q, op, placed.rows, placed.superseded); err != nil {
			return out, err
		}
		touched := map[uuid.UUID]bool{}
		for i, row := range placed.rows {
			touched[row.ProfileID] = true
			switch vault.ItemStatus(row.Status) {
			case vault.StatusSuperseded:
				out.Superseded++
			case vault.StatusPending:
				out.Pending++
			}
			if warnings := writes[i].checked.Warnings; len(warnings) > 0 {
				out.Warnings++
				out.Warned = append(out.Warned, vault.Warned{
					Index: writes[i].index, Message: strings.Join(warnings, "; "),
				})
			}
		}
		out.Written, out.Customers = len(placed.rows), len(touched)
		ids := make([]uuid.UUID, 0, len(touched))
		for id := range touched {
			ids = append(ids, id)
		}
		err = t.Profiles(ctx, q, ids)
		return out, err
	})
}

// checkedWrite is a valid write with its definition and the checked value.
type checkedWrite struct {
	vault.WriteValueInput
	index       int // in the import
	id          uuid.UUID
	sourceFound bool
	def         *vault.Definition
	checked     rules.Checked
}

// rejections collects the errors of an import's writes, by index.
type rejections struct {
	skip     bool // store the valid writes
	problems []*vault.Error
	indexes  []int
}

// add records the permanent error of one write and returns nil. It returns any other error.
func (r *rejections) add(index int, err error) error {
	if !vault.Permanent(err) {
		return err
	}
	e := *once.AsError(err)
	e.Message, e.Detail = fmt.Sprintf("writes[%d]: %s", index, e.Message), ""
	r.problems, r.indexes = append(r.problems, &e), append(r.indexes, index)
	return nil
}

// err returns all recorded errors, or nil if invalid writes are skipped.
func (r *rejections) err() error {
	if r.skip {
		return nil
	}
	return vault.Join(r.problems)
}

// rejected lists the skipped writes in the order of the import.
func (r *rejections) rejected() []vault.Rejected {
	var out []vault.Rejected
	for i, e := range r.problems {
		out = append(out, vault.Rejected{Index: r.indexes[i], Code: e.Code, Message: e.Message})
	}
	slices.SortFunc(out, func(a, b vault.Rejected) int { return a.Index - b.Index })
	return out
}

// checkAll validates every value and returns the valid writes.
func (s Imports) checkAll(
	ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, in vault.ImportValuesInput, refused *rejections,
) ([]checkedWrite, error) {
	defs := map[uuid.UUID]map[string]vault.Definition{}
	var writes []checkedWrite
	steps := 0
	for i, w := range in.Writes {
		agent, ok := defs[w.AgentID]
		if !ok {
			rows, err := q.ListDefinitions(ctx, tenant, w.AgentID)
			if err != nil {
				return nil, err
			}
			if agent, err = db.DefinitionsOf(rows); err != nil {
				return nil, err
			}
			defs[w.AgentID] = agent
		}
		c := checkedWrite{WriteValueInput: w, index: i, id: once.NewID()}
		if w.ItemID != nil {
			c.id = *w.ItemID
		}
		if d, ok := agent[w.Name]; ok {
			c.def = &d
		}
		mode := rules.EffectiveMode(c.def, s.Values.Mode)
		if steps += rules.PatternSteps(c.def, w.Value, mode); steps > vault.MaxImportRegexSteps {
			return nil, vault.Invalid("writes", "the validation_regex of the definitions of these values takes too long in one "+
				"import; split it, or use a smaller pattern for %s", w.Name)
		}
		var err error
		if c.checked, err = rules.CheckValue(c.def, w.Name, w.Value, mode); err != nil {
			if err := refused.add(i, err); err != nil {
				return nil, err
			}
			continue
		}
		writes = append(writes, c)
	}
	return writes, nil
}

// dropConflicts removes writes whose id is already taken, and writes to a field that an earlier write of the import
// sets: two of the customers may have been merged.
func dropConflicts(
	ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, writes []checkedWrite, profiles map[uuid.UUID]uuid.UUID,
	refused *rejections,
) ([]checkedWrite, error) {
	var chosen []uuid.UUID
	for _, w := range writes {
		if w.ItemID != nil {
			chosen = append(chosen, w.id)
		}
	}
	var taken []uuid.UUID
	if len(chosen) > 0 {
		var err error
		if taken, err = q.ListExistingItemIDs(ctx, tenant, chosen); err != nil {
			return nil, err
		}
	}
	kept := make([]checkedWrite, 0, len(writes))
	written := map[fieldKey]bool{}
	for _, w := range writes {
		profile, known := profiles[w.CustomerID]
		key := fieldKey{profile, w.Name}
		var err error
		switch {
		case slices.Contains(taken, w.id):
			err = idTakenError(w.id)
		case known && written[key]:
			err = vault.Conflict(
				"writes", "%s is written twice, because two of the customers were merged; write it once", w.Name,
			)
		}
		if err != nil {
			if err := refused.add(w.index, err); err != nil {
				return nil, err
			}
			continue
		}
		written[key] = true
		kept = append(kept, w)
	}
	return kept, nil
}

// findSources finds the source of each write, which may be another write of the same import. It removes writes of
// deleted customers and writes that would make a cycle.
func findSources(
	ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, writes []checkedWrite, profiles map[uuid.UUID]uuid.UUID,
	refused *rejections,
) ([]checkedWrite, error) {
	own := map[uuid.UUID]vault.Lineage{}
	for _, w := range writes {
		own[w.id] = w.Lineage
	}
	kept := make([]checkedWrite, 0, len(writes))
	var out []uuid.UUID
	for _, w := range writes {
		err := error(vault.Unknown("customer", w.CustomerID))
		if _, ok := profiles[w.CustomerID]; ok {
			w.sourceFound, err = checkImportSource(ctx, q, tenant, w.id, w.Lineage, own)
		}
		if err == nil {
			kept = append(kept, w)
			continue
		}
		out = append(out, w.id)
		if err := refused.add(w.index, err); err != nil {
			return nil, err
		}
	}
	for _, id := range out {
		delete(own, id)
	}
	for i, w := range kept { // a source may have been removed
		var err error
		if len(out) == 0 {
			break
		}
		if kept[i].sourceFound, err = checkImportSource(ctx, q, tenant, w.id, w.Lineage, own); err != nil {
			return nil, err
		}
	}
	return kept, nil
}

// limitFields removes writes of new fields to customers with vault.MaxFields.
func limitFields(
	ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, writes []checkedWrite, profiles map[uuid.UUID]uuid.UUID,
	refused *rejections,
) ([]checkedWrite, error) {
	written := map[uuid.UUID]int64{}
	for _, w := range writes {
		written[profiles[w.CustomerID]]++
	}
	counts, err := q.CountFields(ctx, tenant, slices.Collect(maps.Keys(written)))
	if err != nil {
		return nil, err
	}
	left := map[uuid.UUID]int64{} // new fields by profile, of those that could exceed the limit
	for profile, n := range written {
		at := slices.IndexFunc(counts, func(c dbgen.CountFieldsRow) bool { return c.ProfileID == profile })
		if at >= 0 && counts[at].Fields+n > vault.MaxFields {
			left[profile] = max(0, vault.MaxFields-counts[at].Fields)
		}
	}
	if len(left) == 0 {
		return writes, nil
	}
	kept := make([]checkedWrite, 0, len(writes))
	for _, w := range writes {
		profile := profiles[w.CustomerID]
		if n, limited := left[profile]; limited {
			known, err := q.ListVersions(ctx, dbgen.ListVersionsParams{
				TenantID: tenant, Profiles: []uuid.UUID{profile}, Names: []string{w.Name},
			})
			if err != nil {
				return nil, err
			}
			if len(known) == 0 && n == 0 {
				if err := refused.add(w.index, tooManyFieldsError()); err != nil {
					return nil, err
				}
				continue
			}
			if len(known) == 0 {
				left[profile] = n - 1
			}
		}
		kept = append(kept, w)
	}
	return kept, nil
}

// checkImportSource is checkSource for a source that may be among own, the items of this import.
func checkImportSource(
	ctx context.Context, q *dbgen.Queries, tenant, item uuid.UUID, in vault.Lineage, own map[uuid.UUID]vault.Lineage,
) (bool, error) {
	at, found := in, false
	for range len(own) + 1 {
		if at.SourceItemID == nil {
			return true, nil
		}
		next, ok := own[*at.SourceItemID]
		if found && *at.SourceItemID == item {
			return false, cycleError(item)
		}
		if !ok || *at.SourceItemID == item {
			exists, err := checkSource(ctx, q, tenant, item, at)
			return found || exists, err
		}
		at, found = next, true
	}
	return true, nil // a cycle of other writes, which are rejected
}

// lockCustomers creates and locks the profiles of an import in the order of ids. It returns the profile of each
// customer; a deleted customer has none.
func lockCustomers(
	ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, writes []checkedWrite,
) (map[uuid.UUID]uuid.UUID, error) {
	seen := map[uuid.UUID]bool{}
	var customers, ids []uuid.UUID
	for _, w := range writes {
		if !seen[w.CustomerID] {
			seen[w.CustomerID] = true
			customers, ids = append(customers, w.CustomerID), append(ids, once.NewID())
		}
	}
	if err := q.EnsureProfiles(ctx, dbgen.EnsureProfilesParams{
		TenantID: tenant, Ids: ids, Customers: customers,
	}); err != nil {
		return nil, err
	}
	for {
		locked, err := q.LockProfiles(ctx, tenant, customers)
		if err != nil {
			return nil, err
		}
		deletedProfile := map[uuid.UUID]bool{} // by locked profile
		for _, p := range locked {
			deletedProfile[p.ID] = p.DeletedAt != nil
		}
		resolved, err := q.ResolveCustomers(ctx, tenant, customers)
		if err != nil {
			return nil, err
		}
		profiles, moved := make(map[uuid.UUID]uuid.UUID, len(resolved)), false
		for _, r := range resolved {
			deleted, ok := deletedProfile[r.ProfileID]
			if moved = moved || !ok; !deleted {
				profiles[r.CustomerID] = r.ProfileID
			}
		}
		if !moved { // otherwise a merge or unmerge moved a customer meanwhile
			return profiles, nil
		}
	}
}

// placed are the rows of an import and what they change.
type placed struct {
	rows       []dbgen.InsertValueParams
	superseded map[uuid.UUID]uuid.UUID
	places     map[uuid.UUID]rules.Placement // of the versions that overtake others, which is rare
}

// place orders each write in the history of its field. A history has at most one write of the import.
func (s Imports) place(
	ctx context.Context, q *dbgen.Queries, op dbgen.Operation, writes []checkedWrite, profiles map[uuid.UUID]uuid.UUID,
) (placed, error) {
	out := placed{superseded: map[uuid.UUID]uuid.UUID{}, places: map[uuid.UUID]rules.Placement{}}
	keys := make([]fieldKey, len(writes))
	for i, w := range writes {
		keys[i] = fieldKey{profiles[w.CustomerID], w.Name}
	}
	histories, err := loadHistories(ctx, q, s.Values.Once.Sealer, op.TenantID, keys...)
	if err != nil {
		return out, err
	}
	now := s.Values.Now()
	for i, w := range writes {
		version := newVersion(w.id, op, w.WriteValueInput, w.def, w.checked)
		place := rules.Place(histories[keys[i]], version, rules.AuthorityOf(w.def), w.sourceFound, now)
		if place.Supersedes != nil {
			out.superseded[*place.Supersedes] = w.id
		}
		for _, id := range place.Replaces {
			out.superseded[id] = w.id
		}
		if len(place.Overtakes) > 0 {
			out.places[w.id] = rules.Placement{Overtakes: place.Overtakes}
		}
		row, err := s.Values.row(version, keys[i].profile, op, w.WriteValueInput, w.def, w.checked, place)
		if err != nil {
			return out, err
		}
		out.rows = append(out.rows, row)
	}
	return out, nil
}

// insertVersions stores the placed rows in two statements.
func insertVersions(
	ctx context.Context, q *dbgen.Queries, op dbgen.Operation, rows []dbgen.InsertValueParams,
	superseded map[uuid.UUID]uuid.UUID,
) error {
	if len(superseded) > 0 {
		var ids, by []uuid.UUID
		for old, id := range superseded {
			ids, by = append(ids, old), append(by, id)
		}
		if err := q.SupersedeValues(ctx, dbgen.SupersedeValuesParams{
			TenantID: op.TenantID, Ids: ids, ByIds: by,
		}); err != nil {
			return err
		}
	}
	encoded, err := json.Marshal(rows)
	if err != nil {
		return fmt.Errorf("encode an import of %d writes", len(rows)) // the cause may quote a value
	}
	_, err = q.InsertValues(ctx, dbgen.InsertValuesParams{
		TenantID: op.TenantID, OperationID: op.ID, AcceptedAt: op.AcceptedAt, Rows: encoded,
	})
	if db.IsDuplicate(err) {
		return vault.Conflict(
			"item_id", "item_id: one of the ids is already taken by another item; leave the ids out, or choose new UUIDs",
		)
	}
	return err
}
