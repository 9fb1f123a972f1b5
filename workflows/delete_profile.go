package workflows

import (
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/vault"
)

// deleteProfile removes a customer, softly.
func deleteProfile(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	w := c.NewWorkflow(vault.WorkflowDeleteProfile, hatchet.WithWorkflowEvents(vault.EventProfileDelete))
	remove := w.NewTask("delete", task(s.Profiles.DeleteProfile), quick()...)
	w.NewTask("invalidate-cache", task(s.Caches.InvalidateNoted), quick(remove)...)
	return w
}
