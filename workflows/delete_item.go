package workflows

import (
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/vault"
)

// deleteItem deletes a field version or an asset. The caches of all profiles that it touched were noted by the step itself.
func deleteItem(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	w := c.NewWorkflow(vault.DeleteItem.Name, hatchet.WithWorkflowEvents(vault.DeleteItem.Event))
	look := w.NewTask("check-dependents", task(s.Items.CheckDependents), quick()...)
	remove := w.NewTask("delete", task(s.Items.DeleteItem), quick(look)...)
	w.NewTask("invalidate-cache", task(s.Caches.InvalidateNoted), quick(remove)...)
	return w
}
