package customers

import (
	"cmp"
	"context"
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
		q *dbgen.Queries, op dbgen.Operation, in vault.ImportValuesInput,
	) error {
		if err := rules.Check(in); err != nil {
			return err
		}
		refused := rejections{skip: in.SkipInvalid}
		writes, err := s.checkAll(ctx, q, op, in, &refused)
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
		writes, err := s.checkAll(ctx, q, op, in, &refused)
		if err != nil {
			return out, err
		}
		stored, err := s.Values.storeAll(ctx, t, q, ev.TenantID, writes, &refused)
		if out.Rejected, err = refused.rejected(), cmp.Or(err, refused.err()); err != nil {
			return out, err
		}
		if err := s.forget(ctx, q, op, in, refused.erased); err != nil || len(stored.writes) == 0 {
			return out, err
		}
		touched, created := map[uuid.UUID]bool{}, map[uuid.UUID]bool{}
		for i, row := range stored.rows {
			if stored.created[row.ProfileID] {
				created[row.ProfileID] = true
			} else {
				touched[row.ProfileID] = true
			}
			switch stored.statuses[i] {
			case vault.StatusSuperseded:
				out.Superseded++
			case vault.StatusPending:
				out.Pending++
			default: // active, or not in force from the beginning
			}
			if warnings := stored.writes[i].checked.Warnings; len(warnings) > 0 {
				out.Warnings++
				out.Warned = append(out.Warned, vault.Warned{
					Index: stored.writes[i].index, Message: strings.Join(warnings, "; "),
				})
			}
		}
		out.Written, out.Customers = len(stored.rows), len(touched)+len(created)
		changed := slices.Concat(slices.Collect(maps.Keys(touched)), slices.Collect(maps.Keys(created)))
		if err := q.AuditProfiles(ctx, dbgen.AuditProfilesParams{
			Actor: op.Actor, Operation: op.Workflow, OperationID: &op.ID, Profiles: changed,
		}); err != nil {
			return out, err
		}
		if len(created) > 0 {
			if err := t.Created(ctx, q, ev.TenantID, slices.Collect(maps.Keys(created))); err != nil {
				return out, err
			}
		}
		if len(touched) == 0 {
			return out, nil
		}
		return out, t.Profiles(ctx, q, slices.Collect(maps.Keys(touched)))
	})
}

// forget removes the writes of customers who were erased from the stored payload.
func (s Imports) forget(
	ctx context.Context, q *dbgen.Queries, op dbgen.Operation, in vault.ImportValuesInput, erased []uuid.UUID,
) error {
	if len(erased) == 0 {
		return nil
	}
	in.Writes = slices.DeleteFunc(slices.Clone(in.Writes), func(w vault.WriteValueInput) bool {
		return slices.Contains(erased, w.CustomerID)
	})
	sealed, err := s.Values.Once.Sealer.Seal(ctx, db.OwnerOf(op.TenantID, op.Payload), op.ID, in)
	if err != nil {
		return err
	}
	return q.ReplacePayload(ctx, dbgen.ReplacePayloadParams{TenantID: op.TenantID, ID: op.ID, Payload: sealed})
}

// checkAll validates every value and returns the valid writes.
func (s Imports) checkAll(
	ctx context.Context, q *dbgen.Queries, op dbgen.Operation, in vault.ImportValuesInput, refused *rejections,
) ([]checkedWrite, error) {
	all := make([]checkedWrite, len(in.Writes))
	for i, w := range in.Writes {
		all[i] = newWrite(op, w)
		all[i].index = i
	}
	if err := findDefinitions(ctx, q, op.TenantID, all); err != nil {
		return nil, err
	}
	var writes []checkedWrite
	steps := 0
	for i, c := range all {
		w := c.WriteValueInput
		mode := rules.EffectiveMode(c.def, s.Values.Mode)
		if steps += rules.CheckSteps(c.def, w.Value, mode); steps > vault.MaxImportRegexSteps {
			return nil, vault.Invalid("writes", "the validation_regex and json_schema of the definitions of these values take "+
				"too long in one import; split it, or use a smaller one for %s", w.Name)
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
