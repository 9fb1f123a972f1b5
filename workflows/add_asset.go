package workflows

import (
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/vault"
)

// addAsset records the reference to a document.
func addAsset(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	w := c.NewWorkflow(vault.AddAsset.Name, hatchet.WithWorkflowEvents(vault.AddAsset.Event))
	validate := w.NewTask("validate", task(s.Assets.ValidateAsset), quick()...)
	persist := w.NewTask("persist", task(s.Assets.PersistAsset), quick(validate)...)
	w.NewTask("invalidate-cache", task(s.Caches.InvalidateProfile), quick(persist)...)
	return w
}
