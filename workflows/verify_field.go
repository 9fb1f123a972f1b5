package workflows

import (
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/vault"
)

// verifyField marks a value as verified.
func verifyField(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	w := c.NewWorkflow(vault.WorkflowVerifyField, hatchet.WithWorkflowEvents(vault.EventFieldVerify))
	persist := w.NewTask("persist", task(s.Fields.PersistVerification), quick()...)
	w.NewTask("invalidate-cache", task(s.Caches.InvalidateProfile), quick(persist)...)
	return w
}
