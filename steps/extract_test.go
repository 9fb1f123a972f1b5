package steps_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// proposed returns a field as a model proposes it.
func proposed(name string, change ...func(*vault.ProposedRequirement)) vault.ProposedRequirement {
	f := vault.ProposedRequirement{
		Name: name, DisplayName: vault.DisplayName(name), ValueType: vault.TypeString, Level: vault.LevelHard,
		Fallback:   vault.FallbackAsk,
		Confidence: 0.9, Quote: "needs " + name, CollectionPrompt: "What is your " + name + "?",
	}
	for _, c := range change {
		c(&f)
	}
	return f
}

func soft(f *vault.ProposedRequirement) { f.Level, f.Fallback = vault.LevelSoft, vault.FallbackSkip }

func sure(confidence float64) func(*vault.ProposedRequirement) {
	return func(f *vault.ProposedRequirement) { f.Confidence = confidence }
}

// proposing makes the model propose these fields for any text.
func (w *world) proposing(fields ...vault.ProposedRequirement) {
	w.model.propose = func(llm.ProposeRequest) ([]vault.ProposedRequirement, error) { return fields, nil }
}

// described saves a scenario with a description and returns the extraction that the save accepted.
func (w *world) described(s vault.Scenario, description string) vault.Event {
	w.t.Helper()
	s.Description = description
	return extractionOf(w, w.save(s))
}

// extract runs an extraction.
func (w *world) extract(ev vault.Event) vault.ExtractResult {
	w.t.Helper()
	w.must(w.run(ev, extractSchema...))
	return resultOf[vault.ExtractResult](w, ev)
}

func (w *world) extractByHand(scenario uuid.UUID) vault.Event {
	w.t.Helper()
	return w.event(
		trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.ExtractSchema, vault.ExtractSchemaInput{
			AgentID: w.agent, ScenarioID: scenario,
		}),
	)
}

// requirements returns the requirements of a scenario as "field level origin review", ordered by name.
func (w *world) requirements(scenario uuid.UUID) []string {
	w.t.Helper()
	var out []string
	for _, row := range dbtest.Dump(w.t, w.url)["requirements"] {
		var r struct {
			ScenarioID uuid.UUID  `json:"scenario_id"`
			RuleID     *uuid.UUID `json:"rule_id"`
			Name       string     `json:"field_name"`
			Level      string     `json:"required_level"`
			Origin     string     `json:"origin"`
			Review     string     `json:"review_state"`
		}
		w.must(json.Unmarshal([]byte(row), &r))
		if r.ScenarioID != scenario {
			continue
		}
		text := strings.Join([]string{r.Name, r.Level, r.Origin, r.Review}, " ")
		if r.RuleID != nil {
			text += " of a rule"
		}
		out = append(out, text)
	}
	return sorted(out)
}

// definitions returns the definitions of the agent as "name origin review enabled".
func (w *world) definitions() []string {
	w.t.Helper()
	rows, err := w.db.Tenant(w.tenant).ListDefinitions(w.t.Context(), w.tenant, w.agent)
	w.must(err)
	var out []string
	for _, r := range rows {
		state := "disabled"
		if r.Enabled {
			state = "enabled"
		}
		out = append(out, strings.Join([]string{r.Name, r.Origin, r.ReviewState, state}, " "))
	}
	return out
}

func (w *world) equal(what string, want, got any) {
	w.t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		w.t.Errorf("%s (- want, + got):\n%s", what, diff)
	}
}

