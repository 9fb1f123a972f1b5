package main

import (
	"testing"

	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/embedded/embeddedtest"
	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// A worker and its callers work behind PgBouncer in transaction mode: writes, an extraction, a gap fill with a
// question.
func TestVault_BehindPgBouncer(t *testing.T) {
	t.Parallel()
	kit := testkit.OnDatabase(t, embeddedtest.Start(t), dbtest.PgBouncer(t, dbtest.URL(t), "transaction"))
	s := &system{Kit: kit, t: t, tenant: kit.Tenant(t), agent: testkit.ID()}
	fill, question := s.fillThatWaits((*process).kill)
	startWorker(t, s.Kit)
	s.answer(fill, question)
	other := testkit.ID()
	write := s.write(other, "country")
	if _, err := write.Wait(t.Context()); err != nil { // it polls: no connection listens
		t.Error(err)
	}
	s.writtenOnce(other, "country")
	r, err := trigger.Submit(t.Context(), s.Trigger, s.tenant, vault.SaveScenario, vault.Scenario{
		ID: testkit.ID(), AgentID: s.agent, Name: "Close an account",
		Steps: []vault.ScenarioStep{{ID: "ask", Text: "Ask for the customer's city and the order number."}},
	})
	s.applied(r, err)
}
