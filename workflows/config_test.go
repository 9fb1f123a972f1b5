package workflows_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

func TestSaveDefinition_ValidatesWrites(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	r, err := trigger.Submit(t.Context(), kit.Trigger, s.tenant, vault.WriteValue, s.fact("nickname", "Ada"))
	if reason := rejected(t, r, err); !strings.Contains(reason.Message, "nickname") {
		t.Errorf("an undefined field was rejected with %s", reason)
	}
	s.define(vault.Definition{Name: "nickname", ValueType: vault.TypeString, ValidationRegex: "[A-Z][a-z]+"})
	s.write(s.fact("nickname", "Ada"))
	r, err = trigger.Submit(t.Context(), kit.Trigger, s.tenant, vault.WriteValue, s.fact("nickname", "ada"))
	rejected(t, r, err)
	got, err := kit.Query.Definition(t.Context(), s.tenant, s.agent, "nickname")
	if err != nil || got.Origin != vault.OriginHuman || !got.Enabled {
		t.Errorf("its origin is %s, it is enabled: %t, %v", got.Origin, got.Enabled, err)
	}
}

func TestSaveRequirement_ChangesMissing(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	scenario := s.scenario(asked("email", "country")...)
	reqs, err := kit.Query.Requirements(t.Context(), s.tenant, scenario)
	if err != nil || len(reqs) != 2 || reqs[0].FieldName != "email" || reqs[1].FieldName != "country" ||
		reqs[0].Origin != vault.OriginHuman {
		t.Errorf("the scenario needs %v, %v", reqs, err)
	}
	r, err := trigger.Submit(t.Context(), kit.Trigger, s.tenant, vault.SaveRequirement, vault.Requirement{
		AgentID: s.agent, ScenarioID: testkit.ID(), FieldName: "email", RequiredLevel: vault.LevelHard,
		FallbackAction: vault.FallbackAsk,
	})
	if reason := rejected(t, r, err); reason.Code != vault.CodeUnknown {
		t.Errorf("a requirement of no scenario was rejected with %s: %s", reason.Code, reason)
	}
}

// extraction waits for the extract-schema operation of a save and returns its result.
func (s *scene) extraction(save vault.Operation) vault.ExtractResult {
	s.t.Helper()
	id := result[vault.SavedResult](s.t, save).Extraction
	if id == nil {
		s.t.Fatal("the save started no extraction")
	}
	return result[vault.ExtractResult](s.t, kit.Operation(s.t, s.tenant, *id, vault.OperationSucceeded))
}

// requirement returns the requirement of a scenario for a field.
func (s *scene) requirement(scenario uuid.UUID, name string) vault.Requirement {
	s.t.Helper()
	reqs, err := kit.Query.Requirements(s.t.Context(), s.tenant, scenario)
	if err != nil {
		s.t.Fatal(err)
	}
	i := slices.IndexFunc(reqs, func(r vault.Requirement) bool { return r.FieldName == name })
	if i < 0 {
		s.t.Fatalf("the scenario does not need %s: %v", name, reqs)
	}
	return reqs[i]
}

func TestSaveScenario_StartsExtraction(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	in := vault.Scenario{
		ID: testkit.ID(), AgentID: s.agent, Name: "Open an account",
		Description: "Only if the customer is over 18, go on. We need the customer's e-mail address.",
	}
	r, err := trigger.Submit(t.Context(), kit.Trigger, s.tenant, vault.SaveScenario, in)
	found := s.extraction(done(t, r, err))
	if found.Outcome != vault.ExtractDone || found.ModelCalls != 1 || !slices.Contains(found.Suggested, "date_of_birth") {
		t.Errorf("the extraction says %+v", found)
	}
	if req := s.requirement(in.ID, "date_of_birth"); req.Origin != vault.OriginExtracted ||
		!strings.Contains(req.Quote, "over 18") {
		t.Errorf("date_of_birth is required by %s, quoting %q", req.Origin, req.Quote)
	}
	s.requirement(in.ID, "email") // with the name of the existing definition
	suggested, err := kit.Query.Definition(t.Context(), s.tenant, s.agent, "date_of_birth")
	if err != nil || suggested.Enabled || suggested.ValueType != vault.TypeDate ||
		suggested.Origin != vault.OriginExtracted {
		t.Errorf("suggested as %s by %s, enabled: %t, %v", suggested.ValueType, suggested.Origin, suggested.Enabled, err)
	}

	// The same text again calls no model and changes nothing.
	before := s.requirement(in.ID, "date_of_birth")
	r, err = trigger.Submit(t.Context(), kit.Trigger, s.tenant, vault.SaveScenario, in)
	if again := s.extraction(done(t, r, err)); again.Outcome != vault.ExtractUnchanged || again.ModelCalls != 0 {
		t.Errorf("the extraction of an unchanged text says %+v", again)
	}
	if after := s.requirement(in.ID, "date_of_birth"); after.ID != before.ID {
		t.Errorf("requirement %s took the place of %s", after.ID, before.ID)
	}

	// Another text calls the model; requirements it does not need are deleted.
	in.Description = "We need the customer's e-mail address and country."
	r, err = trigger.Submit(t.Context(), kit.Trigger, s.tenant, vault.SaveScenario, in)
	if changed := s.extraction(done(t, r, err)); changed.Outcome != vault.ExtractDone || changed.ModelCalls != 1 ||
		slices.Contains(changed.Requirements, "date_of_birth") {
		t.Errorf("the extraction of a changed text says %+v", changed)
	}
}

