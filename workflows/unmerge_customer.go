package workflows

import (
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/vault"
)

// unmergeCustomer undoes a merge.
func unmergeCustomer(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	w := c.NewWorkflow(vault.UnmergeCustomer.Name, hatchet.WithWorkflowEvents(vault.UnmergeCustomer.Event))
	unmerge := w.NewTask("unmerge", task(s.Merges.UnmergeCustomer), quick()...)
	w.NewTask("invalidate-cache", task(s.Caches.InvalidateNoted), quick(unmerge)...)
	return w
}
