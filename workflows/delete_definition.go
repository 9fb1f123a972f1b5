package workflows

import (
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/vault"
)

// deleteDefinition says that a field may not be collected any more.
func deleteDefinition(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	w := c.NewWorkflow(vault.DeleteDefinition.Name, hatchet.WithWorkflowEvents(vault.DeleteDefinition.Event))
	remove := w.NewTask("delete", task(s.Definitions.DeleteDefinition), quick()...)
	w.NewTask("invalidate-cache", task(s.Caches.InvalidateNoted), quick(remove)...)
	return w
}
