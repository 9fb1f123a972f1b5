package workflows_test

import (
	"context"
	"testing"

	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// A session that ended is read by the cron, without a gap fill and without a request.
func TestReadQuietSessions_EndedSessionIsRead(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	session := testkit.ID()
	r, err := trigger.Submit(t.Context(), kit.Trigger, s.tenant, vault.SaveSession, vault.SaveSessionInput{
		SessionID: session, AgentID: s.agent, CustomerID: s.customer, Ended: true,
		Turns: []vault.Turn{{Speaker: vault.SpeakerCustomer, Text: "My email is ada@example.com"}},
	})
	done(t, r, err)
	cron(t, vault.WorkflowReadQuietSessions)
	testkit.Eventually(t, "the email is stored", func(ctx context.Context) (string, bool) {
		p, err := kit.Query.Profile(ctx, s.tenant, s.customer)
		if err != nil && vault.CodeOf(err) != vault.CodeUnknown {
			t.Fatal(err)
		}
		value := string(p.Fields["email"].Value)
		return value, value == `"ada@example.com"`
	})
	var due bool
	dbtest.Scan(t, kit.DatabaseURL, &due, "SELECT read_due_at IS NOT NULL FROM sessions WHERE id = '"+session.String()+"'")
	if due {
		t.Error("the session is due again")
	}
}

func TestReadConversation_OnRequest(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	session := testkit.ID()
	say := func(text string) {
		r, err := trigger.Submit(t.Context(), kit.Trigger, s.tenant, vault.SaveSession, vault.SaveSessionInput{
			SessionID: session, AgentID: s.agent, CustomerID: s.customer,
			Turns: []vault.Turn{{Speaker: vault.SpeakerCustomer, Text: text}},
		})
		done(t, r, err)
	}
	read := func() vault.ReadConversationResult {
		r, err := trigger.Submit(t.Context(), kit.Trigger, s.tenant, vault.ReadConversation, vault.ReadConversationInput{
			SessionID: session,
		})
		return result[vault.ReadConversationResult](t, done(t, r, err))
	}
	say("My email is ada@example.com")
	if got := read(); got.Outcome != vault.ReadDone || got.ModelCalls != 1 || len(got.Fields) != 1 {
		t.Errorf("the first reading is %+v", got)
	}
	if got := read(); got.Outcome != vault.ReadNothingNew || got.ModelCalls != 0 {
		t.Errorf("the second reading is %+v", got)
	}
	say("My plan is gold.")
	if got := read(); got.Outcome != vault.ReadDone || len(got.Fields) != 1 || got.Fields[0].FieldName != "plan" {
		t.Errorf("the third reading is %+v", got)
	}
}
