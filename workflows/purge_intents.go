package workflows

import (
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/vault"
)

// purgeIntents removes finished intents past their retention.
func purgeIntents(c *hatchet.Client, s steps.Steps, cron string) *hatchet.Workflow {
	w := c.NewWorkflow(vault.WorkflowPurgeIntents, onEventOrCron("", cron)...)
	w.NewTask("purge", task(s.Intents.PurgeIntents), sweep()...)
	return w
}
