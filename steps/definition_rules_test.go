package steps_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// ruledField is a field with a rule of its own: a valid value and an invalid one, each as a value and as the customer
// says it.
type ruledField struct {
	def             vault.Definition
	good, stored    string
	saidGood        string
	bad             string
	saidBad         string
	badFromTheModel string // the value that a model reads from saidBad; empty: bad
}

var ruledFields = []ruledField{
	{
		def:  vault.Definition{Name: "weight", ValueType: vault.TypeNumber, Unit: "kg", Minimum: number(20), Maximum: number(500)},
		good: `"80 kg"`, stored: `80`, saidGood: "I weigh 80 kg.", bad: `"180 lb"`, saidBad: "I weigh 180 pounds.",
		badFromTheModel: `180`,
	},
	{
		def:  vault.Definition{Name: "nights", ValueType: vault.TypeNumber, Minimum: number(1), Maximum: number(30)},
		good: `3`, stored: `3`, saidGood: "We stay 3 nights.", bad: `31`, saidBad: "We stay 31 nights.",
	},
	{
		def:  vault.Definition{Name: "pickup", ValueType: vault.TypeDatetime, TimeZone: "Europe/Berlin"},
		good: `"2026-07-01T14:30"`, stored: `"2026-07-01T12:30:00Z"`, saidGood: "Pick me up on 2026-07-01 at 14:30.",
		bad: `"2026-03-29T02:30"`, saidBad: "Pick me up on 2026-03-29 at 02:30.",
	},
	{
		def:  vault.Definition{Name: "phone", ValueType: vault.TypePhone, DefaultRegion: "DE"},
		good: `"030 901820"`, stored: `"+4930901820"`, saidGood: "My phone number is 030 901820.",
		bad: `"030 9018x"`, saidBad: "My phone number is 030 9018x.",
	},
	{
		def: vault.Definition{
			Name: "address", ValueType: vault.TypeJSON, JSONSchema: json.RawMessage(
				`{"type": "object", "required": ["city"], "properties": {"city": {"enum": ["Oslo", "Bergen"]}}}`),
		},
		good: `{"city": "Oslo"}`, stored: `{"city":"Oslo"}`, saidGood: "I live in Oslo.",
		bad: `{"city": "Paris"}`, saidBad: "I live in Paris.",
	},
}

// each runs a test for every field in a world that has it.
func each(t *testing.T, test func(t *testing.T, w *world, f ruledField)) {
	t.Parallel()
	for _, f := range ruledFields {
		t.Run(f.def.Name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.define(f.def)
			test(t, w, f)
		})
	}
}

// active returns the active value of a field of the customer, "" for none.
func (w *world) active(name string) string {
	w.t.Helper()
	p, err := w.seen(w.customer)
	if vault.CodeOf(err) == vault.CodeUnknown {
		return ""
	}
	w.must(err)
	value, ok := p.Fields[name]
	if !ok {
		return ""
	}
	return string(compact(w.t, value.Value))
}

