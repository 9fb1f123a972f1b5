package workflows

import (
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/vault"
)

func gapfillWorkflows(c *hatchet.Client, s steps.Steps) []hatchet.WorkflowBase {
	advance := advanceGaps(c, s)
	return []hatchet.WorkflowBase{
		saveSession(c, s),
		advance,
		// It starts advance-gaps and write-value by their names: a declaration of its own serves as their handle.
		fillGaps(c, advance, writeValue(c, s)),
		answerQuestion(c, s),
		cancelFill(c, s),
	}
}

// saveSession stores variables and turns of a conversation.
func saveSession(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	return store(begin(c, s, vault.SaveSession), "persist", quick, s.Sessions.PersistSession).end()
}

// answerQuestion stores a customer's answer and resumes the gap fill that waits for it. An invalid answer is an outcome
// of the operation, not a failed run: the fill asks again.
func answerQuestion(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	f := begin(c, s, vault.AnswerQuestion)
	f = prepare(f, "validate", quick, s.Answers.ValidateAnswer)
	return endWith(effect(f, "persist", quick, s.Answers.PersistAnswer), "announce", s.Answers.AnnounceAnswer)
}

// cancelFill closes the open question of a gap fill and resumes the fill, which ends with what it has.
func cancelFill(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	f := begin(c, s, vault.CancelFill)
	return announce(store(f, "cancel", quick, s.Gaps.CancelFill), s.Gaps.AnnounceCancel)
}
