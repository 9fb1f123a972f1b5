package steps_test

import (
	"strings"
	"testing"

	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// near embeds every text as the same vector; texts with the word "far" have a cosine of 0.75 to it.
func near(texts []string) ([][]float32, error) {
	out := make([][]float32, len(texts))
	for i, text := range texts {
		out[i] = make([]float32, vault.EmbeddingDimensions)
		out[i][0] = 1
		if strings.Contains(text, "far") {
			out[i][0], out[i][1] = 0.75, 0.6614
		}
	}
	return out, nil
}

func TestMatchSchema_ContrastingNameOrType(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*vault.ProposedRequirement){
		"pickup_time": func(*vault.ProposedRequirement) {},
		"collection":  func(f *vault.ProposedRequirement) { f.ValueType = vault.TypeNumber },
	} {
		w := newWorld(t)
		w.model.embed = near
		w.define(vault.Definition{Name: "pickup_date", ValueType: vault.TypeDate})
		w.proposing(proposed(name, change))
		got := w.extract(w.described(vault.Scenario{ID: newID(), AgentID: w.agent, Name: "Rent a car"}, "text"))
		w.equal("suggested", []string{name}, got.Suggested)
	}
}

// The closest definition has a contrasting name; the next one matches.
func TestMatchSchema_NextClosestDefinition(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.model.embed = near
	w.define(vault.Definition{Name: "pickup_time", ValueType: vault.TypeString}, vault.Definition{
		Name: "pickup_day_far", ValueType: vault.TypeDate,
	})
	w.proposing(proposed("pickup_date"))
	got := w.extract(w.described(vault.Scenario{ID: newID(), AgentID: w.agent, Name: "Rent a car"}, "text"))
	w.equal("required", []string{"pickup_date"}, got.Requirements) // 0.75 is below the tests' threshold
	w = newWorld(t, func(d *steps.Deps) { d.Settings.MatchThreshold = 0.73 })
	w.model.embed = near
	w.define(vault.Definition{Name: "pickup_time", ValueType: vault.TypeString}, vault.Definition{
		Name: "pickup_day_far", ValueType: vault.TypeDate,
	})
	w.proposing(proposed("pickup_date"))
	got = w.extract(w.described(vault.Scenario{ID: newID(), AgentID: w.agent, Name: "Rent a car"}, "text"))
	w.equal("required", []string{"pickup_day_far"}, got.Requirements)
	w.equal("a match by meaning that is not close waits for a person", []string{"pickup_day_far"}, got.NeedReview)
}

// Definitions of other tenants and agents do not hide an agent's own definitions, however many and close they are.
func TestMatchSchema_OwnDefinitionsOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(d *steps.Deps) { d.Settings.MatchThreshold = 0.73 })
	w.model.embed = near
	own := w.agent
	w.define(vault.Definition{Name: "date_of_birth_far", ValueType: vault.TypeDate})
	w.agent = newID()
	w.define(vault.Definition{Name: "seed", ValueType: vault.TypeString})
	w.proposing(proposed("far")) // embeds the definition
	w.extract(w.described(vault.Scenario{ID: newID(), AgentID: w.agent, Name: "Other"}, "text"))
	w.sql(`
		WITH made AS (
		    INSERT INTO definitions (id, tenant_id, agent_id, name, value_type, origin, operation_id, accepted_at)
		    SELECT gen_random_uuid(), d.tenant_id, d.agent_id, 'near_' || n, 'string', 'human', d.operation_id, now()
		    FROM definitions d, generate_series(1, 300) n
		    WHERE d.name = 'seed'
		    RETURNING id, tenant_id
		)
		INSERT INTO definition_embeddings (definition_id, tenant_id, model, content_hash, embedding)
		SELECT m.id, m.tenant_id, e.model, 'x', e.embedding
		FROM made m, definition_embeddings e
		JOIN definitions d ON d.id = e.definition_id AND d.name = 'seed'`)
	w.agent = own
	w.proposing(proposed("dob"))
	got := w.extract(w.described(vault.Scenario{ID: newID(), AgentID: w.agent, Name: "Loan"}, "text"))
	w.equal("required", []string{"date_of_birth_far"}, got.Requirements)
}

// A rejected requirement is not extracted again, neither from the same content nor from other content.
func TestExtractSchema_RejectedStaysRejected(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	scenario := vault.Scenario{ID: newID(), AgentID: w.agent, Name: "Loan"}
	w.proposing(proposed("income"))
	w.extract(w.described(scenario, "one"))
	reqs, err := w.db.Tenant(w.tenant).ListRequirements(t.Context(), w.tenant, scenario.ID)
	w.must(err)
	review := w.event(
		trigger.Submit(t.Context(), w.trigger, w.tenant, vault.DecideReview, vault.DecideReviewInput{
			Kind: vault.ReviewOfRequirement, ID: reqs[0].ID, Decision: vault.Reject,
		}),
	)
	w.must(w.run(review, "Definitions.PersistReview", "Caches.InvalidateAndAcknowledge"))
	for _, text := range []string{"one", "two"} {
		calls := w.model.called("propose")
		w.extract(w.described(scenario, text))
		w.equal("requirements", []string{"income hard extracted rejected"}, w.requirements(scenario.ID))
		if made := w.model.called("propose") - calls; (made == 0) != (text == "one") {
			t.Errorf("%s: %d calls", text, made)
		}
	}
}
