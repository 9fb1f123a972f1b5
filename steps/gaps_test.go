package steps_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/steps/gapfill"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// fillCase is one gap fill from start to end, without the engine.
type fillCase struct {
	name         string
	defs         []vault.Definition // in addition to name, email, age, plan
	requirements []vault.Requirement
	profile      map[string]json.RawMessage
	session      map[string]json.RawMessage
	said         []string // turns of the customer; nil and no session variables: no session
	candidates   []vault.Candidate
	modelFails   bool
	fill         vault.FillGapsInput
	answers      []json.RawMessage // in order; nil: the deadline passes
	arrange      func(w *world, scenario uuid.UUID)

	asked    []string             // "field attempt", with "!" if a reason is given
	kinds    []vault.QuestionKind // kinds of the questions; nil: any
	fields   []vault.GapResult
	blocked  bool
	calls    int // of the model, by the fill
	read     int // calls of the model that read answers
	warnings int
}

var (
	number = func(n int) json.RawMessage { return json.RawMessage(fmt.Sprint(n)) }
	hard   = func(name string, fallback vault.FallbackAction) vault.Requirement {
		return vault.Requirement{FieldName: name, FallbackAction: fallback}
	}
)

func candidate(field string, value json.RawMessage, confidence float64, quote string) vault.Candidate {
	return vault.Candidate{FieldName: field, Value: value, Confidence: confidence, Quote: quote}
}

