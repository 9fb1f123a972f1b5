package workflows_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"
	"github.com/hatchet-dev/hatchet/pkg/client/rest"

	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

func TestReplay_AfterTheCauseIsFixed(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	r, err := trigger.Submit(t.Context(), kit.Trigger, s.tenant, vault.WriteValue, s.fact("nickname", "Ada"))
	rejected(t, r, err)
	s.define(vault.Definition{Name: "nickname", ValueType: vault.TypeString})
	kit.Replay(t, kit.Run(t, r.ID, rest.V1TaskStatusFAILED))
	op := kit.Operation(t, s.tenant, r.ID, vault.OperationSucceeded)
	if op.Error != nil || s.value("nickname") != `"Ada"` || len(s.history("nickname")) != 1 {
		t.Errorf("a reader sees %q, the history is %v, the error %v", s.value("nickname"), s.versions("nickname"), op.Error)
	}
}

// The order of acceptance decides, however late a write runs.
func TestReplay_LateReplayIsSuperseded(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	r, err := trigger.Submit(t.Context(), kit.Trigger, s.tenant, vault.WriteValue, s.fact("nickname", "Old"))
	rejected(t, r, err)
	s.define(vault.Definition{Name: "nickname", ValueType: vault.TypeString})
	newer := s.write(s.fact("nickname", "New"))
	kit.Replay(t, kit.Run(t, r.ID, rest.V1TaskStatusFAILED))
	late := result[vault.ItemResult](t, kit.Operation(t, s.tenant, r.ID, vault.OperationSucceeded))
	if late.Status != vault.StatusSuperseded || s.value("nickname") != `"New"` {
		t.Errorf("the late write entered as %s, and a reader sees %q", late.Status, s.value("nickname"))
	}
	h := s.history("nickname")
	if got := s.versions("nickname"); !slices.Equal(got, []string{`"New" active`, `"Old" superseded`}) ||
		h[1].SupersededByID == nil || *h[1].SupersededByID != newer.ItemID {
		t.Errorf("the history is %v, superseded by %v", got, h[1].SupersededByID)
	}
}

// operation returns an operation as it is stored.
func (s *scene) operation(id uuid.UUID) vault.Operation {
	s.t.Helper()
	op, err := kit.Query.Operation(s.t.Context(), s.tenant, id)
	if err != nil {
		s.t.Fatal(err)
	}
	return op
}

func TestReplay_SucceededRunChangesNothing(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	r, err := trigger.Submit(t.Context(), kit.Trigger, s.tenant, vault.WriteValue, s.fact("country", "Norway"))
	done(t, r, err)
	before := s.operation(r.ID)
	profile := s.profile()
	run := kit.Run(t, r.ID, rest.V1TaskStatusCOMPLETED)
	kit.Replay(t, run)
	kit.Rerun(t, run, rest.V1TaskStatusCOMPLETED)
	after, err := kit.Query.Operation(t.Context(), s.tenant, r.ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("the operation changed: %s", diff)
	}
	if diff := cmp.Diff(profile, s.profile(), cmpopts.EquateEmpty()); diff != "" || len(s.history("country")) != 1 {
		t.Errorf("the profile changed: %s; the history is %v", diff, s.versions("country"))
	}
}

// A failed fill runs again once the cause is fixed, and goes on to ask.
func TestReplay_GapFillAfterTheCauseIsFixed(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	scenario := testkit.ID()
	fill := s.fill(vault.FillGapsInput{ScenarioID: scenario})
	if reason := rejected(t, fill, nil); reason.Code != vault.CodeUnknown {
		t.Errorf("a fill for no scenario was rejected with %s: %s", reason.Code, reason)
	}
	run := kit.Run(t, fill.ID, rest.V1TaskStatusFAILED)
	if why := kit.Details(t, run).Run.ErrorMessage; why == nil {
		t.Error("the dashboard gives no reason")
	} else if !strings.HasPrefix(strings.Trim(*why, `"`), "unknown: unknown scenario") {
		t.Errorf("the dashboard gives as the reason %s", *why)
	}
	r, err := trigger.Submit(t.Context(), kit.Trigger, s.tenant, vault.SaveScenario, vault.Scenario{
		ID: scenario, AgentID: s.agent, Name: "Open an account",
	})
	done(t, r, err)
	r, err = trigger.Submit(t.Context(), kit.Trigger, s.tenant, vault.SaveRequirement, vault.Requirement{
		AgentID: s.agent, ScenarioID: scenario, FieldName: "plan", RequiredLevel: vault.LevelHard,
		FallbackAction: vault.FallbackAsk,
	})
	done(t, r, err)
	kit.Replay(t, run)
	done(t, s.answer(kit.Question(t, s.tenant, s.customer), "gold"), nil)
	got := result[vault.FillResult](t, kit.Operation(t, s.tenant, fill.ID, vault.OperationSucceeded))
	if diff := cmp.Diff(map[string]string{"plan": "customer"}, outcomes(got)); diff != "" {
		t.Error(diff)
	}
}

func TestReplay_EndedGapFillAsksNothing(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	fill := s.fill(vault.FillGapsInput{ScenarioID: s.scenario(asked("plan")...)})
	q := kit.Question(t, s.tenant, s.customer)
	done(t, s.answer(q, "gold"), nil)
	done(t, fill, nil)
	before := s.operation(fill.ID)
	run := kit.Run(t, fill.ID, rest.V1TaskStatusCOMPLETED)
	kit.Replay(t, run)
	kit.Rerun(t, run, rest.V1TaskStatusCOMPLETED)
	after, err := kit.Query.Operation(t.Context(), s.tenant, fill.ID)
	if diff := cmp.Diff(before, after); diff != "" || err != nil {
		t.Errorf("the operation changed: %v, %s", err, diff)
	}
	if open, err := kit.Query.Questions(t.Context(), s.tenant, s.customer); err != nil || len(open) != 0 ||
		len(s.history("plan")) != 1 {
		t.Errorf("open: %v, %v; the history is %v", open, err, s.versions("plan"))
	}
}
