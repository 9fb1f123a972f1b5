package steps_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/steps/gapfill"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// doubted is a fill with a conversation that states the age with a confidence.
func doubted(name string, confidence float64, quote string, answers ...json.RawMessage) fillCase {
	c := fillCase{
		name: name, requirements: []vault.Requirement{hard("age", vault.FallbackAsk)}, said: []string{"My age is 36."}, calls: 1,
		answers:    answers,
		candidates: []vault.Candidate{candidate("age", number(36), confidence, quote)},
	}
	for i := range answers {
		c.asked = append(c.asked, fmt.Sprintf("age %d", i+1))
	}
	return c
}

func (c fillCase) ends(blocked bool, fields ...vault.GapResult) fillCase {
	c.blocked, c.fields = blocked, fields
	return c
}

var (
	fromConversation = vault.GapResult{FieldName: "age", Filled: true, Source: vault.GapFromConversation, Confidence: 0.9}
	fromCustomer     = vault.GapResult{FieldName: "age", Filled: true, Source: vault.GapFromCustomer, Confidence: 1}
)

func with(f vault.GapResult, errs ...string) vault.GapResult {
	f.Errors = errs
	return f
}

const (
	notSaid = "age: the customer's turns do not contain the quote of the candidate"
	notSure = "age: confidence 0.60 is below 0.85"
)

var confirmCases = []fillCase{
	doubted("yes confirms the stored value", 0.9, "My age is 36", text("yes")).ends(false, fromConversation),
	doubted("the value itself confirms", 0.9, "My age is 36", number(36)).ends(false, fromConversation),
	doubted("another value replaces it", 0.9, "My age is 36", number(37)).ends(false, fromCustomer),
	doubted("no deletes it and asks for the value", 0.9, "My age is 36", text("no"), number(37)).ends(false, fromCustomer),
	doubted("no, then no answer", 0.9, "My age is 36", text("no"), nil).ends(true, vault.GapResult{
		FieldName: "age", Action: "expired", Confidence: 0.9,
	}),
	doubted(
		"a candidate below the threshold is offered", 0.6, "My age is 36", text("yes"),
	).ends(false, with(fromCustomer, notSure)),
	doubted("a candidate with an invented quote is not offered", 0.99, "My age is 36 years", number(37)).ends(
		false, with(fromCustomer, notSaid),
	),
	doubted("a denied candidate is not stored", 0.6, "My age is 36", text("no"), nil).ends(
		true, vault.GapResult{FieldName: "age", Action: "expired", Confidence: 0.6, Errors: []string{notSure}},
	),
	doubted("an unanswered candidate is not stored", 0.6, "My age is 36", nil).ends(true, vault.GapResult{
		FieldName: "age", Action: "expired", Confidence: 0.6, Errors: []string{notSure},
	}),
	{
		name:         "an invalid answer to a confirmation is asked again with the reason",
		requirements: []vault.Requirement{hard("age", vault.FallbackAsk)},
		said:         []string{"My age is 36."}, candidates: []vault.Candidate{candidate("age", number(36), 0.9, "My age is 36")},
		calls: 1, answers: []json.RawMessage{text("perhaps"), text("yes")}, asked: []string{"age 1", "age 2 !"},
		fields: []vault.GapResult{fromConversation},
	},
	{
		name: "a boolean false is asked for, not confirmed",
		defs: []vault.Definition{
			{Name: "newsletter", ValueType: vault.TypeBoolean, CollectionPrompt: "Do you want our newsletter?"},
		},
		requirements: []vault.Requirement{hard("newsletter", vault.FallbackAsk)}, said: []string{"No newsletter for me."},
		calls:      1,
		candidates: []vault.Candidate{candidate("newsletter", json.RawMessage(`false`), 0.9, "No newsletter for me")},
		answers:    []json.RawMessage{text("no")}, asked: []string{"newsletter 1"},
		kinds:  []vault.QuestionKind{vault.QuestionValue},
		fields: []vault.GapResult{{FieldName: "newsletter", Filled: true, Source: vault.GapFromCustomer, Confidence: 1}},
	},
	{
		name: "an unused boolean false is asked for too",
		defs: []vault.Definition{
			{Name: "newsletter", ValueType: vault.TypeBoolean, CollectionPrompt: "Do you want our newsletter?"},
		},
		requirements: []vault.Requirement{hard("newsletter", vault.FallbackAsk)}, said: []string{"Well."}, calls: 1,
		candidates: []vault.Candidate{candidate("newsletter", json.RawMessage(`false`), 0.9, "Well")},
		answers:    []json.RawMessage{text("yes")}, asked: []string{"newsletter 1"},
		kinds: []vault.QuestionKind{vault.QuestionValue},
		fields: []vault.GapResult{
			{
				FieldName: "newsletter", Filled: true, Source: vault.GapFromCustomer, Confidence: 1,
				Errors: []string{"newsletter: the yes or no of the customer answers no question about this field"},
			},
		},
	},
	{
		name:         "a field with another fallback than ask is not confirmed",
		requirements: []vault.Requirement{{FieldName: "age", FallbackAction: vault.FallbackExtract}},
		said:         []string{"My age is 36."}, candidates: []vault.Candidate{candidate("age", number(36), 0.9, "My age is 36")},
		calls: 1, fields: []vault.GapResult{
			{FieldName: "age", Filled: true, Source: vault.GapFromConversation, Confidence: 0.9, Confirm: true},
		},
	},
	{
		name: "a field that decides another requirement comes first",
		requirements: []vault.Requirement{
			{FieldName: "age", WhenCondition: `fields.plan == "gold"`}, // undecided without the plan, so it applies
			hard("email", vault.FallbackAsk), hard("plan", vault.FallbackAsk),
		},
		answers: []json.RawMessage{text("ada@example.com"), text("silver")}, asked: []string{"email 1", "plan 1"},
		warnings: 1,
		fields: []vault.GapResult{
			{FieldName: "email", Filled: true, Source: vault.GapFromCustomer, Confidence: 1},
			{FieldName: "plan", Filled: true, Source: vault.GapFromCustomer, Confidence: 1},
		},
	},
	{
		name: "mutually dependent conditions are asked in order",
		requirements: []vault.Requirement{
			{FieldName: "age", WhenCondition: `fields.plan == "gold"`}, {FieldName: "plan", WhenCondition: `fields.age > 18`},
		},
		answers: []json.RawMessage{number(12)}, asked: []string{"age 1"}, warnings: 2,
		fields: []vault.GapResult{fromCustomer},
	},
}

