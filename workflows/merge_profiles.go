package workflows

import (
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/vault"
)

// mergeProfiles makes one customer of two.
func mergeProfiles(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	w := c.NewWorkflow(vault.WorkflowMergeProfiles, hatchet.WithWorkflowEvents(vault.EventProfileMerge))
	merge := w.NewTask("merge", task(s.Merges.MergeProfiles), quick()...)
	w.NewTask("invalidate-cache", task(s.Caches.InvalidateNoted), quick(merge)...)
	return w
}
