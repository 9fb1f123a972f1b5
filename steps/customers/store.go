package customers

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// checkedWrite is a write with its definition and, once it is found valid, the checked value.
type checkedWrite struct {
	vault.WriteValueInput
	index       int // in the import or batch
	op          dbgen.Operation
	id          uuid.UUID
	sourceFound bool
	def         *vault.Definition
	checked     rules.Checked
	sealed      bool
}

// newWrite returns a write of an operation that is not checked yet, with the id of its item.
func newWrite(op dbgen.Operation, in vault.WriteValueInput) checkedWrite {
	w := checkedWrite{WriteValueInput: in, op: op, id: once.NewID()}
	if in.ItemID != nil {
		w.id = *in.ItemID
	}
	return w
}

// findDefinitions sets the definition of each write whose agent defines the field, and whether the field is sealed. The
// definitions are those of FindDefinition.
func findDefinitions(ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, writes []checkedWrite) error {
	in := dbgen.ListDefinitionsOfParams{TenantID: tenant}
	for _, w := range writes {
		in.Agents, in.Names = append(in.Agents, w.AgentID), append(in.Names, w.Name)
	}
	rows, err := q.ListDefinitionsOf(ctx, in)
	if err != nil {
		return err
	}
	type field struct {
		agent uuid.UUID
		name  string
	}
	defs := make(map[field]*vault.Definition, len(rows))
	for _, row := range rows {
		def, err := db.StrictDefinitionOf(row.Definition, row.Sealed, row.Pii)
		if err != nil {
			return err
		}
		defs[field{def.AgentID, def.Name}] = &def
	}
	var undefined []string
	for i, w := range writes {
		def := defs[field{w.AgentID, w.Name}]
		if writes[i].def = def; def != nil {
			writes[i].sealed = def.EncryptionRequired
		} else {
			undefined = append(undefined, w.Name)
		}
	}
	if len(undefined) == 0 {
		return nil
	}
	sealed, err := q.ListSealedNames(ctx, tenant, undefined)
	for i, w := range writes {
		writes[i].sealed = w.sealed || w.def == nil && slices.Contains(sealed, w.Name)
	}
	return err
}