func TestFillGaps_ConfirmsUncertainValues(t *testing.T) {
	t.Parallel()
	for _, c := range confirmCases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t)
		})
	}
}

// aDoubt is a fill that stored an uncertain value and asks for confirmation.
func aDoubt(w *world) (fill vault.Event, question gapfill.Waiting) {
	fill = doubted("", 0.9, "My age is 36").start(w)
	for _, write := range w.resolve(fill) {
		w.must(w.run(write, writeValue...))
	}
	return fill, w.ask(fill)
}

func aReply(value json.RawMessage) func(w *world) vault.Event {
	return func(w *world) vault.Event {
		_, question := aDoubt(w)
		return w.answer(question.QuestionID, value)
	}
}

func aCancellation(w *world) vault.Event {
	fill, _ := aDoubt(w)
	return w.event(
		trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.CancelFill, vault.CancelFillInput{FillID: fill.OperationID}),
	)
}

func TestAskCustomer_ConfirmationNamesTheValue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, waiting := aDoubt(w)
	q, err := w.db.Tenant(w.tenant).GetQuestion(t.Context(), w.tenant, waiting.QuestionID)
	w.must(err)
	item := w.history("age")[0]
	if q.Kind != string(vault.QuestionConfirm) || string(q.Candidate) != "36" || q.ItemID == nil || *q.ItemID != item.ID ||
		q.Prompt != "age: 36. Is that right?" {
		t.Errorf("the question is %+v", q)
	}
	if !item.RequiresConfirmation {
		t.Error("the value does not wait for its confirmation")
	}
	w.must(w.run(w.answer(waiting.QuestionID, text("yes")), answerQuestion...))
	if h := w.history("age"); len(h) != 1 || h[0].RequiresConfirmation || h[0].Source != vault.ValueLLMExtracted {
		t.Errorf("after a yes the history is %+v", h)
	}
}

