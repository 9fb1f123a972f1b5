package workflows

import (
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/vault"
)

// unmergeProfile undoes a merge.
func unmergeProfile(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	w := c.NewWorkflow(vault.WorkflowUnmergeProfile, hatchet.WithWorkflowEvents(vault.EventProfileUnmerge))
	unmerge := w.NewTask("unmerge", task(s.Merges.UnmergeProfile), quick()...)
	w.NewTask("invalidate-cache", task(s.Caches.InvalidateNoted), quick(unmerge)...)
	return w
}
