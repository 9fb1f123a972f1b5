package workflows

import (
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/vault"
)

// deleteRequirement says that a scenario does not need a field any more.
func deleteRequirement(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	w := c.NewWorkflow(vault.DeleteRequirement.Name, hatchet.WithWorkflowEvents(vault.DeleteRequirement.Event))
	remove := w.NewTask("delete", task(s.Definitions.DeleteRequirement), quick()...)
	w.NewTask("invalidate-cache", task(s.Caches.InvalidateNoted), quick(remove)...)
	return w
}