// The denied value has a dependent: it is not deleted, and the next answer replaces it.
func TestPersistAnswer_DeniedValueWithDependentsStays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	fill, waiting := aDoubt(w)
	item := w.history("age")[0].ID
	w.write("plan", text("senior"), from(item))
	w.must(w.run(w.answer(waiting.QuestionID, text("no")), answerQuestion...))
	if h := w.history("age"); h[0].Status != vault.StatusActive || !h[0].RequiresConfirmation {
		t.Errorf("the denied value is %s", h[0].Status)
	}
	w.must(w.run(w.answer(w.ask(fill).QuestionID, number(37)), answerQuestion...))
	w.equal("values", []string{"36", "37"}, valuesOf(w.history("age")))
	w.must(w.run(fill, fillGaps...))
	if op := w.op(fill); op.Status != vault.OperationSucceeded {
		t.Errorf("the fill is %s", op.Status)
	}
}

// A value that a fill stored while the customer was merged stays with the other customer after the unmerge. An answer
// neither moves nor confirms it; it applies to the customer who answers.
func TestPersistAnswer_ItemOfAnotherCustomerStays(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]map[string]string{
		"yes": {"plan": `"gold"`, "age": "36"}, "no": {"plan": `"gold"`},
	} {
		t.Run(said, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			defined(w)
			other := w.as(newID())
			w.write("plan", text("gold"))
			other.write("plan", text("silver"))
			w.merge(w.customer, other.customer)
			_, waiting := aDoubt(w)
			w.unmerge(w.customer)
			w.values(w.customer) // fill the cache with both
			w.values(other.customer)
			w.must(w.run(w.answer(waiting.QuestionID, text(said)), answerQuestion...))
			w.equal("the values of who was asked", want, w.values(w.customer))
			w.equal("the other's values", map[string]string{"plan": `"silver"`, "age": "36"}, w.values(other.customer))
			if h := other.history("age"); len(h) != 1 || !h[0].RequiresConfirmation {
				t.Errorf("the other's age is %+v", h)
			}
		})
	}
}

func TestCancelFill_EndsWithStoredValues(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	fill, question := aDoubt(w)
	cancel := w.event(
		trigger.Submit(t.Context(), w.trigger, w.tenant, vault.CancelFill, vault.CancelFillInput{FillID: fill.OperationID}),
	)
	w.must(w.run(cancel, cancelFill...))
	if got := resultOf[vault.CancelResult](w, cancel); got.QuestionID == nil || *got.QuestionID != question.QuestionID {
		t.Errorf("got %+v", got)
	}
	got := resultOf[vault.FillResult](w, fill) // no run of the fill is needed
	w.must(w.run(fill, fillGaps...))
	w.equal("the result", got, resultOf[vault.FillResult](w, fill))
	if !got.Cancelled || len(got.Fields) != 1 || !got.Fields[0].Filled || !got.Fields[0].Confirm {
		t.Errorf("the fill ended with %+v", got)
	}
	late := w.answer(question.QuestionID, number(37))
	w.must(w.run(late, answerQuestion...))
	if op := w.op(late); op.Error == nil || op.Error.Code != vault.CodeConflict {
		t.Errorf("an answer to a cancelled question is %s with %v", op.Status, op.Error)
	}
	again := w.event(
		trigger.Submit(t.Context(), w.trigger, w.tenant, vault.CancelFill, vault.CancelFillInput{FillID: fill.OperationID}),
	)
	if err := w.run(again, "Gaps.CancelFill"); vault.CodeOf(err) != vault.CodeConflict ||
		!strings.Contains(err.Error(), "has ended already") {
		t.Errorf("a second cancellation ends with %v", err)
	}
}

func TestCancelFill_BeforeTheFirstRound(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	fill := aFill(w)
	w.must(
		w.run(
			w.event(
				trigger.Submit(t.Context(), w.trigger, w.tenant, vault.CancelFill, vault.CancelFillInput{FillID: fill.OperationID}),
			),
			cancelFill...,
		),
	)
	w.must(w.run(fill, fillGaps...))
	got := resultOf[vault.FillResult](w, fill)
	if !got.Cancelled || got.ModelCalls != 0 || w.model.called("extract") != 0 || len(w.dump()["questions"]) != 0 {
		t.Errorf("the fill ended with %+v, after %d model calls", got, w.model.called("extract"))
	}
}