func TestSaveRule_StartsExtraction(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	scenario := s.scenario()
	in := vault.Rule{ID: testkit.ID(), AgentID: s.agent, ScenarioID: scenario, Name: "adults", Condition: "age >= 18"}
	r, err := trigger.Submit(t.Context(), kit.Trigger, s.tenant, vault.SaveRule, in)
	if found := s.extraction(done(t, r, err)); found.Outcome != vault.ExtractDone ||
		!slices.Equal(found.Requirements, []string{"date_of_birth"}) {
		t.Errorf("the extraction says %+v", found)
	}
	if req := s.requirement(scenario, "date_of_birth"); req.RuleID == nil || *req.RuleID != in.ID {
		t.Errorf("date_of_birth is required by rule %v, want %s", req.RuleID, in.ID)
	}
	r, err = trigger.Submit(t.Context(), kit.Trigger, s.tenant, vault.SaveRule, in)
	if again := s.extraction(done(t, r, err)); again.Outcome != vault.ExtractUnchanged || again.ModelCalls != 0 {
		t.Errorf("the extraction of an unchanged rule says %+v", again)
	}
}

func TestExtractSchema_ByRequest(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	in := vault.Scenario{ID: testkit.ID(), AgentID: s.agent, Name: "Order", Description: "Ask for the customer's country."}
	r, err := trigger.Submit(t.Context(), kit.Trigger, s.tenant, vault.SaveScenario, in)
	s.extraction(done(t, r, err))
	r, err = trigger.Submit(t.Context(), kit.Trigger, s.tenant, vault.ExtractSchema, vault.ExtractSchemaInput{
		AgentID: s.agent, ScenarioID: in.ID,
	})
	if got := result[vault.ExtractResult](t, done(t, r, err)); got.Outcome != vault.ExtractUnchanged ||
		got.ModelCalls != 0 {
		t.Errorf("it says %+v", got)
	}
}

// The newest of several quick saves wins, in whatever order their extractions run.
func TestExtractSchema_NewestSaveWins(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	in := vault.Scenario{ID: testkit.ID(), AgentID: s.agent, Name: "Order"}
	var saves []vault.Operation
	for _, text := range []string{
		"Only if the customer is over 18, go on.", "Ask for the customer's passport number.",
		"Ask for the customer's country.",
	} {
		in.Description = text
		r, err := trigger.Submit(t.Context(), kit.Trigger, s.tenant, vault.SaveScenario, in)
		if err != nil {
			t.Fatal(err)
		}
		saves = append(saves, vault.Operation{ID: r.ID})
	}
	for _, save := range saves {
		s.extractionOrNone(kit.Operation(t, s.tenant, save.ID, vault.OperationSucceeded))
	}
	reqs, err := kit.Query.Requirements(t.Context(), s.tenant, in.ID)
	if err != nil || len(reqs) != 1 || reqs[0].FieldName != "country" {
		t.Errorf("the scenario needs %v, %v", reqs, err)
	}
}

// extractionOrNone waits for the extraction of a save. There is none if the save was outdated when it was applied.
func (s *scene) extractionOrNone(save vault.Operation) {
	s.t.Helper()
	if result[vault.SavedResult](s.t, save).Extraction != nil {
		s.extraction(save)
	}
}

func TestDeleteRequirement_ThenDefinition(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	scenario := s.scenario(asked("country")...)
	deleteField := vault.DeleteDefinitionInput{AgentID: s.agent, Name: "country"}
	r, err := trigger.Submit(t.Context(), kit.Trigger, s.tenant, vault.DeleteDefinition, deleteField)
	if reason := rejected(t, r, err); reason.Code != vault.CodeConflict || len(reason.Related) != 1 {
		t.Errorf("a field that is required was kept with %s: %s", reason.Code, reason)
	}
	r, err = trigger.Submit(t.Context(), kit.Trigger, s.tenant, vault.DeleteRequirement, vault.DeleteRequirementInput{
		ScenarioID: scenario, FieldName: "country",
	})
	done(t, r, err)
	r, err = trigger.Submit(t.Context(), kit.Trigger, s.tenant, vault.DeleteDefinition, deleteField)
	done(t, r, err)
	reqs, err := kit.Query.Requirements(t.Context(), s.tenant, scenario)
	if err != nil || len(reqs) != 0 {
		t.Errorf("the scenario still needs %v, %v", reqs, err)
	}
	r, err = trigger.Submit(t.Context(), kit.Trigger, s.tenant, vault.WriteValue, s.fact("country", "Norway"))
	rejected(t, r, err)
}
