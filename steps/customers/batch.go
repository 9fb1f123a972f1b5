package customers

import (
	"cmp"
	"context"
	"fmt"
	"maps"
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
	if err := s.Once.PrepareKeys(ctx, b.TenantID, slices.Collect(maps.Values(due))); err != nil {
		return once.BatchResult{}, err
	}
	writes := make([]checkedWrite, 0, len(due))
	left := map[uuid.UUID]bool{}
	for id, op := range due {
		in, err := once.OpenPayload[vault.WriteValueInput](ctx, s.Once, op)
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
	var left once.DueOperations
	err := s.Once.InTx(ctx, b.TenantID, func(q *dbgen.Queries) (err error) {
		left, err = s.persistTogether(ctx, q, b)
		return err
	})
	switch {
	case err == nil:
	case db.IsUnavailable(err), ctx.Err() != nil:
		return out, err
	default: // an error of one of them, or a deadlock
		if left, err = s.Once.Due(ctx, b, once.Later); err != nil {
			return out, err
		}
	}
	events := left.Events(b)
	slices.SortFunc(events, func(x, y vault.Event) int {
		return compareAcceptance(left[x.OperationID], left[y.OperationID])
	})
	out.Rejected, err = once.ApplyAlone(ctx, events, s.PersistValue)
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

// persistTogether stores the writes of a batch, and returns the operations of those that it left out.
func (s Values) persistTogether(
	ctx context.Context, q *dbgen.Queries, b vault.Batch,
) (once.DueOperations, error) {
	rows, err := q.LockOperations(ctx, b.TenantID, b.IDs())
	if err != nil {
		return nil, err
	}
	if err := s.Once.PrepareKeys(ctx, b.TenantID, rows); err != nil {
		return nil, err
	}
	slices.SortFunc(rows, compareAcceptance)
	var writes []checkedWrite
	left := once.DueOperations{}
	chosen := map[uuid.UUID]bool{} // items of earlier writes
	waits := map[customerField]bool{}
	for _, op := range rows {
		if once.IsApplied(op) || op.Status == string(vault.OperationFailed) {
			continue
		}
		left[op.ID] = op
		in, err := once.OpenPayload[vault.WriteValueInput](ctx, s.Once, op)
		if err != nil {
			continue
		}
		field := customerField{in.CustomerID, in.Name}
		if waits[field] || (in.ItemID != nil && chosen[*in.ItemID]) || (in.SourceItemID != nil && chosen[*in.SourceItemID]) {
			waits[field] = true // it needs an earlier write of the batch, and later ones of the field come after it
		} else {
			writes = append(writes, newWrite(op, in))
		}
		if in.ItemID != nil {
			chosen[*in.ItemID] = true
		}
	}
	if writes, err = s.checkBatch(ctx, q, b.TenantID, writes); err != nil {
		return nil, err
	}
	for i := range writes {
		writes[i].index = i
	}
	refused := rejections{skip: true}
	var touched once.Touched
	stored, err := s.storeAll(ctx, &touched, q, b.TenantID, writes, &refused)
	if err != nil {
		return nil, err
	}
	if err := s.markStored(ctx, q, b, stored, touched.Pending); err != nil {
		return nil, err
	}
	for _, w := range stored.writes {
		delete(left, w.op.ID)
	}
	return left, nil
}

// checkBatch finds the definitions of writes and returns the valid writes.
func (s Values) checkBatch(
	ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, writes []checkedWrite,
) ([]checkedWrite, error) {
	if len(writes) == 0 {
		return nil, nil
	}
	if err := findDefinitions(ctx, q, tenant, writes); err != nil {
		return nil, err
	}
	agents := map[uuid.UUID]error{} // of undefined fields
	valid := make([]checkedWrite, 0, len(writes))
	steps := 0
	for _, w := range writes {
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
		checked, err := rules.CheckValue(w.def, w.Name, w.Value, mode)
		if err == nil {
			w.checked = checked
			valid = append(valid, w)
		}
	}
	return valid, nil
}

// markStored raises the versions of the profiles of stored writes, and marks their operations as applied. pending
// reports whether the transaction added pending invalidations.
func (s Values) markStored(
	ctx context.Context, q *dbgen.Queries, b vault.Batch, stored stored, pending bool,
) error {
	if len(stored.rows) == 0 {
		return nil
	}
	profiles := make([]uuid.UUID, len(stored.rows))
	for i, row := range stored.rows {
		profiles[i] = row.ProfileID
	}
	raised, err := q.RaiseProfiles(ctx, b.TenantID, profiles)
	if err != nil {
		return err
	}
	versions := make(map[uuid.UUID]int64, len(raised))
	for _, r := range raised {
		versions[r.ID] = r.Version
	}
	pushes := b.Pushes()
	applied := dbgen.MarkOperationsAppliedParams{TenantID: b.TenantID, BatchID: &b.ID, TouchedPending: pending}
	for i, w := range stored.writes {
		profile := stored.rows[i].ProfileID
		result, err := vault.Encode(vault.ItemResult{
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
