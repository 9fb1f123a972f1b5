package workflows

import (
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/vault"
)

func gapfillWorkflows(c *hatchet.Client, s steps.Steps) []hatchet.WorkflowBase {
	return []hatchet.WorkflowBase{
		saveSession(c, s),
		fillGaps(c, s),
		answerQuestion(c, s),
		cancelFill(c, s),
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

// cancelFill closes the open question of a gap fill and ends the fill with what it has.
func cancelFill(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	return store(begin(c, s, vault.CancelFill), "cancel", quick, s.Gaps.CancelFill).end()
}
