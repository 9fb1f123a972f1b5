package query

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/internal/missing"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// MissingInput names the customer and the scenario.
type MissingInput struct {
	CustomerID uuid.UUID
	ScenarioID uuid.UUID
	SessionID  *uuid.UUID // conditions can read its variables; nil: no session
	Scope      rules.Scope
}

// MissingFields lists the fields that a scenario still needs of a customer, in the order of collection.
type MissingFields struct {
	Missing  []vault.Missing `json:"missing"`
	Blocked  bool            `json:"blocked"` // at least one of them blocks the scenario
	Warnings []string        `json:"warnings,omitempty"`
	// Withheld are fields that are needed, and that the customer has not consented to. They are not among Missing.
	Withheld []vault.Withheld `json:"withheld,omitempty" doc:"Fields that the scenario needs, and that the customer has not consented to: they must not be asked for."`
}

// Missing finds the fields that a scenario still needs of a customer. A customer without a value misses every field.
func (q *Queries) Missing(ctx context.Context, tenant uuid.UUID, in MissingInput) (MissingFields, error) {
	out, _, err := q.missing(ctx, tenant, in)
	return out, err
}

// missing is Missing, with the state that it was found in. The profile of the state is the whole one.
func (q *Queries) missing(
	ctx context.Context, tenant uuid.UUID, in MissingInput,
) (MissingFields, missing.State, error) {
	out := MissingFields{Missing: []vault.Missing{}}
	g, err := q.guard(ctx, tenant)
	if err != nil {
		return out, missing.State{}, err
	}
	if in.SessionID != nil {
		if err := q.checkIDs(ctx, tenant, *in.SessionID); err != nil {
			return out, missing.State{}, err
		}
	}
	state, err := missing.Load(ctx, cached{q}, q.db.Tenant(tenant), tenant, missing.Input{
		CustomerID: in.CustomerID, ScenarioID: in.ScenarioID, SessionID: in.SessionID, Scope: in.Scope, Now: time.Now(),
		Turn: func(ctx context.Context) (func(), error) {
			err := q.conditions.Acquire(ctx, tenant.String())
			return func() { q.conditions.Release(tenant.String()) }, err
		},
	})
	if err != nil {
		return out, state, err
	}
	out.Warnings = state.Warnings
	for _, m := range state.Missing {
		refused, err := g.refuses(ctx, in.CustomerID, m.Requirement.FieldName)
		if err != nil {
			return out, state, err
		}
		if refused {
			out.Withheld = append(out.Withheld, vault.Withheld{
				Name: m.Requirement.FieldName, Reason: vault.WithheldNoConsent,
			})
			continue
		}
		out.Missing = append(out.Missing, m)
		out.Blocked = out.Blocked || m.Blocking
	}
	return out, state, nil
}

// cached is the missing.Source that reads through the cache.
type cached struct{ *Queries }

// Profile returns the zero profile for a customer without a value.
func (c cached) Profile(ctx context.Context, tenant, customer uuid.UUID) (vault.Profile, error) {
	profile, err := c.openProfile(ctx, tenant, customer)
	if vault.CodeOf(err) == vault.CodeUnknown {
		return vault.Profile{}, nil
	}
	if err != nil {
		return profile, err
	}
	// A condition must not tell what fields of other agents hold.
	names, err := c.fieldsOf(ctx, tenant)
	if names != nil {
		maps.DeleteFunc(profile.Fields, func(name string, _ vault.Value) bool { return !slices.Contains(names, name) })
	}
	return profile, err
}

// OpenSession implements missing.Source.
func (c cached) OpenSession(
	ctx context.Context, row dbgen.Session, turns []dbgen.ListTurnsRow,
) (vault.Session, error) {
	return c.sealer.OpenSession(ctx, row, turns)
}

// Session returns a session with its turns. What a turn says is personal, so a reader who sees masked values sees none
// of them, and others none that says a value which is withheld.
func (q *Queries) Session(ctx context.Context, tenant, session uuid.UUID) (vault.Session, error) {
	out, err := q.WholeSession(ctx, tenant, session)
	if err != nil {
		return out, err
	}
	g, err := q.guard(ctx, tenant)
	if err != nil || g == nil {
		return out, err
	}
	if err := q.maskTurns(ctx, g, tenant, &out); err != nil {
		return out, err
	}
	err = g.session(ctx, &out)
	out.Withheld = Withheld(ctx)
	return out, err
}

// WholeSession is Session with everything that was said, in two round trips. It is for checks, and not for answers.
func (q *Queries) WholeSession(ctx context.Context, tenant, session uuid.UUID) (vault.Session, error) {
	if err := q.checkIDs(ctx, tenant, session); err != nil {
		return vault.Session{}, err
	}
	tq := q.db.Tenant(tenant)
	row, err := tq.GetSession(ctx, tenant, session)
	if err != nil {
		return vault.Session{}, db.WrapNotFound(err, "session", session)
	}
	turns, err := tq.ListTurns(ctx, tenant, session)
	if err != nil {
		return vault.Session{}, err
	}
	return q.sealer.OpenSession(ctx, row, turns)
}

// maskTurns masks the turns of a session that the reader may not see.
func (q *Queries) maskTurns(ctx context.Context, g *guard, tenant uuid.UUID, s *vault.Session) error {
	if len(s.Turns) == 0 || !g.restricts {
		return nil
	}
	hides := func(vault.Turn) bool { return true }
	if !g.reader.access.Masked {
		hidden, err := q.hiddenTurns(ctx, g, tenant, s.CustomerID, false)
		if err != nil {
			return err
		}
		if hidden != nil {
			hides = func(t vault.Turn) bool { return hidden.has(turnID{s.ID, t.Index}, t.Text) }
		}
	}
	for i, t := range s.Turns {
		if hides(t) {
			s.Turns[i].Text = rules.Masked
		}
	}
	return nil
}