func TestExtractSchema_UnchangedContentCallsNoModel(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.proposing(proposed("income"))
	scenario := vault.Scenario{ID: newID(), AgentID: w.agent, Name: "Loan"}
	first := w.extract(w.described(scenario, "Ask for the income."))
	w.equal("the first save", vault.ExtractResult{
		Outcome: vault.ExtractDone, ModelCalls: 1, Requirements: []string{"income"}, Suggested: []string{"income"},
	}, first)

	again := vault.ExtractResult{Outcome: vault.ExtractUnchanged, Requirements: []string{"income"}}
	for what, ev := range map[string]vault.Event{
		"the same content saved again": w.described(scenario, "Ask for the income."),
		"by hand":                      w.extractByHand(scenario.ID),
	} {
		before := w.model.called("propose")
		w.equal(what, again, w.extract(ev))
		if n := w.model.called("propose") - before; n != 0 {
			t.Errorf("%s: the model was asked %d times", what, n)
		}
	}
	w.equal("requirements", []string{"income hard extracted none"}, w.requirements(scenario.ID))

	if got := w.extract(w.described(scenario, "Ask for the yearly income.")); got.Outcome != vault.ExtractDone ||
		got.ModelCalls != 1 {
		t.Errorf("other content: got %+v, want one call", got)
	}
}

func TestExtractSchema_ReplacesOnlyExtractedRows(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(vault.Definition{Name: "written", ValueType: vault.TypeString})
	scenario := vault.Scenario{ID: newID(), AgentID: w.agent, Name: "Loan"}
	w.proposing(
		proposed("written"), proposed("approved"), proposed("rejected"), proposed("pending", sure(0.5)), proposed("dropped"),
		proposed("kept"),
	)
	w.extract(w.described(scenario, "one"))
	// A person saves one requirement and reviews two.
	w.require(scenario.ID, vault.Requirement{FieldName: "written"})
	w.sql("UPDATE requirements SET review_state = field_name WHERE field_name IN ('approved', 'rejected')")
	rule := vault.Rule{ID: newID(), AgentID: w.agent, ScenarioID: scenario.ID, Name: "r", Condition: "one"}
	save := w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.SaveRule, rule))
	w.must(w.run(save, saveRule...))
	w.proposing(proposed("of_rule"), proposed("kept"))
	w.extract(extractionOf(w, save))
	w.equal("before", []string{
		"approved hard extracted approved", "dropped hard extracted none", "kept hard extracted none",
		"kept hard extracted none of a rule",
		"of_rule hard extracted none of a rule", "pending hard extracted pending", "rejected hard extracted rejected",
		"written hard human none",
	}, w.requirements(scenario.ID))

	w.proposing(
		proposed("written", soft), proposed("approved", soft), proposed("rejected", soft),
		proposed("pending", sure(0.9), soft), proposed("kept", soft), proposed("new"),
	)
	w.extract(w.described(scenario, "two"))
	w.equal("after", []string{
		"approved hard extracted approved", "kept hard extracted none of a rule", "kept soft extracted none",
		"new hard extracted none",
		"of_rule hard extracted none of a rule", "pending soft extracted none", "rejected hard extracted rejected",
		"written hard human none",
	}, w.requirements(scenario.ID))

	w.proposing()
	w.extract(w.described(scenario, "three"))
	w.equal("after a text that needs nothing", []string{
		"approved hard extracted approved", "kept hard extracted none of a rule", "of_rule hard extracted none of a rule",
		"rejected hard extracted rejected", "written hard human none",
	}, w.requirements(scenario.ID))
}

func TestExtractSchema_OutdatedChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	scenario := vault.Scenario{ID: newID(), AgentID: w.agent, Name: "Loan"}
	old := w.described(scenario, "one")
	newer := w.described(scenario, "two")
	w.proposing(proposed("new"))
	w.extract(newer)
	before, calls := w.dump(), w.model.called("propose")
	w.equal("the result", vault.ExtractResult{Outcome: vault.ExtractOutdated}, w.extract(old))
	w.sameBut(before, "an outdated extraction", "operations")
	if n := w.model.called("propose") - calls; n != 0 {
		t.Errorf("the model was asked %d times", n)
	}
}

