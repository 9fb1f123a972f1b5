package workflows

import (
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/vault"
)

// saveRule stores a rule of a scenario and announces it, which starts extract-schema.
func saveRule(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	w := c.NewWorkflow(vault.SaveRule.Name, hatchet.WithWorkflowEvents(vault.SaveRule.Event))
	persist := w.NewTask("persist", task(s.Scenarios.PersistRule), quick()...)
	w.NewTask("announce", task(s.Scenarios.AnnounceSave), quick(persist)...)
	return w
}