func compact(t *testing.T, raw json.RawMessage) json.RawMessage {
	t.Helper()
	out, err := json.Marshal(decoded(t, raw))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// decoded returns a value as its JSON, so that the spelling of JSON in it does not count.
func decoded(t *testing.T, value any) any {
	t.Helper()
	raw, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestSaveDefinition_RulesAreStored(t *testing.T) {
	each(t, func(t *testing.T, w *world, f ruledField) {
		row, err := w.db.Tenant(w.tenant).ListDefinitions(t.Context(), w.tenant, w.agent)
		w.must(err)
		got, err := db.DefinitionOf(row[0])
		w.must(err)
		want := f.def
		want.AgentID, want.Enabled, want.Origin, want.Review = w.agent, true, vault.OriginHuman, vault.ReviewNone
		want.ID, want.UpdatedAt, want.Version = got.ID, got.UpdatedAt, got.Version
		if diff := cmp.Diff(decoded(t, want), decoded(t, got)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestDefinitionRules_Write(t *testing.T) {
	each(t, func(_ *testing.T, w *world, f ruledField) {
		w.refused(w.accept(f.def.Name, json.RawMessage(f.bad)), vault.CodeInvalid, []string{f.def.Name}, writeValue...)
		w.write(f.def.Name, json.RawMessage(f.good))
		w.equal("value", f.stored, w.active(f.def.Name))
	})
}

func TestDefinitionRules_Import(t *testing.T) {
	each(t, func(_ *testing.T, w *world, f ruledField) {
		other := w.as(newID())
		good, bad := w.fact(f.def.Name, ""), other.fact(f.def.Name, "")
		good.Value, bad.Value = json.RawMessage(f.good), json.RawMessage(f.bad)
		ev := w.importing(true, bad, good)
		w.must(w.run(ev, importValues...))
		w.equal("rejected", []int{0}, indexes(resultOf[vault.ImportResult](w, ev).Rejected))
		w.equal("value", f.stored, w.active(f.def.Name))
	})
}

func TestDefinitionRules_Answer(t *testing.T) {
	each(t, func(_ *testing.T, w *world, f ruledField) {
		fill := w.filling(f.def.Name, nil)
		w.resolve(fill)
		w.must(w.run(w.answer(w.ask(fill).QuestionID, json.RawMessage(f.bad)), answerQuestion...))
		w.resolve(fill)
		again := w.ask(fill)
		w.equal("question", f.def.Name+" 2 !", w.asked(again.QuestionID))
		w.must(w.run(w.answer(again.QuestionID, json.RawMessage(f.good)), answerQuestion...))
		w.equal("value", f.stored, w.active(f.def.Name))
	})
}

func TestDefinitionRules_SessionVariable(t *testing.T) {
	each(t, func(_ *testing.T, w *world, f ruledField) {
		for value, writes := range map[string]int{f.bad: 0, f.good: 1} {
			variables := map[string]json.RawMessage{f.def.Name: json.RawMessage(value)}
			session := w.session(variables)
			w.equal("writes for "+value, writes, len(w.resolve(w.filling(f.def.Name, &session))))
		}
	})
}

func TestDefinitionRules_Conversation(t *testing.T) {
	each(t, func(_ *testing.T, w *world, f ruledField) {
		read := f.bad
		if f.badFromTheModel != "" {
			read = f.badFromTheModel
		}
		for _, said := range []struct {
			text, value string
			writes      int
		}{{f.saidBad, read, 0}, {f.saidGood, f.good, 1}} {
			w.model.extract = func(req llm.ExtractRequest) ([]vault.Candidate, error) {
				if len(req.Definitions) != 1 || req.Definitions[0].Unit != f.def.Unit {
					return nil, fmt.Errorf("the model got %+v", req.Definitions)
				}
				return []vault.Candidate{candidate(f.def.Name, json.RawMessage(said.value), 0.97, said.text)}, nil
			}
			session := w.session(nil, said.text)
			writes := w.resolve(w.filling(f.def.Name, &session))
			w.equal("writes for "+said.text, said.writes, len(writes))
			for _, write := range writes {
				w.must(w.run(write, writeValue...))
			}
		}
		w.equal("value", f.stored, w.active(f.def.Name))
	})
}

// filling starts a gap fill for one field.
func (w *world) filling(name string, session *uuid.UUID) vault.Event {
	w.t.Helper()
	scenario := w.scenario("One.").ID
	w.require(scenario, hard(name, vault.FallbackAsk))
	return w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.FillGaps, vault.FillGapsInput{
		CustomerID: w.customer, ScenarioID: scenario, SessionID: session,
	}))
}

func TestImportValues_SchemaWorkIsLimited(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	branches := strings.TrimSuffix(strings.Repeat(`{"type": "string"},`, 100), ",")
	w.define(vault.Definition{
		Name: "list", ValueType: vault.TypeJSON, JSONSchema: json.RawMessage(`{"items": {"anyOf": [` + branches + `, {}]}}`),
	})
	long := json.RawMessage(`[` + strings.TrimSuffix(strings.Repeat(`1,`, 900), ",") + `]`)
	var in vault.ImportValuesInput
	for range 50 {
		in.Writes = append(in.Writes, vault.WriteValueInput{
			AgentID: w.agent, CustomerID: newID(), Name: "list", Value: long, Source: vault.ValueUserProvided,
		})
	}
	w.refused(w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.ImportValues, in)), vault.CodeInvalid,
		[]string{"json_schema", "list"}, importValues...)
	in.Writes = in.Writes[:2]
	w.must(w.run(w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.ImportValues, in)), importValues...))
}

