package workflows_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// A fill that is cancelled while it waits ends at once, long before its deadline, and its question is closed.
func TestCancelFill_EndsAtOnce(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	fill := s.fill(vault.FillGapsInput{ScenarioID: s.scenario(asked("email", "plan")...)})
	question := kit.Question(t, s.tenant, s.customer)
	r, err := trigger.Submit(t.Context(), kit.Trigger, s.tenant, vault.CancelFill, vault.CancelFillInput{FillID: fill.ID})
	if got := result[vault.CancelResult](t, done(t, r, err)); got.QuestionID == nil || *got.QuestionID != question.ID {
		t.Errorf("it closed %v, want question %s", got.QuestionID, question.ID)
	}
	got := result[vault.FillResult](t, done(t, fill, nil))
	if diff := cmp.Diff(map[string]string{"email": "cancelled", "plan": "cancelled"}, outcomes(got)); diff != "" ||
		!got.Cancelled || !got.Blocked {
		t.Errorf("cancelled: %t, blocked: %t, %s", got.Cancelled, got.Blocked, diff)
	}
	if reason := rejected(t, s.answer(question, "ada@example.com"), nil); reason.Code != vault.CodeConflict {
		t.Errorf("a late answer was rejected with %s", reason.Code)
	}
	if _, err := trigger.Submit(t.Context(), kit.Trigger, s.tenant, vault.CancelFill, vault.CancelFillInput{
		FillID: testkit.ID(),
	}); vault.CodeOf(err) != vault.CodeUnknown {
		t.Errorf("cancelling what is not there gives %v", err)
	}
}
