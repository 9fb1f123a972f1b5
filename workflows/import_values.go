package workflows

import (
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/vault"
)

// importValues stores many facts in one transaction. The caches of all profiles that it touched were noted by the step itself.
func importValues(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	w := c.NewWorkflow(vault.ImportValues.Name, hatchet.WithWorkflowEvents(vault.ImportValues.Event))
	validate := w.NewTask("validate", task(s.Imports.ValidateImport), quick()...)
	persist := w.NewTask("persist", task(s.Imports.PersistImport), quick(validate)...)
	w.NewTask("invalidate-cache", task(s.Caches.InvalidateNoted), quick(persist)...)
	return w
}