func TestExtractSchema_SaveDuringExtraction(t *testing.T) {
	t.Parallel()
	for name, byHand := range map[string]bool{"after a save": false, "by hand": true} {
		for stop := 1; stop < len(extractSchema)-1; stop++ {
			t.Run(fmt.Sprintf("%s, between %s and the next step", name, extractSchema[stop-1]), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				w.model.propose = func(req llm.ProposeRequest) ([]vault.ProposedRequirement, error) {
					return []vault.ProposedRequirement{proposed(req.Texts[0].Text)}, nil
				}
				scenario := vault.Scenario{ID: newID(), AgentID: w.agent, Name: "Loan"}
				w.extract(w.described(scenario, "one"))
				ev := w.described(scenario, "two")
				if byHand {
					ev = w.extractByHand(scenario.ID)
				}
				w.must(w.run(ev, extractSchema[:stop]...))
				save := w.described(scenario, "three")
				if err := w.run(ev, extractSchema[stop:]...); err != nil {
					if vault.Permanent(err) {
						t.Fatalf("got %v, want a transient error", err)
					}
					w.equal("until the newest text was read", []string{"one hard extracted none"}, w.requirements(scenario.ID))
					w.must(w.run(ev, extractSchema...)) // as the relay would
				}
				w.extract(save)
				w.equal("at last", []string{"three hard extracted none"}, w.requirements(scenario.ID))
			})
		}
	}
}

// TestExtractSchema_OlderTextIsNotStoredLast pauses an extraction inside its transaction while the next save brings its
// own.
func TestExtractSchema_OlderTextIsNotStoredLast(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	scenario := vault.Scenario{ID: newID(), AgentID: w.agent, Name: "Loan"}
	w.proposing(proposed("old"))
	old := w.described(scenario, "one")
	w.must(w.run(old, extractSchema[:3]...))
	w.sql(fmt.Sprintf(`
		CREATE FUNCTION hold_up() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN
		    IF NEW.operation_id = '%s' THEN
		        PERFORM pg_sleep(0.5);
		    END IF;
		    RETURN NEW;
		END
		$$;
		CREATE TRIGGER hold_up BEFORE INSERT ON requirements FOR EACH ROW EXECUTE FUNCTION hold_up()`, old.OperationID))
	t.Cleanup(func() { w.sql("DROP TRIGGER hold_up ON requirements; DROP FUNCTION hold_up") })
	_, errs := w.atOnce(2, func(i int) (any, error) {
		if i == 0 {
			return nil, w.run(old, "Extraction.PersistSchema")
		}
		time.Sleep(100 * time.Millisecond) // the other extraction has read the text by now
		w.proposing(proposed("new"))
		w.extract(w.described(scenario, "two"))
		return nil, nil
	})
	w.must(errs[0])
	w.equal("at last", []string{"new hard extracted none"}, w.requirements(scenario.ID))
}

