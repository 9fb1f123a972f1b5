package workflows

import (
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/vault"
)

// verifyValue marks a value as verified.
func verifyValue(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	w := c.NewWorkflow(vault.VerifyValue.Name, hatchet.WithWorkflowEvents(vault.VerifyValue.Event))
	persist := w.NewTask("persist", task(s.Values.PersistVerification), quick()...)
	w.NewTask("invalidate-cache", task(s.Caches.InvalidateProfile), quick(persist)...)
	return w
}