var fillCases = []fillCase{
	{
		name: "nothing is needed", fields: []vault.GapResult{},
	},
	{
		name: "a known field is not searched in what was said before", said: []string{"My email is bob@example.com."},
		requirements: []vault.Requirement{hard("email", vault.FallbackAsk)},
		arrange:      func(w *world, _ uuid.UUID) { w.write("email", text("ada@example.com")) },
		fields:       []vault.GapResult{{FieldName: "email", Filled: true, Source: vault.GapFromProfile, Confidence: 1}},
	},
	{
		name: "session before conversation", requirements: []vault.Requirement{hard("plan", vault.FallbackAsk)},
		session: map[string]json.RawMessage{"plan": text("gold")}, said: []string{"My plan is silver."},
		fields: []vault.GapResult{{FieldName: "plan", Filled: true, Source: vault.GapFromSession, Confidence: 1}},
	},
	{
		name: "what a definition forbids to extract is asked for", said: []string{"My badge is B-77. My email is ada@example.com."},
		defs:         []vault.Definition{{Name: "badge", ValueType: vault.TypeString, ForbidExtraction: true}},
		requirements: []vault.Requirement{hard("badge", vault.FallbackAsk), hard("email", vault.FallbackAsk)},
		candidates: []vault.Candidate{
			candidate("badge", text("B-77"), 1, "My badge is B-77."),
			candidate("email", text("ada@example.com"), 1, "My email is ada@example.com."),
		},
		answers: []json.RawMessage{text("B-77")}, calls: 1, asked: []string{"badge 1"}, kinds: []vault.QuestionKind{vault.QuestionValue},
		fields: []vault.GapResult{
			{FieldName: "badge", Filled: true, Source: vault.GapFromCustomer, Confidence: 1},
			{FieldName: "email", Filled: true, Source: vault.GapFromConversation, Confidence: 1},
		},
	},
	{
		name: "a definition that forbids extraction takes a session variable", said: []string{"My badge is B-77."},
		defs:         []vault.Definition{{Name: "badge", ValueType: vault.TypeString, ForbidExtraction: true}},
		requirements: []vault.Requirement{hard("badge", vault.FallbackExtract)},
		session:      map[string]json.RawMessage{"badge": text("B-42")},
		fields:       []vault.GapResult{{FieldName: "badge", Filled: true, Source: vault.GapFromSession, Confidence: 1}},
	},
	{
		name: "an invalid session variable is skipped", requirements: []vault.Requirement{hard("email", vault.FallbackAsk)},
		session: map[string]json.RawMessage{"email": text("nobody")}, said: []string{"My email is ada@example.com."},
		calls:  1,
		fields: []vault.GapResult{{FieldName: "email", Filled: true, Source: vault.GapFromConversation, Confidence: 0.97}},
	},
	{
		name: "a certain candidate needs no confirmation", requirements: []vault.Requirement{hard("age", vault.FallbackAsk)},
		said: []string{"My age is 36."}, candidates: []vault.Candidate{candidate("age", number(36), 0.95, "My age is 36")},
		calls:  1,
		fields: []vault.GapResult{{FieldName: "age", Filled: true, Source: vault.GapFromConversation, Confidence: 0.95}},
	},
	{
		name: "an uncertain candidate needs confirmation", requirements: []vault.Requirement{hard("age", vault.FallbackAsk)},
		said: []string{"My age is 36."}, candidates: []vault.Candidate{candidate("age", number(36), 0.85, "My age is 36")},
		calls: 1, answers: []json.RawMessage{nil}, asked: []string{"age 1"},
		fields: []vault.GapResult{
			{FieldName: "age", Filled: true, Source: vault.GapFromConversation, Confidence: 0.85, Confirm: true},
		},
	},
	{
		name:         "a candidate below the threshold is never stored",
		requirements: []vault.Requirement{hard("age", vault.FallbackSkip)},
		said:         []string{"My age is 36."}, candidates: []vault.Candidate{candidate("age", number(36), 0.84, "My age is 36")},
		calls: 1, blocked: true,
		fields: []vault.GapResult{
			{FieldName: "age", Action: "skip", Confidence: 0.84, Errors: []string{"age: confidence 0.84 is below 0.85"}},
		},
	},
	{
		name: "an invented quote is never stored", requirements: []vault.Requirement{hard("age", vault.FallbackSkip)},
		said: []string{"I am old."}, candidates: []vault.Candidate{candidate("age", number(36), 0.99, "My age is 36")}, calls: 1,
		blocked: true,
		fields: []vault.GapResult{
			{
				FieldName: "age", Action: "skip", Confidence: 0.99,
				Errors: []string{"age: the customer's turns do not contain the quote of the candidate"},
			},
		},
	},
	{
		name: "a value outside its quote is never stored", requirements: []vault.Requirement{hard("age", vault.FallbackSkip)},
		said: []string{"My age is 36."}, candidates: []vault.Candidate{candidate("age", number(63), 0.99, "My age is 36")}, calls: 1,
		blocked: true,
		fields: []vault.GapResult{
			{
				FieldName: "age", Action: "skip", Confidence: 0.99,
				Errors: []string{"age: the quote of the candidate does not contain its value"},
			},
		},
	},
	{
		name: "an invalid candidate is never stored", requirements: []vault.Requirement{hard("email", vault.FallbackSkip)},
		said:       []string{"Mail me at nobody."},
		candidates: []vault.Candidate{candidate("email", text("nobody"), 0.99, "Mail me at nobody")}, calls: 1, blocked: true,
		fields: []vault.GapResult{
			{
				FieldName: "email", Action: "skip", Confidence: 0.99,
				Errors: []string{"Field validation failed: email: the value is not an email address, such as name@example.com"},
			},
		},
	},
	{
		name: "a candidate for another field is skipped", requirements: []vault.Requirement{hard("age", vault.FallbackAsk)},
		said: []string{"My age is 36, on gold."},
		candidates: []vault.Candidate{
			candidate("plan", text("gold"), 0.99, "on gold"), candidate("age", number(36), 0.99, "My age is 36"),
		},
		calls:  1,
		fields: []vault.GapResult{{FieldName: "age", Filled: true, Source: vault.GapFromConversation, Confidence: 0.99}},
	},
	{
		name:         "a field with a rejected candidate is asked for",
		requirements: []vault.Requirement{hard("age", vault.FallbackAsk)},
		said:         []string{"My age is 36."}, candidates: []vault.Candidate{candidate("age", number(36), 0.5, "My age is 36")},
		calls: 1, answers: []json.RawMessage{number(37)}, asked: []string{"age 1"},
		fields: []vault.GapResult{
			{
				FieldName: "age", Filled: true, Source: vault.GapFromCustomer, Confidence: 1,
				Errors: []string{"age: confidence 0.50 is below 0.85"},
			},
		},
	},
	{
		name:         "a model failure leaves the fields to ask for",
		requirements: []vault.Requirement{hard("age", vault.FallbackAsk), hard("email", vault.FallbackSkip)},
		said:         []string{"My age is 36."}, modelFails: true, calls: 1, warnings: 1, answers: []json.RawMessage{number(36)},
		asked: []string{"age 1"}, blocked: true,
		fields: []vault.GapResult{
			{FieldName: "age", Filled: true, Source: vault.GapFromCustomer, Confidence: 1}, {FieldName: "email", Action: "skip"},
		},
	},
	{
		name:         "no session",
		requirements: []vault.Requirement{hard("email", vault.FallbackAsk), hard("age", vault.FallbackAsk)},
		answers:      []json.RawMessage{text("ada@Example.com"), number(36)}, asked: []string{"email 1", "age 1"},
		fields: []vault.GapResult{
			{FieldName: "email", Filled: true, Source: vault.GapFromCustomer, Confidence: 1},
			{FieldName: "age", Filled: true, Source: vault.GapFromCustomer, Confidence: 1},
		},
	},
	{
		name: "an invalid answer is asked again with the reason", read: 1,
		requirements: []vault.Requirement{hard("email", vault.FallbackAsk)},
		answers:      []json.RawMessage{text("nobody"), text("ada@example.com")}, asked: []string{"email 1", "email 2 !"},
		fields: []vault.GapResult{{FieldName: "email", Filled: true, Source: vault.GapFromCustomer, Confidence: 1}},
	},
	{
		name: "max_attempts", read: 2, requirements: []vault.Requirement{hard("email", vault.FallbackAsk)},
		fill:    vault.FillGapsInput{MaxAttempts: 2},
		answers: []json.RawMessage{text("nobody"), text("nowhere")}, asked: []string{"email 1", "email 2 !"}, blocked: true,
		fields: []vault.GapResult{{FieldName: "email", Action: "attempts"}},
	},
	{
		name: "three attempts by default", read: 2, requirements: []vault.Requirement{hard("email", vault.FallbackAsk)},
		answers: []json.RawMessage{text("a"), text("b"), text("c")}, asked: []string{"email 1", "email 2 !", "email 3 !"},
		blocked: true,
		fields:  []vault.GapResult{{FieldName: "email", Action: "attempts"}},
	},
	{
		name:         "an unanswered question ends at its deadline",
		requirements: []vault.Requirement{hard("email", vault.FallbackAsk), hard("age", vault.FallbackAsk)},
		fill:         vault.FillGapsInput{DeadlineSeconds: 600}, answers: []json.RawMessage{nil, number(36)},
		asked: []string{"email 1", "age 1"}, blocked: true,
		fields: []vault.GapResult{
			{FieldName: "email", Action: "expired"},
			{FieldName: "age", Filled: true, Source: vault.GapFromCustomer, Confidence: 1},
		},
	},
	{
		name: "a soft requirement does not block",
		requirements: []vault.Requirement{
			{FieldName: "age", RequiredLevel: vault.LevelSoft, FallbackAction: vault.FallbackSkip},
		},
		fields: []vault.GapResult{{FieldName: "age", Action: "skip"}},
	},
	{
		name: "fallback block", requirements: []vault.Requirement{hard("age", vault.FallbackBlock)}, blocked: true,
		fields: []vault.GapResult{{FieldName: "age", Action: "block"}},
	},
	{
		name:         "fallback extract",
		requirements: []vault.Requirement{hard("email", vault.FallbackExtract), hard("age", vault.FallbackExtract)},
		said:         []string{"My email is ada@example.com."}, calls: 1, blocked: true,
		fields: []vault.GapResult{
			{FieldName: "email", Filled: true, Source: vault.GapFromConversation, Confidence: 0.97},
			{FieldName: "age", Action: "extract"},
		},
	},
	{
		name: "a deleted definition", requirements: []vault.Requirement{hard("age", vault.FallbackAsk)}, blocked: true,
		session: map[string]json.RawMessage{"age": number(36)}, said: []string{"My age is 36."},
		arrange: func(w *world, _ uuid.UUID) { w.sql("DELETE FROM definitions WHERE name = 'age'") },
		fields:  []vault.GapResult{{FieldName: "age", Action: "undefined"}},
	},
	{
		name: "a disabled definition", requirements: []vault.Requirement{hard("age", vault.FallbackAsk)}, blocked: true,
		session: map[string]json.RawMessage{"age": number(36)}, said: []string{"My age is 36."},
		arrange: func(w *world, _ uuid.UUID) {
			w.sql("UPDATE definitions SET enabled = false WHERE name = 'age'")
		},
		fields: []vault.GapResult{{FieldName: "age", Action: "undefined"}},
	},
	{
		name: "an unverified value is missing and not asked for",
		defs: []vault.Definition{{Name: "passport", ValueType: vault.TypeString, RequiredVerification: true}}, blocked: true,
		requirements: []vault.Requirement{hard("passport", vault.FallbackAsk)},
		profile:      map[string]json.RawMessage{"passport": text("C01X")},
		session:      map[string]json.RawMessage{"passport": text("C02X")}, said: []string{"My passport is C03X."},
		fields: []vault.GapResult{{FieldName: "passport", Action: "unverified"}},
	},
	{
		name:         "an answer that needs verification is kept and missing",
		defs:         []vault.Definition{{Name: "passport", ValueType: vault.TypeString, RequiredVerification: true}},
		requirements: []vault.Requirement{hard("passport", vault.FallbackAsk)}, answers: []json.RawMessage{text("C01X")},
		asked: []string{"passport 1"}, blocked: true,
		fields: []vault.GapResult{{FieldName: "passport", Action: "unverified"}},
	},
	{
		name: "an unreviewed requirement is filled but not asked for",
		requirements: []vault.Requirement{
			hard("age", vault.FallbackAsk), hard("plan", vault.FallbackBlock), hard("email", vault.FallbackAsk),
		},
		arrange: func(w *world, _ uuid.UUID) {
			w.sql("UPDATE requirements SET origin = 'extracted', review_state = 'pending', confidence = 0.5")
		},
		said: []string{"My age is 36."}, candidates: []vault.Candidate{candidate("age", number(36), 0.9, "My age is 36")},
		calls: 1, fields: []vault.GapResult{
			{FieldName: "age", Filled: true, Source: vault.GapFromConversation, Confidence: 0.9, Confirm: true},
			{FieldName: "plan", Action: "unreviewed"},
			{FieldName: "email", Action: "unreviewed"},
		},
	},
	{
		name: "an unapproved suggestion does not block", requirements: []vault.Requirement{hard("age", vault.FallbackAsk)},
		arrange: func(w *world, _ uuid.UUID) {
			w.sql("UPDATE requirements SET origin = 'extracted', confidence = 0.9")
			w.sql("UPDATE definitions SET origin = 'extracted', review_state = 'pending', enabled = false WHERE name = 'age'")
		},
		fields: []vault.GapResult{{FieldName: "age", Action: "undefined"}},
	},
	{
		name: "an approved requirement blocks", requirements: []vault.Requirement{hard("age", vault.FallbackBlock)},
		blocked: true,
		arrange: func(w *world, _ uuid.UUID) {
			w.sql("UPDATE requirements SET origin = 'extracted', review_state = 'approved', confidence = 0.5")
		},
		fields: []vault.GapResult{{FieldName: "age", Action: "block"}},
	},
	{
		name: "a rejected requirement is ignored", requirements: []vault.Requirement{hard("age", vault.FallbackBlock)},
		arrange: func(w *world, _ uuid.UUID) {
			w.sql("UPDATE requirements SET origin = 'extracted', review_state = 'rejected'")
		},
		fields: []vault.GapResult{},
	},
	{
		name: "a newly required field uses the same reading",
		requirements: []vault.Requirement{
			hard("email", vault.FallbackAsk),
			{FieldName: "age", WhenCondition: `fields.plan == "gold"`, DependsOn: []string{"plan"}},
			hard("plan", vault.FallbackAsk),
		},
		said: []string{"My email is ada@example.com and My age is 36."}, calls: 1,
		candidates: []vault.Candidate{
			candidate("email", text("ada@example.com"), 0.99, "My email is ada@example.com"),
			candidate("age", number(36), 0.99, "My age is 36"),
		},
		answers: []json.RawMessage{text("gold")}, asked: []string{"plan 1"},
		fields: []vault.GapResult{
			{FieldName: "email", Filled: true, Source: vault.GapFromConversation, Confidence: 0.99},
			{FieldName: "age", Filled: true, Source: vault.GapFromConversation, Confidence: 0.99},
			{FieldName: "plan", Filled: true, Source: vault.GapFromCustomer, Confidence: 1},
		},
	},
	{
		name: "a field that is no longer required is not asked for",
		requirements: []vault.Requirement{
			hard("plan", vault.FallbackAsk),
			{FieldName: "age", WhenCondition: `fields.plan == "gold"`, DependsOn: []string{"plan"}},
		},
		answers: []json.RawMessage{text("silver")}, asked: []string{"plan 1"},
		fields: []vault.GapResult{{FieldName: "plan", Filled: true, Source: vault.GapFromCustomer, Confidence: 1}},
	},
	{
		name: "a condition that fails counts as true, with a warning",
		requirements: []vault.Requirement{
			{FieldName: "age", WhenCondition: `fields.plan == "gold"`, FallbackAction: vault.FallbackSkip},
		},
		warnings: 1, blocked: true,
		fields: []vault.GapResult{{FieldName: "age", Action: "skip"}},
	},
	{
		name: "a condition sees the session and the scenario", session: map[string]json.RawMessage{"channel": text("web")},
		blocked: true,
		requirements: []vault.Requirement{
			{
				FieldName: "age", WhenCondition: `session.channel == "web" && scenario.name == "Open an account"`,
				FallbackAction: vault.FallbackSkip,
			},
			{FieldName: "plan", WhenCondition: `session.channel == "phone"`, FallbackAction: vault.FallbackSkip},
		},
		fields: []vault.GapResult{{FieldName: "age", Action: "skip"}},
	},
	{
		name: "level",
		requirements: []vault.Requirement{
			hard("age", vault.FallbackBlock),
			{FieldName: "plan", RequiredLevel: vault.LevelSoft, FallbackAction: vault.FallbackSkip},
		},
		fill:   vault.FillGapsInput{Level: vault.LevelSoft},
		fields: []vault.GapResult{{FieldName: "plan", Action: "skip"}},
	},
	{
		name: "step, with the scenario's own requirements", blocked: true, fill: vault.FillGapsInput{StepID: "step-a"},
		requirements: []vault.Requirement{
			{FieldName: "age", StepID: "step-a", FallbackAction: vault.FallbackSkip},
			{FieldName: "plan", StepID: "step-b", FallbackAction: vault.FallbackSkip},
			hard("email", vault.FallbackSkip),
		},
		fields: []vault.GapResult{{FieldName: "age", Action: "skip"}, {FieldName: "email", Action: "skip"}},
	},
	{
		name:         "a stale value is replaced",
		defs:         []vault.Definition{{Name: "address", ValueType: vault.TypeString, FreshnessSeconds: 3600}},
		requirements: []vault.Requirement{hard("address", vault.FallbackAsk)},
		profile:      map[string]json.RawMessage{"address": text("1 Old Road")},
		arrange: func(w *world, _ uuid.UUID) {
			w.sql("UPDATE customer_values SET collected_at = collected_at - interval '2 hours'")
		},
		answers: []json.RawMessage{text("2 New Road")}, asked: []string{"address 1"},
		fields: []vault.GapResult{{FieldName: "address", Filled: true, Source: vault.GapFromCustomer, Confidence: 1}},
	},
}

