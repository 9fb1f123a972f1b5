package workflows

import (
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/vault"
)

// linkChannel says that an identity on a channel is a customer's.
func linkChannel(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	w := c.NewWorkflow(vault.LinkChannel.Name, hatchet.WithWorkflowEvents(vault.LinkChannel.Event))
	persist := w.NewTask("persist", task(s.Customers.LinkChannel), quick()...)
	w.NewTask("invalidate-cache", task(s.Caches.InvalidateProfile), quick(persist)...)
	return w
}
