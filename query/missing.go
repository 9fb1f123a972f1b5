package query

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// MissingInput says for whom and for what.
type MissingInput struct {
	CustomerID uuid.UUID
	ScenarioID uuid.UUID
	SessionID  *uuid.UUID // its variables are seen by conditions; nil: none
	Scope      rules.Scope
}

// MissingFields is what a scenario still needs of a customer, in the order in which to collect it.
type MissingFields struct {
	Missing  []vault.Missing `json:"missing"`
	Blocked  bool            `json:"blocked"` // one of them holds the customer back
	Warnings []string        `json:"warnings,omitempty"`
}

// Missing finds what a scenario still needs of a customer. A customer nothing was written for yet is missing everything.
func (q *Queries) Missing(ctx context.Context, tenant uuid.UUID, in MissingInput) (MissingFields, error) {
	out := MissingFields{Missing: []vault.Missing{}}
	scenario, err := q.Scenario(ctx, tenant, in.ScenarioID)
	if err != nil {
		return out, err
	}
	if in.Scope.StepID != "" && !scenario.HasStep(in.Scope.StepID) {
		return out, vault.Invalid("step_id", "scenario %s has no step %q; its steps are %s", in.ScenarioID, in.Scope.StepID, scenario.StepIDs())
	}
	reqs, err := q.Requirements(ctx, tenant, in.ScenarioID)
	if err != nil {
		return out, err
	}
	list, err := q.Definitions(ctx, tenant, scenario.AgentID)
	if err != nil {
		return out, err
	}
	defs := make(map[string]vault.Definition, len(list))
	for _, d := range list {
		defs[d.Name] = d
	}
	known := rules.Known{Scenario: scenario, Now: time.Now()}
	profile, err := q.Profile(ctx, tenant, in.CustomerID)
	if err != nil && vault.CodeOf(err) != vault.CodeUnknown {
		return out, err
	}
	known.Fields = profile.Fields
	if in.SessionID != nil {
		row, err := q.db.Tenant(tenant).GetSession(ctx, tenant, *in.SessionID)
		if err != nil {
			return out, db.WrapNotFound(err, "session", *in.SessionID)
		}
		session, err := db.SessionOf(row, nil) // what was said does not matter here
		if err != nil {
			return out, err
		}
		if err := db.CheckSessionOf(ctx, q.db.Tenant(tenant), tenant, in.CustomerID, session.ID, session.CustomerID); err != nil {
			return out, err
		}
		known.Session = session.Variables
	}
	missing, warnings := rules.FindMissing(reqs, defs, known, in.Scope)
	out.Warnings = warnings
	for _, m := range missing {
		out.Missing = append(out.Missing, m)
		out.Blocked = out.Blocked || m.Blocking
	}
	return out, nil
}

// Session gives a conversation as it was saved: a round trip for the session and one for its turns.
func (q *Queries) Session(ctx context.Context, tenant, session uuid.UUID) (vault.Session, error) {
	tq := q.db.Tenant(tenant)
	row, err := tq.GetSession(ctx, tenant, session)
	if err != nil {
		return vault.Session{}, db.WrapNotFound(err, "session", session)
	}
	turns, err := tq.ListTurns(ctx, tenant, session)
	if err != nil {
		return vault.Session{}, err
	}
	return db.SessionOf(row, turns)
}