func TestFillGaps_Sources(t *testing.T) {
	t.Parallel()
	for _, c := range fillCases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t)
		})
	}
}

// run plays the fill and checks its result.
func (c fillCase) run(t *testing.T) {
	t.Helper()
	w := newWorld(t)
	ev := c.start(w)
	asked := c.play(w, ev)
	w.equal("questions", c.asked, asked)
	if c.kinds != nil {
		rows, err := w.db.Tenant(w.tenant).ListFillQuestions(t.Context(), dbgen.ListFillQuestionsParams{
			TenantID: w.tenant, FillID: ev.OperationID,
		})
		w.must(err)
		var kinds []vault.QuestionKind
		for _, q := range rows {
			kinds = append(kinds, vault.QuestionKind(q.Kind))
		}
		w.equal("kinds of questions", c.kinds, kinds)
	}

	got := resultOf[vault.FillResult](w, ev)
	if diff := cmp.Diff(c.fields, got.Fields, cmpopts.IgnoreFields(vault.GapResult{}, "ItemID")); diff != "" {
		t.Errorf("fields (- want, + got):\n%s", diff)
	}
	if got.Blocked != c.blocked || got.ModelCalls != c.calls || w.model.called("extract") != c.calls+c.read ||
		len(got.Warnings) != c.warnings {
		t.Errorf("got blocked %v, %d model calls (%d were made), warnings %q; want %v, %d calls, %d warnings",
			got.Blocked, got.ModelCalls, w.model.called("extract"), got.Warnings, c.blocked, c.calls, c.warnings)
	}
	for _, f := range got.Fields {
		c.checkStored(w, f)
	}
	before := w.dump()
	w.must(w.run(ev, fillGaps...)) // the engine may replay the whole run days later
	w.unchanged(before, "a second run of the fill")
}

