package workflows

import (
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/vault"
)

// expireValues marks what is past its expiry, on a cron and by hand.
func expireValues(c *hatchet.Client, s steps.Steps, cron string) *hatchet.Workflow {
	w := c.NewWorkflow(vault.ExpireValues.Name, onEventOrCron(vault.ExpireValues.Event, cron)...)
	expire := w.NewTask("expire", task(s.Sweeps.ExpireValues), sweep()...)
	w.NewTask("invalidate-cache", task(s.Caches.InvalidateNoted), quick(expire)...)
	return w
}
