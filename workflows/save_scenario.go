package workflows

import (
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/vault"
)

// saveScenario stores a scenario and announces it, which starts extract-schema.
func saveScenario(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	w := c.NewWorkflow(vault.SaveScenario.Name, hatchet.WithWorkflowEvents(vault.SaveScenario.Event))
	persist := w.NewTask("persist", task(s.Scenarios.PersistScenario), quick()...)
	w.NewTask("announce", task(s.Scenarios.AnnounceSave), quick(persist)...)
	return w
}
