package workflows

import (
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/vault"
)

// openProfile gets the customer of a channel identity, or makes one. A new customer is in no cache.
func openProfile(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	w := c.NewWorkflow(vault.WorkflowOpenProfile, hatchet.WithWorkflowEvents(vault.EventProfileOpen))
	persist := w.NewTask("persist", task(s.Profiles.OpenProfile), quick()...)
	w.NewTask("acknowledge", task(s.Caches.Acknowledge), quick(persist)...)
	return w
}