func (c fillCase) start(w *world) vault.Event {
	w.define(append([]vault.Definition{
		{Name: "email", ValueType: vault.TypeEmail, CollectionPrompt: "What is your email address?"},
		{Name: "age", ValueType: vault.TypeNumber},
		{Name: "plan", ValueType: vault.TypeString},
	}, c.defs...)...)
	scenario := w.scenario("One.", "Two.").ID
	w.require(scenario, c.requirements...)
	for name, value := range c.profile {
		w.write(name, value)
	}
	in := c.fill
	in.CustomerID, in.ScenarioID = w.customer, scenario
	if c.session != nil || c.said != nil {
		in.SessionID = ptr(w.session(c.session, c.said...))
	}
	if c.candidates != nil {
		w.model.extract = func(llm.ExtractRequest) ([]vault.Candidate, error) { return c.candidates, nil }
	}
	if c.modelFails {
		w.model.extract = func(llm.ExtractRequest) ([]vault.Candidate, error) { return nil, errModel }
	}
	if c.arrange != nil {
		c.arrange(w, scenario)
	}
	return w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.FillGaps, in))
}

// play runs the fill to its end and returns the questions asked.
func (c fillCase) play(w *world, ev vault.Event) []string {
	w.t.Helper()
	var asked []string
	answers := slices.Clone(c.answers)
	for range 20 {
		w.resolve(ev)
		out, err := w.steps.Gaps.AskCustomer(w.t.Context(), ev)
		w.must(err)
		switch {
		case out.Done:
			if len(answers) > 0 {
				w.t.Errorf("%d answers were not asked for", len(answers))
			}
			if op := w.op(ev); op.Status != vault.OperationSucceeded {
				w.t.Errorf("the fill is done, and %s", op.Status)
			}
			return asked
		case len(out.Writes) > 0:
			for _, write := range out.Writes {
				w.must(w.run(w.eventOf(write), writeValue...))
			}
		case len(answers) == 0:
			w.t.Fatalf("one more question than answers: %+v", out.Question)
		default:
			asked = append(asked, w.asked(out.Question.QuestionID))
			if answers[0] == nil {
				w.later(out.Question.DeadlineAt.Sub(out.Question.OpenedAt) + time.Second)
			} else {
				w.must(w.run(w.answer(out.Question.QuestionID, answers[0]), answerQuestion...))
			}
			answers = answers[1:]
		}
	}
	w.t.Fatal("the fill does not end")
	return nil
}

