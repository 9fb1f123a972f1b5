package workflows

import (
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/vault"
)

// saveSession keeps what a conversation knows, for gap fill.
func saveSession(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	w := c.NewWorkflow(vault.SaveSession.Name, hatchet.WithWorkflowEvents(vault.SaveSession.Event))
	persist := w.NewTask("persist", task(s.Sessions.PersistSession), quick()...)
	w.NewTask("acknowledge", task(s.Caches.Acknowledge), quick(persist)...)
	return w
}
