package steps_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// canary begins every secret of these tests. Each secret differs in its number.
const canary = "canary-7f3a91-"

func canaryOf(n int) string { return fmt.Sprintf("%s%04d", canary, n) }

// reads lets the model find each secret that a customer says, as the tax id.
func (w *world) readsSecrets() {
	said := regexp.MustCompile(canary + `\d{4}`)
	w.model.extract = func(req llm.ExtractRequest) ([]vault.Candidate, error) {
		var out []vault.Candidate
		for _, t := range req.Turns {
			if found := said.FindString(t.Text); found != "" && t.Speaker == vault.SpeakerCustomer {
				out = []vault.Candidate{candidate("tax_id", text(found), 0.9, t.Text)}
			}
		}
		return out, nil
	}
}

func quoting(secret string) func(*vault.WriteValueInput) {
	return func(in *vault.WriteValueInput) {
		in.SourceMetadata, _ = json.Marshal(map[string]string{"quote": "It is " + secret, "page": "3"})
	}
}

// TestSealed_NoPlainCopy brings secrets into the vault in every way that it has, and looks for them in every table and
// in the cache.
func TestSealed_NoPlainCopy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.readsSecrets()
	w.define(
		vault.Definition{
			Name: "tax_id", ValueType: vault.TypeString, EncryptionRequired: true, ValidationRegex: `[a-z]+-\w+-\d{4}`,
			OnConflict: vault.ConflictReview, ValidationMode: vault.ModeWarn,
		},
		vault.Definition{Name: "tax_ids", ValueType: vault.TypeString, EncryptionRequired: true, Multiple: true},
		vault.Definition{Name: "code", ValueType: vault.TypeString, EncryptionRequired: true, ValidationRegex: `\d{4}`},
	)
	other := newID() // another agent, which defines the same names otherwise, or not at all
	own := w.agent
	w.agent = other
	w.define(
		vault.Definition{Name: "tax_ids", ValueType: vault.TypeString, Multiple: true},
		vault.Definition{Name: "plan", ValueType: vault.TypeString},
	)
	w.agent = own
	next := 0
	fresh := func() string { next++; return canaryOf(next) }
	clean := func(way string) {
		t.Helper()
		if found := w.holders(canary); len(found) != 0 {
			t.Fatalf("after %s, %v hold it", way, found)
		}
	}

	// Writes, alone and in batches, of a claim that waits, and decisions and corrections that quote.
	first := fresh()
	written := w.write("tax_id", text(first), quoting(first))
	clean("a write with a quote")
	w.must(w.writeBatch(w.batch(w.accept("tax_id", text(fresh()), quoting(canaryOf(next))), w.accept("code", text("1234")))))
	clean("a batch")
	w.must(w.run(w.accept("tax_id", text("not the form of "+fresh())), writeValue...)) // warn
	clean("a write with a warning")
	_ = w.run(w.accept("code", text("is "+fresh())), writeValue...) // strict
	clean("an invalid write")
	stronger := fresh()
	w.write("tax_id", text(stronger), func(in *vault.WriteValueInput) { in.Source = vault.ValueHumanEntered })
	for _, d := range []vault.Decision{vault.Reject, vault.Approve} {
		pending := w.write("tax_id", text(fresh()), byGuess, quoting(canaryOf(next)))
		w.equal("status", vault.StatusPending, pending.Status)
		r, err := trigger.Submit(t.Context(), w.trigger, w.tenant, vault.DecideValue, vault.DecideValueInput{
			ItemID: pending.ItemID, Decision: d, DecidedBy: "Grace", Note: "the letter says " + canaryOf(next),
		})
		applied[vault.ItemResult](w, r, err, decideValue...)
		clean("a decision")
	}
	r, err := trigger.Submit(t.Context(), w.trigger, w.tenant, vault.CorrectValue, vault.CorrectValueInput{
		AgentID: w.agent, CustomerID: w.customer, Name: "tax_id", Value: text(fresh()), Reason: "not " + first, CorrectedBy: "Grace",
	})
	corrected := applied[vault.ItemResult](w, r, err, correctValue...)
	clean("a correction")
	w.must(w.run(w.adding("tax_ids", text(fresh())), addElement...))
	w.must(w.run(w.adding("tax_ids", text(fresh())), addElement...))
	w.must(w.run(w.removing("tax_ids", text(canaryOf(next))), removeElement...))
	clean("a change of a list")
	w.must(w.run(w.importing(true, w.fact("tax_id", fresh(), quoting(canaryOf(next))), w.fact("code", "no "+fresh())),
		importValues...))
	clean("an import")

	// Another agent has no definition of the name, or one without encryption.
	w.agent = other
	w.write("tax_ids", json.RawMessage(`["`+fresh()+`"]`), quoting(canaryOf(next)))
	w.must(w.run(w.importing(false, w.fact("plan", "gold")), importValues...))
	w.agent = own
	clean("a write of another agent")

	// Deletion, restoration, merge and back.
	last := w.write("tax_id", text(fresh()), quoting(canaryOf(next)), func(in *vault.WriteValueInput) {
		in.Source, in.SourceItemID, in.SourceItemType = vault.ValueHumanEntered, &corrected.ItemID, vault.SourceProfileField
	})
	w.remove(last.ItemID, true)
	w.restore(last.ItemID)
	target := newID()
	w.as(target).write("tax_id", text(fresh()), quoting(canaryOf(next)))
	w.merge(w.customer, target)
	clean("a merge")
	w.unmerge(w.customer)
	clean("an unmerge")

	// A conversation: variables, turns, a reading, a gap fill, its questions and the answers.
	w.customer = newID()
	session := w.session(map[string]json.RawMessage{"tax_id": text(fresh()), "note": text("or " + canaryOf(next))},
		"My tax id is "+fresh()+", please keep it.")
	clean("a session")
	read := w.read(session)
	w.equal("fields read", 1, len(read.Fields))
	clean("a reading")
	w.customer = newID()
	said := w.session(nil, "My tax id is "+fresh()+".")
	fill := w.filling("tax_id", &said)
	for _, write := range w.resolve(fill) {
		w.must(w.run(write, writeValue...))
	}
	clean("a gap fill")
	question := w.ask(fill)
	clean("a question to confirm")
	w.must(w.run(w.claim(question.QuestionID, "chat"), "Answers.ClaimQuestion"))
	clean("a claim of the question")
	w.must(w.run(w.answer(question.QuestionID, text("no, it is "+fresh())), answerQuestion...))
	clean("an answer")

	// Turns that are taken: accepted, read, and applied.
	asked := w.customer
	w.customer = newID()
	spoken := w.accepted(vault.TakeTurnInput{
		CustomerID: w.customer, AgentID: w.agent, SessionKey: "chat", Text: "My tax id is " + fresh() + ".",
	})
	clean("an accepted turn")
	w.must(w.run(spoken, takeTurn[:1]...))
	clean("a turn that was read")
	w.must(w.run(spoken, takeTurn...))
	w.equal("learned", 1, len(resultOf[vault.TurnResult](w, spoken).Learned))
	clean("a turn that was taken")
	w.take(vault.TakeTurnInput{
		CustomerID: asked, AgentID: w.agent, SessionKey: "other", Text: "Also " + fresh(), Speaker: vault.SpeakerAgent,
	})
	clean("a turn of the agent")
	w.customer = asked

	// Every read, which fills the cache.
	reader := readerOf(w)
	for range 2 {
		for _, customer := range []uuid.UUID{w.customer, target} {
			_, err := reader.Profile(t.Context(), w.tenant, customer)
			w.must(err)
			_, err = reader.DocumentWithHistory(t.Context(), w.tenant, customer)
			w.must(err)
		}
		for _, item := range []uuid.UUID{written.ItemID, last.ItemID} {
			_, err := reader.Chain(t.Context(), w.tenant, item, 0)
			w.must(err)
			_, err = reader.Derived(t.Context(), w.tenant, item)
			w.must(err)
		}
		_, err = reader.Session(t.Context(), w.tenant, session)
		w.must(err)
	}
	clean("reads")
	if found := w.holders("gold"); len(found) < 1 {
		t.Error("the search does not find a value that is not secret")
	}
}