// asked describes an open question.
func (w *world) asked(id uuid.UUID) string {
	w.t.Helper()
	q, err := w.db.Tenant(w.tenant).GetQuestion(w.t.Context(), w.tenant, id)
	w.must(err)
	if q.Status != string(vault.QuestionOpen) || q.Prompt == "" {
		w.t.Errorf("the question for %s is %s, with the prompt %q", q.FieldName, q.Status, q.Prompt)
	}
	text := fmt.Sprintf("%s %d", q.FieldName, q.Attempt)
	if q.Reason != "" {
		text += " !"
		if !strings.Contains(q.Reason, q.FieldName) || strings.Contains(q.Reason, "nobody") {
			w.t.Errorf("asked again for the reason %q", q.Reason)
		}
	}
	return text
}

// checkStored checks a field of the result against the profile.
func (c fillCase) checkStored(w *world, f vault.GapResult) {
	w.t.Helper()
	versions := w.history(f.FieldName)
	if !f.Filled {
		for _, v := range versions {
			if v.Source == vault.ValueLLMExtracted || v.Source == vault.ValueSystemInferred {
				w.t.Errorf("%s is not filled, and %s was stored", f.FieldName, v.Value)
			}
		}
		return
	}
	last := versions[len(versions)-1]
	if f.ItemID == nil || *f.ItemID != last.ID || last.Status != vault.StatusActive {
		w.t.Errorf("%s: the result names item %v, the active one is %s (%s)", f.FieldName, f.ItemID, last.ID, last.Status)
	}
	var meta struct {
		Quote string `json:"quote"`
		Model string `json:"model"`
	}
	w.must(json.Unmarshal(last.SourceMetadata, &meta))
	want := map[vault.GapSource]vault.ValueSource{
		vault.GapFromProfile: vault.ValueUserProvided, vault.GapFromSession: vault.ValueSystemInferred,
		vault.GapFromConversation: vault.ValueLLMExtracted, vault.GapFromCustomer: vault.ValueUserProvided,
	}[f.Source]
	inSession := f.Source == vault.GapFromSession || f.Source == vault.GapFromConversation
	if last.Source != want || inSession != (last.SourceItemType == vault.SourceSession) ||
		(f.Source == vault.GapFromConversation) != (meta.Quote != "") ||
		meta.Quote != "" && !strings.Contains(strings.Join(c.said, " "), meta.Quote) {
		w.t.Errorf(
			"%s from %s is stored as %s from a %q, with the quote %q", f.FieldName, f.Source, last.Source, last.SourceItemType,
			meta.Quote,
		)
	}
}

func TestAskCustomer_RepeatedRunsAskOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ev := written(w)
	question := w.ask(ev)
	w.must(w.run(ev, "Gaps.FindMissing"))
	before := w.dump()
	w.later(time.Minute) // before its deadline
	outs, errs := w.atOnce(5, func(int) (any, error) {
		if err := w.run(ev, "Gaps.FindMissing", "Gaps.ResolveGaps"); err != nil {
			return nil, err
		}
		return w.steps.Gaps.AskCustomer(t.Context(), ev)
	})
	for i, err := range errs {
		w.must(err)
		w.equal("round", gapfill.Advanced{Question: &question}, outs[i])
	}
	w.unchanged(before, "asking again")
}

