package workflows_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/hatchet-dev/hatchet/pkg/client/rest"

	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// session saves a session with these turns of the customer.
func (s *scene) session(variables map[string]json.RawMessage, said ...string) uuid.UUID {
	s.t.Helper()
	in := vault.SaveSessionInput{SessionID: testkit.ID(), AgentID: s.agent, CustomerID: s.customer, Variables: variables}
	for _, words := range said {
		in.Turns = append(in.Turns, vault.Turn{Speaker: vault.SpeakerCustomer, Text: words})
	}
	r, err := trigger.Submit(s.t.Context(), kit.Trigger, s.tenant, vault.SaveSession, in)
	done(s.t, r, err)
	return in.SessionID
}

func (s *scene) fill(in vault.FillGapsInput) trigger.Receipt {
	s.t.Helper()
	in.CustomerID = s.customer
	r, err := trigger.Submit(s.t.Context(), kit.Trigger, s.tenant, vault.FillGaps, in)
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

func (s *scene) answer(q vault.Question, value string) trigger.Receipt {
	s.t.Helper()
	r, err := trigger.Submit(s.t.Context(), kit.Trigger, s.tenant, vault.AnswerQuestion, vault.AnswerQuestionInput{
		QuestionID: q.ID, Value: text(value),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

// outcomes returns for each field the source of its value or the reason why it is not filled.
func outcomes(r vault.FillResult) map[string]string {
	out := map[string]string{}
	for _, f := range r.Fields {
		out[f.FieldName] = string(f.Source) + f.Action
	}
	return out
}

func TestFillGaps_AllSources(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.define(vault.Definition{Name: "date_of_birth", ValueType: vault.TypeDate, CollectionPrompt: "When were you born?"})
	s.write(s.fact("name", "Ada Quill"))
	scenario := s.scenario(asked("name", "country", "email", "date_of_birth")...)
	session := s.session(
		map[string]json.RawMessage{"country": text("Norway")}, "My email address is ada.quill@example.com, thanks.",
	)
	fill := s.fill(vault.FillGapsInput{ScenarioID: scenario, SessionID: &session})

	first := kit.Question(t, s.tenant, s.customer)
	if first.Prompt != "When were you born?" || first.Attempt != 1 || first.FillID != fill.ID {
		t.Errorf("it asks %q, attempt %d, for fill %s", first.Prompt, first.Attempt, first.FillID)
	}
	if reason := rejected(t, s.answer(first, "a while ago"), nil); reason.Code != vault.CodeInvalid {
		t.Errorf("an invalid answer was rejected with %s: %s", reason.Code, reason)
	}
	second := kit.Question(t, s.tenant, s.customer, first)
	if second.Attempt != 2 || second.FieldName != "date_of_birth" || second.Reason == "" ||
		strings.Contains(second.Reason, "a while ago") {
		t.Errorf("it asks again for %s, attempt %d, because: %q", second.FieldName, second.Attempt, second.Reason)
	}
	done(t, s.answer(second, "1990-03-14"), nil)

	got := result[vault.FillResult](t, done(t, fill, nil))
	want := map[string]string{
		"name": "profile", "country": "session", "email": "conversation", "date_of_birth": "customer",
	}
	if diff := cmp.Diff(want, outcomes(got)); diff != "" || got.Blocked || got.ModelCalls != 1 {
		t.Errorf("blocked: %t, model calls: %d, %s", got.Blocked, got.ModelCalls, diff)
	}
	p := s.profile()
	var meta struct{ Quote string }
	if err := json.Unmarshal(p.Fields["email"].SourceMetadata, &meta); err != nil ||
		!strings.Contains(meta.Quote, "ada.quill@example.com") {
		t.Errorf("the e-mail address was read in %q, %v", meta.Quote, err)
	}
	for _, f := range got.Fields {
		if f.ItemID == nil || *f.ItemID != p.Fields[f.FieldName].ID {
			t.Errorf("%s was filled with item %v, a reader sees %s", f.FieldName, f.ItemID, p.Fields[f.FieldName].ID)
		}
		if h := s.history(f.FieldName); len(h) != 1 {
			t.Errorf("%s was written %d times", f.FieldName, len(h))
		}
	}
}

// A customer can answer as soon as the question can be read, before the run that asked has ended. The test runs the
// steps of the answer directly, and no step wakes the fill: the relay does.
func TestFillGaps_AnswerBeforeTheRunEnds(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	client := withoutEngine(t)
	fill := s.fill(vault.FillGapsInput{ScenarioID: s.scenario(asked("email", "country", "plan", "name")...)})
	answers := map[string]string{"email": "ada@example.com", "country": "Norway", "plan": "gold", "name": "Ada Quill"}
	var known []uuid.UUID
	deadline := time.Now().Add(testkit.Patience)
	for len(known) < len(answers) {
		open, err := kit.Query.Questions(t.Context(), s.tenant, s.customer) // without a pause
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("only %d questions were asked, %v", len(known), err)
		}
		for _, q := range open {
			if !slices.Contains(known, q.ID) {
				s.answerAtOnce(client, q, answers[q.FieldName])
				known = append(known, q.ID)
			}
		}
	}
	if got := result[vault.FillResult](t, done(t, fill, nil)); got.Blocked {
		t.Errorf("the fill ended with %v", got)
	}
	for name, value := range answers {
		if got := s.value(name); got != `"`+value+`"` {
			t.Errorf("%s is %s, want %q", name, got, value)
		}
	}
}

// answerAtOnce runs the steps of answer-question directly.
func (s *scene) answerAtOnce(client *trigger.Client, q vault.Question, value string) {
	s.t.Helper()
	r, err := trigger.Submit(s.t.Context(), client, s.tenant, vault.AnswerQuestion, vault.AnswerQuestionInput{
		QuestionID: q.ID, Value: text(value),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	ev := vault.Event{OperationID: r.ID, TenantID: s.tenant}
	_, validateErr := kit.Steps.Answers.ValidateAnswer(s.t.Context(), ev)
	_, persistErr := kit.Steps.Answers.PersistAnswer(s.t.Context(), ev)
	if err := errors.Join(validateErr, persistErr); err != nil {
		s.t.Fatal(err)
	}
}

func TestFillGaps_EndsAtTheDeadline(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	scenario := s.scenario(asked("email")...)
	got := result[vault.FillResult](t, done(t, s.fill(vault.FillGapsInput{ScenarioID: scenario, DeadlineSeconds: 1}), nil))
	if diff := cmp.Diff(map[string]string{"email": "expired"}, outcomes(got)); diff != "" || !got.Blocked {
		t.Errorf("blocked: %t, %s", got.Blocked, diff)
	}
	if open, err := kit.Query.Questions(t.Context(), s.tenant, s.customer); err != nil || len(open) != 0 {
		t.Errorf("still open: %v, %v", open, err)
	}
}

func TestFillGaps_EndsAfterTheLastInvalidAnswer(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	fill := s.fill(vault.FillGapsInput{ScenarioID: s.scenario(asked("plan")...), MaxAttempts: 2})
	first := kit.Question(t, s.tenant, s.customer)
	rejected(t, s.answer(first, "bronze"), nil)
	rejected(t, s.answer(kit.Question(t, s.tenant, s.customer, first), "copper"), nil)
	got := result[vault.FillResult](t, done(t, fill, nil))
	if diff := cmp.Diff(map[string]string{"plan": "attempts"}, outcomes(got)); diff != "" || !got.Blocked {
		t.Errorf("blocked: %t, %s", got.Blocked, diff)
	}
}

func TestFillGaps_SkipAndBlockAskNothing(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	// disabled
	r, err := trigger.Submit(t.Context(), kit.Trigger, s.tenant, vault.SaveDefinition, vault.Definition{
		AgentID: s.agent, Name: "nickname", ValueType: vault.TypeString,
	})
	done(t, r, err)
	scenario := s.scenario(
		vault.Requirement{FieldName: "country", FallbackAction: vault.FallbackSkip},
		vault.Requirement{FieldName: "plan", FallbackAction: vault.FallbackBlock},
		vault.Requirement{FieldName: "email", FallbackAction: vault.FallbackExtract},
		vault.Requirement{FieldName: "nickname", FallbackAction: vault.FallbackAsk},
	)
	session := s.session(nil, "My email address is ada.quill@example.com, thanks.")
	got := result[vault.FillResult](
		t, done(t, s.fill(vault.FillGapsInput{ScenarioID: scenario, SessionID: &session}), nil),
	)
	want := map[string]string{"country": "skip", "plan": "block", "email": "conversation", "nickname": "undefined"}
	if diff := cmp.Diff(want, outcomes(got)); diff != "" || !got.Blocked {
		t.Errorf("blocked: %t, %s", got.Blocked, diff)
	}
}

// A second fill of the same customer and scenario shares the questions of the first, and gets the same values.
func TestFillGaps_TwoFillsShareQuestions(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	scenario := s.scenario(asked("country", "plan")...)
	fills := []trigger.Receipt{s.fill(vault.FillGapsInput{ScenarioID: scenario})}
	first := kit.Question(t, s.tenant, s.customer)
	fills = append(fills, s.fill(vault.FillGapsInput{ScenarioID: scenario}))
	kit.Run(t, fills[1].ID, rest.V1TaskStatusCOMPLETED)
	for i, fill := range fills {
		op, err := kit.Query.Operation(t.Context(), s.tenant, fill.ID)
		if err != nil || op.WaitingFor == nil || op.WaitingFor.QuestionID != first.ID || op.WaitingFor.FieldName != "country" {
			t.Errorf("fill %d is %s and waits for %+v, %v", i, op.Status, op.WaitingFor, err)
		}
	}
	done(t, s.answer(first, "Norway"), nil)
	done(t, s.answer(kit.Question(t, s.tenant, s.customer, first), "gold"), nil)
	for i, fill := range fills {
		if got := result[vault.FillResult](t, done(t, fill, nil)); got.Blocked || len(got.Fields) != 2 {
			t.Errorf("fill %d ended with %+v", i, got)
		}
	}
	if h := s.history("country"); len(h) != 1 {
		t.Errorf("country was written %d times", len(h))
	}
}

// A fill that waits for an answer sees what the customer says in its session, and values from elsewhere.
func TestFillGaps_WaitingFillGoesOnLooking(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	scenario := s.scenario(asked("plan", "email", "country")...)
	session := s.session(nil, "Hello!")
	fill := s.fill(vault.FillGapsInput{ScenarioID: scenario, SessionID: &session})
	first := kit.Question(t, s.tenant, s.customer)
	s.write(s.fact("plan", "gold"))
	second := kit.Question(t, s.tenant, s.customer, first)
	if second.FieldName != "email" {
		t.Errorf("after plan came from elsewhere it asks for %s", second.FieldName)
	}
	r, err := trigger.Submit(t.Context(), kit.Trigger, s.tenant, vault.SaveSession, vault.SaveSessionInput{
		SessionID: session, AgentID: s.agent, CustomerID: s.customer,
		Turns: []vault.Turn{{Speaker: vault.SpeakerCustomer, Text: "My email address is ada.quill@example.com, thanks."}},
	})
	done(t, r, err)
	third := kit.Question(t, s.tenant, s.customer, first, second)
	if third.FieldName != "country" {
		t.Errorf("after the customer said the address it asks for %s", third.FieldName)
	}
	done(t, s.answer(third, "Norway"), nil)
	got := result[vault.FillResult](t, done(t, fill, nil))
	want := map[string]string{"plan": "profile", "email": "conversation", "country": "customer"}
	if diff := cmp.Diff(want, outcomes(got)); diff != "" {
		t.Error(diff)
	}
}