func onceWritten(w *world) {
	w.t.Helper()
	w.define(
		vault.Definition{Name: "birthday", ValueType: vault.TypeDate, WriteOnce: true, IsPII: true},
		vault.Definition{Name: "tax_id", ValueType: vault.TypeString, WriteOnce: true, EncryptionRequired: true},
		vault.Definition{Name: "plan", ValueType: vault.TypeString},
	)
	w.write("birthday", text("1990-03-31"))
	w.write("tax_id", text("A-1"))
	w.write("plan", text("gold"))
}

func TestWriteOnce_AnotherValueIsRejected(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	onceWritten(w)
	says := []string{"birthday: is written once", "the customer has another value already", "have a person correct it"}
	w.refused(w.accept("birthday", text("1991-03-31")), vault.CodeConflict, says, writeValue...)
	w.refused(w.accept("tax_id", text("A-2")), vault.CodeConflict, []string{"tax_id: is written once"}, writeValue...)
	w.write("birthday", text(" 1990-03-31 "))
	w.write("tax_id", text("A-1"))
	w.write("plan", text("silver"))
	w.equal("birthday", `"1990-03-31"`, w.active("birthday"))
	w.equal("versions", 2, len(w.history("birthday")))
	w.equal("plan", `"silver"`, w.active("plan"))
}

// A stronger source and a verified claim are no corrections, and neither is one that was accepted before.
func TestWriteOnce_StrongerValueIsRejected(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	onceWritten(w)
	w.refused(w.accept("birthday", text("1991-03-31"), func(in *vault.WriteValueInput) {
		in.Source, in.Verified, in.VerificationMethod = vault.ValueHumanEntered, true, "kyc"
	}), vault.CodeConflict, []string{"is written once"}, writeValue...)

	other := w.as(newID())
	earlier, later := other.accept("birthday", text("1980-01-01")), other.accept("birthday", text("1981-01-01"))
	w.must(w.run(later, writeValue...))
	w.refused(earlier, vault.CodeConflict, []string{"is written once"}, writeValue...)
	w.equal("birthday", `"1981-01-01"`, other.active("birthday"))
}

func TestWriteOnce_PersonCorrects(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	onceWritten(w)
	w.must(w.run(w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.CorrectValue, vault.CorrectValueInput{
		AgentID: w.agent, CustomerID: w.customer, Name: "birthday", Value: text("1991-03-31"), CorrectedBy: "back office",
		Reason: "a typing error",
	})), correctValue...))
	w.equal("birthday", `"1991-03-31"`, w.active("birthday"))
	w.refused(w.accept("birthday", text("1990-03-31")), vault.CodeConflict, []string{"is written once"}, writeValue...)
}

func TestWriteOnce_ExpiredOrDeletedValueMayBeReplaced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(vault.Definition{Name: "birthday", ValueType: vault.TypeDate, WriteOnce: true, RetentionDays: 1})
	w.write("birthday", text("1990-03-31"))
	w.later(25 * time.Hour)
	second := w.write("birthday", text("1991-03-31"), func(in *vault.WriteValueInput) {
		in.ExpiresAt = ptr(time.Now().Add(100 * time.Hour))
	})
	w.refused(w.accept("birthday", text("1992-03-31")), vault.CodeConflict, nil, writeValue...)
	w.remove(second.ItemID, false)
	w.write("birthday", text("1992-03-31"))
}

