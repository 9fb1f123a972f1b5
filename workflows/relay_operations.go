package workflows

import (
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/vault"
)

// relayOperations pushes what was accepted and not enqueued, or did not finish in due time.
func relayOperations(c *hatchet.Client, s steps.Steps, cron string) *hatchet.Workflow {
	w := c.NewWorkflow(vault.WorkflowRelayOperations, onEventOrCron("", cron)...)
	w.NewTask("relay", task(s.Operations.RelayOperations), sweep()...)
	return w
}
