package steps_test

import (
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

func (w *world) deletingField(name string) vault.Event {
	w.t.Helper()
	return w.event(
		trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.DeleteDefinition, vault.DeleteDefinitionInput{
			AgentID: w.agent, Name: name,
		}),
	)
}

func (w *world) deletingRequirement(scenario uuid.UUID, name string) vault.Event {
	w.t.Helper()
	return w.event(
		trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.DeleteRequirement, vault.DeleteRequirementInput{
			ScenarioID: scenario, FieldName: name,
		}),
	)
}

// known returns the fields that the agent defines, from two reads through the cache.
func (w *world) known() []string {
	w.t.Helper()
	var names []string
	for range 2 {
		defs, err := query.New(w.db, w.cache, w.sealer).Definitions(w.t.Context(), w.tenant, w.agent)
		w.must(err)
		names = nil
		for _, d := range defs {
			names = append(names, d.Name)
		}
	}
	return names
}

// needed returns the fields that a scenario requires, from two reads through the cache.
func (w *world) needed(scenario uuid.UUID) []string {
	w.t.Helper()
	var names []string
	for range 2 {
		reqs, err := query.New(w.db, w.cache, w.sealer).Requirements(w.t.Context(), w.tenant, scenario)
		w.must(err)
		names = nil
		for _, r := range reqs {
			names = append(names, r.FieldName)
		}
	}
	return names
}

func TestDeleteDefinition_StoredValuesStay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	w.write("plan", text("gold"))
	if got := w.known(); !slices.Equal(got, []string{"email", "plan"}) {
		t.Fatalf("known: %v", got)
	}
	w.must(w.twice(w.deletingField("plan"), deleteDefinition...))
	if got := w.known(); !slices.Equal(got, []string{"email"}) {
		t.Errorf("after the deletion these are known: %v", got)
	}
	profile, err := query.New(w.db, w.cache, w.sealer).Profile(t.Context(), w.tenant, w.customer)
	w.must(err)
	if string(profile.Fields["plan"].Value) != `"gold"` {
		t.Errorf("the value that was collected is %s", profile.Fields["plan"].Value)
	}
	w.refused(w.accept("plan", text("silver")), vault.CodeInvalid, []string{"plan"}, writeValue...)
	w.refused(w.deletingField("plan"), vault.CodeUnknown, []string{"unknown field", "plan"}, deleteDefinition...)
	w.refused(w.deletingField("never"), vault.CodeUnknown, []string{"unknown field", "never"}, deleteDefinition...)

	w.define(vault.Definition{Name: "plan", ValueType: vault.TypeString}) // a person may define it again
	w.write("plan", text("silver"))
	if got := w.known(); !slices.Equal(got, []string{"email", "plan"}) {
		t.Errorf("after it was saved again these are known: %v", got)
	}
}

func TestDeleteDefinition_RequiredFieldIsRejected(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	scenario := w.scenario("Ask.")
	w.require(scenario.ID, vault.Requirement{FieldName: "plan", DependsOn: []string{"email"}})
	for _, name := range []string{"plan", "email"} { // required, and named in depends_on
		w.refused(
			w.deletingField(name), vault.CodeConflict,
			[]string{"name: field " + name, scenario.ID.String(), "delete those requirements first"}, deleteDefinition...,
		)
	}
	w.must(w.twice(w.deletingRequirement(scenario.ID, "plan"), deleteRequirement...))
	w.must(w.twice(w.deletingField("plan"), deleteDefinition...))
	if got := w.needed(scenario.ID); len(got) != 0 {
		t.Errorf("the scenario needs %v", got)
	}
	w.refused(
		w.deletingRequirement(scenario.ID, "plan"), vault.CodeUnknown, []string{"unknown requirement", "plan"},
		deleteRequirement...,
	)
}

func TestDeleteDefinition_LateOlderSaveIsIgnored(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	scenario := w.scenario("Ask.")
	req := vault.Requirement{
		AgentID: w.agent, ScenarioID: scenario.ID, FieldName: "plan", RequiredLevel: vault.LevelHard,
		FallbackAction: vault.FallbackAsk,
	}
	w.require(scenario.ID, req)
	lateRequirement := w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.SaveRequirement, req))
	w.must(w.run(w.deletingRequirement(scenario.ID, "plan"), deleteRequirement...))
	w.must(w.twice(lateRequirement, "Definitions.PersistRequirement", "Caches.InvalidateAndAcknowledge"))
	if got := w.needed(scenario.ID); len(got) != 0 {
		t.Errorf("an older save brought back %v", got)
	}
	lateField := w.event(
		trigger.Submit(t.Context(), w.trigger, w.tenant, vault.SaveDefinition, vault.Definition{
			AgentID: w.agent, Name: "plan", ValueType: vault.TypeString, Enabled: true,
		}),
	)
	w.must(w.run(w.deletingField("plan"), deleteDefinition...))
	w.must(w.twice(lateField, saveDefinition...))
	if got := w.known(); !slices.Equal(got, []string{"email"}) {
		t.Errorf("an older save brought back a definition: %v", got)
	}

	// A deletion that arrives after a newer save changes nothing.
	lateDeletion := w.deletingField("email")
	w.define(vault.Definition{Name: "email", ValueType: vault.TypeEmail, DisplayName: "newer"})
	w.must(w.twice(lateDeletion, deleteDefinition...))
	if got := w.known(); !slices.Equal(got, []string{"email"}) {
		t.Errorf("an older deletion took away a newer definition: %v", got)
	}
}

func TestExtractSchema_DeletedByAPersonStaysDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	scenario := vault.Scenario{ID: newID(), AgentID: w.agent, Name: "Loan"}
	w.proposing(proposed("income", sure(0.95)))
	w.extract(w.described(scenario, "Ask for the income."))
	if got := w.needed(scenario.ID); !slices.Equal(got, []string{"income"}) {
		t.Fatalf("the scenario needs %v", got)
	}
	w.must(w.twice(w.deletingRequirement(scenario.ID, "income"), deleteRequirement...))
	w.must(w.twice(w.deletingField("income"), deleteDefinition...))
	w.proposing(proposed("income", sure(0.95)))
	w.extract(w.described(scenario, "Ask for the income, please."))
	if got := w.needed(scenario.ID); len(got) != 0 {
		t.Errorf("the next extraction brought back %v", got)
	}

	// Another scenario with the field gets a new suggested definition, for a person to review.
	other := vault.Scenario{ID: newID(), AgentID: w.agent, Name: "Mortgage"}
	w.proposing(proposed("income", sure(0.95)))
	w.extract(w.described(other, "Ask for the income."))
	if got := w.needed(other.ID); !slices.Equal(got, []string{"income"}) {
		t.Errorf("the other scenario needs %v", got)
	}
	reviews, _, err := query.New(w.db, w.cache, w.sealer).ReviewsPage(t.Context(), w.tenant, nil, 10)
	w.must(err)
	if len(reviews.Definitions) != 1 || reviews.Definitions[0].Name != "income" || reviews.Definitions[0].Enabled {
		t.Errorf("these definitions wait for a person: %+v", reviews.Definitions)
	}
}
