package workflows

import (
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/vault"
)

func gapfillWorkflows(c *hatchet.Client, s steps.Steps, crons Crons) []hatchet.WorkflowBase {
	return []hatchet.WorkflowBase{
		saveSession(c, s),
		fillGaps(c, s),
		answerQuestion(c, s),
		takeTurn(c, s),
		claimQuestion(c, s),
		cancelFill(c, s),
		readConversation(c, s),
		readQuietSessions(c, s, crons.ReadQuietSessions),
	}
}

// saveSession stores variables and turns of a conversation.
func saveSession(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	return store(begin(c, s, vault.SaveSession), "persist", quick, s.Sessions.PersistSession).end()
}

// answerQuestion stores a customer's answer, and so wakes the gap fill that waits for it. An invalid answer is an
// outcome of the operation, not a failed run: the fill asks again.
func answerQuestion(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	f := begin(c, s, vault.AnswerQuestion)
	f = prepare(f, "validate", quick, s.Answers.ValidateAnswer)
	return effect(f, "persist", quick, s.Answers.PersistAnswer).end()
}

// takeTurn takes a turn of a conversation: it saves it, answers the open question with it, stores the facts that it
// states, and asks the next question.
func takeTurn(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	f := begin(c, s, vault.TakeTurn)
	f = prepare(f, "read", model, s.Turns.ReadTurn)
	return effect(f, "persist", quick, s.Turns.PersistTurn).end()
}

// claimQuestion lets one channel ask an open question for some time.
func claimQuestion(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	return store(begin(c, s, vault.ClaimQuestion), "claim", quick, s.Answers.ClaimQuestion).end()
}

// cancelFill closes the open question of a gap fill and ends the fill with what it has.
func cancelFill(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	return store(begin(c, s, vault.CancelFill), "cancel", quick, s.Gaps.CancelFill).end()
}

// readConversation reads the facts of a session for all definitions of its agent, and accepts a write for each. It
// reads nothing while a gap fill of the session has not ended. Of two runs for one session, one asks the model
// (once.WithHold).
func readConversation(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	f := begin(c, s, vault.ReadConversation)
	f = prepare(f, "read", model, s.Conversations.ReadConversation)
	return store(f, "persist", quick, s.Conversations.PersistConversation).end()
}

// readQuietSessions starts read-conversation for the sessions that ended or are quiet.
func readQuietSessions(c *hatchet.Client, s steps.Steps, cron string) *hatchet.Workflow {
	w := c.NewWorkflow(vault.WorkflowReadQuietSessions, onCron(cron)...)
	w.NewTask("queue", single(s.Conversations.QueueQuietSessions), sweep()...)
	return w
}
