package workflows

import (
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/vault"
)

// deleteCustomer removes a customer, softly.
func deleteCustomer(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	w := c.NewWorkflow(vault.DeleteCustomer.Name, hatchet.WithWorkflowEvents(vault.DeleteCustomer.Event))
	remove := w.NewTask("delete", task(s.Customers.DeleteCustomer), quick()...)
	w.NewTask("invalidate-cache", task(s.Caches.InvalidateNoted), quick(remove)...)
	return w
}
