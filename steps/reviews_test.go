package steps_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// pending is a scenario with an extracted requirement and a suggested definition that both wait for a review.
func pending(w *world) (scenario vault.Scenario, requirement, definition uuid.UUID) {
	w.t.Helper()
	scenario = vault.Scenario{ID: newID(), AgentID: w.agent, Name: "Loan"}
	w.proposing(proposed("income", sure(0.5)))
	w.extract(w.described(scenario, "Ask for the income."))
	dbtest.Scan(w.t, w.url, &requirement, "SELECT id FROM requirements WHERE scenario_id = $1", scenario.ID)
	dbtest.Scan(w.t, w.url, &definition, "SELECT id FROM definitions WHERE name = 'income'")
	return scenario, requirement, definition
}

func (w *world) deciding(kind vault.ReviewKind, id uuid.UUID, d vault.Decision, edit *vault.ReviewEdit) vault.Event {
	w.t.Helper()
	return w.event(
		trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.DecideReview, vault.DecideReviewInput{
			Kind: kind, ID: id, Decision: d, Edit: edit,
		}),
	)
}

func TestReview_Decision(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	reader := query.New(w.db, w.cache, w.sealer)
	scenario, requirement, definition := pending(w)
	waiting := func() (int, int) {
		r, _, err := reader.ReviewsPage(t.Context(), w.tenant, nil, 10)
		w.must(err)
		return len(r.Requirements), len(r.Definitions)
	}
	if r, d := waiting(); r != 1 || d != 1 {
		t.Fatalf("%d requirements and %d definitions wait", r, d)
	}
	read := func() (vault.Requirement, vault.Definition) { // the second read uses the cache
		var req vault.Requirement
		var def vault.Definition
		for range 2 {
			reqs, err := reader.Requirements(t.Context(), w.tenant, scenario.ID)
			w.must(err)
			defs, err := reader.Definitions(t.Context(), w.tenant, w.agent)
			w.must(err)
			req = reqs[0]
			for _, d := range defs {
				if d.ID == definition {
					def = d
				}
			}
		}
		return req, def
	}
	if req, def := read(); req.Binding() || def.Enabled {
		t.Error("it counts before a person has seen it")
	}
	w.define(vault.Definition{Name: "plan", ValueType: vault.TypeString})
	w.refused(w.deciding(vault.ReviewOfRequirement, requirement, vault.Approve, &vault.ReviewEdit{
		DependsOn: []string{"income"},
	}),
		vault.CodeInvalid, []string{"depends_on_fields"}, decideReview...)

	level, when, order := vault.LevelSoft, "has(fields.plan)", 7
	edit := &vault.ReviewEdit{RequiredLevel: &level, WhenCondition: &when, Order: &order, DependsOn: []string{"plan"}}
	w.must(w.twice(w.deciding(vault.ReviewOfRequirement, requirement, vault.Approve, edit), decideReview...))
	w.must(w.twice(w.deciding(vault.ReviewOfDefinition, definition, vault.Approve, nil), decideReview...))
	req, def := read()
	if !req.Binding() || req.Review != vault.ReviewApproved || req.NeedsReview || req.RequiredLevel != level ||
		req.WhenCondition != when ||
		req.Order != order || len(req.DependsOn) != 1 || req.FallbackAction == "" {
		t.Errorf("the approved requirement is %+v", req)
	}
	if !def.Enabled || def.Review != vault.ReviewApproved {
		t.Errorf("the approved definition is %+v", def)
	}
	if r, d := waiting(); r != 0 || d != 0 {
		t.Errorf("%d requirements and %d definitions still wait", r, d)
	}
	// the same decision again
	w.must(w.twice(w.deciding(vault.ReviewOfRequirement, requirement, vault.Approve, nil), decideReview...))
	w.refused(
		w.deciding(vault.ReviewOfRequirement, requirement, vault.Reject, nil), vault.CodeConflict,
		[]string{"already approved"}, decideReview...,
	)
	w.refused(
		w.deciding(vault.ReviewOfDefinition, definition, vault.Reject, nil), vault.CodeConflict, []string{"already approved"},
		decideReview...,
	)
	w.refused(
		w.deciding(vault.ReviewOfDefinition, newID(), vault.Reject, nil), vault.CodeUnknown, []string{"unknown definition"},
		decideReview...,
	)
	w.refused(
		w.deciding(vault.ReviewOfRequirement, definition, vault.Reject, nil), vault.CodeUnknown,
		[]string{"unknown requirement"}, decideReview...,
	)
}

func TestReview_LateDecisionIsIgnored(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	scenario, requirement, definition := pending(w)
	w.define(vault.Definition{Name: "plan", ValueType: vault.TypeString})
	approving := func(order int) vault.Event {
		return w.deciding(vault.ReviewOfRequirement, requirement, vault.Approve, &vault.ReviewEdit{Order: &order})
	}
	save := w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.SaveRequirement, vault.Requirement{
		AgentID: w.agent, ScenarioID: scenario.ID, FieldName: "income", RequiredLevel: vault.LevelSoft,
		FallbackAction: vault.FallbackSkip,
	}))
	define := w.event(
		trigger.Submit(t.Context(), w.trigger, w.tenant, vault.SaveDefinition, vault.Definition{
			AgentID: w.agent, Name: "income", ValueType: vault.TypeString,
		}),
	)
	late, newer := approving(1), approving(2)
	w.must(w.run(newer, decideReview...))
	w.must(w.run(w.deciding(vault.ReviewOfDefinition, definition, vault.Approve, nil), decideReview...))
	before := w.dump()
	w.must(w.run(late, decideReview...))
	w.must(w.run(save, saveRequirement...))
	w.must(w.run(define, saveDefinition...))
	for _, ev := range []vault.Event{late, save, define} {
		if op := w.op(ev); op.Status != vault.OperationSucceeded {
			t.Errorf("%s is %s", op.Workflow, op.Status)
		}
	}
	w.sameBut(before, "what came late", "operations")
}

