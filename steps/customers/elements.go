package customers

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// ValidateElement validates an element of a list before anything is locked.
func (s Values) ValidateElement(ctx context.Context, ev vault.Event) (once.Validated, error) {
	var out once.Validated
	err := once.Prepare(ctx, s.Once, ev, func(q *dbgen.Queries, op dbgen.Operation, in vault.WriteValueInput) error {
		if err := rules.Check(in); err != nil {
			return err
		}
		_, checked, err := s.checkElement(ctx, q, ev, in)
		once.ObserveValue(s.Observer, op.Workflow, checked, err)
		out.Warnings = checked.Warnings
		return err
	})
	return out, err
}

// PersistAddition stores the list of a field with one more element as a version of the field. An element that the list
// has already changes nothing.
func (s Values) PersistAddition(ctx context.Context, ev vault.Event) (once.Applied[vault.ItemResult], error) {
	return s.changeList(ctx, ev, rules.AddElement)
}

// PersistRemoval stores the list of a field without an element as a version of the field. An element that the list does
// not have changes nothing.
func (s Values) PersistRemoval(ctx context.Context, ev vault.Event) (once.Applied[vault.ItemResult], error) {
	return s.changeList(ctx, ev, rules.RemoveElement)
}

// checkElement finds the definition of a field and validates an element of its list.
func (s Values) checkElement(
	ctx context.Context, q *dbgen.Queries, ev vault.Event, in vault.WriteValueInput,
) (*vault.Definition, rules.Checked, error) {
	def, err := FindDefinition(ctx, q, ev.TenantID, in.AgentID, in.Name)
	if err != nil {
		return nil, rules.Checked{}, err
	}
	if def == nil {
		return nil, rules.Checked{}, vault.Unknown("field", in.Name)
	}
	checked, err := rules.CheckElement(def, in.Name, in.Value, rules.EffectiveMode(def, s.Mode))
	return def, checked, err
}

// changeList stores the active list with a change. Unlike a write, the change is applied to the list that is active
// when it is applied, and its version follows all others: changes that run in another order than they were accepted are
// not lost.
func (s Values) changeList(
	ctx context.Context, ev vault.Event,
	change func(t vault.ValueType, list, element json.RawMessage) (json.RawMessage, bool),
) (once.Applied[vault.ItemResult], error) {
	return once.Apply(ctx, s.Once, ev, func(
		t *once.Touched, q *dbgen.Queries, op dbgen.Operation, in vault.WriteValueInput,
	) (vault.ItemResult, error) {
		def, checked, err := s.checkElement(ctx, q, ev, in)
		if err != nil {
			return vault.ItemResult{}, err
		}
		profile, err := LockProfile(ctx, s.Once, q, ev.TenantID, in.CustomerID)
		if err != nil {
			return vault.ItemResult{}, err
		}
		key := fieldKey{profile.ID, in.Name}
		histories, err := loadHistories(ctx, q, s.Once.Sealer, ev.TenantID, key)
		if err != nil {
			return vault.ItemResult{}, err
		}
		list, active := json.RawMessage("[]"), activeVersion(histories[key], s.Now())
		if active != nil {
			list = active.Claim.Value
		}
		changed, isNew := change(def.ValueType, list, checked.Value)
		switch {
		case !isNew && active == nil:
			return vault.ItemResult{}, vault.Conflict(
				"name",
				"name: the customer has no active %s to remove an element from",
				in.Name,
			)
		case !isNew:
			return vault.ItemResult{
				ItemID: active.ID, Status: active.Status, ProfileVersion: profile.Version, Warnings: checked.Warnings,
			}, nil
		}
		in.Value = changed
		follow(&op, &in, histories[key])
		return s.Write(ctx, t, q, op, in)
	})
}

// activeVersion returns the active version of a history that has not expired, nil if there is none.
func activeVersion(history []rules.Version, now time.Time) *rules.Version {
	i := slices.IndexFunc(history, func(v rules.Version) bool {
		return v.Status == vault.StatusActive && !v.Deleted && (v.Claim.ExpiresAt == nil || v.Claim.ExpiresAt.After(now))
	})
	if i < 0 {
		return nil
	}
	return &history[i]
}

// follow moves the acceptance and the collection of a write after all versions of a history.
func follow(op *dbgen.Operation, in *vault.WriteValueInput, history []rules.Version) {
	for _, v := range history {
		if next := v.AcceptedAt.Add(time.Microsecond); op.AcceptedAt.Before(next) {
			op.AcceptedAt = next
		}
		if in.CollectedAt != nil && in.CollectedAt.Before(v.EffectiveAt) {
			at := v.EffectiveAt
			in.CollectedAt = &at
		}
	}
}
