package workflows

import (
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/vault"
)

// writeField stores a fact about a customer.
func writeField(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	w := c.NewWorkflow(vault.WorkflowWriteField, hatchet.WithWorkflowEvents(vault.EventFieldWrite))
	validate := w.NewTask("validate", task(s.Fields.ValidateField), quick()...)
	persist := w.NewTask("persist", task(s.Fields.PersistField), quick(validate)...)
	w.NewTask("invalidate-cache", task(s.Caches.InvalidateProfile), quick(persist)...)
	return w
}
