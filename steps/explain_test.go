package steps_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

func (w *world) saveRequirement(r vault.Requirement) vault.SavedResult {
	w.t.Helper()
	ev := w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.SaveRequirement, r))
	w.must(w.run(ev, saveRequirement...))
	return resultOf[vault.SavedResult](w, ev)
}

func TestPersistSchema_StoresConditions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(
		vault.Definition{Name: "cover_amount", DisplayName: "Amount of cover", ValueType: vault.TypeNumber},
		vault.Definition{Name: "annual_income", ValueType: vault.TypeNumber},
		vault.Definition{Name: "email", ValueType: vault.TypeEmail},
	)
	scenario := vault.Scenario{ID: newID(), AgentID: w.agent, Name: "Life quote"}
	got := w.extract(w.described(scenario, "Collect the amount of cover. If they want more than 100,000 of cover, "+
		"we need their annual income. The email must be verified."))
	w.equal("required", []string{"cover_amount", "annual_income", "email"}, got.Requirements)
	w.equal("suggested", []string(nil), got.Suggested)
	if len(got.Warnings) != 1 || !strings.Contains(got.Warnings[0], "email: the text asks for a verified value") {
		t.Errorf("warnings: %v", got.Warnings)
	}
	var when string
	dbtest.Scan(t, w.url, &when, `SELECT when_condition FROM requirements WHERE field_name = 'annual_income'`)
	w.equal("condition", "has(fields.cover_amount) && fields.cover_amount > 100000", when)
}

func TestPersistRequirement_WarnsAboutTypos(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(
		vault.Definition{Name: "cover_amount", ValueType: vault.TypeNumber},
		vault.Definition{Name: "email", ValueType: vault.TypeEmail},
	)
	scenario := w.scenario("text")
	got := w.saveRequirement(vault.Requirement{
		AgentID: w.agent, ScenarioID: scenario.ID, FieldName: "email", RequiredLevel: vault.LevelHard,
		FallbackAction: vault.FallbackAsk, WhenCondition: "fields.cover_amonut > 5", DependsOn: []string{"coveramount"},
	})
	if len(got.Warnings) != 2 || !strings.HasSuffix(got.Warnings[0], "did you mean cover_amount?") ||
		!strings.HasSuffix(got.Warnings[1], "did you mean cover_amount?") {
		t.Errorf("warnings: %v", got.Warnings)
	}
}

// A rejected suggestion ends its requirements, in this scenario and in others, and no later extraction adds them again.
func TestPersistReview_RejectedDefinitionEndsRequirements(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.proposing(proposed("shoe_size"), proposed("colour"))
	first := vault.Scenario{ID: newID(), AgentID: w.agent, Name: "Sell shoes"}
	w.extract(w.described(first, "text"))
	var definition uuid.UUID
	dbtest.Scan(t, w.url, &definition, "SELECT id FROM definitions WHERE name = 'shoe_size'")
	w.must(w.run(w.deciding(vault.ReviewOfDefinition, definition, vault.Reject, nil), decideReview...))
	w.equal("the requirement of the rejected definition is rejected", []string{
		"colour hard extracted none", "shoe_size hard extracted rejected",
	}, w.requirements(first.ID))
	second := vault.Scenario{ID: newID(), AgentID: w.agent, Name: "Sell boots"}
	got := w.extract(w.described(second, "text"))
	w.equal("a later text does not require it", []string{"colour"}, got.Requirements)
}
