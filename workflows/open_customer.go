package workflows

import (
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/vault"
)

// openCustomer gets the customer of a channel identity, or makes one. A new customer is in no cache.
func openCustomer(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	w := c.NewWorkflow(vault.OpenCustomer.Name, hatchet.WithWorkflowEvents(vault.OpenCustomer.Event))
	persist := w.NewTask("persist", task(s.Customers.OpenCustomer), quick()...)
	w.NewTask("acknowledge", task(s.Caches.Acknowledge), quick(persist)...)
	return w
}
