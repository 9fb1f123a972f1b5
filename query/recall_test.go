package query_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/llm/offline"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// embedder is the built-in model, or fails.
type embedder struct {
	llm.Model
	err error
}

func (e embedder) Embed(ctx context.Context, _ uuid.UUID, texts []string) ([][]float32, error) {
	if e.err != nil {
		return nil, e.err
	}
	return e.Model.Embed(ctx, texts)
}

// says saves a session of the customer with turns of the customer, with their embeddings.
func (v *vaultOf) says(model llm.Model, texts ...string) uuid.UUID {
	v.t.Helper()
	in := vault.SaveSessionInput{SessionID: newID(), AgentID: v.agent, CustomerID: v.customer}
	for _, text := range texts {
		in.Turns = append(in.Turns, vault.Turn{Speaker: vault.SpeakerCustomer, Text: text})
	}
	r, err := trigger.Submit(v.t.Context(), v.trigger, v.tenant, vault.SaveSession, in)
	v.run(r, err, step(v.steps.Sessions.PersistSession))
	vectors, err := model.Embed(v.t.Context(), texts)
	v.must(err)
	for i, vector := range vectors {
		encoded, err := json.Marshal(vector)
		v.must(err)
		dbtest.Exec(v.t, v.url, `INSERT INTO session_turn_embeddings (tenant_id, session_id, turn_index, model, embedding)
			VALUES ($1, $2, $3, $4, $5::text::vector)`, v.tenant, in.SessionID, i, model.Name(), string(encoded))
	}
	return in.SessionID
}

// recalled returns the texts and names of the results.
func (v *vaultOf) recalled(ctx context.Context, question string) []string {
	v.t.Helper()
	out, err := v.Recall(ctx, v.tenant, v.customer, vault.RecallInput{Question: question})
	v.must(err)
	var texts []string
	for i, r := range out.Results {
		if i > 0 && r.Score > out.Results[i-1].Score || r.At.IsZero() {
			v.t.Errorf("result %d is %+v", i, r)
		}
		if r.Kind == vault.RecallFact {
			texts = append(texts, r.Name+"="+string(r.Value))
		} else {
			texts = append(texts, r.Text)
		}
	}
	return texts
}

func TestRecall_OwnFactsAndQuotes(t *testing.T) {
	t.Parallel()
	v := newVault(t, "")
	model, err := offline.New(llm.Config{})
	v.must(err)
	v.Queries = query.New(v.db, v.cache, v.sealer, query.Embeds(embedder{Model: model}))
	v.define(vault.Definition{Name: "allergy", ValueType: vault.TypeString})
	ada := v.customer
	session := v.says(model, "Good morning.", "I am allergic to peanuts.", "My flight to Porto is on Monday.")
	v.write("allergy", "peanuts", func(in *vault.WriteValueInput) {
		in.SourceSessionID, in.SourceMetadata = &session, json.RawMessage(`{"quote": "I am allergic to peanuts.", "turn": 1}`)
	})
	v.customer = newID()
	bob := v.customer
	v.says(model, "I am allergic to shellfish, and my flight goes to Lima.")
	v.write("allergy", "shellfish")

	v.customer = ada
	out, err := v.Recall(t.Context(), v.tenant, ada, vault.RecallInput{Question: "Is she allergic to peanuts?", Limit: 2})
	v.must(err)
	if len(out.Results) != 2 || !out.Complete || !out.Meaning {
		t.Fatalf("got %+v", out)
	}
	for _, r := range out.Results {
		if r.SessionID == nil || *r.SessionID != session || r.Turn == nil || *r.Turn != 1 {
			t.Errorf("the source of %+v is wrong", r)
		}
	}
	v.equal("about flights", true, slices.Contains(v.recalled(t.Context(), "When does the flight leave?"),
		"My flight to Porto is on Monday."))
	for _, question := range []string{"shellfish", "Lima", "allergic", "flight"} {
		if got := fmt.Sprint(v.recalled(t.Context(), question)); strings.Contains(got, "shellfish") || strings.Contains(got, "Lima") {
			t.Errorf("%s: what another customer said: %s", question, got)
		}
	}
	if _, err := v.Recall(t.Context(), v.other, ada, vault.RecallInput{Question: "allergic"}); vault.CodeOf(err) != vault.CodeUnknown {
		t.Errorf("of another tenant: %v", err)
	}
	if _, err := v.Recall(t.Context(), v.tenant, ada, vault.RecallInput{Question: " "}); vault.CodeOf(err) != vault.CodeInvalid {
		t.Errorf("without a question: %v", err)
	}

	// A merged customer shares what both said, and no more after the undo.
	v.must(v.merge(bob, ada))
	for _, v.customer = range []uuid.UUID{ada, bob} {
		got := fmt.Sprint(v.recalled(t.Context(), "flight"))
		v.equal("both flights", true, strings.Contains(got, "Lima") && strings.Contains(got, "Porto"))
	}
	v.must(v.unmerge(bob))
	v.customer = ada
	v.equal("after the undo", false, strings.Contains(fmt.Sprint(v.recalled(t.Context(), "flight")), "Lima"))

	// A failing model leaves the words.
	v.Queries = query.New(v.db, v.cache, v.sealer, query.Embeds(embedder{model, errors.New("down")}))
	out, err = v.Recall(t.Context(), v.tenant, ada, vault.RecallInput{Question: "peanuts"})
	v.must(err)
	if len(out.Results) != 2 || out.Meaning {
		t.Errorf("without the model: %+v", out)
	}
}

