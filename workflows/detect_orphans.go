package workflows

import (
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/vault"
)

// detectOrphans marks what lost its source, on a cron and by hand.
func detectOrphans(c *hatchet.Client, s steps.Steps, cron string) *hatchet.Workflow {
	w := c.NewWorkflow(vault.DetectOrphans.Name, onEventOrCron(vault.DetectOrphans.Event, cron)...)
	mark := w.NewTask("mark", task(s.Sweeps.DetectOrphans), sweep()...)
	w.NewTask("invalidate-cache", task(s.Caches.InvalidateNoted), quick(mark)...)
	return w
}
