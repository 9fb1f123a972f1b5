package workflows

import (
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/vault"
)

// saveDefinition declares a field that may be collected.
func saveDefinition(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	w := c.NewWorkflow(vault.SaveDefinition.Name, hatchet.WithWorkflowEvents(vault.SaveDefinition.Event))
	validate := w.NewTask("validate", task(s.Definitions.ValidateDefinition), quick()...)
	embed := w.NewTask("embed", task(s.Definitions.EmbedDefinition), model(validate)...)
	persist := w.NewTask("persist", task(s.Definitions.PersistDefinition), quick(embed)...)
	w.NewTask("invalidate-cache", task(s.Caches.InvalidateNoted), quick(persist)...)
	return w
}