// What a reader may not see is in no quote, and decides no rank; what was deleted is in nobody's.
func TestRecall_HidesWhatMayNotBeSeen(t *testing.T) {
	t.Parallel()
	v := newVault(t, "")
	model, err := offline.New(llm.Config{})
	v.must(err)
	log := &reads{}
	v.Queries = query.New(v.db, v.cache, v.sealer, query.Embeds(embedder{Model: model}), query.AuditReads(log))
	v.define(
		vault.Definition{Name: "email", ValueType: vault.TypeEmail, IsPII: true},
		vault.Definition{Name: "tax_id", ValueType: vault.TypeString, EncryptionRequired: true, IsPII: true},
		vault.Definition{Name: "hobby", ValueType: vault.TypeString},
		vault.Definition{Name: "plan", ValueType: vault.TypeString},
	)
	session := v.says(model, "My email is mira@example.com.", "The email again: MIRA@example.com, for the invoice.",
		"The tax number is DE-118.", "I play chess.", "The plan is gold, my email works.")
	said := func(turn int) func(*vault.WriteValueInput) {
		return func(in *vault.WriteValueInput) {
			in.SourceSessionID, in.SourceMetadata = &session, json.RawMessage(fmt.Sprintf(`{"turn": %d}`, turn))
		}
	}
	v.write("email", "mira@example.com", said(0))
	v.write("tax_id", "DE-118", said(2))
	v.write("plan", "gold", said(4))
	forgotten := v.write("hobby", "chess", said(3))
	remove, err := trigger.Submit(t.Context(), v.trigger, v.tenant, vault.DeleteItem, vault.DeleteItemInput{ItemID: forgotten})
	v.run(remove, err, step(v.steps.Items.DeleteItem), v.acknowledge)

	with := func(a vault.Access) context.Context {
		a.Operation = "recall"
		return query.WithAccess(t.Context(), a)
	}
	all := fmt.Sprint(v.recalled(with(vault.Access{}), "email, tax number, chess, gold plan"))
	for _, text := range []string{"mira@example.com.", "MIRA@example.com", "DE-118", "gold"} {
		v.equal(text, true, strings.Contains(all, text))
	}
	v.equal("forgotten", false, strings.Contains(all, "chess"))
	ctx := with(vault.Access{})
	v.recalled(ctx, "which plan")
	v.must(v.RecordReads(ctx))
	v.equal("audit of the quotes", true, strings.Contains(log.taken(), "(turns)"))
	ctx = with(vault.Access{})
	v.recalled(ctx, "tax number")
	v.must(v.RecordReads(ctx))
	v.equal("audit of a fact", true, strings.Contains(log.taken(), "tax_id"))

	masked := fmt.Sprint(v.recalled(with(vault.Access{Masked: true}), "email, tax number, gold plan"))
	for _, text := range []string{"mira@", "MIRA@", "DE-118"} {
		v.equal("masked: "+text, false, strings.Contains(masked, text))
	}
	v.equal("what is no PII", true, strings.Contains(masked, "gold"))
	ranked := fmt.Sprint(v.recalled(with(vault.Access{Masked: true}), "mira@example.com"))
	v.equal("rank by a masked value", false, strings.Contains(ranked, "email="))

	// A field with purposes is withheld, with what the customer said of it.
	v.define(vault.Definition{Name: "plan", ValueType: vault.TypeString, Purposes: []string{"support"}})
	v.Queries = query.New(v.db, v.cache, v.sealer)
	withheld := fmt.Sprint(v.recalled(with(vault.Access{}), "gold plan"))
	v.equal("withheld", false, strings.Contains(withheld, "gold"))
}
