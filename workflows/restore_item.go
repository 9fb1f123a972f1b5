package workflows

import (
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/vault"
)

// restoreItem brings a deleted or orphaned item back.
func restoreItem(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	w := c.NewWorkflow(vault.RestoreItem.Name, hatchet.WithWorkflowEvents(vault.RestoreItem.Event))
	restore := w.NewTask("restore", task(s.Items.RestoreItem), quick()...)
	w.NewTask("invalidate-cache", task(s.Caches.InvalidateNoted), quick(restore)...)
	return w
}
