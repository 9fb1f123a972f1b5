package workflows

import (
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/vault"
)

// relayIntents pushes what was accepted and not enqueued, or did not finish in due time.
func relayIntents(c *hatchet.Client, s steps.Steps, cron string) *hatchet.Workflow {
	w := c.NewWorkflow(vault.WorkflowRelayIntents, onEventOrCron("", cron)...)
	w.NewTask("relay", task(s.Intents.RelayIntents), sweep()...)
	return w
}