// Readers with rights see what they saw before: the value, the quote, the note, the conversation.
func TestSealed_ReadersSeeIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(vault.Definition{
		Name: "tax_id", ValueType: vault.TypeString, EncryptionRequired: true, OnConflict: vault.ConflictReview,
	})
	origin := newID()
	w.write("tax_id", text(canaryOf(1)), quoting(canaryOf(1)), func(in *vault.WriteValueInput) {
		in.Source, in.SourceItemID, in.SourceItemType = vault.ValueHumanEntered, &origin, vault.SourceTool
	})
	waiting := w.write("tax_id", text(canaryOf(2)), byGuess, quoting(canaryOf(2)))
	r, err := trigger.Submit(t.Context(), w.trigger, w.tenant, vault.DecideValue, vault.DecideValueInput{
		ItemID: waiting.ItemID, Decision: vault.Approve, DecidedBy: "Grace", Note: "the letter says " + canaryOf(2),
	})
	applied[vault.ItemResult](w, r, err, decideValue...)
	session := w.session(map[string]json.RawMessage{"hint": text(canaryOf(3))}, "It is "+canaryOf(4), "Is that all?")
	reader := readerOf(w)
	contains := func(what string, v any, numbers ...int) {
		t.Helper()
		encoded, err := json.Marshal(v)
		w.must(err)
		for _, n := range numbers {
			if !strings.Contains(string(encoded), canaryOf(n)) {
				t.Errorf("%s lacks secret %d: %s", what, n, encoded)
			}
		}
		if strings.Contains(string(encoded), "sealed:") {
			t.Errorf("%s shows what is sealed: %s", what, encoded)
		}
	}
	for range 2 { // from the database, then from the cache
		p, err := reader.Profile(t.Context(), w.tenant, w.customer)
		w.must(err)
		v := p.Fields["tax_id"]
		contains("value", v.Value, 2)
		contains("metadata", v.SourceMetadata, 2)
		contains("note", v.DecisionNote, 2)
		document, err := reader.ProfileDocument(t.Context(), w.tenant, w.customer)
		w.must(err)
		var decoded vault.Profile
		w.must(json.Unmarshal(document.JSON, &decoded))
		contains("document", decoded.Fields["tax_id"].SourceMetadata, 2)
		contains("note in the document", decoded.Fields["tax_id"].DecisionNote, 2)
		history, err := reader.History(t.Context(), w.tenant, w.customer, "tax_id")
		w.must(err)
		contains("history", history, 1, 2)
		chain, err := reader.Chain(t.Context(), w.tenant, history[len(history)-1].ID, 0)
		w.must(err)
		w.equal("links", 2, len(chain.Links))
		contains("origin", chain.Links[0].Meta, 1)
		contains("link", chain.Links[1].Meta, 1)
		stored, err := reader.Session(t.Context(), w.tenant, session)
		w.must(err)
		contains("variables", stored.Variables, 3)
		w.equal("turns", []string{"It is " + canaryOf(4), "Is that all?"}, []string{stored.Turns[0].Text, stored.Turns[1].Text})
	}
}