func TestReview_RejectedIsNotExtractedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	scenario, requirement, definition := pending(w)
	w.must(w.twice(w.deciding(vault.ReviewOfRequirement, requirement, vault.Reject, nil), decideReview...))
	w.must(w.twice(w.deciding(vault.ReviewOfDefinition, definition, vault.Reject, nil), decideReview...))
	for _, described := range []string{"Ask for the yearly income.", "Nothing.", "Ask for the income again."} {
		if described == "Nothing." {
			w.proposing()
		} else {
			w.proposing(proposed("income", sure(0.99)))
		}
		w.extract(w.described(scenario, described))
		w.equal("requirements", []string{"income hard extracted rejected"}, w.requirements(scenario.ID))
		w.equal("definitions", []string{"income extracted rejected disabled"}, w.definitions())
	}
}

func TestReview_HumanRowIsRejected(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	scenario := w.scenario("Ask.")
	w.require(scenario.ID, vault.Requirement{FieldName: "plan"})
	var requirement, definition uuid.UUID
	dbtest.Scan(t, w.url, &requirement, "SELECT id FROM requirements")
	dbtest.Scan(t, w.url, &definition, "SELECT id FROM definitions WHERE name = 'plan'")
	w.refused(
		w.deciding(vault.ReviewOfRequirement, requirement, vault.Reject, nil), vault.CodeConflict,
		[]string{"a person saved this row"}, decideReview...,
	)
	w.refused(
		w.deciding(vault.ReviewOfDefinition, definition, vault.Reject, nil), vault.CodeConflict,
		[]string{"a person saved this row"}, decideReview...,
	)
}

func TestReview_ConcurrentSavesAndExtractions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 6 {
		w.agent = newID()
		scenario, requirement, definition := pending(w)
		w.proposing(proposed("income", sure(0.5)), proposed("colour", sure(0.5)))
		extraction := w.described(scenario, "Ask for the income and the colour.")
		save := w.event(
			trigger.Submit(t.Context(), w.trigger, w.tenant, vault.SaveDefinition, vault.Definition{
				AgentID: w.agent, Name: "income", ValueType: vault.TypeNumber, Enabled: true,
			}),
		)
		requires := w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.SaveRequirement, vault.Requirement{
			AgentID: w.agent, ScenarioID: scenario.ID, FieldName: "income", RequiredLevel: vault.LevelHard,
			FallbackAction: vault.FallbackAsk,
		}))
		runs := []struct {
			ev    vault.Event
			steps []string
		}{
			{w.deciding(vault.ReviewOfRequirement, requirement, vault.Approve, nil), decideReview},
			{w.deciding(vault.ReviewOfDefinition, definition, vault.Approve, nil), decideReview},
			{save, saveDefinition},
			{requires, saveRequirement},
			{extraction, extractSchema},
		}
		_, errs := w.atOnce(len(runs), func(i int) (any, error) { return nil, w.run(runs[i].ev, runs[i].steps...) })
		for i, err := range errs {
			if err != nil && vault.CodeOf(err) != vault.CodeConflict { // a save may have come before the review
				t.Errorf("%d: %v", i, err)
			}
		}
		for range 2 { // the cache equals the database
			for _, reader := range []*query.Queries{query.New(w.db, w.cache, w.sealer), query.New(w.db, nil, w.sealer)} {
				reqs, err := reader.Requirements(t.Context(), w.tenant, scenario.ID)
				w.must(err)
				direct, err := query.New(w.db, nil, w.sealer).Requirements(t.Context(), w.tenant, scenario.ID)
				w.must(err)
				w.equal("requirements", jsonOf(direct), jsonOf(reqs))
				defs, err := reader.Definitions(t.Context(), w.tenant, w.agent)
				w.must(err)
				directDefs, err := query.New(w.db, nil, w.sealer).Definitions(t.Context(), w.tenant, w.agent)
				w.must(err)
				w.equal("definitions", jsonOf(directDefs), jsonOf(defs))
			}
		}
	}
}

// A pending invalidation that is added while an older one of the same entry is flushed must stay.
func TestFlushPending_KeepsANewerInvalidation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(vault.Definition{Name: "plan", ValueType: vault.TypeString})
	item := w.write("plan", text("gold"))
	for name, note := range map[string]func(){
		"definitions": func() { // as in PersistDefinition
			ev := w.event(
				trigger.Submit(t.Context(), w.trigger, w.tenant, vault.SaveDefinition, vault.Definition{
					AgentID: w.agent, Name: "plan", ValueType: vault.TypeString,
				}),
			)
			w.must(w.run(ev, saveDefinition[:2]...))
		},
		"a chain": func() {
			w.must(w.db.Tenant(w.tenant).AddPendingChainInvalidations(t.Context(), []uuid.UUID{item.ItemID}))
		},
	} {
		t.Run(name, func(*testing.T) {
			w.must(w.run(vault.Event{}, "Caches.InvalidateAndAcknowledge"))
			note()
			listed, err := w.db.System().ListPendingInvalidations(t.Context(), 10)
			w.must(err)
			note()
			later, err := w.db.System().ListPendingInvalidations(t.Context(), 10)
			w.must(err)
			if len(listed) != 1 || len(later) != 1 || later[0].Version <= listed[0].Version {
				t.Errorf("the flush of %+v removes %+v", listed, later)
			}
		})
	}
}
