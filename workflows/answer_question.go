package workflows

import (
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/vault"
)

// answerQuestion takes a customer's answer and wakes the gap fill that waits for it. An invalid answer is an outcome of the
// operation, not a failed run: the fill asks again.
func answerQuestion(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	w := c.NewWorkflow(vault.AnswerQuestion.Name, hatchet.WithWorkflowEvents(vault.AnswerQuestion.Event))
	validate := w.NewTask("validate", task(s.Answers.ValidateAnswer), quick()...)
	persist := w.NewTask("persist", task(s.Answers.PersistAnswer), quick(validate)...)
	invalidate := w.NewTask("invalidate-cache", task(s.Caches.InvalidateProfile), quick(persist)...)
	w.NewTask("announce", task(s.Answers.AnnounceAnswer), quick(invalidate)...)
	return w
}
