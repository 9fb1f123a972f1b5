package customers

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// ValidateValues validates the writes of a batch. It reads the operations and their definitions at once, and leaves to
// ValidateValue those that are not plainly valid.
func (s Values) ValidateValues(ctx context.Context, b vault.Batch) (once.BatchResult, error) {
	if _, ok := b.Only(); ok {
		return once.PrepareEach(ctx, s.Once, b, once.First, s.ValidateValue)
	}
	due, err := s.Once.Due(ctx, b, once.First)
	if err != nil {
		return once.BatchResult{}, err
	}
	writes := make([]checkedWrite, 0, len(due))
	left := map[uuid.UUID]bool{}
	for id, op := range due {
		in, err := once.OpenPayload[vault.WriteValueInput](s.Once, op)
		if err != nil || op.Status == string(vault.OperationFailed) || rules.Check(in) != nil {
			left[id] = true
			continue
		}
		writes = append(writes, checkedWrite{WriteValueInput: in, op: op})
	}
	valid, err := s.checkBatch(ctx, s.Once.DB.Tenant(b.TenantID), b.TenantID, writes)
	if err != nil {
		return once.BatchResult{}, err
	}
	warned := 0
	for _, w := range writes {
		left[w.op.ID] = true
	}
	for _, w := range valid {
		delete(left, w.op.ID)
		warned += min(1, len(w.checked.Warnings))
	}
	s.Observer.ValuesInvalid(vault.WriteValue.Name, 0, warned)
	events := slices.DeleteFunc(b.Events(), func(ev vault.Event) bool { return !left[ev.OperationID] })
	out := once.BatchResult{Operations: len(b.Operations)}
	out.Rejected, err = once.PrepareAlone(ctx, s.Once, due, events, s.ValidateValue)
	return out, err
}

// PersistValues stores the writes of a batch in one transaction, as if they were stored one after the other in the
// order of their acceptance. It leaves to PersistValue, in transactions of their own, those that cannot be stored that
// way. Their order is that of their effective time and acceptance, also if they are stored later.
func (s Values) PersistValues(ctx context.Context, b vault.Batch) (once.AppliedBatch, error) {
	if _, ok := b.Only(); ok {
		return once.ApplyTogether(ctx, s.Once, b, once.Later, s.PersistValue)
	}
	out := once.AppliedBatch{Operations: len(b.Operations)}
	if err := b.Check(); err != nil {
		return out, err
	}
	var left []vault.Event
	err := s.Once.InTx(ctx, b.TenantID, func(q *dbgen.Queries) (err error) {
		left, err = s.persistTogether(ctx, q, b)
		return err
	})
	switch {
	case err == nil:
	case db.IsUnavailable(err), ctx.Err() != nil:
		return out, err
	default: // an error of one of them, or a deadlock
		due, err := s.Once.Due(ctx, b, once.Later)
		if err != nil {
			return out, err
		}
		left = due.Events(b)
		slices.SortFunc(left, func(x, y vault.Event) int { return compareAcceptance(due[x.OperationID], due[y.OperationID]) })
	}
	out.Rejected, err = once.ApplyAlone(ctx, left, s.PersistValue)
	return out, err
}

type customerField struct {
	customer uuid.UUID
	name     string
}

// compareAcceptance orders operations by their acceptance.
func compareAcceptance(a, b dbgen.Operation) int {
	return cmp.Or(a.AcceptedAt.Compare(b.AcceptedAt), slices.Compare(a.ID[:], b.ID[:]))
}

// persistTogether stores the writes of a batch, and returns the events of those that it left out, in the order of their
// acceptance.
func (s Values) persistTogether(ctx context.Context, q *dbgen.Queries, b vault.Batch) ([]vault.Event, error) {
	rows, err := q.LockOperations(ctx, b.TenantID, b.IDs())
	if err != nil {
		return nil, err
	}
	slices.SortFunc(rows, compareAcceptance)
	var writes []checkedWrite
	var left []uuid.UUID           // operations that are not stored yet
	chosen := map[uuid.UUID]bool{} // items of earlier writes
	waits := map[customerField]bool{}
	for _, op := range rows {
		if once.IsApplied(op) || op.Status == string(vault.OperationFailed) {
			continue
		}
		left = append(left, op.ID)
		in, err := once.OpenPayload[vault.WriteValueInput](s.Once, op)
		if err != nil {
			continue
		}
		field := customerField{in.CustomerID, in.Name}
		if waits[field] || (in.ItemID != nil && chosen[*in.ItemID]) || (in.SourceItemID != nil && chosen[*in.SourceItemID]) {
			waits[field] = true // it needs an earlier write of the batch, and later ones of the field come after it
			continue
		}
		w := checkedWrite{WriteValueInput: in, op: op, id: once.NewID()}
		if in.ItemID != nil {
			w.id = *in.ItemID
			chosen[w.id] = true
		}
		writes = append(writes, w)
	}
	if writes, err = s.checkBatch(ctx, q, b.TenantID, writes); err != nil {
		return nil, err
	}
	for i := range writes {
		writes[i].index = i
	}
	refused := rejections{skip: true}
	stored, err := s.storeAll(ctx, q, b.TenantID, writes, &refused)
	if err != nil {
		return nil, err
	}
	if err := s.markStored(ctx, q, b, stored); err != nil {
		return nil, err
	}
	done := make(map[uuid.UUID]bool, len(stored.writes))
	for _, w := range stored.writes {
		done[w.op.ID] = true
	}
	events := make(map[uuid.UUID]vault.Event, len(b.Operations))
	for _, ev := range b.Events() {
		events[ev.OperationID] = ev
	}
	var rest []vault.Event
	for _, id := range left {
		if !done[id] {
			rest = append(rest, events[id])
		}
	}
	return rest, nil
}

