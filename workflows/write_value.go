package workflows

import (
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/vault"
)

// writeValue stores a fact about a customer.
func writeValue(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	w := c.NewWorkflow(vault.WriteValue.Name, hatchet.WithWorkflowEvents(vault.WriteValue.Event))
	validate := w.NewTask("validate", task(s.Values.ValidateValue), quick()...)
	persist := w.NewTask("persist", task(s.Values.PersistValue), quick(validate)...)
	w.NewTask("invalidate-cache", task(s.Caches.InvalidateProfile), quick(persist)...)
	return w
}
