package steps_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/steps/gapfill"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// questioned is a fill that asks for one field after the other.
type questioned struct {
	*world
	fill vault.Event
}

// asking starts a fill that needs the fields of defs, in their order.
func asking(t *testing.T, in vault.FillGapsInput, said []string, defs ...vault.Definition) questioned {
	t.Helper()
	w := newWorld(t)
	w.define(defs...)
	in.CustomerID, in.ScenarioID = w.customer, w.scenario("Ask.").ID
	for i, d := range defs {
		w.require(in.ScenarioID, vault.Requirement{
			FieldName: d.Name, FallbackAction: vault.FallbackAsk, RequiredLevel: vault.LevelHard, Order: i,
		})
	}
	if said != nil {
		in.SessionID = ptr(w.session(nil, said...))
	}
	return questioned{w, w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.FillGaps, in))}
}

// question runs the fill until it waits for an answer, and returns its question. It returns nil if the fill has ended.
func (q questioned) question() *dbgen.Question {
	q.t.Helper()
	for range 10 {
		for _, write := range q.resolve(q.fill) {
			q.must(q.run(write, writeValue...))
		}
		var out gapfill.Advanced
		out, err := q.steps.Gaps.AskCustomer(q.t.Context(), q.fill)
		q.must(err)
		switch {
		case out.Done:
			return nil
		case out.Question != nil:
			row, err := q.db.Tenant(q.tenant).GetQuestion(q.t.Context(), q.tenant, out.Question.QuestionID)
			q.must(err)
			return &row
		}
	}
	q.t.Fatal("the fill neither asks nor ends")
	return nil
}

// reply answers the open question and returns the operation.
func (q questioned) reply(answer string) vault.Operation {
	q.t.Helper()
	open := q.question()
	if open == nil {
		q.t.Fatal("no question is open")
	}
	ev := q.answer(open.ID, text(answer))
	q.must(q.run(ev, answerQuestion...))
	return q.op(ev)
}

// stored returns the active value of a field, "" without one.
func (q questioned) stored(name string) string {
	q.t.Helper()
	return q.values(q.customer)[name]
}

