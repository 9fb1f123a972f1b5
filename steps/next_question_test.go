package steps_test

import (
	"testing"

	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/vault"
)

// open returns the open questions of the fill, by field.
func (q questioned) open() []string {
	q.t.Helper()
	rows, err := q.db.Tenant(q.tenant).ListFillQuestions(q.t.Context(), dbgen.ListFillQuestionsParams{
		TenantID: q.tenant, FillID: q.fill.OperationID,
	})
	q.must(err)
	var names []string
	for _, r := range rows {
		if r.Status == string(vault.QuestionOpen) {
			names = append(names, r.FieldName)
		}
	}
	return names
}

// The run of an answer asks the next question. No run of the fill is needed, and none finds anything left to do.
func TestPersistAnswer_AsksTheNextQuestion(t *testing.T) {
	t.Parallel()
	q := asking(t, vault.FillGapsInput{}, nil,
		vault.Definition{Name: "city", ValueType: vault.TypeString}, vault.Definition{Name: "guests", ValueType: vault.TypeNumber})
	q.reply("I live in Hamburg")
	if got := q.open(); len(got) != 1 || got[0] != "guests" {
		t.Fatalf("open after the answer: %v, want guests", got)
	}
	wakeups, err := q.db.Tenant(q.tenant).LastFillWakeup(t.Context(), q.tenant, q.fill.OperationID)
	q.must(err)
	if wakeups != 0 {
		t.Error("the fill is still to be woken for the answer")
	}
	next := q.question()
	if next.FieldName != "guests" {
		t.Errorf("the fill's own run asks for %s", next.FieldName)
	}
}

// The end of a fill is left to its own run: the caller reads the profile then, which the answer has not invalidated yet.
func TestPersistAnswer_DoesNotEndTheFill(t *testing.T) {
	t.Parallel()
	q := asking(t, vault.FillGapsInput{}, nil, vault.Definition{Name: "city", ValueType: vault.TypeString})
	open := q.question()
	q.must(q.run(q.answer(open.ID, text("Hamburg")), "Answers.ValidateAnswer", "Answers.PersistAnswer"))
	if op := q.op(q.fill); op.Status.Finished() {
		t.Errorf("the fill is %s", op.Status)
	}
	wakeups, err := q.db.Tenant(q.tenant).LastFillWakeup(t.Context(), q.tenant, q.fill.OperationID)
	q.must(err)
	if wakeups == 0 {
		t.Error("nothing wakes the fill")
	}
	if next := q.question(); next != nil || q.stored("city") != `"Hamburg"` {
		t.Errorf("asked for %v, city is %s", next, q.stored("city"))
	}
}