func TestMatchSchema_ByNameAndMeaning(t *testing.T) {
	t.Parallel()
	// One vector per word makes similarity easy to see.
	embed := func(texts []string) ([][]float32, error) {
		out := make([][]float32, len(texts))
		for i, text := range texts {
			out[i] = make([]float32, vault.EmbeddingDimensions)
			at := len(text) + 10
			if strings.Contains(text, "birth") || strings.Contains(text, "dob") {
				at = 0
			}
			out[i][at] = 1
			if strings.Contains(text, "birthplace") {
				out[i][0], out[i][1] = 0.7, 0.72 // close, but below the threshold
			}
		}
		return out, nil
	}
	broken := func([]string) ([][]float32, error) { return nil, errModel }
	for _, c := range []struct {
		name      string
		embed     func([]string) ([][]float32, error)
		proposals []vault.ProposedRequirement
		required  []string
		suggested []string
	}{
		{
			name: "by its name", embed: embed, proposals: []vault.ProposedRequirement{proposed("date_of_birth")},
			required: []string{"date_of_birth"},
		},
		{
			name: "by its name in another spelling", embed: embed, proposals: []vault.ProposedRequirement{proposed("DateOfBirth")},
			required: []string{"date_of_birth"},
		},
		{
			name: "by its meaning", embed: embed, proposals: []vault.ProposedRequirement{proposed("dob")},
			required: []string{"date_of_birth"},
		},
		{
			name: "once", embed: embed,
			proposals: []vault.ProposedRequirement{proposed("date_of_birth"), proposed("dateOfBirth")},
			required:  []string{"date_of_birth"},
		},
		{
			name: "not by a similar meaning", embed: embed, proposals: []vault.ProposedRequirement{
				proposed("birthplace"),
			},
			required: []string{"birthplace"}, suggested: []string{"birthplace"},
		},
		{
			name: "by name without embeddings", embed: broken, proposals: []vault.ProposedRequirement{
				proposed("date_of_birth"), proposed("dob"),
			},
			required: []string{"date_of_birth", "dob"}, suggested: []string{"dob"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.model.embed = embed
			w.define(vault.Definition{Name: "date_of_birth", ValueType: vault.TypeDate})
			w.model.embed = c.embed
			w.proposing(c.proposals...)
			got := w.extract(w.described(vault.Scenario{ID: newID(), AgentID: w.agent, Name: "Loan"}, "text"))
			w.equal("required", c.required, got.Requirements)
			w.equal("suggested", c.suggested, got.Suggested)
			definitions := []string{"date_of_birth human none enabled"}
			for _, name := range c.suggested {
				definitions = append(definitions, name+" extracted pending disabled")
			}
			w.equal("definitions", sorted(definitions), w.definitions())
			withoutMeanings := c.name == "by name without embeddings"
			embeddings := 1 + len(c.suggested)
			if withoutMeanings || strings.HasPrefix(c.name, "by its name") || c.name == "once" {
				embeddings = 0
			}
			if n := len(w.dump()["definition_embeddings"]); n != embeddings {
				t.Errorf("got %d embeddings, want %d", n, embeddings)
			}
			if warned := len(got.Warnings) == 1 &&
				strings.Contains(got.Warnings[0], "by name only"); warned != withoutMeanings {
				t.Errorf("it warns of %q", got.Warnings)
			}
		})
	}
}

// A save of a definition calls no model. An extraction embeds the definitions that were saved since the last one.
func TestMatchSchema_EmbedsDefinitionsOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var embedded []string
	w.model.embed = func(texts []string) ([][]float32, error) {
		embedded = append(embedded, texts...)
		return near(texts)
	}
	extract := func(name string) []string {
		embedded = nil
		w.proposing(proposed(name))
		w.extract(w.described(vault.Scenario{ID: newID(), AgentID: w.agent, Name: name}, name))
		return embedded
	}
	w.define(vault.Definition{Name: "income", ValueType: vault.TypeNumber})
	w.define(vault.Definition{Name: "city", ValueType: vault.TypeString})
	if n := w.model.called("embed"); n != 0 {
		t.Errorf("two saves made %d calls", n)
	}
	w.equal("a known name", []string(nil), extract("income"))
	w.equal("with both definitions", []string{"street / street / ", "city /  / ", "income /  / "}, extract("street"))
	w.equal("with no definition", []string{"plan / plan / "}, extract("plan"))
	w.define(vault.Definition{Name: "city", DisplayName: "Home town", ValueType: vault.TypeString})
	w.define(vault.Definition{Name: "income", ValueType: vault.TypeNumber, CollectionPrompt: "How much?"})
	w.equal("with the changed definition", []string{"size / size / ", "city / Home town / "}, extract("size"))
	w.model.embed = func([]string) ([][]float32, error) { return nil, errModel }
	w.define(vault.Definition{Name: "colour", ValueType: vault.TypeString})
	extract("pet")
	w.model.embed = func(texts []string) ([][]float32, error) {
		embedded = append(embedded, texts...)
		return near(texts)
	}
	w.equal("after a failure", []string{"hat / hat / ", "colour /  / ", "pet / pet / "}, extract("hat"))
}