// The strictest definition of any agent decides, also after it was deleted, and for fields that are not defined.
func TestSealed_BelongsToTheName(t *testing.T) {
	t.Parallel()
	for name, mode := range map[string]vault.ValidationMode{"warn": vault.ModeWarn, "disabled": vault.ModeDisabled} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.define(vault.Definition{Name: "tax_id", ValueType: vault.TypeString, EncryptionRequired: true})
			w.must(w.run(w.deletingField("tax_id"), deleteDefinition...))
			w.agent = newID()
			w.define(vault.Definition{Name: "plan", ValueType: vault.TypeString})
			w.steps.Values.Mode, w.steps.Imports.Values.Mode = mode, mode
			w.write("tax_id", text(canaryOf(1)), quoting(canaryOf(1)))
			w.must(w.writeBatch(w.batch(w.accept("tax_id", text(canaryOf(2))), w.accept("plan", text("gold")))))
			w.must(w.run(w.importing(false, w.fact("tax_id", canaryOf(3)), w.fact("plan", "silver")), importValues...))
			w.define(vault.Definition{Name: "tax_id", ValueType: vault.TypeString})
			w.write("tax_id", text(canaryOf(4)))
			if found := w.holders(canary); len(found) != 0 {
				t.Errorf("%v hold it", found)
			}
			w.equal("unsealed", 0, w.count("SELECT count(*) FROM customer_values WHERE name = 'tax_id' AND NOT encrypted"))
			w.equal("sealed others", 0, w.count("SELECT count(*) FROM customer_values WHERE name = 'plan' AND encrypted"))
			elsewhere := newWorld(t) // another tenant's names are its own
			elsewhere.define(vault.Definition{Name: "tax_id", ValueType: vault.TypeString})
			elsewhere.write("tax_id", text("plain"))
			elsewhere.equal("sealed", 0, elsewhere.count("SELECT count(*) FROM sealed_fields"))
		})
	}
}
