package workflows

import (
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/vault"
)

// purgeOperations removes finished operations past their retention.
func purgeOperations(c *hatchet.Client, s steps.Steps, cron string) *hatchet.Workflow {
	w := c.NewWorkflow(vault.WorkflowPurgeOperations, onEventOrCron("", cron)...)
	w.NewTask("purge", task(s.Operations.PurgeOperations), sweep()...)
	return w
}