func TestMatchSchema_ModelFailure(t *testing.T) {
	t.Parallel()
	for name, embed := range map[string]func([]string) ([][]float32, error){
		"an error": func([]string) ([][]float32, error) { return nil, errModel },
		"nothing":  func([]string) ([][]float32, error) { return nil, nil },
		"an error for good": func([]string) ([][]float32, error) {
			return nil, &vault.Error{Code: vault.CodeNotAllowed, Message: "the key is wrong"}
		},
		"something too long": func(texts []string) ([][]float32, error) { return make([][]float32, len(texts)+1), nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.define(vault.Definition{Name: "income", ValueType: vault.TypeNumber})
			w.model.embed = embed
			w.proposing(proposed("income"), proposed("city"))
			got := w.extract(w.described(vault.Scenario{ID: newID(), AgentID: w.agent, Name: "Loan"}, "text"))
			w.equal("required", []string{"income", "city"}, got.Requirements)
			if len(got.Warnings) != 1 || !strings.Contains(got.Warnings[0], "by name only") {
				t.Errorf("it warns of %q", got.Warnings)
			}
			if n := w.dump().Counts()["definition_embeddings"]; n != 0 {
				t.Errorf("got %d embeddings", n)
			}
		})
	}
}

func TestExtractSchema_LowConfidenceNeedsReview(t *testing.T) {
	t.Parallel()
	for confidence, want := range map[float64]string{0: "pending", 0.79: "pending", 0.8: "none", 1: "none"} {
		t.Run(fmt.Sprint(confidence), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.proposing(proposed("income", sure(confidence)))
			scenario := vault.Scenario{ID: newID(), AgentID: w.agent, Name: "Loan"}
			got := w.extract(w.described(scenario, "text"))
			w.equal("requirements", []string{"income hard extracted " + want}, w.requirements(scenario.ID))
			if (len(got.NeedReview) == 1) != (want == "pending") {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestExtractSchema_ModelFailureKeepsRows(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	scenario := vault.Scenario{ID: newID(), AgentID: w.agent, Name: "Loan"}
	w.proposing(proposed("income"))
	w.extract(w.described(scenario, "one"))
	ev := w.described(scenario, "two")
	w.model.propose = func(llm.ProposeRequest) ([]vault.ProposedRequirement, error) { return nil, errModel }
	before := w.dump()
	if err := w.run(ev, extractSchema...); vault.CodeOf(err) != vault.CodeUnavailable {
		t.Errorf("got %v, want unavailable", err)
	}
	before["holds"] = w.dump()["holds"]
	w.onlyRetried(before, "an extraction without a model")
	w.proposing(proposed("wealth"))
	w.extract(ev)
	w.equal("when the model is back", []string{"wealth hard extracted none"}, w.requirements(scenario.ID))
}

// Invalid proposals of a model over HTTP: the save succeeds, the built-in model reads the text, and the extraction says
// why. A requirement with an invented quote needs a review. An answer without an end is an error.
func TestExtractSchema_InvalidModelOutput(t *testing.T) {
	t.Parallel()
	entry := func(change ...string) string {
		e := `{"name":"income","display_name":"Income","description":"","value_type":"number","allowed_values":[],` +
			`"validation_regex":"","collection_prompt":"What is your income?","examples":[],"is_pii":true,` +
			`"required_level":"hard","fallback_action":"ask","when_condition":"","required_verification":false,"confidence":0.95,` +
			`"quote":"the income"}`
		return `{"fields":[` + strings.NewReplacer(change...).Replace(e) + `]}`
	}
	for name, c := range map[string]struct{ answer, says, requirement, fails string }{
		"a missing key": {answer: entry(`"is_pii":true,`, ``), says: "fields[0].is_pii is missing"},
		"an unknown key": {answer: entry(
			`"is_pii":true`, `"is_pii":true,"note":"x"`,
		), requirement: "income hard extracted none"},
		"an unknown type":   {answer: entry(`"number"`, `"money"`), says: "value_type"},
		"a wrong type":      {answer: entry(`0.95`, `"sure"`), says: "confidence"},
		"confidence 7":      {answer: entry(`0.95`, `7`), says: "is not between 0 and 1"},
		"nothing":           {says: "the answer is empty"},
		"no JSON":           {answer: `Of course!`, says: "not a JSON object with the list fields"},
		"an endless stream": {answer: strings.Repeat(`{"fields":[`, 1<<20), fails: "larger than"},
		"a character that cannot be stored": {answer: entry(
			`"Income"`, `"In\u0000come"`,
		), says: "fields[0].display_name: contains the character U+0000"},
		"one in an allowed value": {answer: entry(
			`"number"`, `"string"`, `"allowed_values":[]`, `"allowed_values":["a\u0000"]`,
		), says: "fields[0].allowed_values[0]: contains the character U+0000"},
		"half a character": {answer: entry(
			`"number"`, `"string"`, `"allowed_values":[]`, `"allowed_values":["\ud800"]`,
		), says: "fields[0].allowed_values[0]: contains half of a surrogate pair"},
		"a number that takes gigabytes": {answer: entry(
			`"allowed_values":[]`, `"allowed_values":[1e999999]`,
		), says: "fields[0].allowed_values[0]: is larger than 64 KiB"},
		"allowed values of another type": {answer: entry(
			`"number"`, `"date"`, `"allowed_values":[]`, `"allowed_values":["soon"]`,
		), says: "fields[0].allowed_values[0]: is not a date"},
		"a quote that cannot be stored": {answer: entry(
			`the income`, `the income\u0000`,
		), says: "fields[0].quote: contains the character U+0000"},
		"a regex that matches nothing": {answer: entry(
			`"number"`, `"string"`, `"allowed_values":[]`, `"allowed_values":["a"]`, `"validation_regex":""`,
			`"validation_regex":"b"`,
		), requirement: "income hard extracted none"},
		"an invented quote": {answer: entry(
			`the income`, `your fortune`,
		), requirement: "income hard extracted pending"},
		"what it should": {answer: entry(), requirement: "income hard extracted none"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, _ := paid(t, c.answer, func(*steps.Deps) {})
			scenario := vault.Scenario{ID: newID(), AgentID: w.agent, Name: "Loan"}
			ev := w.described(scenario, "We need the income.")
			err := w.run(ev, extractSchema...)
			if (err == nil) != (c.fails == "") || err != nil && !strings.Contains(err.Error(), c.fails) {
				t.Fatalf("the extraction says %v", err)
			}
			var want []string
			switch {
			case c.requirement != "":
				want = []string{c.requirement}
			case c.says != "":
				want = []string{"income hard extracted none"} // of the built-in model
			}
			w.equal("requirements", want, w.requirements(scenario.ID))
			if c.says != "" {
				warnings := resultOf[vault.ExtractResult](w, ev).Warnings
				if len(warnings) == 0 || !strings.Contains(warnings[0], c.says) {
					t.Errorf("the extraction warns of %q, want %q", warnings, c.says)
				}
			}
			if _, err := query.New(w.db, w.cache, w.sealer).Scenario(t.Context(), w.tenant, scenario.ID); err != nil {
				t.Errorf("the scenario was not saved: %v", err)
			}
		})
	}
}

// many returns an answer with many copies of one field.
// One odd proposal costs that proposal, and the result of the extraction says so.
func TestExtractSchema_PartlyValidModelOutput(t *testing.T) {
	t.Parallel()
	entry := func(name string) string {
		return `{"name":"` + name + `","display_name":"","description":"","value_type":"string","allowed_values":[],` +
			`"validation_regex":"","collection_prompt":"What is it?","examples":[],"is_pii":true,` +
			`"required_level":"hard","fallback_action":"ask","when_condition":"","required_verification":false,"confidence":0.95,` +
			`"quote":"the income"}`
	}
	entries := []string{entry("income"), entry("Home-Town!"), entry("city"), entry("income"), `null`}
	for name, answer := range map[string]string{
		"as it is":   `{"fields":[` + strings.Join(entries, ",") + `]}`,
		"in a fence": "Sure:\n```json\n" + `{"fields":[` + strings.Join(entries, ",\n") + "]}\n```",
	} {
		w, _ := paid(t, answer, func(*steps.Deps) {})
		scenario := vault.Scenario{ID: newID(), AgentID: w.agent, Name: "Loan"}
		got := w.extract(w.described(scenario, "We need the income."))
		w.equal(name, []string{"income", "city"}, got.Requirements)
		want := "entries of the language model's answer were left out: 1 bad_definition, 1 not_an_object, 1 repeated"
		if len(got.Warnings) == 0 || got.Warnings[0] != want {
			t.Errorf("%s: it warns of %q", name, got.Warnings)
		}
		again := w.extract(w.extractByHand(scenario.ID))
		if again.Outcome != vault.ExtractUnchanged || len(again.Warnings) == 0 || again.Warnings[0] != want {
			t.Errorf("%s: without a call: %+v", name, again)
		}
	}
}

func TestExtractSchema_HumanRowsStay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	scenario := vault.Scenario{ID: newID(), AgentID: w.agent, Name: "Loan"}
	w.define(vault.Definition{Name: "age", ValueType: vault.TypeNumber})
	save := w.described(scenario, "text")
	// A person's saves are accepted first and run last.
	definition := w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.SaveDefinition, vault.Definition{
		AgentID: w.agent, Name: "income", ValueType: vault.TypeNumber, Enabled: true,
	}))
	requirement := w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.SaveRequirement, vault.Requirement{
		AgentID: w.agent, ScenarioID: scenario.ID, FieldName: "age", RequiredLevel: vault.LevelSoft,
		FallbackAction: vault.FallbackSkip,
	}))
	w.proposing(proposed("income"), proposed("age"))
	w.extract(save)
	w.extract(w.extractByHand(scenario.ID)) // accepted after the saves
	w.must(w.run(definition, saveDefinition...))
	w.must(w.run(requirement, saveRequirement...))
	w.equal("definitions", []string{"age human none enabled", "income human none enabled"}, w.definitions())
	w.equal("requirements", []string{"age soft human none", "income hard extracted none"}, w.requirements(scenario.ID))
}

func TestExtractSchema_RowsHoldTheirQuote(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	scenario := vault.Scenario{ID: newID(), AgentID: w.agent, Name: "Loan"}
	description := "The customer must be over 18."
	w.extract(w.described(scenario, description))
	rows, err := w.db.Tenant(w.tenant).ListRequirements(t.Context(), w.tenant, scenario.ID)
	w.must(err)
	if len(rows) != 1 || rows[0].FieldName != "date_of_birth" || !strings.Contains(description, rows[0].Quote) ||
		rows[0].Quote == "" {
		t.Errorf("got %+v, want date_of_birth with the words it was read from", rows)
	}
	def, err := w.db.Tenant(w.tenant).GetDefinition(t.Context(), dbgen.GetDefinitionParams{
		TenantID: w.tenant, AgentID: w.agent, Name: "date_of_birth",
	})
	w.must(err)
	if def.ValueType != string(vault.TypeDate) || def.CollectionPrompt == "" || def.DisplayName == "" ||
		len(def.ExtractionExamples) == 0 {
		t.Errorf("got the suggestion %+v, want type, name, prompt and examples", def)
	}
}