func TestFillGaps_TwoConcurrentRuns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ev := aFill(w)
	questions := make([]uuid.UUID, 3)
	_, errs := w.atOnce(len(questions), func(i int) (any, error) {
		for range 10 {
			if err := w.run(ev, "Gaps.FindMissing", "Gaps.ResolveGaps"); err != nil {
				return nil, err
			}
			out, err := w.steps.Gaps.AskCustomer(t.Context(), ev)
			if err != nil {
				return nil, err
			}
			for _, write := range out.Writes {
				if err := w.run(w.eventOf(write), writeValue...); err != nil {
					return nil, err
				}
			}
			if out.Question != nil {
				questions[i] = out.Question.QuestionID
				break
			}
		}
		return nil, nil
	})
	for i, err := range errs {
		w.must(err)
		if questions[i] == uuid.Nil || questions[i] != questions[0] {
			t.Errorf("run %d waits for question %s, run 0 for %s", i, questions[i], questions[0])
		}
	}
	for _, name := range []string{"plan", "email"} {
		if n := len(w.history(name)); n != 1 {
			t.Errorf("%s was written %d times", name, n)
		}
	}
	if n := len(w.dump()["questions"]); n != 1 {
		t.Errorf("%d questions were opened", n)
	}
}

func TestPersistAnswer_ConcurrentAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	question := w.ask(written(w))
	evs := make([]vault.Event, 5)
	for i := range evs {
		evs[i] = w.answer(question.QuestionID, number(30+i))
	}
	_, errs := w.atOnce(len(evs), func(i int) (any, error) { return nil, w.run(evs[i], answerQuestion...) })
	won := 0
	for i, ev := range evs {
		w.must(errs[i])
		switch op := w.op(ev); {
		case op.Status == vault.OperationSucceeded:
			won++
		case op.Status != vault.OperationFailed || op.Error.Code != vault.CodeConflict ||
			!strings.Contains(op.Error.Message, "list the open questions"):
			t.Errorf("an answer that came too late is %s with %v", op.Status, op.Error)
		}
	}
	if n := len(w.history("age")); won != 1 || n != 1 {
		t.Errorf("%d answers won, and %d values were stored", won, n)
	}
}

func TestPersistAnswer_AfterTheDeadlineIsRejected(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	question := w.ask(written(w))
	w.sql("UPDATE questions SET deadline_at = date_trunc('second', clock_timestamp())")
	ev := w.answer(question.QuestionID, number(36))
	w.must(w.run(ev, answerQuestion...))
	op := w.op(ev)
	if op.Status != vault.OperationFailed || op.Error.Code != vault.CodeConflict ||
		!strings.Contains(op.Error.Message, "was open until ") {
		t.Errorf("the answer is %s with %v", op.Status, op.Error)
	}
	if n := len(w.history("age")); n != 0 {
		t.Errorf("%d values were stored", n)
	}
}

// The engine may be down at the deadline: the fill and the answer may run in either order after it.
func TestPersistAnswer_AcceptedBeforeTheDeadline(t *testing.T) {
	t.Parallel()
	for name, fillFirst := range map[string]bool{"fill first": true, "answer first": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			fill := written(w)
			question := w.ask(fill)
			answer := w.answer(question.QuestionID, number(36))
			w.later(25 * time.Hour)
			if fillFirst {
				w.equal("the question", question, w.ask(fill))
			}
			w.must(w.run(answer, answerQuestion...))
			if op := w.op(answer); op.Status != vault.OperationSucceeded {
				t.Fatalf("the answer is %s with %v", op.Status, op.Error)
			}
			w.resolve(fill)
			w.must(w.run(fill, "Gaps.AskCustomer"))
			if got := resultOf[vault.FillResult](w, fill); got.Blocked {
				t.Errorf("the fill ended with %+v", got)
			}
		})
	}
}

// The fill reads the profile before a concurrent answer is written. It must not treat the field as answered in vain or
// as expired.
func TestAskCustomer_AnswerDuringTheStep(t *testing.T) {
	t.Parallel()
	for name, late := range map[string]time.Duration{"before the deadline": 0, "at the deadline": 25 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var meanwhile func()
			w := newWorld(t, func(d *steps.Deps) {
				now := d.Now
				d.Now = func() time.Time {
					if do := meanwhile; do != nil {
						meanwhile = nil
						do()
					}
					return now()
				}
			})
			fill := written(w)
			question := w.ask(fill)
			meanwhile = func() { // the step reads the clock between the profile and its decision
				w.must(w.run(w.answer(question.QuestionID, number(36)), answerQuestion...))
				w.later(late)
			}
			for {
				out, err := w.steps.Gaps.AskCustomer(t.Context(), fill)
				w.must(err)
				if out.Done {
					break
				}
				if out.Question == nil || out.Question.QuestionID != question.QuestionID || w.op(fill).Status.Finished() {
					t.Fatalf("got %+v", out)
				}
			}
			got := resultOf[vault.FillResult](w, fill)
			if i := slices.IndexFunc(got.Fields, func(f vault.GapResult) bool { return f.FieldName == "age" }); got.Blocked ||
				!got.Fields[i].Filled {
				t.Errorf("the fill ended with %+v", got)
			}
		})
	}
}

