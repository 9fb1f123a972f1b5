package workflows

import (
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/vault"
)

// saveRequirement says that a scenario needs a field.
func saveRequirement(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	w := c.NewWorkflow(vault.SaveRequirement.Name, hatchet.WithWorkflowEvents(vault.SaveRequirement.Event))
	validate := w.NewTask("validate", task(s.Definitions.ValidateRequirement), quick()...)
	persist := w.NewTask("persist", task(s.Definitions.PersistRequirement), quick(validate)...)
	w.NewTask("invalidate-cache", task(s.Caches.InvalidateNoted), quick(persist)...)
	return w
}