func TestCancelFill_OtherOperationIsUnknown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, id := range []uuid.UUID{newID(), aWrite(w).OperationID} {
		if _, err := trigger.Submit(
			t.Context(), w.trigger, w.tenant, vault.CancelFill, vault.CancelFillInput{FillID: id},
		); vault.CodeOf(err) != vault.CodeUnknown {
			t.Errorf("got %v", err)
		}
	}
}

// Two scenarios ask the same customer for the same field: one answer closes both questions.
func TestPersistAnswer_ClosesSameQuestions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(vault.Definition{Name: "age", ValueType: vault.TypeNumber})
	var fills []vault.Event
	var questions []gapfill.Waiting
	for range 2 {
		scenario := w.scenario("Ask.").ID
		w.require(scenario, vault.Requirement{FieldName: "age"})
		fill := w.event(
			trigger.Submit(t.Context(), w.trigger, w.tenant, vault.FillGaps, vault.FillGapsInput{
				CustomerID: w.customer, ScenarioID: scenario,
			}),
		)
		w.resolve(fill)
		fills, questions = append(fills, fill), append(questions, w.ask(fill))
	}
	answer := w.answer(questions[0].QuestionID, number(36))
	before := len(w.engine.taken())
	w.must(w.run(answer, answerQuestion...))
	woken := map[uuid.UUID]bool{}
	for _, p := range w.engine.taken()[before:] {
		woken[p.Operation] = true
	}
	for i, fill := range fills {
		if !woken[fill.OperationID] {
			t.Errorf("fill %d was not woken", i)
		}
		w.must(w.run(fill, fillGaps...))
		if got := resultOf[vault.FillResult](w, fill); len(got.Fields) != 1 || !got.Fields[0].Filled {
			t.Errorf("fill %d ended with %+v", i, got)
		}
	}
	w.equal("values", []string{"36"}, valuesOf(w.history("age")))
}

// Two customers are asked for the same field and then merged: both see both questions, and one answer closes both.
func TestQuestions_MergedCustomersShareThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(vault.Definition{Name: "age", ValueType: vault.TypeNumber}, vault.Definition{
		Name: "plan", ValueType: vault.TypeString,
	})
	w.write("plan", text("gold"))
	other := w.as(newID())
	other.write("plan", text("silver"))
	scenario := w.scenario("Ask.").ID
	w.require(scenario, vault.Requirement{FieldName: "age"})
	session := w.session(nil, "Hello.")
	var fills []vault.Event
	var questions []uuid.UUID
	for _, c := range []*world{w, other} {
		fill := w.event(
			trigger.Submit(t.Context(), w.trigger, w.tenant, vault.FillGaps, vault.FillGapsInput{
				CustomerID: c.customer, ScenarioID: scenario,
			}),
		)
		w.resolve(fill)
		fills, questions = append(fills, fill), append(questions, w.ask(fill).QuestionID)
	}
	waiting := func(customer uuid.UUID) []uuid.UUID {
		t.Helper()
		open, err := query.New(w.db, w.cache, w.sealer).Questions(t.Context(), w.tenant, customer)
		w.must(err)
		page, _, err := query.New(w.db, w.cache, w.sealer).QuestionsPage(t.Context(), w.tenant, &customer, nil, 10)
		w.must(err)
		w.equal("the page", open, page)
		var out []uuid.UUID
		for _, q := range open {
			out = append(out, q.ID)
		}
		return out
	}
	w.equal("before", questions[1:], waiting(other.customer))
	w.merge(w.customer, other.customer)
	w.equal("of the target", questions, waiting(other.customer))
	w.equal("of the source", questions, waiting(w.customer))
	w.must(w.run(w.unmerging(w.customer), "Merges.UnmergeCustomer", "Caches.InvalidateAndAcknowledge"))
	w.equal("apart again", questions[:1], waiting(w.customer))

	w.merge(w.customer, other.customer)
	w.must(w.run(w.answer(questions[0], number(36)), answerQuestion...))
	w.equal("after the answer", []uuid.UUID(nil), waiting(other.customer))
	for i, fill := range fills {
		w.must(w.run(fill, fillGaps...))
		if got := resultOf[vault.FillResult](w, fill); len(got.Fields) != 1 || !got.Fields[0].Filled {
			t.Errorf("fill %d ended with %+v", i, got)
		}
	}
	// A session of one customer is a session of the other.
	w.resolve(
		w.event(
			trigger.Submit(t.Context(), w.trigger, w.tenant, vault.FillGaps, vault.FillGapsInput{
				CustomerID: other.customer, ScenarioID: scenario, SessionID: &session,
			}),
		),
	)
}

