package workflows

import (
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/vault"
)

func upkeepWorkflows(c *hatchet.Client, s steps.Steps, crons Crons) []hatchet.WorkflowBase {
	return []hatchet.WorkflowBase{
		expireValues(c, s, crons.ExpireValues),
		detectOrphans(c, s, crons.DetectOrphans),
		relayOperations(c, s, crons.RelayOperations),
		purgeOperations(c, s, crons.PurgeOperations),
		sealAudit(c, s, crons.SealAudit),
		rotateKeys(c, s, crons.RotateKeys),
		sealValues(c, s, crons.SealValues),
		createKey(c, s),
		revokeKey(c, s),
	}
}

// expireValues marks values and assets past their expiry, on a cron and on demand.
func expireValues(c *hatchet.Client, s steps.Steps, cron string) *hatchet.Workflow {
	f := begin(c, s, vault.ExpireValues, onCron(cron)...)
	return effect(f, "expire", sweep, s.Sweeps.ExpireValues).end()
}

// detectOrphans marks values and assets that lost their source, on a cron and on demand.
func detectOrphans(c *hatchet.Client, s steps.Steps, cron string) *hatchet.Workflow {
	f := begin(c, s, vault.DetectOrphans, onCron(cron)...)
	return effect(f, "mark", sweep, s.Sweeps.DetectOrphans).end()
}

// relayOperations pushes operations that were not enqueued, or did not finish in due time.
func relayOperations(c *hatchet.Client, s steps.Steps, cron string) *hatchet.Workflow {
	w := c.NewWorkflow(vault.WorkflowRelayOperations, onCron(cron)...)
	w.NewTask("relay", single(s.Operations.RelayOperations), sweep()...)
	return w
}

// purgeOperations removes finished operations past their retention.
func purgeOperations(c *hatchet.Client, s steps.Steps, cron string) *hatchet.Workflow {
	w := c.NewWorkflow(vault.WorkflowPurgeOperations, onCron(cron)...)
	w.NewTask("purge", single(s.Operations.PurgeOperations), sweep()...)
	return w
}

// sealAudit closes an interval of the audit of each tenant.
func sealAudit(c *hatchet.Client, s steps.Steps, cron string) *hatchet.Workflow {
	w := c.NewWorkflow(vault.WorkflowSealAudit, onCron(cron)...)
	w.NewTask("seal", single(s.Audit.SealAudit), sweep()...)
	return w
}

// rotateKeys makes the primary key of the sealing key the only one that is needed.
func rotateKeys(c *hatchet.Client, s steps.Steps, cron string) *hatchet.Workflow {
	w := c.NewWorkflow(vault.WorkflowRotateKeys, onCron(cron)...)
	w.NewTask("rewrap", single(s.Keys.RotateKeys), sweep()...)
	return w
}

// sealValues seals the versions of fields whose definition requires encryption since.
func sealValues(c *hatchet.Client, s steps.Steps, cron string) *hatchet.Workflow {
	w := c.NewWorkflow(vault.WorkflowSealValues, onCron(cron)...)
	w.NewTask("seal", single(s.Keys.SealValues), sweep()...)
	return w
}

// createKey stores an API key.
func createKey(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	return store(begin(c, s, vault.CreateKey), "persist", quick, s.APIKeys.CreateKey).end()
}

// revokeKey ends an API key.
func revokeKey(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	return store(begin(c, s, vault.RevokeKey), "persist", quick, s.APIKeys.RevokeKey).end()
}
