// Package missing loads what decides which fields a scenario still needs of a customer, and decides it by the rules.
// Package query loads through the cache, and the steps of gap fills from their transaction; both use Load.
package missing

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// Source reads configuration and profiles. An unknown id is a *vault.Error with CodeUnknown. A customer without a value
// has the zero profile.
type Source interface {
	Scenario(ctx context.Context, tenant, scenario uuid.UUID) (vault.Scenario, error)
	Requirements(ctx context.Context, tenant, scenario uuid.UUID) ([]vault.Requirement, error)
	Definitions(ctx context.Context, tenant, agent uuid.UUID) ([]vault.Definition, error)
	Profile(ctx context.Context, tenant, customer uuid.UUID) (vault.Profile, error)
	OpenSession(ctx context.Context, row dbgen.Session, turns []dbgen.ListTurnsRow) (vault.Session, error)
}

// Input names the customer and the scenario.
type Input struct {
	CustomerID uuid.UUID
	ScenarioID uuid.UUID
	SessionID  *uuid.UUID // its variables are visible to conditions; nil: no session
	Turns      bool       // load the turns of the session as well
	Scope      rules.Scope
	Now        time.Time
	// Turn waits until conditions may be evaluated, which costs CPU time. nil: at once.
	Turn func(ctx context.Context) (release func(), err error)
}

// State is the loaded data and the missing fields.
type State struct {
	Scenario     vault.Scenario
	Requirements []vault.Requirement
	Definitions  map[string]vault.Definition
	Profile      vault.Profile // zero for a customer without a value
	Session      vault.Session // zero without a session

	Missing    []vault.Missing              // in the order of collection
	Applicable map[string]vault.Requirement // by field: the requirements that apply now, met or not
	Warnings   []string
}

// Load loads the state and finds the missing fields. It reads sessions, which are not cached, through q.
func Load(ctx context.Context, src Source, q *dbgen.Queries, tenant uuid.UUID, in Input) (State, error) {
	var st State
	var err error
	if st.Scenario, err = src.Scenario(ctx, tenant, in.ScenarioID); err != nil {
		return st, err
	}
	if step := in.Scope.StepID; step != "" && !st.Scenario.HasStep(step) {
		return st, vault.Invalid("step_id", "scenario %s has no step %q; its steps are %s",
			in.ScenarioID, step, st.Scenario.StepIDs())
	}
	if st.Requirements, err = src.Requirements(ctx, tenant, in.ScenarioID); err != nil {
		return st, err
	}
	definitions, err := src.Definitions(ctx, tenant, st.Scenario.AgentID)
	if err != nil {
		return st, err
	}
	st.Definitions = make(map[string]vault.Definition, len(definitions))
	for _, d := range definitions {
		st.Definitions[d.Name] = d
	}
	if st.Profile, err = src.Profile(ctx, tenant, in.CustomerID); err != nil {
		return st, err
	}
	if in.SessionID != nil {
		if st.Session, err = loadSession(ctx, src, q, tenant, in); err != nil {
			return st, err
		}
	}
	known := rules.Known{
		Fields: st.Profile.Fields, Session: st.Session.Variables, Scenario: st.Scenario, Now: in.Now,
	}
	if in.Turn != nil {
		release, err := in.Turn(ctx)
		if err != nil {
			return st, err
		}
		defer release()
	}
	var unmet []string
	st.Applicable, st.Warnings = rules.Applicable(st.Requirements, known, in.Scope)
	st.Missing, unmet = rules.Unmet(st.Applicable, st.Definitions, known)
	st.Warnings = append(st.Warnings, unmet...)
	slices.Sort(st.Warnings)
	st.Warnings = slices.Compact(st.Warnings)
	return st, nil
}

func loadSession(
	ctx context.Context, src Source, q *dbgen.Queries, tenant uuid.UUID, in Input,
) (vault.Session, error) {
	row, err := q.GetSession(ctx, tenant, *in.SessionID)
	if err != nil {
		return vault.Session{}, db.WrapNotFound(err, "session", *in.SessionID)
	}
	if err := CheckOwner(ctx, q, tenant, in.CustomerID, row.ID, row.CustomerID); err != nil {
		return vault.Session{}, err
	}
	var turns []dbgen.ListTurnsRow
	if in.Turns {
		if turns, err = q.ListTurns(ctx, tenant, row.ID); err != nil {
			return vault.Session{}, err
		}
	}
	return src.OpenSession(ctx, row, turns)
}

// CheckOwner rejects a session that belongs to another customer. Customers that were merged count as one.
func CheckOwner(ctx context.Context, q *dbgen.Queries, tenant, customer, session, owner uuid.UUID) error {
	if owner == customer {
		return nil
	}
	same, err := db.MergedCustomers(ctx, q, tenant, customer)
	if err == nil && !slices.Contains(same, owner) {
		err = vault.Invalid("session_id", "session %s belongs to another customer", session)
	}
	return err
}