func TestWriteOnce_Import(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	onceWritten(w)
	ev := w.importing(true, w.fact("birthday", "1991-03-31"), w.fact("plan", "bronze"), w.fact("tax_id", "A-1"),
		w.as(newID()).fact("birthday", "1970-01-01"))
	w.must(w.run(ev, importValues...))
	got := resultOf[vault.ImportResult](w, ev)
	w.equal("rejected", []int{0}, indexes(got.Rejected))
	if r := got.Rejected[0]; r.Code != vault.CodeConflict || !strings.Contains(r.Message, "birthday: is written once") {
		t.Errorf("got %+v", r)
	}
	w.equal("birthday", `"1990-03-31"`, w.active("birthday"))
	w.refused(w.importing(false, w.fact("tax_id", "A-2")), vault.CodeConflict, []string{"writes[0]: tax_id: is written once"},
		importValues...)
}

// A stale value is asked for again. The same answer refreshes it, and another one is asked for again with the reason.
func TestWriteOnce_Answer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(vault.Definition{Name: "birthday", ValueType: vault.TypeDate, WriteOnce: true, FreshnessSeconds: 3600})
	w.write("birthday", text("1990-03-31"))
	w.later(2 * time.Hour)
	fill := w.filling("birthday", nil)
	w.resolve(fill)
	other := w.answer(w.ask(fill).QuestionID, text("1991-03-31"))
	w.must(w.run(other, answerQuestion...))
	if op := w.op(other); op.Status != vault.OperationFailed || op.Error.Code != vault.CodeConflict {
		t.Errorf("another answer is %s with %v", op.Status, op.Error)
	}
	w.resolve(fill)
	again := w.ask(fill)
	w.equal("question", "birthday 2 !", w.asked(again.QuestionID))
	w.must(w.run(w.answer(again.QuestionID, text("1990-03-31")), answerQuestion...))
	w.equal("versions", 2, len(w.history("birthday")))
	w.equal("birthday", `"1990-03-31"`, w.active("birthday"))
}

func TestWriteOnce_Conversation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(vault.Definition{Name: "birthday", ValueType: vault.TypeDate, WriteOnce: true, FreshnessSeconds: 3600})
	w.write("birthday", text("1990-03-31"))
	w.later(2 * time.Hour)
	session := w.session(nil, "I was born on 1991-03-31.")
	writes := w.resolve(w.filling("birthday", &session))
	w.equal("writes", 1, len(writes))
	w.says(w.run(writes[0], writeValue...), vault.CodeConflict, "birthday: is written once")
	w.equal("birthday", `"1990-03-31"`, w.active("birthday"))
}

// In mode warn, a value with warnings does not meet a hard requirement: the customer is asked, and the answer replaces
// it.
func TestFillGaps_ValueWithWarningsIsAskedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(vault.Definition{Name: "email", ValueType: vault.TypeEmail, ValidationMode: vault.ModeWarn})
	if got := w.write("email", text("nobody")); len(got.Warnings) != 1 || got.Status != vault.StatusActive {
		t.Fatalf("got %+v", got)
	}
	fill := w.filling("email", nil)
	w.resolve(fill)
	w.must(w.run(w.answer(w.ask(fill).QuestionID, text("ada@example.com")), answerQuestion...))
	w.equal("email", `"ada@example.com"`, w.active("email"))
	w.resolve(fill)
	out, err := w.steps.Gaps.AskCustomer(t.Context(), fill)
	w.must(err)
	if result := resultOf[vault.FillResult](w, fill); !out.Done || result.Blocked || !result.Fields[0].Filled {
		t.Errorf("got %+v", result)
	}
}