// rejections collects the errors of an import's writes, by index.
type rejections struct {
	skip     bool // store the valid writes
	problems []*vault.Error
	indexes  []int
	erased   []uuid.UUID // customers of the writes that were rejected because the customer was erased
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
	// An erased customer decides the code, so that the payload is erased as well.
	first := slices.IndexFunc(r.problems, func(e *vault.Error) bool { return e.Code == vault.CodeErased })
	if first > 0 {
		r.problems[0], r.problems[first] = r.problems[first], r.problems[0]
		r.indexes[0], r.indexes[first] = r.indexes[first], r.indexes[0]
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

// stored are the writes that were stored, with their rows and what they changed.
type stored struct {
	writes     []checkedWrite
	rows       []dbgen.InsertValueParams
	statuses   []vault.ItemStatus // of the rows before later writes
	superseded map[uuid.UUID]uuid.UUID
	places     map[uuid.UUID]rules.Placement // of the versions that overtake others, which is rare
	created    map[uuid.UUID]bool            // the profiles that this transaction created
}

// storeAll stores many writes of a tenant in a few statements, as if they were operations one after the other. The rows
// have the states after the last write. Writes that cannot be stored are added to refused; unless refused skips them,
// nothing is stored then.
func (s Values) storeAll(
	ctx context.Context, t *once.Touched, q *dbgen.Queries, tenant uuid.UUID, writes []checkedWrite, refused *rejections,
) (stored, error) {
	if len(writes) == 0 {
		return stored{}, nil
	}
	profiles, err := s.lockCustomers(ctx, q, tenant, writes)
	if err != nil {
		return stored{}, err
	}
	if writes, err = dropErased(writes, profiles.erased, refused); err != nil {
		return stored{}, err
	}
	if writes, err = dropRefused(ctx, q, tenant, writes, profiles.of, refused, s.Now()); err != nil {
		return stored{}, err
	}
	if writes, err = dropConflicts(ctx, q, tenant, writes, refused); err != nil {
		return stored{}, err
	}
	if writes, err = findSources(ctx, q, tenant, writes, profiles.of, refused); err != nil {
		return stored{}, err
	}
	if writes, err = limitFields(ctx, q, tenant, writes, profiles, refused); err != nil {
		return stored{}, err
	}
	out, err := s.placeAll(ctx, q, tenant, writes, profiles, refused)
	out.created = profiles.created
	if err != nil || refused.err() != nil || len(out.rows) == 0 {
		return out, err
	}
	for id, place := range out.places {
		if err := makeRoom(ctx, q, tenant, id, place, s.Now()); err != nil {
			return out, err
		}
	}
	if err := insertVersions(ctx, q, tenant, out.rows, out.superseded); err != nil {
		return out, err
	}
	changed, profileIDs := out.changed()
	return out, RefreshStale(ctx, t, q, tenant, changed, profileIDs...)
}

// changed returns the items whose state may make others stale, or that may be stale themselves, and the profiles of the
// stored rows.
func (s stored) changed() (items, profiles []uuid.UUID) {
	items = slices.Collect(maps.Keys(s.superseded))
	for _, place := range s.places {
		items = append(items, changedBy(place)...)
	}
	for _, row := range s.rows {
		profiles = append(profiles, row.ProfileID)
		if row.SourceItemID != nil {
			items = append(items, row.ID)
		}
	}
	return items, profiles
}

// dropConflicts removes writes whose id is already taken.
func dropConflicts(
	ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, writes []checkedWrite, refused *rejections,
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
	for _, w := range writes {
		if slices.Contains(taken, w.id) {
			if err := refused.add(w.index, idTakenError(w.id)); err != nil {
				return nil, err
			}
			continue
		}
		kept = append(kept, w)
	}
	return kept, nil
}

// findSources finds the source of each write, which may be another write of the same operation. It removes writes of
// deleted customers and writes that would make a cycle.
func findSources(
	ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, writes []checkedWrite, profiles map[uuid.UUID]uuid.UUID,
	refused *rejections,
) ([]checkedWrite, error) {
	own := map[uuid.UUID]map[uuid.UUID]vault.Lineage{} // by operation
	for _, w := range writes {
		if own[w.op.ID] == nil {
			own[w.op.ID] = map[uuid.UUID]vault.Lineage{}
		}
		own[w.op.ID][w.id] = w.Lineage
	}
	kept := make([]checkedWrite, 0, len(writes))
	var removed []checkedWrite
	for _, w := range writes {
		err := error(vault.Unknown("customer", w.CustomerID))
		if _, ok := profiles[w.CustomerID]; ok {
			w.sourceFound, err = checkImportSource(ctx, q, tenant, w.id, w.Lineage, own[w.op.ID])
		}
		if err == nil {
			kept = append(kept, w)
			continue
		}
		if err := refused.add(w.index, err); err != nil {
			return nil, err
		}
		removed = append(removed, w)
	}
	for _, w := range removed {
		delete(own[w.op.ID], w.id)
	}
	for i, w := range kept { // a source may have been removed
		var err error
		if len(removed) == 0 {
			break
		}
		if kept[i].sourceFound, err = checkImportSource(ctx, q, tenant, w.id, w.Lineage, own[w.op.ID]); err != nil {
			return nil, err
		}
	}
	return kept, nil
}

// limitFields removes writes of new fields to customers with vault.MaxFields.
func limitFields(
	ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, writes []checkedWrite, profiles lockedProfiles,
	refused *rejections,
) ([]checkedWrite, error) {
	written := map[uuid.UUID]int64{} // of profiles that may have fields
	seen := map[fieldKey]bool{}
	for _, w := range writes {
		if key := (fieldKey{profiles.of[w.CustomerID], w.Name}); !seen[key] && !profiles.created[key.profile] {
			seen[key] = true
			written[key.profile]++
		}
	}
	if len(written) == 0 {
		return writes, nil
	}
	counts, err := q.CountFields(ctx, slices.Collect(maps.Keys(written)), tenant)
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
	added := map[fieldKey]bool{} // new fields within the limit
	for _, w := range writes {
		profile := profiles.of[w.CustomerID]
		if n, limited := left[profile]; limited && !added[fieldKey{profile, w.Name}] {
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
				left[profile], added[fieldKey{profile, w.Name}] = n-1, true
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

// lockedProfiles are the profiles of the customers of some writes.
type lockedProfiles struct {
	of map[uuid.UUID]uuid.UUID // by customer; a deleted customer has none
	// created has the profiles that this transaction created. No other transaction sees them, so they need no lock, and
	// nothing is stored for them yet.
	created map[uuid.UUID]bool
	erased  map[uuid.UUID]db.Erased // customers who were erased
	owner   map[uuid.UUID]uuid.UUID // the customer whose own profile it is, by profile
}

// lockCustomers creates and locks the profiles of an import in the order of ids. It creates none for a customer who was
// erased.
func (s Values) lockCustomers(
	ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, writes []checkedWrite,
) (lockedProfiles, error) {
	out := lockedProfiles{
		of: map[uuid.UUID]uuid.UUID{}, created: map[uuid.UUID]bool{}, owner: map[uuid.UUID]uuid.UUID{},
	}
	seen := map[uuid.UUID]bool{}
	var customers, ids []uuid.UUID
	for _, w := range writes {
		if !seen[w.CustomerID] {
			seen[w.CustomerID] = true
			customers, ids = append(customers, w.CustomerID), append(ids, once.NewID())
		}
	}
	created, err := q.EnsureProfiles(ctx, dbgen.EnsureProfilesParams{TenantID: tenant, Ids: ids, Customers: customers})
	if err != nil {
		return out, err
	}
	for _, p := range created {
		out.of[p.CustomerID], out.created[p.ID], out.owner[p.ID] = p.ID, true, p.CustomerID
	}
	if len(created) > 0 { // the check comes after the insert (db.FindErased)
		if err := s.withoutErased(ctx, q, tenant, &out, slices.Collect(maps.Keys(out.of))); err != nil {
			return out, err
		}
	}
	customers = slices.DeleteFunc(customers, func(customer uuid.UUID) bool {
		_, ok := out.of[customer]
		_, erased := out.erased[customer]
		return ok || erased
	})
	for len(customers) > 0 {
		locked, err := q.LockProfiles(ctx, tenant, customers)
		if err != nil {
			return out, err
		}
		deletedProfile := map[uuid.UUID]bool{} // by locked profile
		for _, p := range locked {
			deletedProfile[p.ID], out.owner[p.ID] = p.DeletedAt != nil, p.CustomerID
		}
		resolved, err := q.ResolveCustomers(ctx, tenant, customers)
		if err != nil {
			return out, err
		}
		profiles, moved := make(map[uuid.UUID]uuid.UUID, len(resolved)), false
		for _, r := range resolved {
			deleted, ok := deletedProfile[r.ProfileID]
			if moved = moved || !ok; !deleted {
				profiles[r.CustomerID] = r.ProfileID
			}
		}
		if !moved { // otherwise a merge or unmerge moved a customer meanwhile
			maps.Copy(out.of, profiles)
			break
		}
	}
	return out, nil
}

// withoutErased removes the new profiles of customers who were erased.
func (s Values) withoutErased(
	ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, locked *lockedProfiles, customers []uuid.UUID,
) error {
	subjects := make([]string, len(customers))
	for i, c := range customers {
		subjects[i] = db.CustomerSubject(c)
	}
	found, err := db.FindErased(ctx, q, s.Once.Sealer, tenant, subjects...)
	if err != nil || len(found) == 0 {
		return err
	}
	locked.erased = map[uuid.UUID]db.Erased{}
	var profiles []uuid.UUID
	for i, c := range customers {
		if e, ok := found[subjects[i]]; ok {
			locked.erased[c] = e
			profiles = append(profiles, locked.of[c])
			delete(locked.created, locked.of[c])
			delete(locked.of, c)
		}
	}
	return q.DeleteNewProfiles(ctx, tenant, profiles)
}

// dropErased removes the writes of customers who were erased.
func dropErased(
	writes []checkedWrite, erased map[uuid.UUID]db.Erased, refused *rejections,
) ([]checkedWrite, error) {
	if len(erased) == 0 {
		return writes, nil
	}
	kept := make([]checkedWrite, 0, len(writes))
	for _, w := range writes {
		e, ok := erased[w.CustomerID]
		if !ok {
			kept = append(kept, w)
			continue
		}
		refused.erased = append(refused.erased, w.CustomerID)
		if err := refused.add(w.index, e.Error("customer_id")); err != nil {
			return nil, err
		}
	}
	return kept, nil
}

// placeAll orders each write in the history of its field. It refuses writes that would change a value that is written
// once. Each write of an operation to a field counts as accepted a microsecond after the one before it, the precision
// of PostgreSQL.
func (s Values) placeAll(
	ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, writes []checkedWrite, profiles lockedProfiles,
	refused *rejections,
) (stored, error) {
	out := stored{superseded: map[uuid.UUID]uuid.UUID{}, places: map[uuid.UUID]rules.Placement{}}
	keys := make([]fieldKey, len(writes))
	since := make(map[fieldKey]time.Time, len(writes))
	for i, w := range writes {
		keys[i] = fieldKey{profiles.of[w.CustomerID], w.Name}
		if profiles.created[keys[i].profile] { // it has no versions
			continue
		}
		at := effectiveTime(w.op, w.WriteValueInput)
		if earliest, ok := since[keys[i]]; !ok || at.Before(earliest) {
			since[keys[i]] = at
		}
	}
	histories, err := loadRecent(ctx, q, s.Once.Sealer, tenant, since)
	if err != nil {
		return out, err
	}
	type placedWrite struct {
		operation dbgen.Operation
		version   rules.Version
		place     rules.Placement
	}
	now := s.Now()
	var placed []placedWrite
	at := make(map[uuid.UUID]int, len(writes)) // index in placed of the version with an id
	type field struct {
		operation uuid.UUID
		key       fieldKey
	}
	last := map[field]time.Time{} // acceptance of the last write
	for i, w := range writes {
		own, of := w.op, field{w.op.ID, keys[i]}
		if at, ok := last[of]; ok {
			own.AcceptedAt = at.Add(time.Microsecond)
		}
		last[of] = own.AcceptedAt
		version := newVersion(w.id, own, w.WriteValueInput, w.def, w.checked)
		if err := rules.CheckWriteOnce(w.def, histories[keys[i]], version, now); err != nil {
			if err := refused.add(w.index, err); err != nil {
				return out, err
			}
			continue
		}
		place := rules.Place(histories[keys[i]], version, rules.AuthorityOf(w.def), w.sourceFound, now)
		histories[keys[i]] = rules.Apply(histories[keys[i]], version, place)
		superseded := place.Replaces
		if place.Supersedes != nil {
			superseded = append(slices.Clone(superseded), *place.Supersedes)
		}
		for _, id := range superseded {
			if j, ok := at[id]; ok {
				placed[j].place.Status, placed[j].place.SupersededBy = vault.StatusSuperseded, &w.id
			} else {
				out.superseded[id] = w.id
			}
		}
		if len(place.Overtakes) > 0 {
			out.places[w.id] = rules.Placement{Overtakes: place.Overtakes}
		}
		at[w.id] = len(placed)
		placed = append(placed, placedWrite{own, version, place})
		out.writes, out.statuses = append(out.writes, w), append(out.statuses, place.Status)
	}
	var secret []uuid.UUID // the customers whose keys are needed
	for _, w := range out.writes {
		if w.sealed {
			secret = append(secret, profiles.owner[profiles.of[w.CustomerID]])
		}
	}
	if err := s.Once.Sealer.Prepare(ctx, tenant, secret, true); err != nil {
		return out, err
	}
	for i, w := range out.writes {
		p, profile := placed[i], profiles.of[w.CustomerID]
		out.rows = append(out.rows, s.row(p.version, profile, p.operation, w.WriteValueInput, w.def, w.checked, p.place))
	}
	return out, s.seal(ctx, q, tenant, profiles, out)
}

// seal seals the rows of sealed fields. The keys of their customers are in memory.
func (s Values) seal(
	ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, profiles lockedProfiles, placed stored,
) error {
	var sealed []*dbgen.InsertValueParams
	for i, w := range placed.writes {
		if w.sealed {
			sealed = append(sealed, &placed.rows[i])
		}
	}
	if len(sealed) == 0 {
		return nil
	}
	if err := s.indexBlind(ctx, q, tenant, sealed...); err != nil {
		return err
	}
	for _, row := range sealed {
		owner := db.Owner{TenantID: tenant, CustomerID: profiles.owner[row.ProfileID]}
		if err := s.Once.Sealer.SealVersion(ctx, owner, row); err != nil {
			return err
		}
	}
	return nil
}

// insertVersions stores the placed rows in two statements.
func insertVersions(
	ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, rows []dbgen.InsertValueParams,
	superseded map[uuid.UUID]uuid.UUID,
) error {
	if len(superseded) > 0 {
		var ids, by []uuid.UUID
		for old, id := range superseded {
			ids, by = append(ids, old), append(by, id)
		}
		if err := q.SupersedeValues(ctx, dbgen.SupersedeValuesParams{
			TenantID: tenant, Ids: ids, ByIds: by,
		}); err != nil {
			return err
		}
	}
	encoded, err := json.Marshal(rows)
	if err != nil {
		return fmt.Errorf("encode %d versions", len(rows)) // the cause may quote a value
	}
	_, err = q.InsertValues(ctx, tenant, encoded)
	if db.IsDuplicate(err) {
		return vault.Conflict(
			"item_id", "item_id: one of the ids is already taken by another item; leave the ids out, or choose new UUIDs",
		)
	}
	return err
}
