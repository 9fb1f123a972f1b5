package workflows

import (
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/vault"
)

// decideReview stores what a person decided about what was extracted.
func decideReview(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	w := c.NewWorkflow(vault.DecideReview.Name, hatchet.WithWorkflowEvents(vault.DecideReview.Event))
	persist := w.NewTask("persist", task(s.Definitions.PersistReview), quick()...)
	w.NewTask("invalidate-cache", task(s.Caches.InvalidateNoted), quick(persist)...)
	return w
}
