package workflows

import (
	"slices"

	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/steps"
)

// Crons holds the schedules of the sweeps: five-field cron expressions, in UTC. An empty one leaves its workflow
// without a cron.
type Crons struct {
	ExpireValues    string
	DetectOrphans   string
	RelayOperations string
	PurgeOperations string
}

// All declares every workflow. A worker registers what it returns; nothing else registers one.
func All(c *hatchet.Client, s steps.Steps, crons Crons) []hatchet.WorkflowBase {
	return slices.Concat(
		customerWorkflows(c, s),
		schemaWorkflows(c, s),
		gapfillWorkflows(c, s),
		upkeepWorkflows(c, s, crons),
	)
}