// A rejected answer leaves nothing to wait for: the question ends.
func TestValidateAnswer_InvalidClosesTheQuestion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	fill := written(w)
	question := w.ask(fill)
	answer := w.answer(question.QuestionID, text("old enough"))
	w.later(25 * time.Hour)
	w.must(w.run(answer, answerQuestion...))
	if next := w.ask(fill); next.QuestionID == question.QuestionID || !next.DeadlineAt.After(question.DeadlineAt) {
		t.Errorf("it waits for %+v", next)
	}
}

// Mode disabled stores any answer except one that leaves the field missing, which would be asked again and again.
func TestValidateAnswer_EmptyIsRejectedInEveryMode(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	fill := written(w)
	w.define(vault.Definition{Name: "age", ValueType: vault.TypeNumber, ValidationMode: vault.ModeDisabled})
	for _, value := range []json.RawMessage{text(" \u200b"), json.RawMessage(`[]`), json.RawMessage(`[""]`)} {
		answer := w.answer(w.ask(fill).QuestionID, value)
		w.must(w.run(answer, answerQuestion...))
		if op := w.op(answer); op.Error == nil || op.Error.Code != vault.CodeInvalid {
			t.Errorf("%s: the answer is %s with %v", value, op.Status, op.Error)
		}
	}
	if got := w.history("age"); len(got) != 0 {
		t.Errorf("stored are %v", valuesOf(got))
	}
}

func TestValidateAnswer_RepeatedRunsKeepTheReason(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	fill := written(w)
	question := w.ask(fill)
	ev := w.answer(question.QuestionID, text("old enough"))
	for range 3 {
		w.must(w.run(ev, answerQuestion...))
		op := w.op(ev)
		if op.Error == nil || op.Error.Code != vault.CodeInvalid ||
			!strings.Contains(op.Error.Message, "age: the value is not a number") {
			t.Fatalf("the answer is %s with %v", op.Status, op.Error)
		}
	}
	// An operator replays the operation after the question is closed and another one is open.
	next := w.ask(fill)
	_, err := w.trigger.Replay(t.Context(), w.tenant, ev.OperationID)
	w.must(err)
	w.must(w.run(ev, answerQuestion...))
	if op := w.op(ev); op.Error == nil || op.Error.Code != vault.CodeConflict {
		t.Errorf("the replayed answer is %s with %v, want a conflict", op.Status, op.Error)
	}
	w.must(w.run(w.answer(next.QuestionID, number(36)), answerQuestion...))
	w.equal("stored", []string{"36"}, valuesOf(w.history("age")))
}

// A change that concerns a fill wakes it. A change that does not concern it, or one that changes nothing, does not.
func TestWake_ChangeThatConcernsTheFill(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(w *world, question uuid.UUID)
		woken  bool
	}{
		"a good answer": {func(w *world, question uuid.UUID) {
			w.must(w.run(w.answer(question, number(36)), answerQuestion...))
		}, true},
		"an invalid answer": {func(w *world, question uuid.UUID) {
			w.must(w.run(w.answer(question, text("old enough")), answerQuestion...))
		}, true},
		"an answer for a deleted customer": {func(w *world, question uuid.UUID) {
			answer := w.answer(question, number(36))
			w.sql("UPDATE customer_profiles SET deleted_at = clock_timestamp()")
			w.must(w.run(answer, answerQuestion...))
		}, true}, // the fill does not wait for this answer any more
		"a value of the customer": {func(w *world, _ uuid.UUID) { w.must(w.run(aWrite(w), writeValue...)) }, true},
		"a value of another customer": {func(w *world, _ uuid.UUID) {
			w.customer = newID()
			w.must(w.run(aWrite(w), writeValue...))
		}, false},
		"a turn in another session": {func(w *world, _ uuid.UUID) { w.session(nil, "My age is 36.") }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			fill := written(w)
			question := w.ask(fill).QuestionID
			w.sql("DELETE FROM fill_wakeups")
			before := len(w.engine.taken())
			c.change(w, question)
			pushes := w.engine.taken()[before:]
			if woken := slices.Contains(pushes, push{vault.FillGaps.Event, fill.OperationID}); woken != c.woken {
				t.Errorf("woken: %t, want %t; pushed: %v", woken, c.woken, pushes)
			}
		})
	}
}

// A wake-up stays until a run of the fill starts, and several changes cause one push.
func TestWake_PushedUntilTheFillRuns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	fill := written(w)
	w.ask(fill)
	w.sql("DELETE FROM fill_wakeups")
	wake := func(want int) {
		t.Helper()
		before := len(w.engine.taken())
		_, err := w.steps.Caches.Enqueuer.Wake(t.Context(), uuid.Nil)
		w.must(err)
		if got := len(w.engine.taken()) - before; got != want {
			t.Errorf("pushed %d times, want %d", got, want)
		}
	}
	change := func() {
		w.must(w.db.InTx(t.Context(), w.tenant, func(q *dbgen.Queries) error {
			return q.WakeFillsOfSession(t.Context(), w.tenant, *w.payloadOf(fill).SessionID)
		}))
	}
	wake(0)
	change()
	change()
	wake(1)
	change() // the run that was pushed will see it
	wake(0)
	w.sql("UPDATE fill_wakeups SET next_at = clock_timestamp()") // the run was lost
	wake(1)
	w.must(w.run(fill, fillGaps...))
	w.sql("UPDATE fill_wakeups SET next_at = clock_timestamp()")
	wake(0)
	change()
	wake(1)
}

