package workflows

import (
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/vault"
)

// recordConsent says what a customer agrees to.
func recordConsent(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	w := c.NewWorkflow(vault.RecordConsent.Name, hatchet.WithWorkflowEvents(vault.RecordConsent.Event))
	persist := w.NewTask("persist", task(s.Customers.RecordConsent), quick()...)
	w.NewTask("invalidate-cache", task(s.Caches.InvalidateProfile), quick(persist)...)
	return w
}