// The cached chain of a value is invalidated when the customer denies the value.
func TestPersistAnswer_DeniedValueInvalidatesChain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, waiting := aDoubt(w)
	item := w.history("age")[0].ID
	reads := query.New(w.db, w.cache, w.sealer)
	chain, err := reads.Chain(t.Context(), w.tenant, item, 0) // fill the cache
	w.must(err)
	if len(chain.Links) == 0 {
		t.Fatal("the value has no chain")
	}
	w.must(w.run(w.answer(waiting.QuestionID, text("no")), answerQuestion[:3]...))
	again, err := reads.Chain(t.Context(), w.tenant, item, 0)
	uncached, direct := query.New(w.db, nil, w.sealer).Chain(t.Context(), w.tenant, item, 0)
	w.equal("the chain", jsonOf(uncached), jsonOf(again))
	w.equal("the error", textOf(direct), textOf(err))
	if jsonOf(again) == jsonOf(chain) {
		t.Error("the denial did not change the chain: this showed nothing")
	}
}

// A field that another source filled is not asked for any more in the next round.
func TestAskCustomer_ClosesAnObsoleteQuestion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	fill := written(w)
	question := w.ask(fill)
	w.write("age", number(36))
	w.must(w.run(fill, fillGaps...))
	if op := w.op(fill); op.Status != vault.OperationSucceeded {
		t.Errorf("the fill is %s", op.Status)
	}
	q, err := w.db.Tenant(w.tenant).GetQuestion(t.Context(), w.tenant, question.QuestionID)
	w.must(err)
	if q.Status != string(vault.QuestionCancelled) {
		t.Errorf("the question is %s", q.Status)
	}
}

// A statement in one scenario fills the next scenario; a later statement in the same conversation replaces it.
func TestFillGaps_LaterStatementReplacesTheValue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := doubted("", 0.99, "My age is 36")
	fill := c.start(w)
	w.equal("asked", []string(nil), c.play(w, fill))
	session := *w.history("age")[0].SourceSessionID
	scenario := w.scenario("The next.").ID
	w.require(scenario, vault.Requirement{FieldName: "age"})
	next := func() vault.FillResult {
		t.Helper()
		ev := w.event(
			trigger.Submit(t.Context(), w.trigger, w.tenant, vault.FillGaps, vault.FillGapsInput{
				CustomerID: w.customer, ScenarioID: scenario, SessionID: &session,
			}),
		)
		w.equal("asked", []string(nil), c.play(w, ev))
		return resultOf[vault.FillResult](w, ev)
	}
	if got := next(); got.ModelCalls != 0 || got.Fields[0].Source != vault.GapFromProfile {
		t.Errorf("the next scenario got %+v", got)
	}
	say := func(words string, found ...vault.Candidate) {
		t.Helper()
		w.must(w.run(w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.SaveSession, vault.SaveSessionInput{
			SessionID: session, AgentID: w.agent, CustomerID: w.customer,
			Turns: []vault.Turn{{Speaker: vault.SpeakerCustomer, Text: words}},
		})), saveSession...))
		w.model.extract = func(llm.ExtractRequest) ([]vault.Candidate, error) { return found, nil }
	}
	say("Thanks.", candidate("age", number(36), 0.99, "My age is 36"))
	if got := next(); got.ModelCalls != 1 || got.Fields[0].Source != vault.GapFromProfile {
		t.Errorf("after a turn that changes nothing, the scenario got %+v", got)
	}
	changed := candidate("age", number(37), 0.99, "my age is 37")
	changed.Turn = 2
	say("Sorry, my age is 37.", changed)
	if got := next(); got.Fields[0].Source != vault.GapFromConversation {
		t.Errorf("after another value was said, the scenario got %+v", got)
	}
	w.equal("values", []string{"36", "37"}, valuesOf(w.history("age")))
}

