package workflows

import (
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/vault"
)

// mergeCustomers makes one customer of two.
func mergeCustomers(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	w := c.NewWorkflow(vault.MergeCustomers.Name, hatchet.WithWorkflowEvents(vault.MergeCustomers.Event))
	merge := w.NewTask("merge", task(s.Merges.MergeCustomers), quick()...)
	w.NewTask("invalidate-cache", task(s.Caches.InvalidateNoted), quick(merge)...)
	return w
}