func itemResult(t *testing.T, op vault.Operation) vault.ItemResult {
	t.Helper()
	var out vault.ItemResult
	if op.Status == vault.OperationSucceeded {
		if err := json.Unmarshal(op.Result, &out); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

var (
	cityField  = vault.Definition{Name: "city", DisplayName: "City", ValueType: vault.TypeString, CollectionPrompt: "Which city do you live in?"}
	birthField = vault.Definition{Name: "date_of_birth", DisplayName: "Date of birth", ValueType: vault.TypeDate, CollectionPrompt: "When were you born?"}
	emailField = vault.Definition{Name: "email", DisplayName: "Email address", ValueType: vault.TypeEmail, CollectionPrompt: "What is your email address?"}
	termsField = vault.Definition{Name: "terms_accepted", DisplayName: "Terms accepted", ValueType: vault.TypeBoolean, CollectionPrompt: "Do you accept our terms and conditions?"}
	orderField = vault.Definition{Name: "order_number", DisplayName: "Order number", ValueType: vault.TypeString, ValidationRegex: `[A-Z]-\d{5}`, CollectionPrompt: "What is your order number?"}
)

// answered is an answer to an open question and what is stored for it: "" for nothing.
type answeredCase struct {
	def            vault.Definition
	answer, stored string
}

func TestAnswer_ReadInTheCustomersWords(t *testing.T) {
	t.Parallel()
	claims := vault.Definition{
		Name: "claims", DisplayName: "Claims", ValueType: vault.TypeNumber, CollectionPrompt: "How many claims have you made?",
	}
	vehicle := vault.Definition{
		Name: "vehicle_type", ValueType: vault.TypeString, CollectionPrompt: "What type of vehicle do you want to insure?",
		AllowedValues: []json.RawMessage{text("car"), text("van")},
	}
	phone := vault.Definition{Name: "phone", ValueType: vault.TypePhone, CollectionPrompt: "What is your phone number?"}
	for _, c := range []answeredCase{
		{birthField, "14 March 1990", `"1990-03-14"`},
		{birthField, "I was born on March 3rd, 1979", `"1979-03-03"`},
		{emailField, "It is mira@example.org thanks", `"mira@example.org"`},
		{emailField, "you can write to tom@mail.example 🙂", `"tom@mail.example"`},
		{claims, "2 claims", `2`},
		{claims, "none", `0`},
		{vehicle, "Car please", `"car"`},
		{vehicle, "I'd like to insure a van", `"van"`},
		{cityField, "I live in Rio de Janeiro", `"Rio de Janeiro"`},
		{cityField, "Hello! Hamburg, thanks", `"Hamburg"`},
		{phone, "It's +49 151 12345678", `"+4915112345678"`},
		{orderField, "it's b-99421", `"B-99421"`},
		{termsField, "I accept.", `true`},
		{termsField, "No thank you", `false`},
	} {
		t.Run(c.answer, func(t *testing.T) {
			t.Parallel()
			q := asking(t, vault.FillGapsInput{}, nil, c.def)
			if op := q.reply(c.answer); op.Status != vault.OperationSucceeded {
				t.Fatalf("the answer is %s with %v", op.Status, op.Error)
			}
			q.equal("stored", c.stored, q.stored(c.def.Name))
		})
	}
}

// The question stays open after each interruption, and the only attempt is left for the answer.
func TestAnswer_InterruptionUsesNoAttempt(t *testing.T) {
	t.Parallel()
	for _, c := range []answeredCase{
		{def: cityField, answer: "stop"},
		{def: cityField, answer: "Cancel that please"},
		{def: cityField, answer: "ask my wife"},
		{def: cityField, answer: "just a moment"},
		{def: cityField, answer: "why do you want to know?"},
		{def: cityField, answer: "Pardon?"},
		{def: cityField, answer: "einen Moment bitte"},
		{def: birthField, answer: "let me check my passport"},
		{def: emailField, answer: "is this secure?"},
		{def: termsField, answer: "hold on, let me read them first"},
		{def: orderField, answer: "I don't have it here"},
	} {
		t.Run(c.answer, func(t *testing.T) {
			t.Parallel()
			q := asking(t, vault.FillGapsInput{MaxAttempts: 1}, nil, c.def)
			first := q.question()
			for range 2 {
				op := q.reply(c.answer)
				if got := itemResult(t, op); op.Status != vault.OperationSucceeded || !got.Interrupted || got.ItemID != uuid.Nil {
					t.Fatalf("the answer is %s with %+v and %v", op.Status, got, op.Error)
				}
			}
			if next := q.question(); next == nil || next.ID != first.ID || next.Attempt != 1 {
				t.Errorf("the fill waits for %+v, not for %+v", next, first)
			}
			q.equal("stored", "", q.stored(c.def.Name))
		})
	}
}

func TestAnswer_RefusalIsNotAskedAgain(t *testing.T) {
	t.Parallel()
	for _, c := range []answeredCase{
		{def: cityField, answer: "I'd rather not say"},
		{def: cityField, answer: "das geht Sie nichts an"},
		{def: birthField, answer: "no comment"},
		{def: birthField, answer: "skip this one please"},
		{def: emailField, answer: "I don't have an email"},
		{def: emailField, answer: "prefiero no decirlo"},
	} {
		t.Run(c.answer, func(t *testing.T) {
			t.Parallel()
			q := asking(t, vault.FillGapsInput{}, nil, c.def)
			asked := q.question().ID
			if got := itemResult(t, q.reply(c.answer)); !got.Refused {
				t.Fatalf("the answer is read as %+v", got)
			}
			if next := q.question(); next != nil {
				t.Fatalf("the fill asks again: %q", next.Prompt)
			}
			got := resultOf[vault.FillResult](q.world, q.fill)
			if len(got.Fields) != 1 || got.Fields[0].Filled || got.Fields[0].Action != "refused" || !got.Blocked {
				t.Errorf("the fill ended with %+v", got)
			}
			row, err := q.db.Tenant(q.tenant).GetQuestion(t.Context(), q.tenant, asked)
			q.must(err)
			q.equal("the question", string(vault.QuestionRefused), row.Status)
		})
	}
}

// The reason and the second prompt are for customers: the words of the definition, and no name, pattern or value.
func TestAnswer_UnclearIsAskedAgainInOtherWords(t *testing.T) {
	t.Parallel()
	own := orderField
	own.RetryPrompt = "The order number is on the first page of your invoice."
	for _, c := range []answeredCase{
		{def: cityField, answer: "sure thing"},
		{def: cityField, answer: "keine Ahnung"},
		{def: cityField, answer: "Berlin or Hamburg"},
		{def: birthField, answer: "31 February 1990"},
		{def: birthField, answer: "03/04/1990"},
		{def: emailField, answer: "jane@exam"},
		{def: termsField, answer: "Yes, if it is free."},
		{def: termsField, answer: "No problems at all!"},
		{def: orderField, answer: "I have 2 orders"},
		{def: own, answer: "12345"},
	} {
		t.Run(c.answer, func(t *testing.T) {
			t.Parallel()
			q := asking(t, vault.FillGapsInput{}, nil, c.def)
			first := q.question()
			if op := q.reply(c.answer); op.Status != vault.OperationFailed || op.Error.Code != vault.CodeInvalid {
				t.Fatalf("the answer is %s with %v", op.Status, op.Error)
			}
			next := q.question()
			if next == nil || next.Prompt == first.Prompt || next.Reason == "" || next.Attempt != 2 {
				t.Fatalf("the next question is %+v", next)
			}
			for _, said := range []string{next.Prompt, next.Reason} {
				if strings.Contains(said, "_") || strings.Contains(said, `\d`) || strings.Contains(said, c.answer) {
					t.Errorf("the customer reads %q", said)
				}
			}
			if c.def.RetryPrompt != "" {
				q.equal("the reason", c.def.RetryPrompt, next.Reason)
			}
			q.equal("stored", "", q.stored(c.def.Name))
		})
	}
}

// What a reply says of other fields is written too, also if it does not answer the question.
func TestAnswer_OtherFieldsAreNotLost(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]map[string]string{
		"I live in Porto and my email is rui@example.org":            {"city": `"Porto"`, "email": `"rui@example.org"`},
		"I'd rather not say, but my email is ken@example.com":        {"email": `"ken@example.com"`},
		"Let me check that. My email address is zoe@example.com":     {"email": `"zoe@example.com"`},
		"No idea, sorry. You can reach me by email, ada@example.net": {"email": `"ada@example.net"`},
	} {
		t.Run(answer, func(t *testing.T) {
			t.Parallel()
			q := asking(t, vault.FillGapsInput{}, nil, cityField, emailField)
			op := q.reply(answer)
			if got := itemResult(t, op); op.Status == vault.OperationSucceeded && !slices.Equal(got.AlsoRead, []string{"email"}) {
				t.Errorf("the result is %+v", got)
			}
			q.question()
			q.equal("stored", want, q.values(q.customer))
			versions := q.history("email")
			var evidence struct {
				Quote      string    `json:"quote"`
				QuestionID uuid.UUID `json:"question_id"`
			}
			q.must(json.Unmarshal(versions[0].SourceMetadata, &evidence))
			if versions[0].Source != vault.ValueLLMExtracted || !strings.Contains(answer, evidence.Quote) ||
				evidence.Quote == "" || evidence.QuestionID == uuid.Nil {
				t.Errorf("its source is %s with %+v", versions[0].Source, evidence)
			}
		})
	}
}

// While the model is down, the built-in one reads answers: no attempt of the customer is lost.
func TestAnswer_ModelDown(t *testing.T) {
	t.Parallel()
	q := asking(t, vault.FillGapsInput{}, nil, birthField)
	q.model.extract = func(llm.ExtractRequest) ([]vault.Candidate, error) { return nil, errModel }
	if op := q.reply("I was born on 14 March 1990"); op.Status != vault.OperationSucceeded {
		t.Fatalf("the answer is %s with %v", op.Status, op.Error)
	}
	q.equal("stored", `"1990-03-14"`, q.stored("date_of_birth"))
}

// A model that claims more than the reply says stores nothing.
func TestAnswer_ModelInvents(t *testing.T) {
	t.Parallel()
	for answer, c := range map[string]vault.Candidate{
		"It is near the old bridge":      {FieldName: "city", Value: text("Prague"), Quote: "near the old bridge", Confidence: 1},
		"my brother's city is Bonn":      {FieldName: "city", Value: text("Bonn"), Quote: "Bonn", Confidence: 1},
		"maybe Bonn":                     {FieldName: "city", Value: text("Bonn"), Quote: "Bonn", Confidence: 1},
		"hang on, the doorbell":          {FieldName: "city", Value: text("doorbell"), Quote: "the doorbell", Confidence: 1},
		"do you deliver to Bonn?":        {FieldName: "city", Value: text("Bonn"), Quote: "Bonn", Confidence: 1},
		"my parcel has not arrived yet.": {FieldName: "city", Value: text("my parcel"), Quote: "my parcel", Confidence: 1},
	} {
		t.Run(answer, func(t *testing.T) {
			t.Parallel()
			q := asking(t, vault.FillGapsInput{}, nil, cityField)
			q.model.extract = func(req llm.ExtractRequest) ([]vault.Candidate, error) {
				c.Turn = len(req.Turns) - 1
				return []vault.Candidate{c}, nil
			}
			q.reply(answer)
			q.equal("stored", "", q.stored("city"))
		})
	}
}

// The reply to "City: Berlin. Is that right?".
func TestAnswer_RepliesToAConfirmation(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		reply, stored string
		unconfirmed   bool
	}{
		{reply: "ok", stored: `"Berlin"`},
		{reply: "Yes it is", stored: `"Berlin"`},
		{reply: "Yes, that's correct!", stored: `"Berlin"`},
		{reply: "👍", stored: `"Berlin"`},
		{reply: "Genau, danke", stored: `"Berlin"`},
		{reply: "Yes, Berlin", stored: `"Berlin"`},
		{reply: "Not quite"},
		{reply: "No, that's my old address"},
		{reply: "nein, das stimmt nicht"},
		{reply: "No, it's Hamburg", stored: `"Hamburg"`},
		{reply: "not Berlin, Potsdam", stored: `"Potsdam"`},
		{reply: "I meant Bonn", stored: `"Bonn"`},
		{reply: "Yes, Hamburg", stored: `"Berlin"`, unconfirmed: true},
		{reply: "yes and no", stored: `"Berlin"`, unconfirmed: true},
		{reply: "whatever", stored: `"Berlin"`, unconfirmed: true},
		{reply: "just a moment", stored: `"Berlin"`, unconfirmed: true},
		{reply: "why do you ask?", stored: `"Berlin"`, unconfirmed: true},
		{reply: "I'd rather not say", stored: `"Berlin"`, unconfirmed: true},
	} {
		t.Run(c.reply, func(t *testing.T) {
			t.Parallel()
			q := asking(t, vault.FillGapsInput{}, []string{"I live in Berlin"}, cityField)
			q.model.extract = func(req llm.ExtractRequest) ([]vault.Candidate, error) {
				if req.Turns[0].Speaker == vault.SpeakerAgent { // the answer
					return nil, nil
				}
				return []vault.Candidate{candidate("city", text("Berlin"), 0.9, "I live in Berlin")}, nil
			}
			if asked := q.question(); asked == nil || asked.Kind != string(vault.QuestionConfirm) {
				t.Fatalf("the question is %+v", asked)
			}
			q.reply(c.reply)
			q.equal("stored", c.stored, q.stored("city"))
			for _, v := range q.history("city") {
				if v.Status == vault.StatusActive && v.RequiresConfirmation != c.unconfirmed {
					t.Errorf("unconfirmed: %t", v.RequiresConfirmation)
				}
			}
		})
	}
}