// A value that the customer takes back in a later turn is deleted, with the reason, and the field is missing again.
func TestFillGaps_RetractionTakesTheValueBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := doubted("", 0.99, "My age is 36")
	w.equal("asked", []string(nil), c.play(w, c.start(w)))
	stored := w.history("age")[0]
	session := *stored.SourceSessionID
	fillAgain := func(words string) vault.FillResult {
		t.Helper()
		w.must(w.run(w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.SaveSession, vault.SaveSessionInput{
			SessionID: session, AgentID: w.agent, CustomerID: w.customer,
			Turns: []vault.Turn{{Speaker: vault.SpeakerCustomer, Text: words}},
		})), saveSession...))
		w.model.extract = func(llm.ExtractRequest) ([]vault.Candidate, error) { return nil, nil }
		scenario := w.scenario("Again.").ID
		w.require(scenario, vault.Requirement{FieldName: "age", FallbackAction: vault.FallbackSkip})
		ev := w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.FillGaps, vault.FillGapsInput{
			CustomerID: w.customer, ScenarioID: scenario, SessionID: &session,
		}))
		for _, op := range w.resolve(ev) {
			w.must(w.run(op, deleteItem...))
		}
		w.must(w.run(ev, fillGaps...))
		return resultOf[vault.FillResult](w, ev)
	}
	if got := fillAgain("My wife's age is wrong in your records."); !got.Fields[0].Filled {
		t.Errorf("after a retraction for somebody else: %+v", got.Fields)
	}
	if got := fillAgain("Sorry, that age is wrong, please forget it."); got.Fields[0].Filled {
		t.Errorf("after the retraction: %+v", got.Fields)
	}
	row, err := w.db.Tenant(w.tenant).GetAnyValue(t.Context(), w.tenant, stored.ID)
	w.must(err)
	if row.DeletedAt == nil || !strings.Contains(row.DecisionNote, "took it back in turn 2") {
		t.Errorf("deleted at %v because %q", row.DeletedAt, row.DecisionNote)
	}
}

func TestAskCustomer_SecretValueIsNotInTheQuestion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(vault.Definition{Name: "tax_id", ValueType: vault.TypeString, IsPII: true}, vault.Definition{
		Name: "pin", ValueType: vault.TypeString, EncryptionRequired: true,
	})
	scenario := w.scenario("Ask.").ID
	w.require(scenario, vault.Requirement{FieldName: "tax_id"}, vault.Requirement{FieldName: "pin"})
	session := w.session(nil, "My tax id is ABC-123-xyz.")
	w.model.extract = func(llm.ExtractRequest) ([]vault.Candidate, error) {
		return []vault.Candidate{
			candidate("tax_id", text("ABC-123-xyz"), 0.9, "My tax id is ABC-123-xyz"),
			candidate("pin", text("pin 98765432"), 0.9, "nobody said so"),
		}, nil
	}
	fill := w.event(
		trigger.Submit(t.Context(), w.trigger, w.tenant, vault.FillGaps, vault.FillGapsInput{
			CustomerID: w.customer, ScenarioID: scenario, SessionID: &session,
		}),
	)
	for _, write := range w.resolve(fill) {
		w.must(w.run(write, writeValue...))
	}
	w.must(w.run(w.answer(w.ask(fill).QuestionID, text("yes")), answerQuestion...))
	if h := w.history("tax_id"); len(h) != 1 || h[0].RequiresConfirmation {
		t.Errorf("after a yes the history is %+v", h)
	}
	second := w.ask(fill)
	q, err := w.db.Tenant(w.tenant).GetQuestion(t.Context(), w.tenant, second.QuestionID)
	w.must(err)
	if q.FieldName != "pin" || q.Kind != string(vault.QuestionValue) {
		t.Errorf("then it asks %+v", q)
	}
	for _, secret := range []string{"ABC-123-xyz", "pin 98765432"} {
		if got := strings.Join(w.dump().Without("customer_values", "session_turns").Holding(secret), " "); got != "" {
			t.Errorf("%s is in %s", secret, got)
		}
	}
	w.later(25 * time.Hour)
	w.must(w.run(fill, fillGaps...))
}