func (w *world) payloadOf(fill vault.Event) vault.FillGapsInput {
	w.t.Helper()
	op, err := w.db.Tenant(w.tenant).GetOperation(w.t.Context(), w.tenant, fill.OperationID)
	w.must(err)
	in, err := once.OpenPayload[vault.FillGapsInput](w.t.Context(), once.Runner{DB: w.db, Sealer: w.sealer}, op)
	w.must(err)
	return in
}

// A fill that waits reads what the customer says meanwhile, once.
func TestFillGaps_ReadsNewTurns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	fill := written(w)
	question := w.ask(fill)
	calls := w.model.called("extract")
	session := *w.payloadOf(fill).SessionID
	w.model.extract = func(req llm.ExtractRequest) ([]vault.Candidate, error) {
		last := req.Turns[len(req.Turns)-1]
		return []vault.Candidate{{
			FieldName: "age", Value: number(36), Quote: last.Text, Turn: last.Index, Confidence: 0.95,
		}}, nil
	}
	w.must(w.run(w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.SaveSession, vault.SaveSessionInput{
		SessionID: session, AgentID: w.agent, CustomerID: w.customer,
		Turns: []vault.Turn{{Speaker: vault.SpeakerCustomer, Text: "By the way, my age is 36."}},
	})), saveSession...))
	writes := w.resolve(fill)
	if again := w.resolve(fill); len(writes) != 1 || len(again) != 1 || again[0].OperationID != writes[0].OperationID {
		t.Fatalf("the writes are %v, then %v", writes, again)
	}
	if n := w.model.called("extract") - calls; n != 1 {
		t.Errorf("the model was called %d times for the new turn", n)
	}
	w.must(w.run(writes[0], writeValue...))
	w.must(w.run(fill, fillGaps...))
	w.equal("stored", []string{"36"}, valuesOf(w.history("age")))
	if op := w.op(fill); op.Status != vault.OperationSucceeded {
		t.Errorf("the fill is %s", op.Status)
	}
	late := w.answer(question.QuestionID, number(37))
	w.must(w.run(late, answerQuestion...))
	if op := w.op(late); op.Error == nil || op.Error.Code != vault.CodeConflict {
		t.Errorf("an answer to the question that became unnecessary is %s with %v", op.Status, op.Error)
	}
}

// Two fills of one customer and scenario share a question, and both end with its answer.
func TestFillGaps_SharedQuestion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := written(w)
	question := w.ask(first)
	second := w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.FillGaps, w.payloadOf(first)))
	w.resolve(second)
	if shared := w.ask(second); shared != question {
		t.Errorf("the second fill waits for %+v, the first for %+v", shared, question)
	}
	if op := w.op(second); op.WaitingFor == nil || op.WaitingFor.QuestionID != question.QuestionID ||
		op.WaitingFor.FillID != first.OperationID || op.WaitingFor.FieldName != "age" {
		t.Errorf("the second fill shows that it waits for %+v", op.WaitingFor)
	}
	w.must(w.run(w.answer(question.QuestionID, text("old enough")), answerQuestion...))
	w.resolve(second)
	next := w.ask(second) // the second fill asks again
	w.resolve(first)
	if shared := w.ask(first); shared != next || next.FillID != second.OperationID {
		t.Errorf("now the first fill waits for %+v, the second for %+v", shared, next)
	}
	w.must(w.run(w.answer(next.QuestionID, number(36)), answerQuestion...))
	for _, fill := range []vault.Event{first, second} {
		w.must(w.run(fill, fillGaps...))
		if got := resultOf[vault.FillResult](w, fill); got.Blocked {
			t.Errorf("a fill ended with %+v", got)
		}
	}
	w.equal("stored", []string{"36"}, valuesOf(w.history("age")))
}

func TestFillGaps_RejectedWriteIsAskedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ev := aFill(w)
	writes := w.resolve(ev)
	plan := vault.Definition{Name: "plan", ValueType: vault.TypeString, AllowedValues: []json.RawMessage{text("silver")}}
	w.define(plan) // gold is not allowed any more
	rejected := 0
	for _, write := range writes {
		if w.run(write, writeValue...) != nil {
			rejected++
		}
	}
	if rejected != 1 {
		t.Fatalf("%d writes were rejected, want that of plan", rejected)
	}
	w.resolve(ev)
	for _, answer := range []json.RawMessage{text("silver"), number(36)} {
		w.must(w.run(w.answer(w.ask(ev).QuestionID, answer), answerQuestion...))
	}
	w.resolve(ev)
	w.must(w.run(ev, "Gaps.AskCustomer"))
	got := resultOf[vault.FillResult](w, ev)
	i := slices.IndexFunc(got.Fields, func(f vault.GapResult) bool { return f.FieldName == "plan" })
	if f := got.Fields[i]; !f.Filled || f.Source != vault.GapFromCustomer || len(f.Errors) != 1 ||
		!strings.Contains(f.Errors[0], "plan: the value is not one of the allowed values") {
		t.Errorf("got %+v, want it from the customer, with what was wrong before", f)
	}
}

func TestRelay_SkipsAWaitingFill(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ev := written(w)
	question := w.ask(ev)
	op, err := w.db.Tenant(w.tenant).GetOperation(t.Context(), w.tenant, ev.OperationID)
	w.must(err)
	if !op.DueAt.After(question.DeadlineAt) {
		t.Errorf(
			"the relay takes the fill for lost at %s, before the deadline of its question at %s", op.DueAt, question.DeadlineAt,
		)
	}
}