// checkBatch finds the definitions of writes and returns the valid writes.
func (s Values) checkBatch(
	ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, writes []checkedWrite,
) ([]checkedWrite, error) {
	if len(writes) == 0 {
		return nil, nil
	}
	in := dbgen.ListDefinitionsOfParams{TenantID: tenant}
	for _, w := range writes {
		in.Agents, in.Names = append(in.Agents, w.AgentID), append(in.Names, w.Name)
	}
	rows, err := q.ListDefinitionsOf(ctx, in)
	if err != nil {
		return nil, err
	}
	type field struct {
		agent uuid.UUID
		name  string
	}
	defs := make(map[field]*vault.Definition, len(rows))
	for _, row := range rows {
		def, err := db.DefinitionOf(row)
		if err != nil {
			return nil, err
		}
		defs[field{def.AgentID, def.Name}] = &def
	}
	agents := map[uuid.UUID]error{} // of undefined fields
	valid := make([]checkedWrite, 0, len(writes))
	steps := 0
	for _, w := range writes {
		w.def = defs[field{w.AgentID, w.Name}]
		mode := rules.EffectiveMode(w.def, s.Mode)
		if w.def == nil && mode != vault.ModeDisabled {
			err, known := agents[w.AgentID]
			if !known {
				err = checkAgentExists(ctx, q, tenant, w.AgentID)
				agents[w.AgentID] = err
			}
			if vault.Permanent(err) {
				continue
			}
			if err != nil {
				return nil, err
			}
		}
		if steps += rules.CheckSteps(w.def, w.Value, mode); steps > vault.MaxImportRegexSteps {
			return valid, nil // the others take a transaction each
		}
		if w.checked, err = rules.CheckValue(w.def, w.Name, w.Value, mode); err == nil {
			valid = append(valid, w)
		}
	}
	return valid, nil
}

// markStored raises the versions of the profiles of stored writes, and marks their operations as applied.
func (s Values) markStored(ctx context.Context, q *dbgen.Queries, b vault.Batch, stored stored) error {
	if len(stored.rows) == 0 {
		return nil
	}
	touched := map[uuid.UUID]bool{}
	var profiles []uuid.UUID
	for _, row := range stored.rows {
		if !touched[row.ProfileID] {
			touched[row.ProfileID] = true
			profiles = append(profiles, row.ProfileID)
		}
	}
	raised, err := q.RaiseProfiles(ctx, b.TenantID, profiles)
	if err != nil {
		return err
	}
	versions := make(map[uuid.UUID]int64, len(raised))
	for _, r := range raised {
		versions[r.ID] = r.Version
	}
	pushes := make(map[uuid.UUID]int32, len(b.Operations))
	for _, o := range b.Operations {
		pushes[o.ID] = o.Push
	}
	applied := dbgen.MarkOperationsAppliedParams{TenantID: b.TenantID, BatchID: &b.ID}
	for i, w := range stored.writes {
		profile := stored.rows[i].ProfileID
		result, err := json.Marshal(vault.ItemResult{
			ItemID: w.id, Status: stored.statuses[i], ProfileVersion: versions[profile], Warnings: w.checked.Warnings,
		})
		if err != nil {
			return fmt.Errorf("encode the result of operation %s: %w", w.op.ID, err)
		}
		applied.Ids, applied.Results = append(applied.Ids, w.op.ID), append(applied.Results, string(result))
		applied.Profiles, applied.Pushes = append(applied.Profiles, profile), append(applied.Pushes, pushes[w.op.ID])
	}
	return q.MarkOperationsApplied(ctx, applied)
}
